"""The keys under `socare` of a draft: files, periods, encodings, spellings and the gate."""

import math
from collections import Counter
from collections.abc import Iterator

from socare_spark.onboarding.column_facts import Role
from socare_spark.onboarding.dataset import Dataset, DatasetColumn
from socare_spark.onboarding.proposal import Proposal
from socare_spark.onboarding.source_table import SourceTable
from socare_spark.onboarding.yaml_lines import DECIDE, comment_lines, flow

# Share of rejected rows above which the draft raises the gate, and the default of a contract.
_GATE = 0.05


def usual_encoding(dataset: Dataset) -> str:
    """The encoding of most files; utf-8 if all have ASCII characters only."""
    tables = [t for t in dataset.tables.values() if not t.ascii_only]
    counts = Counter(t.encoding for t in tables)
    return counts.most_common(1)[0][0] if counts else "utf-8"


def extension_lines(proposal: Proposal) -> Iterator[str]:
    """The lines of the key `socare` of a draft."""
    dataset = proposal.dataset
    names = dataset.names
    yield "socare:"
    yield f"  files: {flow(names.pattern)}"
    if names.periods:
        yield from (line for d in names.doubts for line in comment_lines(f"{DECIDE}: {d}.", "  "))
    if names.year_ends:
        yield f"  year_ends: {flow(names.year_ends)}"
    if names.named_by:
        yield f"  years_named_by: {names.named_by}"
    if any(t.layout is not None and t.layout.trailing for t in dataset.tables.values()):
        yield "  trailing_delimiter: true"
    if any(table.merged for table in dataset.tables.values()):
        yield from comment_lines(
            f"{DECIDE}: whether the value of cells that are merged over several records counts for "
            "all of them or for the first one.",
            "  ",
        )
        yield "  merged_cells: all"
    yield from _encodings(dataset)
    yield from _spellings(dataset)
    yield from _xml(dataset)
    share = max((_rejected(dataset, t) for t in dataset.tables.values()), default=0.0)
    if share > _GATE:
        yield from comment_lines(
            f"{DECIDE}: about {share:.1%} of the rows of a file would be quarantined. The gate is "
            "raised so that the file can be read: correct the contract or the file, and remove it.",
            "  ",
        )
        yield f"  gate: {min(math.ceil(share * 110) / 100, 1.0)}"


def _xml(dataset: Dataset) -> Iterator[str]:
    declared = [table.xml for table in dataset.tables.values() if table.xml is not None]
    if not declared:
        return
    names = {column.name for column in dataset.columns}
    paths = {name: path for xml in declared for name, path in xml.fields.items() if name in names}
    yield from comment_lines(
        f"{DECIDE}: whether each element {declared[0].record} is a record.", "  "
    )
    tables = dataset.tables.values()
    repeated = [*dict.fromkeys(path for table in tables for path in table.repeated)]
    if repeated:
        yield from comment_lines(
            f"{DECIDE}: not read, because they repeat within a record: {', '.join(repeated)}. "
            "Declare a contract with such an element as its record if its values count.",
            "  ",
        )
    yield "  xml:"
    yield f"    record: {declared[0].record}"
    if paths:
        yield "    fields:"
        yield from (f"      {flow(name)}: {flow(path)}" for name, path in paths.items())


def _encodings(dataset: Dataset) -> Iterator[str]:
    usual = usual_encoding(dataset)
    others = {
        (dataset.names.periods.get(path, ""), table.encoding)
        for path, table in dataset.tables.items()
        if table.encoding and table.encoding != usual and not table.ascii_only
    }
    if others:
        yield "  encodings:"
    for period, encoding in sorted(others):
        yield f"    - {flow({'encoding': encoding, **_span(period)})}"


def _spellings(dataset: Dataset) -> Iterator[str]:
    lines = []
    for first, second in dataset.alternatives:
        yield from comment_lines(
            f"{DECIDE}: each file has either {first} or {second}. If they are one column, declare "
            "one of them as a spelling of the other.",
            "  ",
        )
    for column in dataset.columns:
        found = {
            (dataset.names.periods.get(path, ""), spelling)
            for path, spelling in column.spellings.items()
        }
        lines += [
            flow({"column": column.name, "also": [spelling], **_span(period)})
            for period, spelling in sorted(found)
        ]
    if lines:
        if any(column.spellings and not column.repeated for column in dataset.columns):
            yield from comment_lines(f"{DECIDE}: whether these columns are the same.", "  ")
        yield "  spellings:"
        yield from (f"    - {line}" for line in lines)


def _span(period: str) -> dict[str, str]:
    return {"from": period, "to": period} if period else {}


def _rejected(dataset: Dataset, table: SourceTable) -> float:
    """Share of the rows of a file that the contract probably quarantines."""
    mismatches = sum(_mismatch_share(c) for c in dataset.columns)
    rows = max(table.rows, 1)
    return (table.odd_rows + table.notes + table.units) / rows + mismatches


def _mismatch_share(column: DatasetColumn) -> float:
    share = column.type.mismatches / max(column.rows, 1)
    if column.role is Role.POSTCODE and column.has_valid_postcodes:
        share += column.invalid_postcodes
    return share
