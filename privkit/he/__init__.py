"""Homomorphic encryption: BFV for exact sums between parties, CKKS for scoring that its key's owner alone sees."""
