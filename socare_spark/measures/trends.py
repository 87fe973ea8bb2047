"""Monotonic trends of short series: Mann-Kendall test and Theil-Sen slope."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from socare_spark.measures.multiple_testing import Floats, two_sided


def mann_kendall(series: Sequence[float] | Floats) -> float:
    """Two-sided p of the Mann-Kendall test for a trend, corrected for ties and continuity.

    Source: Gilbert (1987), Statistical Methods for Environmental Pollution Monitoring, 16.4. The
    normal approximation is used for all lengths. The result is 1 for fewer than three values or
    equal values.
    """
    values = np.asarray(series, dtype=float)
    n = len(values)
    s = float(np.sign(values[None, :] - values[:, None])[np.triu_indices(n, 1)].sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    if n < 3 or variance <= 0:
        return 1.0
    return float(two_sided((s - np.sign(s)) / np.sqrt(variance)))


def theil_sen_slope(times: Sequence[float] | Floats, series: Sequence[float] | Floats) -> float:
    """The Theil-Sen slope: the median of the slopes between all pairs of values."""
    return float(stats.theilslopes(series, times).slope)
