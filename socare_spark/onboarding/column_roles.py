"""Finds the subject of a column, such as a person's identifier, a name or a postcode.

The header and the texts count. No text leaves this module.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
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
from socare_spark.onboarding.column_types import ColumnType
from socare_spark.onboarding.header_words import has_any, words_of

_CODE = re.compile(r"[A-Za-z]{0,10}[-_/ ]?[0-9]{3,}[A-Za-z0-9/_-]*(\.0)?")
_WORDS = re.compile(r"[^\W\d_][\w'\u2019.-]*([ ,]+[^\W\d_][\w'\u2019.()-]*)*")
_ADDRESS = re.compile(
    r"(flat |unit |apt )?[0-9]+[A-Za-z]?([-/][0-9]+[A-Za-z]?)?,? [^\W\d_].*", re.I
)
_DISTRICT = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?( [0-9])?")
_COORDINATES = re.compile(r"\(?-?[0-9]{1,3}\.[0-9]{3,}, ?-?[0-9]{1,3}\.[0-9]{3,}\)?")
_MOST = 0.8
_SOME = 0.1
# Parts of the rows with different texts from which a column is one of free text.
_FREE_DISTINCT, _FREE_NAMED = 0.2, 0.02
_FREE_LENGTH, _FREE_WORDS = 25, 4
# Dates over at least 40 years, with a fifth of them before 1985, are probably births.
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_EARLY, _EARLY_SHARE, _LIFE = 1985, 0.2, 40
# A column of fewer different texts has codes rather than identifiers.
_FEW = 20
# Words of a text in a column of notes.
_NOTE_WORDS = 3


class Role(StrEnum):
    """The subject of a column."""

    PERSON = "identifier of a person"
    NHS = "NHS number"
    RECORD = "identifier of a record"
    OTHER_ID = "identifier"
    NAME = "name of a person"
    STAFF = "member of staff"
    BIRTH = "date of birth"
    POSTCODE = "postcode"
    DISTRICT = "part of a postcode"
    EMAIL = "e-mail address"
    PHONE = "telephone number"
    NATIONAL_INSURANCE = "National Insurance number"
    ADDRESS = "address"
    FREE_TEXT = "free text"
    X = "easting or longitude"
    Y = "northing or latitude"
    POINT = "coordinates"
    AREA = "area code"
    RARE = "text that hardly repeats"
    NONE = ""


PERSONAL = frozenset({
    Role.PERSON, Role.NHS, Role.NAME, Role.STAFF, Role.BIRTH, Role.POSTCODE, Role.EMAIL, Role.PHONE,
    Role.NATIONAL_INSURANCE, Role.ADDRESS, Role.FREE_TEXT, Role.POINT, Role.X, Role.Y, Role.RARE,
})  # fmt: skip


@dataclass(frozen=True)
class ColumnFacts:
    """The facts on a column by which its role is found.

    Attributes:
        name: Name of the column as written.
        type: Its type.
        sample: Different texts at even distances, without missing values.
        distinct: Number of different texts, without missing values.
        rows: Number of rows with a text that is not a missing value.
        mean_length: Mean number of characters.
    """

    name: str
    type: ColumnType
    sample: Sequence[str]
    distinct: int
    rows: int
    mean_length: float = 0.0

    @property
    def distinct_share(self) -> float:
        """Different texts for each row with a text; 0 without rows."""
        return self.distinct / self.rows if self.rows else 0.0

    def share(self, condition: Callable[[str], object]) -> float:
        """Share of the sampled texts that meet a condition; 0 without texts."""
        return sum(map(bool, map(condition, self.sample))) / max(len(self.sample), 1)


def role_of(facts: ColumnFacts) -> Role:
    """Finds the subject of a column."""
    header = words_of(facts.name)
    if not facts.sample:
        return next(_of_header(header), Role.NONE)
    found = (_of_form(facts, header), _of_place(facts, header), _of_birth(facts, header))
    return next(chain(*found, _of_identifier(facts, header), _of_text(facts, header)), Role.NONE)


def _of_header(header: list[str]) -> Iterator[Role]:
    """The roles of a column without a text."""
    if has_any(header, words.BIRTH):
        yield Role.BIRTH
    if _names_a_person(header):
        yield Role.NAME
    if has_any(header, words.FREE_TEXT):
        yield Role.FREE_TEXT


def _of_form(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    if facts.share(EMAIL.fullmatch) >= _MOST:
        yield Role.EMAIL
    named_nhs = "nhs" in header and not has_any(header, words.AREA)
    if facts.share(is_nhs_number) >= (0.5 if named_nhs else 0.9) and (
        named_nhs or facts.distinct >= 5
    ):
        yield Role.NHS
    if facts.share(NATIONAL_INSURANCE.fullmatch) >= _MOST:
        yield Role.NATIONAL_INSURANCE
    if facts.share(PUPIL.fullmatch) >= _MOST and facts.distinct_share > _SOME:
        yield Role.PERSON
    if facts.share(AREA_CODE.fullmatch) >= _MOST:
        yield Role.AREA
    if facts.share(is_phone) >= _MOST or (
        has_any(header, words.PHONE) and facts.share(lambda t: sum(map(str.isdigit, t)) >= 6) >= 0.5
    ):
        yield Role.PHONE


def _of_place(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    named = has_any(header, words.POSTCODE)
    if facts.share(has_form_of_postcode) >= (0.5 if named else _MOST):
        yield Role.POSTCODE
    if named and facts.share(_DISTRICT.fullmatch) >= _MOST:
        yield Role.DISTRICT
    if facts.share(_COORDINATES.fullmatch) >= _MOST:
        yield Role.POINT
    if facts.type.name in ("integer", "number") or _are_decimals(facts):
        yield from _of_axis(facts, header)


def _are_decimals(facts: ColumnFacts) -> bool:
    return facts.type.name == "string" and facts.share(_is_number) >= _MOST


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?", text) is not None


def _of_axis(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    """Whether a number is a coordinate: its header names it, and its values can be one."""
    numbers = [float(text) for text in facts.sample if _is_number(text)]
    if not numbers or facts.distinct_share < _SOME / 10:
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
    named = named or (len(ends) <= 4 and facts.distinct_share > _SOME and len(header) == 1)
    if is_metre and named and is_x != is_y:
        yield Role.X if is_x else Role.Y


def _of_birth(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    if not facts.type.is_date:
        # A birth date in an unknown form must not be kept.
        if has_any(header, words.BIRTH) and not has_any(header, words.NOT_A_PERSON):
            yield Role.BIRTH
        return
    years = [int(year) for text in facts.sample for year in _YEAR.findall(text)]
    early = sum(year < _EARLY for year in years) >= _EARLY_SHARE * len(facts.sample)
    wide = bool(years) and max(years) - min(years) >= _LIFE
    if has_any(header, words.BIRTH) or (early and wide and facts.distinct >= _FEW):
        yield Role.BIRTH


def _of_identifier(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    if facts.type.name not in ("string", "integer"):
        return
    is_code = facts.share(_CODE.fullmatch) >= _MOST
    has_id = has_any(header, words.IDENTIFIER)
    of_person = has_any(header, words.PERSON)
    if has_any(header, words.COUNT) and not has_id:
        return
    if has_any(header, words.NUMBER_OF_PERSON) and (is_code or facts.distinct_share > _SOME):
        yield Role.PERSON
    digits = facts.share(lambda text: any(map(str.isdigit, text))) >= _MOST
    if of_person and has_id and digits:
        yield Role.PERSON
    repeats = facts.distinct < min(_FEW, facts.rows)
    if of_person and is_code and not repeats:
        yield Role.PERSON
    if has_any(header, words.STAFF) and is_code:
        yield Role.STAFF
    if has_id and digits and not repeats and facts.distinct_share > _SOME / 10:
        yield Role.OTHER_ID
    named_area = has_any(header, words.AREA)
    is_text = facts.type.name == "string" and not named_area
    if is_code and is_text and not repeats and facts.distinct_share > _SOME / 2:
        yield Role.OTHER_ID


def _names_a_person(header: list[str]) -> bool:
    if has_any(header, words.NAME_PARTS):
        return True
    if not {"name", "nm"} & {*header} or has_any(header, words.NOT_A_PERSON):
        return False
    return (
        has_any(header, words.PERSON | words.STAFF)
        or {"full", "first", "last"} & {*header} != set()
    )


def _is_about_a_person(header: list[str]) -> bool:
    """Whether texts of many different words in the column are probably names."""
    if _ends_in_a_person(header):
        return True
    if has_any(header, words.NOT_A_PERSON):
        return False
    return header[-1:] in (["name"], ["names"], ["nm"]) or has_any(header, words.PERSON | words.KIN)


def _ends_in_a_person(header: list[str]) -> bool:
    """Whether the last word is a person, as in "service user" and "school nurse"."""
    return has_any(header[-1:], words.PERSON | words.STAFF | words.KIN)


def _of_text(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    if facts.type.name != "string" or _are_decimals(facts):
        return
    are_words = facts.share(_WORDS.fullmatch) >= _MOST
    if has_any(header, words.STAFF) and (
        has_any(header[-1:], words.STAFF) or not has_any(header, words.NOT_A_PERSON)
    ):
        yield Role.STAFF
    if _names_a_person(header) and facts.share(lambda text: len(text) > 1) >= 0.5:
        yield Role.NAME
    if are_words and not has_any(header, words.AREA) and _has_forenames(facts):
        yield Role.NAME
    if are_words and facts.distinct >= _FEW and _is_about_a_person(header):
        yield Role.NAME
    named_address = has_any(header, words.ADDRESS) and not has_any(header, words.NOT_AN_ADDRESS)
    if facts.share(_ADDRESS.fullmatch) >= 0.5 or (
        named_address and facts.distinct >= min(_FEW, facts.rows)
    ):
        yield Role.ADDRESS
    blanks = sum(text.count(" ") for text in facts.sample) / len(facts.sample) + 1
    is_long = facts.mean_length >= _FREE_LENGTH and blanks >= _FREE_WORDS
    if is_long and facts.distinct_share > _FREE_DISTINCT and facts.distinct >= 3:
        yield Role.FREE_TEXT
    if has_any(header, words.NOTES) and blanks >= _NOTE_WORDS:
        yield Role.FREE_TEXT
    if has_any(header, words.FREE_TEXT) and (
        facts.distinct_share > (_FREE_NAMED if is_long else _SOME)
    ):
        yield Role.FREE_TEXT
    if facts.distinct_share > 0.5 and facts.distinct >= 3 and not has_any(header, words.AREA):
        yield Role.RARE


def _has_forenames(facts: ColumnFacts) -> bool:
    """Whether many texts contain a common first name or surname, beside few other words."""
    names = facts.share(lambda text: bool({*re.findall(r"[^\W\d_]+", text.lower())} & words.NAMES))
    short = facts.share(lambda text: len(text.split()) <= 4) >= _MOST
    return names >= 0.25 and short and facts.distinct >= 3
