"""Tests of significance on small results, and what many of them at once are worth.

Arrays in, arrays out; a value that is not defined is NaN and stays so.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


def two_sided(z: npt.ArrayLike) -> Floats:
    """Probability of a standard normal value at least as far from 0."""
    return np.asarray(2 * stats.norm.sf(np.abs(np.asarray(z, dtype=float))), dtype=float)


def benjamini_hochberg(p: npt.ArrayLike) -> Floats:
    """Probabilities adjusted for their number (Benjamini and Hochberg, 1995); NaN has no part."""
    values = np.asarray(p, dtype=float)
    out = np.full(values.shape, np.nan)
    known = ~np.isnan(values)
    if known.any():
        out[known] = stats.false_discovery_control(values[known], method="bh")
    return out


def mann_kendall(series: Sequence[float] | Floats) -> float:
    """Two-sided p of the Mann-Kendall test for a trend, corrected for ties and continuity.

    Source: Gilbert (1987), Statistical Methods for Environmental Pollution Monitoring, 16.4. The
    normal approximation is used for every length; a series of fewer than three values, or of equal
    ones, has no trend to test and gives 1.
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
