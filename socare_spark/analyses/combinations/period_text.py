"""Parser of periods of use in brackets, such as `Oct 12 - Feb 15` and `from Mar 14`.

A period begins on the first day of its first month and ends on the last day of its last month.
Other figures (`0-18`, `v2`, a day of a month, a financial year) are not a period.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_NAMES = "|".join([*_MONTHS, "sept", *(name[:3] for name in _MONTHS)])
_YEAR = r"((?:19|20)?\d\d)(?![\d/])"
# A month by its name or its number with a year, or a year alone.
_POINT = re.compile(
    rf"\b({_NAMES})(?![a-z])\.?[\s/'\u2019-]*{_YEAR}|(?<![\d/])(0?[1-9]|1[0-2])/{_YEAR}"
    r"|(?<![\d/])((?:19|20)\d\d)(?![\d/])"
)
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))
_UNTIL = re.compile(r"\b(?:up to|to|until|till)\b")
# Pattern of a text with its points of time replaced by `@` -> whether each point is the beginning
# of the period, its end, or both.
_SHAPES = {
    "@": ("both",),
    "@-@": ("from", "to"),
    "from@-@": ("from", "to"),
    "@-": ("from",),
    "from@": ("from",),
    "since@": ("from",),
    "@onwards": ("from",),
    "from@onwards": ("from",),
    "-@": ("to",),
}
_CENTURY = 70  # two-digit years from this one on are in the twentieth century


@dataclass(frozen=True)
class Period:
    """First and last day of a declared period; None if that side is open."""

    first: date | None
    last: date | None


def declared_period(text: str) -> Period | None:
    """Parses a period of use, or returns None if the text is not a period.

    Args:
        text: Text between the brackets, a result of `coded_text.period`.
    """
    plain = text.translate(_DASHES).casefold()
    points = [_months(match) for match in _POINT.finditer(plain)]
    shape = re.sub(r"\s+", "", _UNTIL.sub("-", _POINT.sub("@", plain)))
    sides = _SHAPES.get(shape, ())
    if not sides or len(points) != len(sides):
        return None
    first = next((p[0] for p, side in zip(points, sides, strict=True) if side != "to"), None)
    last = next((p[1] for p, side in zip(points, sides, strict=True) if side != "from"), None)
    if first is not None and last is not None and last < first:
        return None
    return Period(first, last)


def _months(match: re.Match[str]) -> tuple[date, date]:
    """First and last day of a month or year in a text."""
    name, named_year, number, numbered_year, whole = match.groups()
    if whole:
        return date(int(whole), 1, 1), date(int(whole), 12, 31)
    year = int(named_year or numbered_year)
    if year < 100:
        year += 1900 if year >= _CENTURY else 2000
    month = int(number) if number else [m[:3] for m in _MONTHS].index(name[:3]) + 1
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])
