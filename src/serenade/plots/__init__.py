"""Pictures of speech, corpora, training and results; each function returns a matplotlib figure."""
