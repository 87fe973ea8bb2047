"""Declares the tables of ledger, quarantine and people, and reads the ledger.

For each file: read = kept + quarantined + duplicate + superseded. A run appends a row for
each file that it accepts, refuses, replaces or withdraws, and for each earlier file whose counts it
changes. The last row of a file is its current state. Rows are ordered by `sequence`, not by time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
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
    "Outcome and row counts of a file in a run.",
    (
        _RUN,
        _DATASET,
        _FILE,
        ColumnSpec("sha256", "string", "Digest of the file."),
        ColumnSpec(
            "status",
            "string",
            "accepted, refused (as a whole), replaced (by a corrected file of the same period), "
            "amended (a later file superseded or restored rows of it), or withdrawn (removed by "
            "an operator).",
        ),
    ),
    (
        ColumnSpec("rows_read", "bigint", "Records in the file; 0 if it was refused unread."),
        ColumnSpec("rows_kept", "bigint", "Rows of the file in the table."),
        ColumnSpec("rows_quarantined", "bigint", "Rows that failed a rule."),
        ColumnSpec("rows_duplicate", "bigint", "Rows that equal a later row of the file."),
        ColumnSpec("rows_superseded", "bigint", "Rows that a newer extract replaced."),
        ColumnSpec("extract", "date", "As-of day of the extract."),
        ColumnSpec("part", "string", "Identifies one of several files of a period."),
        ColumnSpec("revision", "int", "Revision in the name of the file; 0 if there is none."),
        ColumnSpec(
            "sequence",
            "bigint",
            "Number of the run among those that wrote to the ledger, from 1; orders the rows.",
        ),
        ColumnSpec(
            "contract", "string", "Digest of the contract as it applies to the file's period."
        ),
        ColumnSpec("why", "string", "Why the file was refused."),
        ColumnSpec(
            "columns_dropped", "string", "Columns that are not in the contract and were not read."
        ),
        ColumnSpec("at", "timestamp", "When the row was written (UTC)."),
    ),
    source="docs/definitions.md, section 2.10",
)

QUARANTINE = TableSpec(
    Zone.RESTRICTED,
    "quarantine",
    "Position of a quarantined row and the reasons; none of its values.",
    (
        _RUN,
        _DATASET,
        _FILE,
        ColumnSpec(
            "line", "bigint", "Ordinal of the record in its file, from 1, without the header."
        ),
    ),
    (
        ColumnSpec("reasons", "array<string>", "Reason codes."),
        ColumnSpec("columns", "array<string>", "Column of each reason, in the same order."),
    ),
    source="docs/definitions.md, section 2.10; docs/contracts.md, Reasons",
)

PEOPLE = TableSpec(
    Zone.RESTRICTED,
    "people",
    "A person under a pseudonym.",
    (ColumnSpec("person", "bigint", "First 8 bytes of the digest, signed big-endian."),),
    (
        ColumnSpec("digest", "binary", "HMAC-SHA256 of the identifier, all 32 bytes."),
        ColumnSpec("scheme", "string", "Identifier scheme of the person."),
        ColumnSpec("key_id", "string", "Key id of the key that produced the digest."),
        ColumnSpec("first_seen", "date", "As-of day of the first extract that has the person."),
    ),
    source="docs/definitions.md, section 2.11; docs/contracts.md, Identifiers",
)


Identity = tuple[str, str, str]
# Dataset, file, digest and reason.
RefusalKey = tuple[str, str, str, str]


class UnbalancedError(Exception):
    """The row counts of a file do not add up. This is a bug of this package."""


@dataclass(frozen=True)
class LedgerEntry:
    """One row of the ledger; the attributes are its columns."""

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
    extract: date | None = None
    part: str = ""
    revision: int = 0
    sequence: int = 0
    contract: str = ""
    why: str = ""
    columns_dropped: str = ""

    @property
    def identity(self) -> Identity:
        """Dataset, as-of day and part: a corrected file shares them with the file it replaces."""
        return (self.dataset, str(self.extract), self.part)

    @property
    def day(self) -> date:
        """As-of day of the extract; `date.min` for a refused file without one."""
        return self.extract or date.min

    @property
    def is_current(self) -> bool:
        """Whether the file is loaded."""
        return self.status in ("accepted", "amended")

    def check_balanced(self) -> Self:
        """Checks that the counts add up and returns the entry.

        Raises:
            UnbalancedError: the counts do not add up.
        """
        parts = (
            self.rows_kept,
            self.rows_quarantined,
            self.rows_duplicate,
            self.rows_superseded,
        )
        if self.rows_read != sum(parts) or min(parts) < 0:
            raise UnbalancedError(
                f"{self.file}: {self.rows_read} rows read, but the parts are {parts}"
            )
        return self

    def amended(self, run_id: str, kept: int, superseded: int) -> Self | None:
        """The entry with new counts after another file superseded or restored rows.

        Returns:
            The amended entry; None if the counts are the same.
        """
        if (kept, superseded) == (self.rows_kept, self.rows_superseded):
            return None
        return replace(
            self, run_id=run_id, status="amended", rows_kept=kept, rows_superseded=superseded
        )


@dataclass(frozen=True)
class LedgerState:
    """The current state of the ledger.

    Attributes:
        current: Identity (dataset, extract, part) -> last entry of each loaded file.
        refused: Dataset, file, digest and reason of each refusal.
        withdrawn: Identity -> last entry of each withdrawn file.
        sequence: Sequence number for the next run that writes to the ledger.
    """

    current: Mapping[Identity, LedgerEntry]
    refused: frozenset[RefusalKey]
    withdrawn: Mapping[Identity, LedgerEntry] = field(default_factory=dict)
    sequence: int = 1


def read_ledger(lake: Lake) -> LedgerState:
    """Reads the ledger; an empty state if there is none.

    Raises:
        DataError: the ledger was written by an earlier release, or `versions.json` lacks it.
    """
    if not lake.exists(LEDGER):
        return LedgerState({}, frozenset())
    if LEDGER.path not in noted_versions(lake) or not set(LEDGER.names) <= set(
        lake.schema(LEDGER).names
    ):
        raise DataError(
            f"The lake {lake.storage.location} was created by an earlier release, or its "
            "versions.json is missing: restore that file from a backup, or create a new lake and "
            "ingest all files."
        )
    entries = sorted(map(_entry, lake.to_dicts(LEDGER)), key=_order)
    last = {e.identity: e for e in entries if e.status != "refused"}
    return LedgerState(
        {i: e for i, e in last.items() if e.is_current},
        frozenset((e.dataset, e.file, e.sha256, e.why) for e in entries if e.status == "refused"),
        {i: e for i, e in last.items() if e.status == "withdrawn"},
        1 + max((e.sequence for e in entries), default=0),
    )


def _order(entry: LedgerEntry) -> tuple[int, bool]:
    """Sort key: by run; within a run the entry `replaced` before the entry of the new file."""
    return (entry.sequence, entry.status != "replaced")


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    return LedgerEntry(**{field.name: row[field.name] for field in fields(LedgerEntry)})


def ledger_rows(entries: Sequence[LedgerEntry]) -> pa.Table:
    """Converts entries to rows of LEDGER with the current time in `at`."""
    now = datetime.now(UTC)
    return pa.Table.from_pylist([asdict(e) | {"at": now} for e in entries])
