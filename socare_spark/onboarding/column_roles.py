"""Finds the subject of a column, such as a person's identifier, a name or a postcode.

The header and the texts count. No text leaves this module. In doubt a column is personal.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from socare_spark.onboarding import personal_words as words
from socare_spark.onboarding.cell_kinds import (
    AREA_CODE,
    EMAIL,
    NATIONAL_INSURANCE,
    PUPIL,
    has_form_of_postcode,
    is_nhs_number,
    is_phone,
)
from socare_spark.onboarding.column_facts import FEW, MOST, SOME, ColumnFacts, Role
from socare_spark.onboarding.header_words import has_any, words_of
from socare_spark.onboarding.identifier_roles import identifier_roles, role_of_identifier
from socare_spark.onboarding.text_roles import are_decimals, is_number, names_a_person, text_roles

_DISTRICT = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?( [0-9])?")
_COORDINATES = re.compile(r"\(?-?[0-9]{1,3}\.[0-9]{3,}, ?-?[0-9]{1,3}\.[0-9]{3,}\)?")
# Dates over at least 40 years, with a fifth of them before 1985, are probably births.
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_EARLY, _EARLY_SHARE, _LIFE = 1985, 0.2, 40
# Roles by the values of a column, which the header of an identifier of a person overrules.
_OVERRULED = frozenset(
    (
        Role.NONE, Role.OTHER_ID, Role.AREA, Role.POSTCODE, Role.DISTRICT, Role.RARE, Role.NAME,
        Role.LIKE_NAMES,
    )
)  # fmt: skip


def role_of(facts: ColumnFacts) -> Role:
    """Finds the subject of a column."""
    header = words_of(facts.name)
    if not facts.sample:
        return next(_of_header(header), Role.NONE)
    found = (_of_form(facts, header), _of_place(facts, header), _of_birth(facts, header))
    rest = identifier_roles(facts, header), text_roles(facts, header)
    role = next(chain(*found, *rest), Role.NONE)
    return (role_of_identifier(header) or role) if role in _OVERRULED else role


def _of_header(header: list[str]) -> Iterator[Role]:
    """The roles of a column without a text."""
    if _names_a_birth(header):
        yield Role.BIRTH
    if names_a_person(header):
        yield Role.NAME
    if has_any(header, words.FREE_TEXT):
        yield Role.FREE_TEXT


def _of_form(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    if facts.share(EMAIL.fullmatch) >= MOST:
        yield Role.EMAIL
    named_nhs = "nhs" in header and not has_any(header, words.AREA)
    if facts.share(is_nhs_number) >= (0.5 if named_nhs else 0.9) and (
        named_nhs or facts.distinct >= 5
    ):
        yield Role.NHS
    if facts.share(NATIONAL_INSURANCE.fullmatch) >= MOST:
        yield Role.NATIONAL_INSURANCE
    if facts.share(PUPIL.fullmatch) >= MOST and facts.distinct_share > SOME:
        yield Role.PERSON
    if facts.share(AREA_CODE.fullmatch) >= MOST:
        yield Role.AREA
    if facts.share(is_phone) >= MOST or (
        has_any(header, words.PHONE) and facts.share(lambda t: sum(map(str.isdigit, t)) >= 6) >= 0.5
    ):
        yield Role.PHONE


def _of_place(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    named = has_any(header, words.POSTCODE)
    if facts.share(has_form_of_postcode) >= (SOME if named else MOST):
        yield Role.POSTCODE
    if named and facts.share(_DISTRICT.fullmatch) >= MOST:
        yield Role.DISTRICT
    if facts.share(_COORDINATES.fullmatch) >= MOST:
        yield Role.POINT
    if facts.type.name in ("integer", "number") or are_decimals(facts):
        yield from _of_axis(facts, header)


def _of_axis(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    """Whether a number is a coordinate: its header names it, and its values can be one."""
    numbers = [float(text.replace(",", ".")) for text in facts.sample if is_number(text)]
    if not numbers:
        return
    largest = max(map(abs, numbers))
    is_degree, is_metre = largest <= 180, largest >= 1_000
    ends = "".join(header)
    is_x = has_any(header, words.X) or ends.endswith("x") or "east" in ends
    north = re.search("no?rth", ends) is not None
    is_y = has_any(header, words.Y) or ends.endswith("y") or north
    if has_any(header, words.DEGREES) and is_degree:
        yield Role.X if is_x else Role.Y
    named = has_any(header, words.X | words.Y) or "east" in ends or north
    # Short names such as SRX and SRY, with as many values as coordinates have.
    named = named or (len(ends) <= 4 and facts.distinct_share > SOME and len(header) == 1)
    if is_metre and named and is_x != is_y:
        yield Role.X if is_x else Role.Y


def _names_a_birth(header: list[str]) -> bool:
    """Whether a header names a date of birth, and not the place or weight of a birth."""
    of_date = has_any(header, words.BIRTH - {"birth", "born"})
    return of_date or (has_any(header, words.BIRTH) and not has_any(header, words.NOT_A_BIRTH_DATE))


def _of_birth(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    # A birth date in an unknown form, or the year of a birth, must not be kept.
    if _names_a_birth(header) and facts.type.name != "boolean":
        yield Role.BIRTH
    if not facts.type.is_date:
        return
    if facts.type.has_short_years:
        # 45 is read as 2045, so a wide range is a sign by itself.
        years = [year for text in facts.sample for year in _years(text, facts.type.formats)]
        early = True
    else:
        years = [int(year) for text in facts.sample for year in _YEAR.findall(text)]
        early = sum(year < _EARLY for year in years) >= _EARLY_SHARE * len(facts.sample)
    wide = bool(years) and max(years) - min(years) >= _LIFE
    if early and wide and facts.distinct >= FEW:
        yield Role.BIRTH


def _years(text: str, formats: tuple[str, ...]) -> Iterator[int]:
    for form in formats:
        try:
            yield datetime.strptime(text, form).year
        except ValueError:
            continue
        return
