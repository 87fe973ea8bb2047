"""Drafts the contract of a dataset as YAML with comments."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.project import Scheme
from socare_spark.errors import ConfigurationError, DataError
from socare_spark.onboarding.column_facts import Role
from socare_spark.onboarding.dataset import Dataset, DatasetColumn
from socare_spark.onboarding.draft_extension import extension_lines, usual_encoding
from socare_spark.onboarding.draft_key import find_key, key_lines
from socare_spark.onboarding.missing_texts import ALWAYS, in_order
from socare_spark.onboarding.output_names import with_distinct_names
from socare_spark.onboarding.proposal import DEFAULT_STEPS, Proposal, ProposedField
from socare_spark.onboarding.source_table import SourceTable
from socare_spark.onboarding.treatments import propose_field
from socare_spark.onboarding.yaml_lines import DECIDE, WIDTH, comment_lines, flow


@dataclass(frozen=True)
class Draft:
    """A draft of a contract.

    Attributes:
        text: The content of the file.
        schemes: Identifier schemes that conf/project.yaml does not declare yet.
    """

    text: str
    schemes: Mapping[str, Scheme]

    @property
    def decisions(self) -> int:
        """Number of comments that need a decision."""
        return self.text.count(f"# {DECIDE}")

    @property
    def scheme_lines(self) -> list[str]:
        """The lines to add under `schemes` of conf/project.yaml."""
        return [
            f"  {name}: {flow(scheme.model_dump(exclude_defaults=True, mode='json'))}"
            for name, scheme in self.schemes.items()
        ]


def draft_contract(
    dataset: Dataset,
    name: str,
    schemes: Mapping[str, Scheme],
    steps: Sequence[int] = DEFAULT_STEPS,
) -> Draft:
    """Drafts the contract of a dataset.

    Args:
        dataset: The dataset.
        name: Name of the contract.
        schemes: Schemes of conf/project.yaml.
        steps: Lower edges of age bands.

    Raises:
        DataError: one contract cannot describe the files.
    """
    _check_forms(dataset)
    key = find_key(dataset)
    missing = in_order({"", *_always_missing(dataset)})
    required = _required(dataset, key)
    proposal = Proposal(dataset, name, schemes, steps, key, required, missing)
    proposed = [propose_field(proposal, column) for column in dataset.columns]
    fields = with_distinct_names(proposed)
    if all("drop" in f.treatment and "age" not in f.treatment for f in fields):
        raise DataError(
            "No column can be kept: the files have names, free text or empty columns only. Write "
            "the contract by hand if a column is needed (docs/contracts.md)."
        )
    new = {f.scheme[0]: f.scheme[1] for f in fields if f.scheme and f.scheme[0] not in schemes}
    lines = [
        *_head(proposal, new),
        *_schema(proposal, fields),
        *extension_lines(proposal),
    ]
    text = "\n".join(lines) + "\n"
    # A draft that is no valid contract is an internal error.
    Contract.model_validate(yaml.safe_load(text))
    return Draft(text, new)


def write_draft(path: Path, draft: Draft) -> None:
    """Writes a draft to a new file.

    Raises:
        ConfigurationError: the file exists, or its folder does not.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(draft.text)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} exists and is not overwritten: name a new file with --write."
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({type(error).__name__}): --write must name a new file in "
            "the folder conf/datasets."
        ) from None


def _check_forms(dataset: Dataset) -> None:
    uncertain = [path for path, t in dataset.tables.items() if not t.header.certain]
    if uncertain:
        raise DataError(
            f"{uncertain[0]}: it is not certain whether the file has a header: set --header NUMBER "
            "or --header none, then draft the contract."
        )
    odd = [path for path, t in dataset.tables.items() if t.odd_rows and not t.sampled]
    if odd:
        raise DataError(
            f"{odd[0]}: each row has another number of cells than the header, so no column is "
            "known: ask for the file again with a name for each column."
        )
    forms = {path: _form(table) for path, table in dataset.tables.items()}
    if len(set(forms.values())) > 1:
        usual = Counter(forms.values()).most_common(1)[0][0]
        other = next(path for path, form in forms.items() if form != usual)
        raise DataError(
            f"{other} has another format, delimiter, quote or header row than most files, and a "
            "contract declares one for all files: draft a contract for each form, or ask for the "
            "file again."
        )


def _form(table: SourceTable) -> tuple[object, ...]:
    layout = table.layout
    dialect = (layout.delimiter, layout.quote, layout.escape, layout.trailing) if layout else ()
    record = table.xml.record if table.xml else ""
    return (table.format, table.header.row, table.sheet, record, *dialect)


def _always_missing(dataset: Dataset) -> set[str]:
    return {t for column in dataset.columns for t in column.type.missing if t in ALWAYS}


