"""Proposes the field of a contract for a column: its type, its treatment, and open decisions."""

from collections.abc import Iterator, Mapping

from socare_spark.contracts.project import Scheme
from socare_spark.onboarding import personal_words as words
from socare_spark.onboarding.column_facts import FEW, Role
from socare_spark.onboarding.dataset import DatasetColumn
from socare_spark.onboarding.header_words import has_any, words_of
from socare_spark.onboarding.identifier_roles import names_an_identifier
from socare_spark.onboarding.missing_texts import in_order, is_always_missing
from socare_spark.onboarding.personal_treatments import (
    DROPPED,
    birth,
    drop_comments,
    postcode,
    pseudonymised,
)
from socare_spark.onboarding.proposal import Proposal, ProposedField
from socare_spark.plurals import agreeing, counted

# Different texts from which a column without a word of categories can have other texts.
_MANY, _LARGE_SHARE = 50, 0.2
_MAX_CELL = 4_000
_IDENTIFIERS = (Role.PERSON, Role.NHS, Role.RECORD, Role.OTHER_ID)


def propose_field(proposal: Proposal, column: DatasetColumn) -> ProposedField:
    """Proposes the field of a column."""
    treatment, comments, scheme = _treatment(proposal, column)
    treatment = dict(treatment)
    if column.repeated or proposal.dataset.has_no_header:
        treatment["position"] = column.position
    optional = _optional(proposal, column, treatment)
    if optional:
        treatment["optional"] = optional
    declared: dict[str, object] = {"name": column.name}
    kept = not treatment.get("drop") or "age" in treatment
    if column.type.name != "string" and kept and "pseudonymise" not in treatment:
        declared |= _typed(column)
        # The day of a birth must not be a column.
        hidden = ("zone", "day") if treatment.get("drop") else ()
        treatment |= {k: v for k, v in column.type.treatment.items() if k not in hidden}
        comments = [*comments, *_mismatch_comments(column)]
    if kept:
        comments = [*comments, *(f"DECIDE: {doubt}." for doubt in column.type.doubts)]
    own = _missing_values(proposal, column)
    if own and kept:
        declared["missingValues"] = own
        marks = [text for text in own if not is_always_missing(text)]
        comments = [
            *comments,
            f"DECIDE: the meaning of {', '.join(marks)}, such as suppressed or unknown "
            "(docs/contracts.md, Missing values).",
        ]
    constraints = _constraints(proposal, column, kept=kept)
    if constraints:
        declared["constraints"] = constraints
    declared["socare"] = treatment
    return ProposedField(declared, comments, scheme)


def _treatment(
    proposal: Proposal, column: DatasetColumn
) -> tuple[Mapping[str, object], list[str], tuple[str, Scheme] | None]:
    if not column.filled:
        return {"drop": True}, ["No file has a value."], None
    if column.role in _IDENTIFIERS:
        return pseudonymised(proposal, column)
    if column.role in DROPPED:
        return {"drop": True}, drop_comments(proposal, column), None
    if column.role is Role.BIRTH:
        return (*birth(proposal, column), None)
    if column.role is Role.POSTCODE:
        return (*postcode(proposal, column), None)
    return {"keep": "as_is"}, _keep_comments(proposal, column), None


def _keep_comments(proposal: Proposal, column: DatasetColumn) -> list[str]:
    header = words_of(column.name)
    if column.filled < FEW and names_an_identifier(header) and not column.type.is_date:
        return [
            f"DECIDE: the header names an identifier, and {counted(column.filled, 'row')} are too "
            "few to judge. Pseudonymise the column if it identifies people or records."
        ]
    if column.role is Role.LIKE_NAMES:
        return [
            f"DECIDE: whether the {column.distinct:,} different texts, which have the form of "
            "names, are categories. Drop the column if they name people."
        ]
    if (
        (column.role, column.type.name) == (Role.NONE, "string")
        and (column.distinct >= _MANY or column.distinct > _LARGE_SHARE * column.filled)
        and not has_any(header, words.NOT_NAMES)
    ):
        return [
            f"DECIDE: whether the {counted(column.distinct, 'different text')} "
            f"{agreeing(column.distinct, 'is a category', 'are categories')}. "
            "Drop the column if they can name people."
        ]
    if column.role is Role.AREA and proposal.postcode is None:
        return [
            "DECIDE: the place of a record can be taken from an area code (docs/contracts.md, "
            "socare.place)."
        ]
    return []


def _typed(column: DatasetColumn) -> dict[str, object]:
    declared: dict[str, object] = {"type": column.type.name}
    default = "%Y-%m-%d" if column.type.name == "date" else "%Y-%m-%dT%H:%M:%S"
    formats = list(column.type.formats)
    if formats and default in formats:
        formats = [form for form in formats if form != default]
    elif formats:
        declared["format"] = formats.pop(0)
    if formats:
        declared["alsoFormats"] = formats
    return {**declared, **column.type.keys}


def _mismatch_comments(column: DatasetColumn) -> Iterator[str]:
    if column.type.mismatches:
        yield (
            f"DECIDE: {counted(column.type.mismatches, 'row')} of {column.filled:,} would be "
            "quarantined, because the value has another type."
        )


def _missing_values(proposal: Proposal, column: DatasetColumn) -> list[str]:
    """The own texts of missing values of a column; empty if those of the schema suffice."""
    further = [text for text in column.type.missing if text not in proposal.missing]
    return in_order([*proposal.missing, *further]) if further else []


def _constraints(proposal: Proposal, column: DatasetColumn, *, kept: bool) -> dict[str, object]:
    constraints: dict[str, object] = {}
    if column.name in proposal.key or (kept and column.name in proposal.required):
        constraints["required"] = True
    if column.longest > _MAX_CELL and column.type.name == "string":
        constraints["maxLength"] = -(-column.longest // 1_000) * 1_000
    return constraints


def _optional(proposal: Proposal, column: DatasetColumn, treatment: Mapping[str, object]) -> object:
    """Whether a column can be absent: always, until a period, or from a period."""
    if not column.absent or (treatment.get("drop") and "age" not in treatment):
        return None
    periods = proposal.dataset.names.periods
    calendar = proposal.dataset.names.calendar
    if proposal.dataset.names.problems or set(column.absent) - periods.keys():
        return True
    days = {path: calendar.days(text) for path, text in periods.items()}
    present = [days[path] for path in periods if path not in column.absent]
    absent = {path: days[path] for path in column.absent}
    last = max(absent, key=lambda path: absent[path])
    if all(day[0] > absent[last][1] for day in present):
        return {"to": periods[last]}
    first = min(absent, key=lambda path: absent[path])
    if all(day[1] < absent[first][0] for day in present):
        return {"from": periods[first]}
    return True
