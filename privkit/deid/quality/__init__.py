"""How good detection is: what annotators marked against what would be replaced."""
