"""Batch jobs: any number of recordings, on this machine or on a Ray cluster."""
