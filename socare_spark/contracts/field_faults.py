"""Contradictions in the declaration of a column."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from socare_spark.contracts.header_names import NAME

if TYPE_CHECKING:
    from socare_spark.contracts.field import Field

DIRECTIVES = tuple("YymdHMSIpbBfj")
# Directives that give the same part of a date or time; a format has at most one of each group.
_ALTERNATIVES = ("Yy", "mbBj", "dj", "HI", "M", "S", "f", "p", "z")
_FIXED_OFFSET = re.compile(r"%[MSf][+-][0-9]{2}:?[0-9]{2}")
_NUMBERS = ("integer", "number")
# Default texts of a boolean (Data Package v2).
TRUE, FALSE = ("true", "True", "TRUE", "1"), ("false", "False", "FALSE", "0")


def field_fault(field: "Field") -> str:
    """Checks a field for contradictions.

    Returns:
        The first fault found, as a clause that can follow the field name; empty for a valid field.
    """
    treatment, limits = field.socare, field.constraints
    is_text, is_number = field.type == "string", field.type in _NUMBERS
    bounds = [b for b in (limits.minimum, limits.maximum) if b is not None]
    lengths = [n for n in (limits.min_length, limits.max_length) if n is not None]
    date_keys = [
        treatment.degrade in ("month", "year"),
        treatment.age,
        treatment.open_ended,
        field.also_formats,
    ]
    needs_date = any(date_keys) or field.format not in (None, "default")
    needs_number = field.group_char or field.decimal_char != "." or not field.bare_number
    faults = [
        (needs_date and not field.is_date,
         "formats, age, open_ended and degrade to month or year need a date"),
        ((needs_number or treatment.currency or treatment.brackets) and not is_number,
         "groupChar, decimalChar, bareNumber, currency and brackets need a number"),
        (field.group_char == field.decimal_char, "groupChar and decimalChar are the same"),
        ((treatment.is_postcode or lengths) and not is_text, "lengths and postcodes need a string"),
        (treatment.no_place and not treatment.is_postcode, "no_place needs a postcode"),
        (bounds and (is_text or treatment.pseudonymise or field.is_boolean),
         "minimum and maximum need a number or a date"),
        (treatment.status and not field.missing_meanings,
         "status needs missingValues with the meaning of each text"),
        (treatment.status and treatment.drop, "a dropped column has no status"),
        (not field.is_boolean and (field.true_values, field.false_values) != (TRUE, FALSE),
         "trueValues and falseValues need a boolean"),
        (field.is_boolean and (limits.enum or limits.pattern or treatment.pseudonymise),
         "a boolean cannot have an enum or a pattern, and cannot be pseudonymised"),
        (field.is_boolean and _is_blank_or_shared(field.true_values, field.false_values),
         "trueValues and falseValues need one text or more each, all different, without blanks at "
         "their ends"),
        (lengths != sorted(lengths) or min(lengths, default=0) < 0,
         "minLength must be at least 0 and at most maxLength"),
        (not re.search(NAME, field.output), "needs 'as' with a valid column name"),
        (field.is_date and any(_is_unknown(f, field.type) for f in field.formats),
         "a format has an unknown directive or no year: allowed are "
         f"{' '.join('%' + d for d in DIRECTIVES)}, and %z for a datetime"),
        (field.is_date and any(map(_is_ambiguous, field.formats)), "a format has a part twice,"
         " a day without a month, minutes without hours, or only one of %I and %p"),
        (field.is_date and _are_ambiguous(field.formats),
         "two formats read one text as different days: declare one of them"),
        (field.is_date and any(map(_FIXED_OFFSET.search, field.formats)),
         "a format has a fixed offset, which would be ignored: use %z"),
        (treatment.zone and field.type != "datetime", "zone needs a datetime"),
        (treatment.zone and not treatment.day and all("%z" in form for form in field.formats),
         "zone has no effect, because all formats have an offset (%z)"),
        (treatment.day and not treatment.zone, "day needs the zone of the time"),
    ]  # fmt: skip
    fault = next((text for wrong, text in faults if wrong), "")
    return fault or _value_fault(field, bounds)


def _is_blank_or_shared(true: Sequence[str], false: Sequence[str]) -> bool:
    """Whether a list is empty, a text has blanks at its ends, or both lists have a text."""
    texts = [*true, *false]
    stripped = all(text and text == text.strip() for text in texts)
    return not (true and false and stripped) or bool(set(true) & set(false))


def _is_unknown(form: str, type_: str) -> bool:
    """Whether a format has an unsupported directive or no year."""
    allowed = set(DIRECTIVES) | ({"z"} if type_ == "datetime" else set())
    used = set(_directives(form))
    return not used <= allowed or not used & {"Y", "y"}


def _is_ambiguous(form: str) -> bool:
    """Whether the parts of a format do not determine one date or time."""
    used = _directives(form)
    repeated = any(sum(used.count(d) for d in group) > 1 for group in _ALTERNATIVES)
    requirements = [("d", "mbB"), ("I", "p"), ("p", "I"), ("M", "HI"), ("S", "M"), ("f", "S")]
    return repeated or any(
        d in used and not set(used) & set(alternatives) for d, alternatives in requirements
    )


def _are_ambiguous(formats: Sequence[str]) -> bool:
    """Whether two formats differ only in the positions of day, month and two-digit year."""
    distinct = set(formats)
    return len({re.sub("%[dmy]", "%d", form) for form in distinct}) < len(distinct)


def _directives(form: str) -> list[str]:
    return re.findall(r"%(.?)", form)


def _value_fault(field: "Field", bounds: Sequence[str | int | float]) -> str:
    limits = field.constraints
    try:
        low_high = [_value(field, str(b)) for b in bounds]
        values = [_value(field, e) for e in limits.enum]
    except (ValueError, InvalidOperation):
        return f"minimum, maximum or enum has a value that is not of the type {field.type}"
    if len(low_high) == 2 and low_high[0] > low_high[1]:  # type: ignore[operator]
        return "its minimum is greater than its maximum"
    has_impossible = any(e != e.strip() or not e for e in limits.enum)
    if limits.pattern is not None and field.type == "string":
        has_impossible = has_impossible or not all(
            re.fullmatch(limits.pattern, e) for e in limits.enum
        )
    return "enum has a value that no cell can have" if has_impossible and values else ""


def _value(field: "Field", text: str) -> object:
    match field.type:
        case "integer":
            return int(text)
        case "number":
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError
            return number
        case "date":
            return date.fromisoformat(text)
        case "datetime":
            return datetime.fromisoformat(text)
    return text
