"""Significance tests on arrays and their adjustment for multiple testing.

Undefined values are NaN in inputs and outputs.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


def two_sided(z: npt.ArrayLike) -> Floats:
    """Two-sided p: the probability that a standard normal value is at least as far from 0."""
    return np.asarray(2 * stats.norm.sf(np.abs(np.asarray(z, dtype=float))), dtype=float)


def benjamini_hochberg(p: npt.ArrayLike) -> Floats:
    """Adjusts p values for multiple testing (Benjamini and Hochberg, 1995). NaN is ignored."""
    values = np.asarray(p, dtype=float)
    adjusted = np.full(values.shape, np.nan)
    defined = ~np.isnan(values)
    if defined.any():
        adjusted[defined] = stats.false_discovery_control(values[defined], method="bh")
    return adjusted
