"""History of a series: counts of each whole quarter, and the rule that allows a forecast.

A quarter is whole if the source covers it from its first day to its last. Only whole quarters
count, and forecasts use complete quarters only. A series begins with the first whole quarter of its
source. If that quarter has no record, it begins with the quarter after that of its first record.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean
from typing import Any

import pandas as pd

from socare_spark.lake.table import CELL_MEASURES

MEASURES = tuple(column.name for column in CELL_MEASURES)
_Cell = Mapping[str, int | Decimal | None]
_EMPTY: _Cell = dict.fromkeys(MEASURES) | {"people": 0, "records": 0, "unnamed": 0}


@dataclass(frozen=True)
class History:
    """A series of one measure.

    Attributes:
        series: Name of the series: element or description, and measure, such as 'CHIRDRT, people'.
        known_as: Name of the series in messages.
        measure: Name of the measure.
        periods: Consecutive quarters from the first that counts, such as '2010Q1'.
        cells: Measures of each quarter, and `unnamed`, the number of records without a person.
        complete: Number of quarters, from the first, with all their records in the source.
    """

    series: str
    known_as: str
    measure: str
    periods: tuple[str, ...]
    cells: tuple[_Cell, ...]
    complete: int

    @property
    def values(self) -> list[float]:
        """The measure in each quarter."""
        return [_number(cell, self.measure) for cell in self.cells]

    def exclusion_reason(self, least_people: int) -> str:
        """Reason to leave out the series, or an empty text.

        A series needs a minimum number of people in a quarter, on average. Each record without a
        person counts as one person.
        """
        if not any(self.values):
            return "nothing was counted in a whole quarter"
        people = fmean(_number(cell, "people") + _number(cell, "unnamed") for cell in self.cells)
        if people < least_people:
            return f"there are fewer than {least_people} people in a quarter, on average"
        return ""


def histories(
    counted: pd.DataFrame,
    wanted: Mapping[str, str],
    measures: Sequence[str],
    periods: Sequence[str],
    complete: Collection[str] | None = None,
) -> Iterator[History]:
    """Builds the series of one source. A quarter without a row has counts of 0.

    Args:
        counted: One row for each element or description and quarter: `counted` (the element or
            description), `period`, the measures of cells, `unnamed`.
        wanted: Element or description -> its name in messages.
        measures: Measures; one series each.
        periods: The whole quarters of the source.
        complete: Quarters with all their records in the source; None means all.
    """
    columns = ["counted", "period", *MEASURES, "unnamed"]
    rows = counted[columns].to_numpy(dtype=object).tolist()
    cell_of = {(name, period): _cell(values) for name, period, *values in rows}
    for name, known_as in wanted.items():
        cells = [cell_of.get((name, period), _EMPTY) for period in periods]
        begin = _begin(cells)
        for measure in measures:
            yield History(
                series=f"{name}, {measure}",
                known_as=f"{known_as}, {measure}",
                measure=measure,
                periods=tuple(periods[begin:]),
                cells=tuple(cells[begin:]),
                complete=sum(complete is None or p in complete for p in periods[begin:]),
            )


def _cell(values: Sequence[Any]) -> _Cell:
    names = (*MEASURES, "unnamed")
    return {n: None if pd.isna(v) else v for n, v in zip(names, values, strict=True)}


def _begin(cells: Sequence[_Cell]) -> int:
    """Index of the first quarter that counts.

    The quarter of the first record is left out, because a series can begin within it.
    """
    first = next((at for at, cell in enumerate(cells) if cell["records"]), len(cells))
    return first + 1 if first else 0


def _number(cell: _Cell, measure: str) -> float:
    return float(cell[measure] or 0)
