"""From noisy integers to statistics with confidence intervals: post-processing, which costs nothing."""

from privkit.dp.estimate.confidence import check_confidence
from privkit.dp.estimate.release import estimate

__all__ = ["check_confidence", "estimate"]
