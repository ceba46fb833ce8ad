"""Networks: one file each, from a waveform front end to logits."""
