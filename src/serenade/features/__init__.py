"""Features: what is computed from a waveform, in numpy, with the names librosa uses."""
