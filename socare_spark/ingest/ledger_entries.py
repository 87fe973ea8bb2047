"""What a run leaves in the books: ledger, people and quarantine.

Every row of every file is accounted for before the ledger is written, and the ledger is written
last: what it does not name is not in the lake.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analysis import Context
from socare_spark.ingest.conversion import failed_rules
from socare_spark.ingest.discovery import RefusedFile
from socare_spark.ingest.ledger import LEDGER, QUARANTINE, LedgerEntry, LedgerState, ledger_rows
from socare_spark.ingest.loader import LoadOutcome
from socare_spark.ingest.people import register_people
from socare_spark.ingest.pseudonym import Keyring
from socare_spark.ingest.staging import StagedDataset

Identity = tuple[str, str, str]
# Quarantined rows that the driver writes; tasks write more of them.
_FEW = 100_000
_TEXT = pa.string()
_SCHEMA = pa.schema(
    {
        "run_id": _TEXT,
        "dataset": _TEXT,
        "file": _TEXT,
        "line": pa.int64(),
        "reasons": pa.list_(_TEXT),
        "columns": pa.list_(_TEXT),
    }
)


@dataclass
class JudgedDataset:
    """A dataset's stage with what was judged of its files.

    Attributes:
        staged: The staged rows.
        accepted: Indices of the files that are taken.
        refused: Index -> why, of the files that are refused after all.
        repeated: Index -> rows whose key a later row of the same file has.
        rebuild: Whether the table is made anew, because its contract changed for all files.
        outcome: How the rows stand, once they are in the tables.
    """

    staged: StagedDataset
    accepted: list[int]
    refused: dict[int, str]
    repeated: Counter[int] = field(default_factory=Counter)
    rebuild: bool = False
    outcome: LoadOutcome | None = None


def make_entries(
    context: Context,
    judged: Sequence[JudgedDataset],
    refused: Sequence[RefusedFile],
    known: LedgerState,
) -> list[LedgerEntry]:
    """The ledger's new rows, each balanced."""
    run = context.run.run_id
    entries: list[LedgerEntry] = []
    for t in judged:
        contract, files = t.staged.contract, t.staged.files
        for i in t.accepted:
            entries.append(_accepted_entry(run, t, i))
        names = {files[i].landed.identity for i in t.accepted}
        for identity, entry in known.current.items():
            if identity[0] != contract.name:
                continue
            if identity in names or (t.rebuild and t.accepted):
                # It says what the file was; its rows are no longer there.
                entries.append(replace(entry, run_id=run, status="replaced"))
            elif t.outcome is not None:
                changed = amended_entry(run, t.outcome, entry)
                entries += [changed] if changed else []
    entries.extend(_refused_entry(run, r, judged) for r in refused)
    news = (replace(e, sequence=known.sequence).check_balanced() for e in entries)
    return sorted(news, key=lambda e: e.status != "replaced")


def _accepted_entry(run: str, judged: JudgedDataset, i: int) -> LedgerEntry:
    file, tally, how = judged.staged.files[i], judged.staged.tallies[i], judged.outcome
    assert how is not None  # noqa: S101 - a wanted file has been brought in
    name = file.landed.name
    duplicate = how.dropped.get((name, "duplicate"), 0)
    if how.recount is None:
        superseded = how.dropped.get((name, "superseded"), 0)
        kept = tally.valid - duplicate - superseded
    else:
        kept, superseded = how.recount.get(name, (0, 0))
    return LedgerEntry(
        run_id=run,
        dataset=judged.staged.contract.name,
        file=name,
        sha256=file.profile.sha256,
        status="accepted",
        rows_read=file.profile.records,
        rows_kept=kept,
        rows_quarantined=tally.quarantined,
        rows_duplicate=duplicate,
        rows_superseded=superseded,
        extract=file.landed.as_of,
        part=file.landed.part,
        revision=file.landed.revision,
        contract=judged.staged.contract.digest(file.landed.as_of),
        columns_dropped=", ".join(sorted(file.dropped)),
    )


