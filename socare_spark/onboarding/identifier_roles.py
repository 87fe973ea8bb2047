"""Finds the subject of columns with numbers and codes."""

import re
from collections.abc import Iterator

from socare_spark.onboarding import personal_words as words
from socare_spark.onboarding.column_facts import MOST, SOME, ColumnFacts, Role
from socare_spark.onboarding.header_words import has_any
from socare_spark.onboarding.text_roles import names_a_person

_CODE = re.compile(r"[A-Za-z]{0,10}[-_/ ]?[0-9]{3,}[A-Za-z0-9/_-]*(\.0)?")
_VEHICLE = re.compile(r"[A-Z]{2}[0-9]{2} ?[A-Z]{3}|[A-Z][0-9]{1,3} ?[A-Z]{3}", re.IGNORECASE)
# Digits from which a number can be that of a person or a record.
_LONG = 5
_NUMBERS = frozenset({"no", "nos", "num", "number", "numbers", "nr", "n"})


def identifier_roles(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    """Yields the roles of a column of texts or whole numbers, the most certain first."""
    if facts.type.name not in ("string", "integer") or is_count(header):
        return
    if has_any(header[-1:], words.MEASURE):
        return
    is_code = facts.share(_CODE.fullmatch) >= MOST
    digits = facts.share(lambda text: any(map(str.isdigit, text))) >= MOST
    has_id = has_any(header, words.IDENTIFIER)
    of_person = has_any(header, words.PERSON)
    ends_in_person = has_any(header[-1:], words.PERSON)
    if _is_private(facts, header, has_id=has_id):
        yield Role.PRIVATE_NUMBER
    of_body = has_any(header, words.NOT_A_PERSON)
    if has_any(header, words.NUMBER_OF_PERSON) and digits and not of_body:
        yield Role.PERSON
    if of_person and digits and (has_id or (is_code and (ends_in_person or not facts.repeats))):
        yield Role.PERSON
    of_staff = has_any(header, words.STAFF) and (
        has_id or has_any(header[-1:], words.STAFF) or not of_body
    )
    if of_staff and (is_code or (has_id and digits)):
        yield Role.STAFF
    named_area = has_any(header, words.AREA)
    many = not facts.repeats and facts.distinct_share > SOME / 10
    # In a column of references, codes that repeat are those of the same few records.
    of_home = has_any(header, words.HOME)
    if has_id and digits and (many or of_home or (is_code and not named_area)):
        yield Role.OTHER_ID
    is_text = facts.type.name == "string" and not named_area
    # Numbers of one length that hardly repeat, without a word that names them.
    lengths = {len(text) for text in facts.sample}
    is_long = min(lengths) >= _LONG and max(lengths) - min(lengths) <= 1
    is_known = named_area or has_any(header, words.X | words.Y | words.CATEGORY)
    if is_code and is_long and not is_known and not facts.repeats and facts.distinct_share > SOME:
        yield Role.OTHER_ID
    if is_code and is_text and not facts.repeats and facts.distinct_share > SOME / 2:
        yield Role.OTHER_ID


def role_of_identifier(header: list[str]) -> Role:
    """The role that a header names by itself: the identifier of a person or of a family.

    `LAchildID` and `ClientRef` are identifiers whatever their values, also in a file of few rows.
    """
    of_staff = has_any(header, words.STAFF - words.PERSON)
    if of_staff or names_a_person(header) or not names_an_identifier(header):
        return Role.NONE
    people = words.PERSON | {"children"}
    if has_any(header, people) or has_any(header, words.CERTAIN_NUMBER_OF_PERSON):
        return Role.PERSON
    return Role.OTHER_ID if has_any(header, words.FAMILY) else Role.NONE


def names_an_identifier(header: list[str]) -> bool:
    """Whether a header names an identifier, and no count, measure or category."""
    return (
        has_any(header, words.STRICT_IDENTIFIER | words.CERTAIN_NUMBER_OF_PERSON)
        and not has_any(header[-1:], words.MEASURE | words.CATEGORY)
        and not is_count(header)
    )


def is_count(header: list[str]) -> bool:
    """Whether a header names a count or a measure, as "No of clients" and "Case count"."""
    if not header:
        return False
    first, last = header[0], header[-1]
    if first in _NUMBERS and len(header) > 1:
        is_plural = last in words.PLURALS or (last.endswith("s") and not last.endswith("ss"))
        return header[1] == "of" or is_plural
    if {first, last} & (words.COUNT - {"of"}):
        return True
    return has_any(header, words.COUNT) and not has_any(header, words.IDENTIFIER)


def _is_private(facts: ColumnFacts, header: list[str], *, has_id: bool) -> bool:
    """Whether the numbers are those of a home, a vehicle, an account or a document."""
    if facts.type.name == "string" and facts.share(_VEHICLE.fullmatch) >= MOST:
        return True
    if has_any(header, words.NOT_AN_ADDRESS - {"id"}):
        return False
    if has_any(header, words.PRIVATE_NUMBER):
        return True
    if any(has_any(header, first) and has_any(header, then) for first, then in words.PRIVATE_PAIRS):
        return True
    # "Flat" and "House no" of whole numbers.
    is_home = has_any(header[-1:], words.HOME) or (has_id and has_any(header, words.HOUSE))
    return facts.type.name == "integer" and is_home