def _required(dataset: Dataset, key: Sequence[str]) -> set[str]:
    """Columns that must have a value: identifiers of people, and one that notes do not fill."""
    required = {c.name for c in dataset.columns if c.is_complete and c.role is Role.PERSON}
    if any(table.notes for table in dataset.tables.values()):
        kept = [c for c in _outside_notes(dataset) if c.role in (Role.NONE, Role.AREA)]
        required |= {c.name for c in kept[-1:]}
    return required - {*key}


def _outside_notes(dataset: Dataset) -> list[DatasetColumn]:
    """The columns that each record has and no note: a required one keeps notes in quarantine."""
    noted = {i for table in dataset.tables.values() for i in table.noted}
    return [c for c in dataset.columns if c.is_complete and c.position not in noted]


def _note_comments(proposal: Proposal) -> Iterator[str]:
    """Decisions on rows with totals, notes and units."""
    dataset = proposal.dataset
    required = {*proposal.key, *proposal.required}
    has_notes = any(table.notes for table in dataset.tables.values())
    if has_notes and not any(c.name in required for c in _outside_notes(dataset)):
        yield (
            f"{DECIDE}: the rows at the end have totals or notes, and no required column keeps "
            "them out. Ask for the file without them, or declare a pattern that they do not meet."
        )
    joined = next((t.header.joined for t in dataset.tables.values() if t.header.joined), ())
    if joined:
        yield (
            f"{DECIDE}: rows {' and '.join(map(str, joined))} probably have the names of the "
            f"columns together. Declare dialect.headerRows: {[*joined]} and the joined names "
            "(docs/onboarding.md, A header of several rows)."
        )
    if any(table.units for table in dataset.tables.values()):
        yield (
            f"{DECIDE}: rows below the header have units or further names. They are quarantined "
            "where a column has another type. Declare their rows in dialect.headerRows and the "
            "joined names to read them as a part of the header."
        )


def _head(proposal: Proposal, schemes: Mapping[str, Scheme]) -> Iterator[str]:
    dataset = proposal.dataset
    table = [*dataset.tables.values()][-1]
    yield "# yaml-language-server: $schema=../schema/contract.json"
    yield f"# Draft. Each comment with {DECIDE} needs a decision. Keys: docs/contracts.md."
    yield "# Drop the columns that no analysis reads."
    if schemes:
        yield f"# Declare in conf/project.yaml, under schemes: {', '.join(schemes)}."
    for problem in dataset.names.problems[:1]:
        yield from comment_lines(f"{DECIDE}: {problem}.", "")
    for comment in _note_comments(proposal):
        yield from comment_lines(comment, "")
    for path, source in dataset.tables.items():
        yield from (
            line for p in source.problems for line in comment_lines(f"{DECIDE}: {path}: {p}.", "")
        )
    yield f"name: {proposal.name}"
    yield f"title: {flow(proposal.name.replace('_', ' ').capitalize())}"
    if table.format != "csv":
        yield f"format: {table.format}"
    if table.encoding:
        if all(t.ascii_only for t in dataset.tables.values()):
            yield "# The files have ASCII characters only. Later files can have another encoding."
        yield f"encoding: {usual_encoding(dataset)}"
    dialect = _dialect(table) if table.format != "xml" else {}
    if dialect:
        yield f"dialect: {flow(dialect)}"


def _dialect(table: SourceTable) -> dict[str, object]:
    dialect: dict[str, object] = {}
    if table.layout is not None:
        dialect["delimiter"] = table.layout.delimiter
        if table.layout.quote != '"':
            dialect["quoteChar"] = table.layout.quote
        if table.layout.escape:
            dialect |= {"escapeChar": table.layout.escape, "doubleQuote": False}
    if table.header.row is None:
        dialect["header"] = False
    elif table.header.row > 1:
        dialect["headerRows"] = [table.header.row]
    if table.sheet:
        dialect["sheetName"] = table.sheet
    return dialect


def _schema(proposal: Proposal, fields: Sequence[ProposedField]) -> Iterator[str]:
    yield "schema:"
    yield f"  missingValues: {flow(list(proposal.missing))}"
    yield from key_lines(proposal)
    yield "  fields:"
    columns: dict[str, list[str]] = {}
    for proposed in fields:
        for comment in proposed.comments:
            columns.setdefault(comment, []).append(str(proposed.declared["name"]))
    for proposed in fields:
        for comment in proposed.comments:
            names = columns.pop(comment, [])
            if names:
                also = f" The same holds for {', '.join(names[1:])}." if names[1:] else ""
                yield from comment_lines(f"{comment}{also}", "    ")
        yield from _field_lines(proposed.declared)


def _field_lines(declared: Mapping[str, object]) -> Iterator[str]:
    line = f"    - {flow(dict(declared))}"
    if len(line) <= WIDTH:
        yield line
        return
    first = True
    for key, value in declared.items():
        yield f"    {'- ' if first else '  '}{key}: {flow(value)}"
        first = False
