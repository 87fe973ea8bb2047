"""Proposes treatments of columns that identify people and records."""

from collections.abc import Mapping

from socare_spark.contracts.contract import PERSON
from socare_spark.contracts.header_names import normalise_header
from socare_spark.contracts.project import Scheme
from socare_spark.onboarding import personal_words as words
from socare_spark.onboarding.column_facts import FEW, Role
from socare_spark.onboarding.dataset import DatasetColumn
from socare_spark.onboarding.header_words import has_any, words_of
from socare_spark.onboarding.identifier_schemes import scheme_of
from socare_spark.onboarding.proposal import Proposal

DROPPED = {
    Role.NAME: "a name",
    Role.STAFF: "a member of staff",
    Role.EMAIL: "an e-mail address",
    Role.PHONE: "a telephone number",
    Role.NATIONAL_INSURANCE: "a National Insurance number",
    Role.ADDRESS: "an address",
    Role.FREE_TEXT: "free text",
    Role.POINT: "coordinates",
    Role.X: "coordinates",
    Role.Y: "coordinates",
    Role.PRIVATE_NUMBER: "numbers of homes, vehicles, accounts or documents",
    Role.MIXED: "personal values beside others, such as postcodes or telephone numbers",
    Role.RARE: "texts that hardly repeat, which can be names or identifiers",
}
# Names and notes have many different texts. A column of few, or one whose header has a word of
# categories, can be one of categories.
_CATEGORIES = (Role.NAME, Role.STAFF, Role.ADDRESS, Role.FREE_TEXT)


def pseudonymised(
    proposal: Proposal, column: DatasetColumn
) -> tuple[Mapping[str, object], list[str], tuple[str, Scheme]]:
    """Proposes a token under a scheme."""
    name, scheme = scheme_of(column, proposal.name, proposal.schemes, proposal.person_schemes)
    treatment: dict[str, object] = {"pseudonymise": name}
    comments = []
    is_person = proposal.person is not None and column.name == proposal.person.name
    if is_person:
        treatment["as"] = PERSON
    others = [n for n, s in proposal.schemes.items() if s.person and n != name]
    known = [f"The tokens link to other datasets of {name}."] if name in proposal.schemes else []
    if scheme.person and (known or others):
        other = " or ".join(others) or "a new scheme"
        numbering = "its numbering" if others else "another numbering"
        choice = f"Name {other} if the identifiers have {numbering}."
        comments.append(" ".join(["DECIDE: the scheme.", *known, choice]))
    if scheme.person and not is_person:
        comments.append("DECIDE: a further identifier of a person. Drop it if nothing links by it.")
    if column.role is Role.OTHER_ID:
        comments.append(
            "DECIDE: an identifier that repeats. Drop it if nothing links by it, or keep it if it "
            "is a code or an amount."
        )
    return treatment, comments, (name, scheme)


def drop_comments(proposal: Proposal, column: DatasetColumn) -> list[str]:
    """Comments on a dropped column. Few different texts can be categories."""
    comments = [f"Dropped: {DROPPED[column.role]}."]
    header = words_of(column.name)
    certain = has_any(header, words.NAME_PARTS | words.NOTES)
    can_be_categories = column.distinct < FEW or has_any(header, words.CAN_HAVE_NAMES)
    if column.role in _CATEGORIES and can_be_categories and not certain:
        comments = [
            f"DECIDE: dropped, because it probably has {DROPPED[column.role]}. Keep it if it has "
            "categories."
        ]
    if column.role is Role.PRIVATE_NUMBER:
        comments = [
            f"DECIDE: dropped, because it has {DROPPED[column.role]}. Pseudonymise it if "
            "something links by it."
        ]
    if column.role is Role.RARE:
        comments = [f"DECIDE: dropped, because it has {DROPPED[column.role]}. Keep it otherwise."]
    if column.role is Role.MIXED:
        comments = [f"DECIDE: dropped, because it has {DROPPED[column.role]}."]
    if column.role is Role.ADDRESS and proposal.postcode is None:
        comments.append("DECIDE: the place of a record. Ask for a postcode beside the address.")
    if column.role in (Role.X, Role.Y, Role.POINT):
        comments.append(
            "DECIDE: the place of a record can be taken from coordinates (docs/contracts.md, "
            "socare.place)."
        )
    return comments


def birth(proposal: Proposal, column: DatasetColumn) -> tuple[Mapping[str, object], list[str]]:
    """Proposes an age at another date, or the year of birth."""
    first, event = proposal.birth, proposal.event
    if not column.type.is_date:
        return {"drop": True}, [
            "DECIDE: dropped, because not all values are dates of a known form. Declare the type "
            "date and its format to keep an age."
        ]
    if column.type.has_short_years:
        return {"drop": True}, [
            "DECIDE: dropped, because its years have two digits, and 45 would be read as 2045. Ask "
            "for the file with four digits to keep an age."
        ]
    if first is None or column.name != first.name:
        return {"drop": True}, ["Dropped: a further date of birth."]
    if event is None:
        return (
            {"degrade": "year", "as": "birth_year"},
            ["DECIDE: no other date is in the file, so the year of birth is kept and not an age."],
        )
    age = {
        "at": event.name,
        "as": f"age_at_{normalise_header(event.name)}",
        "steps": list(proposal.steps),
    }
    return (
        {"drop": True, "age": age},
        [f"DECIDE: the day of the age ({event.name}), and the lower edges of its bands."],
    )


def postcode(proposal: Proposal, column: DatasetColumn) -> tuple[Mapping[str, object], list[str]]:
    """Proposes the unit postcode, if nearly all texts are one."""
    if not column.has_valid_postcodes:
        return (
            {"drop": True},
            [
                f"DECIDE: dropped, because about {column.invalid_postcodes:.1%} of the values "
                "cannot be unit postcodes, and their rows would be quarantined. Correct them, or "
                "declare the texts under no_place.",
            ],
        )
    comments = []
    if column.invalid_postcodes:
        comments.append(
            f"DECIDE: about {column.invalid_postcodes:.2%} of the values cannot be unit postcodes, "
            "and their rows are quarantined. Declare the texts under no_place to keep the rows."
        )
    is_place = proposal.postcode is not None and column.name == proposal.postcode.name
    treatment: dict[str, object] = {"keep": "postcode"}
    if is_place and normalise_header(column.name) != "postcode":
        treatment["as"] = "postcode"
        comments.append("DECIDE: whether this postcode is the place of the record.")
    return treatment, comments
