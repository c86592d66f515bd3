"""privkit's own tagger of names and places: words to features, features to probabilities, probabilities to spans."""

LANGUAGES = ("en", "de", "fr", "es", "it", "nl")
"""Languages of the texts that it was trained on."""
