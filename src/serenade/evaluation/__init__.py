"""Evaluation: metrics, protocols and reports, measured through the product."""
