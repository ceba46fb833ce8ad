"""Audio: decode, resample, condition and measure sound."""
