"""The past of a series: what was counted in each whole quarter, and whether it may be forecast.

Only whole quarters count, and a forecast is made from complete ones alone. A source has a whole
quarter where it reaches from its first day to its last; a series begins with the first whole
quarter of its source, or, where it has no record there, with the quarter after that of its first
record.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import fmean
from typing import Any

import pandas as pd

from socare_spark.lake.table import CELL_MEASURES

MEASURES = tuple(column.name for column in CELL_MEASURES)
_Cell = Mapping[str, int | Decimal | None]
_EMPTY: _Cell = {"people": 0, "records": 0, "unnamed": 0}


@dataclass(frozen=True)
class History:
    """A series of one measure.

    Attributes:
        series: What is counted, and the measure, as 'CHIRDRT, people'.
        known_as: What messages call it.
        measure: The measure of `cells`.
        periods: Quarters one after the other, as '2010Q1', from the first that counts.
        cells: For each the measures of `cells`, and `unnamed`, its records without a person.
        complete: Number of quarters, from the first, whose records are all in the source.
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
        """Why the series may not be made; empty where it may.

        It must be an aggregate: of so many people in a quarter, on average, where a record without
        a person counts as somebody.
        """
        if not any(self.values):
            return "nothing was counted in a whole quarter"
        people = fmean(_number(cell, "people") + _number(cell, "unnamed") for cell in self.cells)
        if people < least_people:
            return f"there are fewer than {least_people} people in a quarter, on average"
        return ""


def whole_quarters(first: date, last: date) -> list[str]:
    """The quarters of which every day lies between two days, as '2010Q1'."""
    begin, end = pd.Period(first, freq="Q"), pd.Period(last, freq="Q")
    if begin.start_time.date() < first:
        begin += 1
    if end.end_time.date() > last:
        end -= 1
    return [str(quarter) for quarter in pd.period_range(begin, end)]


def quarters_after(period: str, number: int) -> list[str]:
    """The quarters that follow one."""
    return [str(one) for one in pd.period_range(pd.Period(period) + 1, periods=number)]


def histories(
    rows: Iterable[Mapping[str, Any]],
    wanted: Mapping[str, str],
    measures: Sequence[str],
    periods: Sequence[str],
    complete: Collection[str] | None = None,
) -> Iterator[History]:
    """The series of one source; a quarter without a row is one with nothing in it.

    Args:
        rows: counted (an element or a description), period, the measures of `cells`, unnamed.
        wanted: What is counted -> what messages call it.
        measures: Of each a series.
        periods: The whole quarters of the source.
        complete: The quarters whose records are all in the source; None means all.
    """
    found = {(row["counted"], row["period"]): row for row in rows}
    for counted, known_as in wanted.items():
        every = [_cell(found.get((counted, period), _EMPTY)) for period in periods]
        begin = _begin(every)
        for measure in measures:
            yield History(
                series=f"{counted}, {measure}",
                known_as=f"{known_as}, {measure}",
                measure=measure,
                periods=tuple(periods[begin:]),
                cells=tuple(every[begin:]),
                complete=sum(complete is None or p in complete for p in periods[begin:]),
            )


def _cell(row: Mapping[str, Any]) -> _Cell:
    return {name: row.get(name) for name in (*MEASURES, "unnamed")}


def _begin(every: Sequence[_Cell]) -> int:
    """The place of the first quarter that counts.

    What begins within a quarter has not been there for all of it.
    """
    first = next((at for at, cell in enumerate(every) if cell["records"]), len(every))
    return first + 1 if first else 0


def _number(cell: _Cell, measure: str) -> float:
    return float(cell[measure] or 0)
