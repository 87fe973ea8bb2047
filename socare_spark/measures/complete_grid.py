"""Complete grids: each requested cell has a row, with zero counts if it has no records."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import pandas as pd

_COUNTS = ("people", "records")


def all_cells(values: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """All combinations of values.

    Args:
        values: Name of a dimension -> its values; None means all values.

    Returns:
        One row for each combination, in order.
    """
    rows = list(product(*(dict.fromkeys(of_dim) for of_dim in values.values())))
    return pd.DataFrame(rows, columns=list(values), dtype=object)


def complete_grid(
    cells: pd.DataFrame, counted: pd.DataFrame, more_measures: Sequence[str] = ()
) -> pd.DataFrame:
    """Joins requested cells with their counts and fills missing counts with zero.

    Args:
        cells: The requested cells: one row with the dimensions of each. Null (all values) equals
            null.
        counted: The same dimensions, the measures of `count_people` and the further measures.
        more_measures: Names of further counts and sums.

    Returns:
        One row for each requested cell, in the same order: the dimensions and all columns of
        `counted`. `people`, `records` and the further measures are 0 without records.
    """
    dims = list(cells.columns)
    typed = cells.astype({name: counted[name].dtype for name in dims})
    full = typed.merge(counted, on=dims, how="left")
    filled = [*_COUNTS, *more_measures]
    return full.assign(**{name: _zero_filled(full[name]) for name in filled})


def _zero_filled(values: pd.Series) -> pd.Series:
    if values.dtype == object:
        return values.map(lambda value: Decimal(0) if pd.isna(value) else value)
    return values.fillna(0)


def ratio(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Quotient of two columns of numbers; NaN where one is null or the denominator is 0."""
    below = denominator.astype("float64")
    return numerator.astype("float64") / below.where(below != 0)
