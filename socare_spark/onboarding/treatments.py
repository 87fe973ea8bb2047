"""Proposes the field of a contract for a column: its type, its treatment, and open decisions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from socare_spark.contracts.contract import PERSON
from socare_spark.contracts.header_names import normalise_header
from socare_spark.contracts.project import Scheme
from socare_spark.onboarding.column_roles import Role
from socare_spark.onboarding.dataset import Dataset, DatasetColumn
from socare_spark.onboarding.header_words import words_of
from socare_spark.onboarding.missing_texts import in_order, is_always_missing
from socare_spark.onboarding.personal_words import IDENTIFIER

# Lower edges of age bands, if the configuration has no bands.
DEFAULT_STEPS = (0, 18, 65)
_MAX_CELL = 4_000
_IDENTIFIERS = (Role.PERSON, Role.NHS, Role.RECORD, Role.OTHER_ID)
_DROPPED = {
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
    Role.RARE: "texts that hardly repeat, which can be names or identifiers",
}
_PLACEHOLDERS = ("", "0", "999999999", "UNKNOWN", "NA", "N/A", "NULL", "NONE", "NAN", "-", "TEST")


@dataclass(frozen=True)
class ProposedField:
    """The proposed field of a column.

    Attributes:
        declared: The keys of the field, in their order.
        comments: Comments on the proposal. Those that begin with DECIDE need a decision.
        scheme: The identifier scheme that the field needs, or None.
    """

    declared: Mapping[str, object]
    comments: Sequence[str] = ()
    scheme: tuple[str, Scheme] | None = None


@dataclass(frozen=True)
class Proposal:
    """Choices that concern several columns.

    Attributes:
        dataset: The dataset.
        name: Name of the contract.
        schemes: Schemes of conf/project.yaml.
        steps: Lower edges of age bands.
        key: Names of the columns of the key; empty without a key.
        required: Names of further columns that must have a value.
        missing: Texts of `schema.missingValues`.
        outputs: Column -> name in the restricted table, where it is declared.
    """

    dataset: Dataset
    name: str
    schemes: Mapping[str, Scheme]
    steps: Sequence[int] = DEFAULT_STEPS
    key: Sequence[str] = ()
    required: Collection[str] = ()
    missing: Sequence[str] = ("",)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def person(self) -> DatasetColumn | None:
        """The column whose tokens identify people: one that is in the key or complete first."""
        columns = self._of(Role.PERSON) or self._of(Role.NHS)
        ordered = sorted(columns, key=lambda c: (c.name not in self.key, not c.is_complete))
        return ordered[0] if ordered else None

    @property
    def birth(self) -> DatasetColumn | None:
        """The column of the person's date of birth: the first one with dates."""
        return next((c for c in self._of(Role.BIRTH) if c.type.is_date), None)

    @property
    def postcode(self) -> DatasetColumn | None:
        """The column of the place: the first postcode that can be kept."""
        return next((c for c in self._of(Role.POSTCODE) if c.has_valid_postcodes), None)

    @property
    def event(self) -> DatasetColumn | None:
        """The column of the day at which an age is taken: the first date, complete ones first."""
        columns = [c for c in self.dataset.columns if c.type.is_date and c.role is not Role.BIRTH]
        ordered = sorted(columns, key=lambda c: c.filled < c.rows)
        return ordered[0] if ordered else None

    def _of(self, role: Role) -> list[DatasetColumn]:
        return [c for c in self.dataset.columns if c.role is role and c.filled]


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
        treatment |= column.type.treatment
        comments = [*comments, *_type_comments(column)]
    elif column.type.doubts and kept:
        comments = [*comments, *_type_comments(column)]
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
    output = normalise_header(column.name)
    if kept and "as" not in treatment and not output[:1].isalpha():
        treatment["as"] = f"column_{output or column.position}"
    declared["socare"] = treatment
    return ProposedField(declared, comments, scheme)


