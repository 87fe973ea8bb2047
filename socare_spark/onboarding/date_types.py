"""Finds the form of dates and times, and the order of day, month and year."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from socare_spark.contracts.header_names import normalise_header
from socare_spark.onboarding.column_types import ColumnType, Texts, is_accepted, without_type
from socare_spark.onboarding.date_formats import (
    formats_of,
    has_time,
    is_midnight,
    orders_of,
    pattern_of,
)
from socare_spark.onboarding.header_words import word_set, words_of
from socare_spark.plurals import agreeing, counted

_DATE_WORDS = word_set("date day dob birth dt start end opened closed created updated")
_OPEN_ENDS = ("9999-12-31", "2999-12-31", "2099-12-31")
# Offsets of the United Kingdom.
_LOCAL = ({"Z", "+00:00", "+0000"}, {"+01:00", "+0100"})
_OFFSET = re.compile(r"Z$|[+-][0-9]{2}:?[0-9]{2}$")
_LOCAL_MIDNIGHT = re.compile(r"[T ](00:00|23:00)(:00(\.0+)?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})$")


def date_type(name: str, filled: Texts, values: Sequence[str]) -> ColumnType | None:
    """The type of a column of dates or times; None if it has other texts.

    Args:
        name: Name of the column.
        filled: Its texts.
        values: Some of them.
    """
    fitting = _agreed(formats_of(values))
    if not {*words_of(name)} & _DATE_WORDS:
        fitting = [form for form in fitting if form != "%Y%m%d"]
    formats: list[str] = []
    matched = np.zeros(len(filled.texts), bool)
    doubts: list[str] = []
    for proposed in fitting[:6]:
        form, mask, doubt = _in_order(proposed, filled)
        if mask is None:
            return ColumnType(doubts=(doubt,))
        if (mask & ~matched).any():
            formats.append(form)
            matched = matched | mask
            doubts += [doubt] if doubt else []
    missing, mismatches = without_type(filled, matched)
    if not formats or not is_accepted(filled, mismatches):
        return None
    if any("%y" in form for form in formats):
        doubts.append("years of two digits are read as 1969 to 2068")
    treatment: dict[str, object] = {}
    ends = [day for day in _OPEN_ENDS if any(day in _iso(text, formats) for text in values)]
    if ends:
        treatment["open_ended"] = ends
    timed = any(map(has_time, formats))
    zoned = any("%z" in form for form in formats)
    days_only = not zoned and all(is_midnight(text) for text in values if ":" in text)
    type_ = "datetime" if timed and not days_only else "date"
    if zoned:
        treatment |= _zone(name, values)
        doubts += _doubts_of_offsets(values, has_zone="zone" in treatment)
    elif type_ == "datetime":
        doubts.append("the times have no zone and are read as UTC: declare a zone for local times")
    return ColumnType(
        type_, tuple(formats), {}, treatment, missing, mismatches, tuple(dict.fromkeys(doubts))
    )


def _zone(name: str, values: Sequence[str]) -> dict[str, object]:
    """The zone and the column of the day, if the offsets are those of the United Kingdom."""
    offsets = _offsets(values)
    winter, summer = _LOCAL
    hours = {match[1] for text in values if (match := _LOCAL_MIDNIGHT.search(text))}
    is_local = bool(offsets & winter and offsets & summer) or hours == {"00:00", "23:00"}
    if not is_local or offsets - winter - summer:
        return {}
    own = normalise_header(name)
    return {
        "zone": "Europe/London",
        "day": f"{own if own[:1].isalpha() else f'column_{own}'}_day",
    }


def _doubts_of_offsets(values: Sequence[str], *, has_zone: bool) -> Iterator[str]:
    are_midnights = all(map(_LOCAL_MIDNIGHT.search, filter(_OFFSET.search, values)))
    if has_zone:
        yield "the offsets are those of the United Kingdom, so the day is taken in its zone"
    elif are_midnights or _offsets(values) - _LOCAL[0]:
        yield (
            "a day in UTC can be the day before the local one: declare zone and day "
            "(docs/contracts.md, Dates)"
        )


def _offsets(values: Sequence[str]) -> set[str]:
    return {match[0] for text in values if (match := _OFFSET.search(text))}


def _agreed(formats: Sequence[str]) -> list[str]:
    """Formats without those that differ from an earlier one in the order of their parts."""
    agreed: list[str] = []
    for form in formats:
        if not {*orders_of(form)} & {*agreed}:
            agreed.append(form)
    return agreed


def _in_order(proposed: str, filled: Texts) -> tuple[str, npt.NDArray[np.bool_] | None, str]:
    """Decides the order of day, month and year by all texts.

    Returns:
        The format, the texts that it fits, and a doubt. No text fits if many texts have one order,
        and many have another one.
    """
    orders = orders_of(proposed)
    masks = {form: filled.matching(pattern_of(form)) for form in orders}
    rows = {form: int(filled.counts[mask].sum()) for form, mask in masks.items()}
    most = max(rows.values())
    best = [form for form in orders if rows[form] == most]
    form = best[0]
    if len(best) > 1 and all((masks[form] == masks[other]).all() for other in best):
        form = _by_variety(best, filled.where(masks[form]).sample())
        return form, masks[form], _ambiguous(form, best)
    others = filled.where(~masks[form] & np.logical_or.reduce([*masks.values()]))
    if not is_accepted(filled, others.rows):
        both = "dates with the day first and others with the month first"
        return form, None, f"the column has {both}, and is kept as text"
    if not others.rows:
        return form, masks[form], ""
    values = f"{counted(others.rows, 'value')} {agreeing(others.rows, 'has', 'have')}"
    return (
        form,
        masks[form],
        (
            f"{values} day and month in the other order and {agreeing(others.rows, 'is', 'are')} "
            "quarantined, so others can be read in the wrong order"
        ),
    )


def _by_variety(forms: Sequence[str], values: Sequence[str]) -> str:
    """Of orders that fit all texts, the one whose years differ least; otherwise the first."""
    short = [form for form in forms if "%y" in form]
    if len(short) < len(forms) or len({form.index("%y") for form in forms}) == 1:
        return forms[0]
    parts = [re.findall("[0-9]+", text) for text in values]
    first, last = ({part[i] for part in parts} for i in (0, 2))
    is_year_first = len(first) < len(last)
    return next(form for form in forms if form.startswith("%y") == is_year_first)


def _ambiguous(form: str, forms: Sequence[str]) -> str:
    if len({other.index("%y") for other in forms if "%y" in other}) > 1:
        return f"day, month and year can be the other way round: {form} is taken"
    return "no day is after the 12th, so day and month can be the other way round"


def _iso(text: str, formats: Sequence[str]) -> str:
    """The day of a text in ISO form, if the text has a year of an open end."""
    numbers = re.findall("[0-9]+", text)
    year = next((n for n in numbers if n in ("9999", "2999", "2099")), "")
    if not (year and "31" in numbers and "12" in numbers):
        return ""
    patterns = (re.sub(r"\(\?:|\(\?i:", "(", pattern_of(form)) for form in formats)
    is_date = any(re.fullmatch(pattern, text) for pattern in patterns)
    return f"{year}-12-31" if is_date else ""
