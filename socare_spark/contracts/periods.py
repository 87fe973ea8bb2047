"""Periods in the names of extracts and in the settings of contracts: their first and last day."""

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

_MARK = "[-_./]"
_NUMBER = "0?[1-9]|[1-9][0-9]"
# Without a mark a part has all its digits, because 20171 can be read in two ways.
_MONTH = re.compile(f"([0-9]{{4}})(?:([0-9]{{2}})|{_MARK}({_NUMBER}))")
_DAY = re.compile(
    f"([0-9]{{4}})(?:([0-9]{{2}})([0-9]{{2}})|{_MARK}?([0-9]{{2}}){_MARK}?([0-9]{{2}})"
    f"|{_MARK}({_NUMBER}){_MARK}({_NUMBER}))"
)
_YEAR = re.compile("([0-9]{4})")
_YEARS = re.compile(f"([0-9]{{4}}){_MARK}?([0-9]{{2}}|[0-9]{{4}})")
_QUARTER = re.compile(f"(.+?){_MARK}?[Qq]([1-4])")
_WEEK = re.compile(f"([0-9]{{4}}){_MARK}?[Ww]({_NUMBER})")
_VALID_YEARS = range(1900, 2101)
_DECEMBER = 12
_MONTHS_OF_A_QUARTER = 3
_QUARTERS = 4

# The first and the last day.
Days = tuple[date, date]


@dataclass(frozen=True)
class Calendar:
    """The years of a dataset, by which the names of periods are read.

    Attributes:
        last_month: Month in which a year ends.
        last_day: Day on which a year ends; 28 February means the last day of February.
        named_by: For years that end before December: whether the name 2017 means the year that
            starts or the year that ends in 2017. None if a year is always named by two numbers.
    """

    last_month: int = _DECEMBER
    last_day: int = 31
    named_by: Literal["start", "end"] | None = None

    @property
    def has_calendar_years(self) -> bool:
        """Whether years end on 31 December."""
        return (self.last_month, self.last_day) == (_DECEMBER, 31)

    @property
    def forms(self) -> str:
        """The forms of a period, for messages."""
        if self.has_calendar_years:
            year, quarter = "a year, a month or a day (2017, 2017-06 or 2017-06-30)", "2017-Q1"
        else:
            single = "2017 or " if self.named_by else ""
            year, quarter = f"a year or a day ({single}2017-18, 2017-06-30)", "2017-18-Q1"
        return f"{year}, a quarter or a week ({quarter}, 2017-W05), from 1900 to 2100"

    def days(self, period: str) -> Days:
        """The first and the last day of a period.

        Args:
            period: A year, quarter, month, week or day.

        Raises:
            ValueError: the period has another form, or its year can be another one too.
        """
        try:
            days = self._day(period) or self._week(period) or self._quarter(period)
            days = days or self._year(period) or self._month(period)
        except _UnnamedYearError:
            raise
        except (ValueError, OverflowError):
            days = None
        if days is None or not all(day.year in _VALID_YEARS for day in days):
            raise ValueError(f"a period must be {self.forms}")
        return days

    def last(self, period: str) -> date:
        """The last day of a period.

        Raises:
            ValueError: as in `days`.
        """
        return self.days(period)[1]

    def _day(self, period: str) -> Days | None:
        match = _DAY.fullmatch(period)
        if match is None:
            return None
        year, month, day = (int(part) for part in match.groups() if part)
        if not self.has_calendar_years and year + 1 == int(f"{month:02d}{day:02d}"):
            return None  # 20172018
        return (date(year, month, day),) * 2

    def _week(self, period: str) -> Days | None:
        match = _WEEK.fullmatch(period)
        if match is None:
            return None
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        return monday, monday + timedelta(6)

    def _quarter(self, period: str) -> Days | None:
        match = _QUARTER.fullmatch(period)
        year = self._year(match[1]) if match else None
        if match is None or year is None:
            return None
        before = (int(match[2]) - 1) * _MONTHS_OF_A_QUARTER
        first = _months_later(year[0], before)
        return first, _months_later(year[0], before + _MONTHS_OF_A_QUARTER) - timedelta(1)

    def _year(self, period: str) -> Days | None:
        if single := _YEAR.fullmatch(period):
            return self._year_from(self._first_year(int(single[1])))
        double = _YEARS.fullmatch(period)
        if double is None or self.has_calendar_years or not _are_consecutive(double):
            return None
        return self._year_from(int(double[1]))

    def _month(self, period: str) -> Days | None:
        match = _MONTH.fullmatch(period)
        if match is None or not self.has_calendar_years:
            return None
        year, month = int(match[1]), int(match[2] or match[3])
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])

    def _first_year(self, year: int) -> int:
        """The calendar year in which the year of a name of one number begins."""
        if self.has_calendar_years or self.named_by == "start":
            return year
        if self.named_by == "end":
            return year - 1
        raise _UnnamedYearError(
            f"the year {year} can start or end in {year}: declare socare.years_named_by (start or "
            f"end) or write both years ({year}-{(year + 1) % 100:02d})"
        )

    def _year_from(self, year: int) -> Days:
        """The year that begins in a calendar year."""
        if self.has_calendar_years:
            return date(year, 1, 1), date(year, 12, 31)
        return self._year_end(year) + timedelta(1), self._year_end(year + 1)

    def _year_end(self, year: int) -> date:
        is_last_of_february = (self.last_month, self.last_day) == (2, 28)
        day = calendar.monthrange(year, 2)[1] if is_last_of_february else self.last_day
        return date(year, self.last_month, day)


class _UnnamedYearError(ValueError):
    """A year of one number in a dataset whose years end before December."""


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _are_consecutive(years: re.Match[str]) -> bool:
    """Whether the second of two years, of two or four digits, follows the first."""
    return str(int(years[1]) + 1).endswith(years[2])


def names_two_years(period: str) -> bool:
    """Whether a period consists of a year and the next one, and cannot be a month."""
    match = _YEARS.fullmatch(period)
    if match is None or not _are_consecutive(match):
        return False
    return not 1 <= int(match[2]) <= _DECEMBER


def possible_quarters(periods: Iterable[str]) -> frozenset[str]:
    """Finds periods that can be quarters or months, as 2017-1.

    These are the months from 1 to 4 of one digit, unless another period is certainly a month.
    """
    months = {p: m[2] or m[3] for p in periods if (m := _MONTH.fullmatch(p))}
    if any(len(month) > 1 or int(month) > _QUARTERS for month in months.values()):
        return frozenset()
    return frozenset(months)


def financial_years(periods: Iterable[str]) -> frozenset[str]:
    """Finds periods that are probably financial years, as 2010-11, and not months.

    All periods with a year and a two-digit part are returned if they have at least two different
    years and the second part of each is the next year. Otherwise the result is empty.
    """
    parts = {p: m for p in periods if (m := _YEARS.fullmatch(p)) and len(m[2]) == 2}
    has_several_years = len({years[1] for years in parts.values()}) > 1
    follow = all(map(_are_consecutive, parts.values()))
    return frozenset(parts if has_several_years and follow else ())
