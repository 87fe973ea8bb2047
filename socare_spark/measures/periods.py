"""Calendar periods, and what was open in them at what cost.

A period is all its days, first and last counted. Quarters are those of the calendar, written
`2010Q1`; a financial year is a British council's, from April to March, written `2016/17`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.measures.agreement_cost import cost_of_days, days_open


@dataclass(frozen=True)
class Period:
    """Days from the first to the last, and what they are called; None stands for all periods."""

    label: int | str | None
    first: date
    last: date


def _follows(label: str) -> str:
    if (int(label[:4]) + 1) % 100 != int(label[5:]):
        raise ValueError("a financial year is written with the year that follows, as 2016/17")
    return label


Quarter = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}Q[1-4]$")]
FinancialYear = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}/[0-9]{2}$"), AfterValidator(_follows)]


def quarter(label: Quarter) -> Period:
    """The quarter of a label, as `2010Q1`."""
    return _quarter(int(label[:4]) * 4 + int(label[5]) - 1)


def quarters(first: date, last: date) -> list[Period]:
    """The quarters from that of one day to that of another."""
    number, final = (day.year * 4 + (day.month - 1) // 3 for day in (first, last))
    return [_quarter(one) for one in range(number, final + 1)]


def _quarter(number: int) -> Period:
    """A quarter by its number since the year 0."""
    year, place = divmod(number, 4)
    after = divmod(number + 1, 4)
    next_first = date(after[0], 3 * after[1] + 1, 1)
    return Period(f"{year}Q{place + 1}", date(year, 3 * place + 1, 1), next_first - timedelta(1))


def financial_year(label: FinancialYear) -> Period:
    """The financial year of a label, as `2016/17`."""
    year = int(label[:4])
    return Period(label, date(year, 4, 1), date(year + 1, 3, 31))


def years(first: int, last: int) -> list[Period]:
    """The calendar years from one to another."""
    return [Period(year, date(year, 1, 1), date(year, 12, 31)) for year in range(first, last + 1)]


def with_total(periods: list[Period]) -> list[Period]:
    """Periods that follow one another, and after them all of them as one, which has no label."""
    return [*periods, Period(None, periods[0].first, periods[-1].last)] if periods else []


def open_in(records: DataFrame, periods: Iterable[Period], label: str) -> DataFrame:
    """Records with each period in which they were open for at least a day.

    Args:
        records: `start`, `end` (the last day; null while open), `weekly_cost` besides anything
            else.
        periods: They may overlap.
        label: Name and type of the column that says which period, as `quarter string`.

    Returns:
        For each record and period a row: the record, the label, `first` and `last` of the period,
        and `cost` of the days in it.
    """
    rows = [(one.label, one.first, one.last) for one in periods]
    given = records.sparkSession.createDataFrame(rows, f"{label}, first date, last date")
    start, end, first, last = (F.col(name) for name in ("start", "end", "first", "last"))
    days = days_open(start, end, first, last)
    # `start` and `end` alone would pass a record that ends before it starts.
    both = records.join(F.broadcast(given), (start <= last) & (days > 0))
    return both.withColumn("cost", cost_of_days(F.col("weekly_cost"), days))
