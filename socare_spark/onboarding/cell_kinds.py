"""Kinds of cells by their form: numbers, dates, codes and personal values."""

import re
from functools import lru_cache

from socare_spark.postcodes import unit_postcode

# A signed exponent, or a decimal mark before it. 201906E138182 is an identifier.
E_NOTATION = r"[-+]?[0-9]+(?:[.,][0-9]+)?[eE][-+][0-9]{1,3}|[-+]?[0-9]+[.,][0-9]+[eE][0-9]{1,3}"
NUMBER = re.compile(rf"\(?[-+£$€ ]*[0-9][0-9,. ]*[%)]?|{E_NOTATION}")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DATE = re.compile(
    rf"([0-9]{{1,4}}[-/. ]([0-9]{{1,2}}|({_MONTHS})[a-z]*)[-/. ][0-9]{{1,4}}"
    rf"|({_MONTHS})[a-z]* [0-9]{{1,2}},? [0-9]{{4}})([T ].*)?",
    re.IGNORECASE,
)
AREA_CODE = re.compile(r"[EWSNKJLM][0-9]{8}")
EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}")
PHONE = re.compile(r"(\+44|\(?0)[0-9 ()/-]{8,16}")
NATIONAL_INSURANCE = re.compile(
    r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]", re.IGNORECASE
)
PUPIL = re.compile(r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]")
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]? *[0-9OIL][A-Z]{2}", re.IGNORECASE)
_SPACED_NHS = re.compile(r"[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{4}")
_DIGITS, _LETTERS = re.compile(r"[0-9]+"), re.compile(r"[^\W\d_]+")
_NHS_WEIGHTS = range(10, 1, -1)


def is_nhs_number(text: str) -> bool:
    """Whether a text has the ten digits of an NHS number with a valid check digit."""
    if _SPACED_NHS.fullmatch(text) is None:
        return False
    digits = [int(character) for character in text if character.isdigit()]
    check = -sum(w * d for w, d in zip(_NHS_WEIGHTS, digits, strict=False)) % 11
    return check == digits[9] and len(set(digits)) > 1


def has_form_of_postcode(text: str) -> bool:
    """Whether a text has the form of a unit postcode; its letters can be impossible."""
    return _POSTCODE.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether a text is a telephone number of the United Kingdom."""
    digits = sum(map(str.isdigit, text))
    return PHONE.fullmatch(text) is not None and 10 <= digits <= 12


def is_personal(text: str) -> bool:
    """Whether a single text is certainly a value of a person and not a name of a column."""
    return bool(
        EMAIL.fullmatch(text)
        or is_phone(text)
        or is_nhs_number(text)
        or NATIONAL_INSURANCE.fullmatch(text)
        or PUPIL.fullmatch(text)
        or (has_form_of_postcode(text) and unit_postcode(text))
    )


@lru_cache(maxsize=1 << 16)
def kind_of(text: str) -> str:
    """The kind of a cell: empty, number, date, area, personal, code or text."""
    if not text:
        return "empty"
    if NUMBER.fullmatch(text) and not DATE.fullmatch(text):
        return "number"
    if DATE.fullmatch(text):
        return "date"
    if AREA_CODE.fullmatch(text):
        return "area"
    if is_personal(text):
        return "personal"
    # A code has a digit and no blank.
    return "code" if " " not in text and any(map(str.isdigit, text)) else "text"


def shape_of(text: str) -> str:
    """A text with each run of digits as 9 and each run of letters as a."""
    return _LETTERS.sub("a", _DIGITS.sub("9", text))
