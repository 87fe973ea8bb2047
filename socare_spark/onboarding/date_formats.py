"""Finds the strptime formats of dates and times."""

import re
from collections.abc import Iterable
from functools import cache

from socare_spark.onboarding.cell_kinds import shape_of

# Day before month: in a column whose texts fit both orders, the first is proposed.
_DAYS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d",
    "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y", "%y-%m-%d", "%y/%m/%d", "%y.%m.%d",
    "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y",
    "%d %B %Y", "%d-%B-%Y", "%b %d %Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d",
)  # fmt: skip
_TIMES = (
    "%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S%z", "%H:%M:%S.%f%z",
    "%H:%M%z", "%H:%M:%S %z",
)  # fmt: skip
_MONTHS = ("%Y-%m", "%b %Y", "%B %Y", "%b-%y", "%b-%Y", "%m/%Y")
_NAMES = "January February March April May June July August September October November December"
_PARTS = {
    "%Y": "(?:1[6-9]|2[0-9]|99)[0-9]{2}", "%y": "[0-9]{2}", "%m": "(?:0?[1-9]|1[0-2])",
    "%d": "(?:0?[1-9]|[12][0-9]|3[01])", "%H": "(?:[01]?[0-9]|2[0-3])", "%M": "[0-5]?[0-9]",
    "%S": "[0-5]?[0-9]", "%f": "[0-9]{1,6}", "%I": "(?:0?[1-9]|1[0-2])", "%p": "[AaPp][Mm]",
    "%b": "(?i:" + "|".join(name[:3] for name in _NAMES.split()) + ")",
    "%B": "(?i:" + "|".join(_NAMES.split()) + ")", "%z": "(?:Z|[+-][0-9]{2}:?[0-9]{2})",
}  # fmt: skip
_PADDED = {"%m": "(?:0[1-9]|1[0-2])", "%d": "(?:0[1-9]|[12][0-9]|3[01])"}
_DAY = r"%[dmYy]"
_MIDNIGHT = re.compile(r"[T ](00?:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])$")


def pattern_of(form: str) -> str:
    """Regular expression of a strptime format, for Python and RE2."""
    parts = re.findall(r"%[A-Za-z]|[^%]", form)
    marked = len(parts) > sum(part.startswith("%") for part in parts)
    parts_of = _PARTS if marked else _PARTS | _PADDED
    return "".join(parts_of.get(part) or re.escape(part) for part in parts)


def _all_formats() -> tuple[str, ...]:
    times = [f"{day}{mark}{time}" for day in _DAYS for mark in " T" for time in _TIMES]
    return (*_DAYS, *times, *_MONTHS)


FORMATS = _all_formats()


@cache
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(pattern_of(form))


def orders_of(form: str) -> tuple[str, ...]:
    """The formats with the same marks and another order of day, month and year, day first.

    A year of four digits, and a month with a name, show the order.
    """
    if "%d" not in form or "%m" not in form or form.startswith("%Y"):
        return (form,)
    day = re.sub(_DAY, "{}", form)
    parts = re.findall(_DAY, form)
    year = next(part for part in parts if part in ("%Y", "%y"))
    orders = [("%d", "%m", year), ("%m", "%d", year)]
    if year == "%y":
        orders.append(("%y", "%m", "%d"))
    return tuple(day.format(*order) for order in orders)


def has_time(form: str) -> bool:
    """Whether a format has hours."""
    return "%H" in form or "%I" in form


def is_midnight(text: str) -> bool:
    """Whether a text ends in a time of midnight without an offset."""
    return _MIDNIGHT.search(text) is not None


def formats_of(texts: Iterable[str]) -> list[str]:
    """The fewest formats that fit the texts, the most frequent first.

    Of two formats that differ in the order of day and month, the one that fits more texts counts.
    Texts without a format are left out.
    """
    remaining = {text: fits for text in texts if (fits := _fitting(text))}
    chosen: list[str] = []
    while remaining:
        counts: dict[str, int] = {}
        for fits in remaining.values():
            for form in fits:
                counts[form] = counts.get(form, 0) + 1
        best = max(counts, key=lambda form: (counts[form], -FORMATS.index(form)))
        chosen.append(best)
        remaining = {text: fits for text, fits in remaining.items() if best not in fits}
    return chosen


def _fitting(text: str) -> list[str]:
    """The formats that fit a text."""
    return [form for form in _BY_SHAPE.get(shape_of(text), ()) if _compiled(form).fullmatch(text)]


def _shapes_of(form: str) -> set[str]:
    """The shapes that texts of a format can have."""
    texts = {re.sub(r"%[bBp]", "a", re.sub(r"%[YymdHMSIf]", "9", form))}
    for text in [*texts]:
        if "%z" in text:
            texts = {text.replace("%z", offset) for offset in ("Z", "+9", "-9", "+9:9", "-9:9")}
    return set(map(shape_of, texts))


def _by_shape() -> dict[str, list[str]]:
    formats: dict[str, list[str]] = {}
    for form in FORMATS:
        for shape in _shapes_of(form):
            formats.setdefault(shape, []).append(form)
    return formats


_BY_SHAPE = _by_shape()
