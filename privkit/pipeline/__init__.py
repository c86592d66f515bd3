"""The door of doors: one file says how a dataset is shared, one run does it, one card says what was given away."""

from privkit.pipeline.pipeline import Pipeline

__all__ = ["Pipeline"]