def _treatment(
    proposal: Proposal, column: DatasetColumn
) -> tuple[Mapping[str, object], list[str], tuple[str, Scheme] | None]:
    if not column.filled:
        return {"drop": True}, ["No file has a value."], None
    if column.role in _IDENTIFIERS:
        return _pseudonymised(proposal, column)
    if column.role in _DROPPED:
        return {"drop": True}, _drop_comments(proposal, column), None
    if column.role is Role.BIRTH:
        return (*_birth(proposal, column), None)
    if column.role is Role.POSTCODE:
        return (*_postcode(proposal, column), None)
    return {"keep": "as_is"}, _keep_comments(proposal, column), None


def _pseudonymised(
    proposal: Proposal, column: DatasetColumn
) -> tuple[Mapping[str, object], list[str], tuple[str, Scheme]]:
    name, scheme = _scheme_of(proposal, column)
    treatment: dict[str, object] = {"pseudonymise": name}
    comments = []
    is_person = proposal.person is not None and column.name == proposal.person.name
    if is_person:
        treatment["as"] = PERSON
    others = [n for n, s in proposal.schemes.items() if s.person and n != name]
    if scheme.person and others:
        comments.append(
            f"DECIDE: the scheme. Name {' or '.join(others)} if the identifiers have its numbering."
        )
    if scheme.person and not is_person:
        comments.append("DECIDE: a further identifier of a person. Drop it if nothing links by it.")
    if column.role is Role.OTHER_ID:
        comments.append("DECIDE: an identifier that repeats. Drop it if nothing links by it.")
    return treatment, comments, (name, scheme)


def _scheme_of(proposal: Proposal, column: DatasetColumn) -> tuple[str, Scheme]:
    """The scheme of an identifier: one of the project with its name, or a new one."""
    if column.role is Role.NHS:
        name = "nhs"
    elif column.role is Role.RECORD:
        name = proposal.name
    else:
        parts = [w for w in words_of(column.name) if w not in IDENTIFIER and w != "la"]
        name = "_".join(parts) or normalise_header(column.name)
        name = PERSON if name in ("per", "pers") else name
    name = name if name[:1].isalpha() else f"id_{name}"
    of_person = column.role in (Role.PERSON, Role.NHS)
    proposed = Scheme(
        person=of_person,
        strip_leading_zeros=column.type.name == "integer",
        remove=" -" if column.role is Role.NHS else "",
        placeholders=_PLACEHOLDERS if of_person else (),
    )
    return name, proposal.schemes.get(name, proposed)


def _drop_comments(proposal: Proposal, column: DatasetColumn) -> list[str]:
    comments = [f"Dropped: {_DROPPED[column.role]}."]
    if column.role is Role.RARE:
        comments = [f"DECIDE: dropped, because it has {_DROPPED[column.role]}. Keep it otherwise."]
    if column.role is Role.ADDRESS and proposal.postcode is None:
        comments.append("DECIDE: the place of a record. Ask for a postcode beside the address.")
    if column.role in (Role.X, Role.Y, Role.POINT):
        comments.append(
            "DECIDE: the place of a record can be taken from coordinates (docs/contracts.md, "
            "socare.place)."
        )
    return comments


def _birth(proposal: Proposal, column: DatasetColumn) -> tuple[Mapping[str, object], list[str]]:
    first, event = proposal.birth, proposal.event
    if not column.type.is_date:
        return {"drop": True}, [
            "DECIDE: dropped, because not all values are dates of a known form. Declare the type "
            "date and its format to keep an age."
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


def _postcode(proposal: Proposal, column: DatasetColumn) -> tuple[Mapping[str, object], list[str]]:
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


def _keep_comments(proposal: Proposal, column: DatasetColumn) -> list[str]:
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


def _type_comments(column: DatasetColumn) -> Iterator[str]:
    if column.type.mismatches:
        yield (
            f"DECIDE: {column.type.mismatches:,} of {column.filled:,} values are not of the type, "
            "and their rows are quarantined."
        )
    for doubt in column.type.doubts:
        yield f"DECIDE: {doubt}."


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
