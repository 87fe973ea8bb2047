"""Adjusted Pearson residuals of a contingency table, and their significance tests."""

import numpy as np

from socare_spark.measures.multiple_testing import Floats, benjamini_hochberg, two_sided

# Cochran's rule: below this expected count a residual is not approximately normal.
LEAST_EXPECTED = 5.0


def residuals(observed: Floats) -> tuple[Floats, Floats]:
    """Expected counts and adjusted Pearson residuals of a contingency table.

    Args:
        observed: Counts, rows by columns.

    Returns:
        Expected counts (row total x column total / total), and residuals in standard deviations. A
        residual is NaN if its row or column has no records or all records.
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
    """Tests residuals and flags the significant ones.

    A residual with a small expected count is not approximately normal. It is not tested, has no p
    and is excluded from the adjustment.

    Args:
        residual: Residuals of one family of tests; NaN is ignored.
        expected: Expected count of each residual; the smallest if it has several.
        significance: Level below which an adjusted p is significant.
        least_expected: Minimum expected count for a test.

    Returns:
        Adjusted p values (NaN if not tested), and `high`, `low` or None for each residual.
    """
    tested = np.where(expected >= least_expected, residual, np.nan)
    p = benjamini_hochberg(two_sided(tested))
    sides = np.where(residual > 0, "high", "low")
    return p, [
        str(side) if low else None for side, low in zip(sides, p < significance, strict=True)
    ]
