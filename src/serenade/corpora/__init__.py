"""Corpora: emotional speech on disk as manifests of utterances."""
