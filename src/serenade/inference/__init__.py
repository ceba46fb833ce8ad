"""Inference: from audio to predictions."""