def amended_entry(run: str, how: LoadOutcome, entry: LedgerEntry) -> LedgerEntry | None:
    """The entry after a commit took or gave back rows of it; None where nothing changed."""
    if how.recount is not None:
        kept, superseded = how.recount.get(entry.file, (0, 0))
    else:
        lost = how.dropped.get((entry.file, "superseded"), 0)
        kept, superseded = entry.rows_kept - lost, entry.rows_superseded + lost
    return entry.amended(run, kept, superseded)


def _refused_entry(run: str, refused: RefusedFile, judged: Sequence[JudgedDataset]) -> LedgerEntry:
    landed = refused.landed
    rows = 0
    for t in judged:
        for i in t.refused:
            if t.staged.files[i].landed is landed:
                rows = t.staged.files[i].profile.records
    return LedgerEntry(
        run_id=run,
        dataset=landed.contract.name,
        file=landed.name,
        sha256=refused.sha256,
        status="refused",
        rows_read=rows,
        rows_quarantined=rows,
        extract=landed.extract,
        part=landed.part,
        revision=landed.revision,
        contract=landed.contract.digest(landed.extract) if landed.extract else "",
        why=refused.reason,
    )


def commit_people(context: Context, judged: Sequence[JudgedDataset], keyring: Keyring) -> None:
    """The people who were not known; Spark adds them in between the tasks of other commits."""
    scheduler = context.spark.sparkContext
    scheduler.setLocalProperty("spark.scheduler.pool", "people")
    try:
        register_people(
            context.lake,
            [(t.staged, t.accepted) for t in judged],
            keyring,
            context.commit_metadata(),
        )
    finally:
        scheduler.setLocalProperty("spark.scheduler.pool", None)  # type: ignore[arg-type]


def write_ledger(
    context: Context,
    judged: Sequence[JudgedDataset],
    entries: list[LedgerEntry],
    refused: Collection[str],
) -> None:
    """Quarantine and, last of all, the ledger."""
    lake, note = context.lake, context.commit_metadata()
    found = [(t, _files_to_quarantine(t, refused)) for t in judged]
    size = sum(t.staged.tallies[i].quarantined for t, files in found for i in files)
    if size > _FEW:
        frames = [_quarantined_spark(context.run.run_id, t, files) for t, files in found if files]
        lake.append(QUARANTINE, reduce(DataFrame.unionByName, frames), note)
    elif size:
        rows = [_quarantined(context.run.run_id, t, files) for t, files in found if files]
        lake.append_arrow(QUARANTINE, pa.concat_tables(rows), note)
    lake.append_arrow(LEDGER, ledger_rows(entries), note)


def _files_to_quarantine(judged: JudgedDataset, refused: Collection[str]) -> list[int]:
    """The files whose bad rows are noted: those taken, and those refused for the first time."""
    new = {i for i in judged.refused if judged.staged.files[i].landed.name in refused}
    return sorted(new.union(judged.accepted))


def _quarantined(run_id: str, judged: JudgedDataset, files: Sequence[int]) -> pa.Table:
    """Rows of the quarantine table, made by the driver."""
    staged = judged.staged
    rows = [
        {
            "run_id": run_id,
            "dataset": staged.contract.name,
            "file": staged.files[i].landed.name,
            "line": line,
            "reasons": [code for code, _ in found],
            "columns": [column for _, column in found],
        }
        for i in files
        for line, words in staged.invalid_rows(i)
        for found in [failed_rules(words, staged.rules)]
    ]
    return pa.Table.from_pylist(rows, _SCHEMA)


def _quarantined_spark(run_id: str, judged: JudgedDataset, files: Sequence[int]) -> DataFrame:
    """Rows of the quarantine table, made by Spark."""
    return judged.staged.invalid_rows_spark(files).select(
        F.lit(run_id).alias("run_id"), F.lit(judged.staged.contract.name).alias("dataset"), "*"
    )
