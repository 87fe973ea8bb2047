"""Finds the subject of columns with texts."""

import re
from collections.abc import Iterator

from socare_spark.onboarding import personal_words as words
from socare_spark.onboarding.cell_kinds import E_NOTATION, is_personal
from socare_spark.onboarding.column_facts import FEW, MOST, SOME, ColumnFacts, Role
from socare_spark.onboarding.header_words import has_any

_WORDS = re.compile(r"[^\W\d_][\w'\u2019.-]*([ ,]+[^\W\d_][\w'\u2019.()-]*)*")
# Two or three words with capitals, and "Surname, First name".
_CAPITALS = re.compile(
    r"[A-Z][\w'\u2019.-]*( [A-Z][\w'\u2019.-]*){1,2}|[^\W\d_][\w'\u2019-]+, ?\w+"
)
_ADDRESS = re.compile(
    r"(flat |unit |apt )?[0-9]+[A-Za-z]?([-/][0-9]+[A-Za-z]?)?,? [^\W\d_].*", re.I
)
_NUMBER = re.compile(rf"[+-]?[0-9]+([.][0-9]+)?|{E_NOTATION}")
# Parts of the rows with different texts from which a column is one of free text.
_FREE_DISTINCT, _FREE_NAMED = 0.2, 0.02
_FREE_LENGTH, _FREE_WORDS = 25, 4
# Words of a text in a column of notes.
_NOTE_WORDS = 3
# Share of personal values from which a column is not kept.
_MIXED = 0.02


def text_roles(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    """Yields the roles of a column of texts, the most certain first."""
    if facts.type.name != "string" or are_decimals(facts):
        return
    answers = facts.share(_is_answer) == 1
    if not answers:
        yield from _of_person(facts, header)
        yield from _of_address(facts, header)
    yield from _of_notes(facts, header)
    if facts.share(is_personal) >= _MIXED:
        yield Role.MIXED
    rare = facts.distinct_share > 0.5 and facts.distinct >= 3
    rare = rare or (facts.distinct_share > _FREE_DISTINCT and facts.distinct >= FEW)
    if rare and not has_any(header, words.AREA):
        yield Role.RARE
    are_categories = facts.repeats and has_any(header, words.NOT_NAMES)
    if not (answers or are_categories or has_any(header, words.AREA)) and _are_capitals(facts):
        yield Role.LIKE_NAMES


def are_decimals(facts: ColumnFacts) -> bool:
    """Whether a column of texts has numbers with more decimals than the type `number`."""
    return facts.type.name == "string" and facts.share(is_number) >= MOST


def is_number(text: str) -> bool:
    """Whether a text is a plain number."""
    return _NUMBER.fullmatch(text) is not None


def names_a_person(header: list[str]) -> bool:
    """Whether a header says that its column has names of people."""
    if has_any(header, words.NAME_PARTS):
        return True
    if not {"name", "names", "nm"} & {*header} or has_any(header, words.NOT_A_PERSON):
        return False
    return header[-1] in ("name", "names") or has_any(
        header, words.PERSON | words.STAFF | words.KIN
    )


def _is_answer(text: str) -> bool:
    """Whether a text is an answer or a mark, and no name."""
    return len(text) < 2 or text.lower() in words.ANSWERS


def _of_person(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    are_words = facts.share(_WORDS.fullmatch) >= MOST
    other = has_any(header, words.NOT_A_PERSON)
    if has_any(header[-1:], words.STAFF) or (has_any(header, words.STAFF) and not other):
        yield Role.STAFF
    if names_a_person(header) or has_any(header[-1:], words.PERSON | words.KIN):
        yield Role.NAME
    if are_words and not has_any(header, words.AREA) and _has_forenames(facts):
        yield Role.NAME
    about = has_any(header, words.PERSON | words.KIN) and not other
    if are_words and facts.distinct >= FEW and about:
        yield Role.NAME
    # Two words with capitals are probably a name. Few of them can be categories if the header
    # names some.
    named = has_any(header, words.CATEGORY | words.NOT_A_PERSON | words.AREA)
    can_be_names = not has_any(header, words.NOT_NAMES) and not facts.repeats
    if _are_capitals(facts) and (not named or can_be_names):
        yield Role.NAME


def _are_capitals(facts: ColumnFacts) -> bool:
    return facts.distinct >= 3 and facts.share(_CAPITALS.fullmatch) >= MOST


def _of_address(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    named = has_any(header, words.ADDRESS) and not has_any(header, words.NOT_AN_ADDRESS)
    if named or facts.share(_ADDRESS.fullmatch) >= 0.5:
        yield Role.ADDRESS


def _of_notes(facts: ColumnFacts, header: list[str]) -> Iterator[Role]:
    is_long = facts.mean_length >= _FREE_LENGTH and facts.mean_words >= _FREE_WORDS
    if is_long and facts.distinct_share > _FREE_DISTINCT and facts.distinct >= 3:
        yield Role.FREE_TEXT
    if has_any(header[-1:], words.NOTES):
        yield Role.FREE_TEXT
    if has_any(header, words.FREE_TEXT) and (
        facts.mean_words >= _NOTE_WORDS or facts.distinct_share > (_FREE_NAMED if is_long else SOME)
    ):
        yield Role.FREE_TEXT


def _has_forenames(facts: ColumnFacts) -> bool:
    """Whether many texts contain a common first name or surname, beside few other words."""
    names = facts.share(lambda text: bool({*re.findall(r"[^\W\d_]+", text.lower())} & words.NAMES))
    short = facts.share(lambda text: len(text.split()) <= 4) >= MOST
    return names >= 0.25 and short and facts.distinct >= 3
