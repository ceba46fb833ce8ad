"""Models: bundles on disk and the sessions that score audio with them."""
