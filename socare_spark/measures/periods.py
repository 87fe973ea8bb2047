"""Calendar periods, and the records open in each period with their cost.

A period includes its first and last day. Quarters are calendar quarters, written `2010Q1`. A
financial year is from April to March, written `2016/17`.
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
    """A range of days.

    Attributes:
        label: Label of the period; None for the total of all periods.
        first: First day.
        last: Last day, included.
    """

    label: int | str | None
    first: date
    last: date


def _follows(label: str) -> str:
    if (int(label[:4]) + 1) % 100 != int(label[5:]):
        raise ValueError("a financial year must have the form 2016/17, with the next year")
    return label


Quarter = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}Q[1-4]$")]
FinancialYear = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}/[0-9]{2}$"), AfterValidator(_follows)]


def quarter(label: Quarter) -> Period:
    """The quarter with a label, as `2010Q1`."""
    return _quarter(int(label[:4]) * 4 + int(label[5]) - 1)


def quarters(first: date, last: date) -> list[Period]:
    """All quarters from that of the first day to that of the last day."""
    start, end = (day.year * 4 + (day.month - 1) // 3 for day in (first, last))
    return [_quarter(number) for number in range(start, end + 1)]


def _quarter(number: int) -> Period:
    """The quarter with a number, counted from year 0."""
    year, position = divmod(number, 4)
    next_quarter = divmod(number + 1, 4)
    next_first = date(next_quarter[0], 3 * next_quarter[1] + 1, 1)
    return Period(
        f"{year}Q{position + 1}", date(year, 3 * position + 1, 1), next_first - timedelta(1)
    )


def financial_year(label: FinancialYear) -> Period:
    """The financial year with a label, as `2016/17`."""
    year = int(label[:4])
    return Period(label, date(year, 4, 1), date(year + 1, 3, 31))


def years(first: int, last: int) -> list[Period]:
    """All calendar years from the first to the last."""
    return [Period(year, date(year, 1, 1), date(year, 12, 31)) for year in range(first, last + 1)]


def with_total(periods: list[Period]) -> list[Period]:
    """Appends the total of consecutive periods, which has no label."""
    return [*periods, Period(None, periods[0].first, periods[-1].last)] if periods else []


def open_in(records: DataFrame, periods: Iterable[Period], label: str) -> DataFrame:
    """Joins records with each period in which they were open for at least one day.

    Args:
        records: `start`, `end` (the last day; null while open), `weekly_cost`, and other columns.
        periods: The periods; they can overlap.
        label: Name and type of the label column, as `quarter string`.

    Returns:
        One row for each record and period: the columns of the record, the label, `first` and `last`
        of the period, and `cost`, the cost in pounds of the days in the period.
    """
    rows = [(period.label, period.first, period.last) for period in periods]
    period_rows = records.sparkSession.createDataFrame(rows, f"{label}, first date, last date")
    start, end, first, last = (F.col(name) for name in ("start", "end", "first", "last"))
    days = days_open(start, end, first, last)
    # The condition `days > 0` also excludes records that end before they start.
    joined = records.join(F.broadcast(period_rows), (start <= last) & (days > 0))
    return joined.withColumn("cost", cost_of_days(F.col("weekly_cost"), days))
