"""Run one function over many blocks, where the data is."""
