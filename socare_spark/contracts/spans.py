"""Ranges of periods for which a setting of a contract applies."""

from datetime import date

from pydantic import Field as Key
from pydantic import field_validator

from socare_spark.config import StrictModel
from socare_spark.contracts.periods import Calendar


class Span(StrictModel):
    """A range of periods, open on a side without a bound.

    The calendar of the contract decides the days of a period.

    Attributes:
        start: A period; the range begins with its first day.
        end: A period; the range ends with its last day.
    """

    start: str | None = Key(default=None, alias="from")
    end: str | None = Key(default=None, alias="to")

    @field_validator("start", "end", mode="before", json_schema_input_type=str | int | None)
    @classmethod
    def _is_text(cls, value: object) -> object:
        # YAML reads 2017 as a number and 2017-06-01 as a date, but also 2017.10 as 2017.1 and
        # 2017_1_1 as 201711.
        text = None if value is None else str(value)
        if isinstance(value, (int, float)) and len(text or "") not in (4, 8):
            raise ValueError("a period must be in quotes, because YAML reads it as a number")
        return text

    def fault(self, calendar: Calendar) -> str:
        """The first fault of the range; empty for a valid one."""
        try:
            first, last = self.days(calendar)
        except ValueError as error:
            return str(error)
        return "" if first <= last else "'to' must not be before 'from'"

    def days(self, calendar: Calendar) -> tuple[date, date]:
        """The first and the last day of the range.

        Raises:
            ValueError: a bound is not a period of the calendar.
        """
        first = date.min if self.start is None else calendar.days(self.start)[0]
        return first, date.max if self.end is None else calendar.last(self.end)

    def contains(self, day: date, calendar: Calendar) -> bool:
        """Whether a day is in the range."""
        first, last = self.days(calendar)
        return first <= day <= last

    def overlaps(self, other: "Span", calendar: Calendar) -> bool:
        """Whether both ranges contain a common day."""
        (first, last), (other_first, other_last) = self.days(calendar), other.days(calendar)
        return first <= other_last and other_first <= last
