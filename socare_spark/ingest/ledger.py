"""What became of every row of every file, and who is known.

For each file: read = kept + quarantined + duplicate + superseded + expired. A run adds a row for
each file it took, refused, replaced or withdrew, and for each earlier file whose rows it
superseded; the last row of a file is how it stands. Rows are ordered by `sequence`, never by a
clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Self

import pyarrow as pa

from socare_spark.errors import DataError
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.lake.transaction import noted_versions

_RUN = ColumnSpec("run_id", "string", "The run that wrote the row; its record is runs/RUN_ID.")
_DATASET = ColumnSpec("dataset", "string", "Name of the contract.")
_FILE = ColumnSpec("file", "string", "Path of the file below the landing folder.")

LEDGER = TableSpec(
    Zone.RESTRICTED,
    "ledger",
    "What became of the rows of a file in a run.",
    (
        _RUN,
        _DATASET,
        _FILE,
        ColumnSpec("sha256", "string", "Digest of the file."),
        ColumnSpec(
            "status",
            "string",
            "accepted, refused (whole), replaced (by a corrected file of the same period), "
            "amended (a later file superseded or gave back rows of it), or withdrawn (taken out "
            "by an operator).",
        ),
    ),
    (
        ColumnSpec("rows_read", "bigint", "Records in the file; 0 where it was refused unread."),
        ColumnSpec("rows_kept", "bigint", "Rows of it in the table."),
        ColumnSpec("rows_quarantined", "bigint", "Rows with a reason not to be kept."),
        ColumnSpec("rows_duplicate", "bigint", "Rows that stand in the file again, the same."),
        ColumnSpec("rows_superseded", "bigint", "Rows that a newer extract replaced."),
        ColumnSpec("rows_expired", "bigint", "Rows past their retention."),
        ColumnSpec("extract", "date", "As-of day of the extract."),
        ColumnSpec("part", "string", "What tells files of one period apart."),
        ColumnSpec("revision", "int", "Order of corrected copies; 0 where the name holds none."),
        ColumnSpec(
            "sequence",
            "bigint",
            "Number of the run among those that wrote to the ledger, from 1; it orders the rows.",
        ),
        ColumnSpec(
            "contract", "string", "Digest of the contract, as it applies to the file's period."
        ),
        ColumnSpec("why", "string", "Why the file was refused."),
        ColumnSpec(
            "columns_dropped", "string", "Columns that no contract names, and were not read."
        ),
        ColumnSpec("at", "timestamp", "When the row was written (UTC)."),
    ),
    source="docs/definitions.md, section 2.10",
)

QUARANTINE = TableSpec(
    Zone.RESTRICTED,
    "quarantine",
    "A row that was not kept: where it stands and why; no value of it.",
    (
        _RUN,
        _DATASET,
        _FILE,
        ColumnSpec(
            "line", "bigint", "Ordinal of the record in its file, from 1, the header not counted."
        ),
    ),
    (
        ColumnSpec("reasons", "array<string>", "Reason codes."),
        ColumnSpec(
            "columns", "array<string>", "The column each reason concerns, in the same order."
        ),
    ),
    source="docs/definitions.md, section 2.10; docs/contracts.md, Reasons",
)

PEOPLE = TableSpec(
    Zone.RESTRICTED,
    "people",
    "A person, known by a pseudonym alone.",
    (ColumnSpec("person", "bigint", "First 8 bytes of the digest, signed big-endian."),),
    (
        ColumnSpec("digest", "binary", "HMAC-SHA256 of the identifier, all 32 bytes."),
        ColumnSpec("scheme", "string", "Which identifiers the person was known by."),
        ColumnSpec("key_id", "string", "Which key made the digest."),
        ColumnSpec(
            "first_seen", "date", "As-of day of the extract that held the person when first read."
        ),
    ),
    source="docs/definitions.md, section 2.11; docs/contracts.md, Identifiers",
)


class UnbalancedError(Exception):
    """The rows of a file do not add up: a fault of this project."""


@dataclass(frozen=True)
class LedgerEntry:
    """One row of the ledger."""

    run_id: str
    dataset: str
    file: str
    sha256: str
    status: str
    rows_read: int = 0
    rows_kept: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    rows_superseded: int = 0
    rows_expired: int = 0
    extract: date | None = None
    part: str = ""
    revision: int = 0
    sequence: int = 0
    contract: str = ""
    why: str = ""
    columns_dropped: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a corrected file has in common with the one it replaces."""
        return (self.dataset, str(self.extract), self.part)

    @property
    def day(self) -> date:
        """As-of day of the extract; every file that was read has one."""
        return self.extract or date.min

    @property
    def is_current(self) -> bool:
        """Whether rows of the file are in the table."""
        return self.status in ("accepted", "amended")

    def check_balanced(self) -> Self:
        """Itself.

        Raises:
            UnbalancedError: its counts do not add up.
        """
        parts = (
            self.rows_kept,
            self.rows_quarantined,
            self.rows_duplicate,
            self.rows_superseded,
            self.rows_expired,
        )
        if self.rows_read != sum(parts) or min(parts) < 0:
            raise UnbalancedError(f"{self.file}: {self.rows_read} rows read, but {parts} accounted")
        return self

    def amended(self, run_id: str, kept: int, superseded: int) -> Self | None:
        """The entry after another file took or gave back rows; None where nothing changed."""
        if (kept, superseded) == (self.rows_kept, self.rows_superseded):
            return None
        return replace(
            self, run_id=run_id, status="amended", rows_kept=kept, rows_superseded=superseded
        )


@dataclass(frozen=True)
class LedgerState:
    """What the ledger says as it stands.

    Attributes:
        current: The last entry of each file whose rows are in the lake, by dataset, extract, part.
        withdrawn: The last entry of each file that was taken out, by dataset, extract, part.
        refused: File, digest and reason of every refusal.
        sequence: The number of the run that writes to the ledger next.
    """

    current: Mapping[tuple[str, str, str], LedgerEntry]
    refused: frozenset[tuple[str, str, str]]
    withdrawn: Mapping[tuple[str, str, str], LedgerEntry] = field(default_factory=dict)
    sequence: int = 1


def read_ledger(lake: Lake) -> LedgerState:
    """Reads the ledger.

    Raises:
        DataError: an earlier state of this software wrote it, or its version is not kept.
    """
    if not lake.exists(LEDGER):
        return LedgerState({}, frozenset())
    if LEDGER.path not in noted_versions(lake) or not set(LEDGER.names) <= lake.columns(LEDGER):
        raise DataError(
            f"The lake {lake.root} was begun by an earlier version, or its versions.json is lost: "
            "restore that file from a copy, or begin a new lake and ingest all files."
        )
    entries = sorted(map(_entry, lake.to_dicts(LEDGER)), key=_order)
    last = {e.identity: e for e in entries if e.status != "refused"}
    return LedgerState(
        {i: e for i, e in last.items() if e.is_current},
        frozenset((e.file, e.sha256, e.why) for e in entries if e.status == "refused"),
        {i: e for i, e in last.items() if e.status == "withdrawn"},
        1 + max((e.sequence for e in entries), default=0),
    )


def _order(entry: LedgerEntry) -> tuple[int, bool]:
    """By run; within a run a file is replaced before another takes its place."""
    return (entry.sequence, entry.status != "replaced")


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(**{k: v for k, v in row.items() if k != "at"})


def ledger_rows(entries: Sequence[LedgerEntry]) -> pa.Table:
    """Entries as rows of the ledger, stamped with the time."""
    now = datetime.now(UTC)
    return pa.Table.from_pylist([asdict(e) | {"at": now} for e in entries])
