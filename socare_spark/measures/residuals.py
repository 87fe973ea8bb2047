"""Adjusted Pearson residuals of a table of counts, and their tests."""

import numpy as np

from socare_spark.measures.multiple_testing import Floats, benjamini_hochberg, two_sided

# Cochran's rule: below this expected count a residual is not close to normal.
LEAST_EXPECTED = 5.0


def residuals(observed: Floats) -> tuple[Floats, Floats]:
    """What a table of counts lets expect of each cell, and its adjusted Pearson residual.

    Args:
        observed: Counts, rows by columns.

    Returns:
        row x column / total, and how far the count is from it in standard deviations; NaN where the
        row or the column holds nothing, or everything.
    """
    total = observed.sum()
    rows, columns = observed.sum(1, keepdims=True), observed.sum(0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = rows * columns / total
        spread = np.sqrt(expected * (1 - rows / total) * (1 - columns / total))
        return expected, np.where(spread > 0, (observed - expected) / spread, np.nan)


def flag_residuals(
    residual: Floats, expected: Floats, significance: float, least_expected: float
) -> tuple[Floats, list[str | None]]:
    """The p of residuals, adjusted for their number, and `high` or `low` for the unusual ones.

    A residual is close to normal only where enough records are expected: below that it is not
    tested, has no p and takes no part in the adjustment.

    Args:
        residual: Of one family of tests; NaN has no part in it.
        expected: The expected count of each; of several counts the smallest.
        significance: What an adjusted p must be below.
        least_expected: The least expected count that is tested.
    """
    tested = np.where(expected >= least_expected, residual, np.nan)
    p = benjamini_hochberg(two_sided(tested))
    sides = np.where(residual > 0, "high", "low")
    return p, [
        str(side) if low else None for side, low in zip(sides, p < significance, strict=True)
    ]
