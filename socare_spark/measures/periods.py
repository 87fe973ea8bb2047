"""Calendar periods, and the records open in each period with their cost.

A period includes its first and last day. Quarters are calendar quarters, written `2010Q1`. A
financial year is from April to March, written `2016/17`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.config import StrictModel, check_order
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


class YearRange(StrictModel):
    """Settings with a first and a last calendar year.

    Attributes:
        first_year: First calendar year.
        last_year: Last calendar year, included.
    """

    first_year: int
    last_year: int

    @model_validator(mode="after")
    def _years_in_order(self) -> Self:
        check_order(self, "first_year", "last_year")
        return self


def _follows(label: str) -> str:
    if (int(label[:4]) + 1) % 100 != int(label[5:]):
        raise ValueError("a financial year must have the form 2016/17, with the next year")
    return label


Quarter = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}Q[1-4]$")]
FinancialYear = Annotated[str, Field(pattern=r"^[1-9][0-9]{3}/[0-9]{2}$"), AfterValidator(_follows)]

Window = Literal["day", "week", "month", "quarter", "year"]
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def quarter(label: Quarter) -> Period:
    """The quarter with a label, as `2010Q1`."""
    return _quarter(int(label[:4]) * 4 + int(label[5]) - 1)


def quarters(first: date, last: date) -> list[Period]:
    """All quarters from that of the first day to that of the last day."""
    return [_quarter(number) for number in range(_number(first), _number(last) + 1)]


def whole_quarters(first: date, last: date) -> list[str]:
    """Labels of the quarters that are completely between two days, both included."""
    return [str(q.label) for q in quarters(first, last) if first <= q.first and q.last <= last]


def quarters_after(label: Quarter, number: int) -> list[str]:
    """Labels of a number of quarters after a quarter."""
    begin = _number(quarter(label).first) + 1
    return [str(_quarter(at).label) for at in range(begin, begin + number)]


def window_start(day: date, window: Window) -> date:
    """First day of the calendar period that contains a day. A week begins on Monday."""
    if window == "day":
        return day
    if window == "week":
        return day - timedelta(day.weekday())
    months = _MONTHS[window]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _number(day: date) -> int:
    """Number of the quarter of a day, counted from year 0."""
    return day.year * 4 + (day.month - 1) // 3


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
    """Repeats records for each period in which they were open for at least one day.

    Args:
        records: `start`, `end` (the last day; null while open), `weekly_cost`, and other columns.
        periods: The periods; they can overlap.
        label: Name and type of the label column, as `quarter string`.

    Returns:
        One row for each record and period: the columns of the record, the label, `first` and `last`
        of the period, and `cost`, the cost in pounds of the days in the period.
    """
    name, type_ = label.split()
    values = [
        F.struct(
            F.lit(period.label).cast(type_).alias(name),
            F.lit(period.first).alias("first"),
            F.lit(period.last).alias("last"),
        )
        for period in periods
    ]
    # A literal array needs no join. The cast gives an empty array its type.
    periods_of_all = F.array(*values).cast(f"array<struct<{name}:{type_},first:date,last:date>>")
    start, end, first, last = (F.col(name) for name in ("start", "end", "first", "last"))
    days = days_open(start, end, first, last)
    # The condition `days > 0` also excludes records that end before they start.
    opened = records.select("*", F.inline(periods_of_all)).where((start <= last) & (days > 0))
    return opened.withColumn("cost", cost_of_days(F.col("weekly_cost"), days))


def open_in_years(
    records: DataFrame, first_year: int | None = None, last_year: int | None = None
) -> DataFrame:
    """Repeats records for each calendar year in which they were open, and for all years together.

    Args:
        records: `start`, `end` (the last day, not null), `weekly_cost`, and other columns.
        first_year: First year that counts; None means no limit.
        last_year: Last year that counts; None means no limit.

    Returns:
        One row for each record and year, and one for each record and all years together: the
        columns of the record, `year` (null for all years), and `cost`, the cost in pounds of the
        days that count.
    """
    first_day = None if first_year is None else date(first_year, 1, 1)
    last_day = None if last_year is None else date(last_year, 12, 31)
    # `greatest` and `least` ignore null.
    limited = records.where("start <= end").withColumns(
        {
            "_first": F.greatest("start", F.lit(first_day).cast("date")),
            "_last": F.least("end", F.lit(last_day).cast("date")),
        }
    )
    each_year = F.sequence(F.year("_first"), F.year("_last"))
    year = F.explode(F.concat(F.array(F.lit(None).cast("int")), each_year))
    opened = limited.where("_first <= _last").withColumn("year", year)
    first = F.greatest("_first", F.make_date("year", F.lit(1), F.lit(1)))
    last = F.least("_last", F.make_date("year", F.lit(12), F.lit(31)))
    cost = cost_of_days(F.col("weekly_cost"), F.datediff(last, first) + 1)
    return opened.select(*records.columns, "year", cost.alias("cost"))
