"""Tests of significance on small results, and what many of them at once are worth.

Arrays in, arrays out; a value that is not defined is NaN and stays so.
"""

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
