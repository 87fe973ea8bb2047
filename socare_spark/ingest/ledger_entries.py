"""Writes the ledger, the quarantine and the people of a run.

The entries are balanced before they are written, and the ledger is written last. A file without an
entry is therefore not loaded.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analysis import Context
from socare_spark.ingest.admission import JudgedDataset
from socare_spark.ingest.conversion import failed_rules
from socare_spark.ingest.discovery import RefusedFile
from socare_spark.ingest.ledger import LEDGER, QUARANTINE, LedgerEntry, LedgerState, ledger_rows
from socare_spark.ingest.load_plan import LoadOutcome
from socare_spark.ingest.people import register_people
from socare_spark.ingest.precedence import DUPLICATE, SUPERSEDED
from socare_spark.ingest.pseudonym import Keyring

# Up to this number the driver writes the quarantined rows; above it Spark tasks do.
_DRIVER_MAX_QUARANTINED = 100_000
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


def make_entries(
    run_id: str,
    judged: Sequence[JudgedDataset],
    outcomes: Mapping[str, LoadOutcome],
    refused: Sequence[RefusedFile],
    ledger: LedgerState,
) -> list[LedgerEntry]:
    """Builds the ledger entries of a run and checks that each is balanced.

    Args:
        run_id: The id of the run.
        judged: The staged datasets.
        outcomes: Dataset -> outcome of its load, for datasets with accepted files.
        refused: Files that are refused for the first time.
        ledger: The ledger before the run.

    Raises:
        UnbalancedError: the counts of an entry do not add up.
    """
    entries = [
        entry
        for dataset in judged
        if dataset.staged.contract.name in outcomes
        for entry in _entries_of_load(
            run_id, dataset, outcomes[dataset.staged.contract.name], ledger
        )
    ]
    entries.extend(_refused_entry(run_id, file, judged) for file in refused)
    balanced = (replace(e, sequence=ledger.sequence).check_balanced() for e in entries)
    return sorted(balanced, key=lambda e: e.status != "replaced")


def _entries_of_load(
    run_id: str, judged: JudgedDataset, outcome: LoadOutcome, ledger: LedgerState
) -> Iterator[LedgerEntry]:
    """Yields the entries of the accepted files, and of the loaded files that they change."""
    contract, files = judged.staged.contract, judged.staged.files
    for i in judged.accepted:
        yield _accepted_entry(run_id, judged, outcome, i)
    loaded = {files[i].landed.identity for i in judged.accepted}
    for identity, entry in ledger.current.items():
        if identity[0] != contract.name:
            continue
        if identity in loaded or judged.rebuild:
            # The entry keeps the counts of the old file; its rows are no longer in the table.
            yield replace(entry, run_id=run_id, status="replaced")
        elif changed := amended_entry(run_id, outcome, entry):
            yield changed


def _accepted_entry(
    run_id: str, judged: JudgedDataset, outcome: LoadOutcome, index: int
) -> LedgerEntry:
    file, tally = judged.staged.files[index], judged.staged.tallies[index]
    name = file.landed.name
    duplicate = outcome.dropped.get((name, DUPLICATE), 0)
    if outcome.recount is None:
        superseded = outcome.dropped.get((name, SUPERSEDED), 0)
        kept = tally.valid - duplicate - superseded
    else:
        kept, superseded = outcome.recount.get(name, (0, 0))
    return LedgerEntry(
        run_id=run_id,
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


def amended_entry(run: str, outcome: LoadOutcome, entry: LedgerEntry) -> LedgerEntry | None:
    """The entry of a file after a load superseded or restored rows of it.

    Args:
        run: The id of the run.
        outcome: Outcome of the load.
        entry: The entry before the load.

    Returns:
        The amended entry; None if the counts are the same.
    """
    if outcome.recount is not None:
        kept, superseded = outcome.recount.get(entry.file, (0, 0))
    else:
        newly_superseded = outcome.dropped.get((entry.file, SUPERSEDED), 0)
        kept, superseded = (
            entry.rows_kept - newly_superseded,
            entry.rows_superseded + newly_superseded,
        )
    return entry.amended(run, kept, superseded)


def _refused_entry(run: str, refused: RefusedFile, judged: Sequence[JudgedDataset]) -> LedgerEntry:
    landed = refused.landed
    rows = 0
    for dataset in judged:
        for i in dataset.refused:
            if dataset.staged.files[i].landed is landed:
                rows = dataset.staged.files[i].profile.records
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
    """Registers new people in the Spark scheduler pool `people`, beside the other commits."""
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
    refused: Collection[RefusedFile],
) -> None:
    """Writes the quarantined rows and then the ledger.

    Args:
        context: The run.
        judged: The staged datasets.
        entries: The new ledger entries.
        refused: Files that are refused for the first time.
    """
    lake, metadata = context.lake, context.commit_metadata()
    selected = [(dataset, _files_to_quarantine(dataset, refused)) for dataset in judged]
    count = sum(dataset.staged.tallies[i].quarantined for dataset, files in selected for i in files)
    if count > _DRIVER_MAX_QUARANTINED:
        frames = [
            _quarantined_with_spark(context.run.run_id, dataset, files)
            for dataset, files in selected
            if files
        ]
        lake.append(QUARANTINE, reduce(DataFrame.unionByName, frames), metadata)
    elif count or not lake.exists(QUARANTINE):
        rows = [
            _quarantined_on_driver(context.run.run_id, dataset, files)
            for dataset, files in selected
            if files
        ]
        # An empty table exists too, so that readers can count on it.
        lake.append_arrow(QUARANTINE, pa.concat_tables([_SCHEMA.empty_table(), *rows]), metadata)
    lake.append_arrow(LEDGER, ledger_rows(entries), metadata)


def _files_to_quarantine(judged: JudgedDataset, refused: Collection[RefusedFile]) -> list[int]:
    """Indices of the files whose invalid rows are quarantined.

    These are the accepted files and the files refused for the first time.
    """
    names = {
        f.landed.name for f in refused if f.landed.contract.name == judged.staged.contract.name
    }
    newly_refused = {i for i in judged.refused if judged.staged.files[i].landed.name in names}
    return sorted(newly_refused.union(judged.accepted))


def _quarantined_on_driver(run_id: str, judged: JudgedDataset, files: Sequence[int]) -> pa.Table:
    """Builds the rows of QUARANTINE on the driver."""
    staged = judged.staged
    rows = [
        {
            "run_id": run_id,
            "dataset": staged.contract.name,
            "file": staged.files[i].landed.name,
            "line": line,
            "reasons": [code for code, _ in failed],
            "columns": [column for _, column in failed],
        }
        for i in files
        for line, words in staged.invalid_rows(i)
        for failed in [failed_rules(words, staged.rules)]
    ]
    return pa.Table.from_pylist(rows, _SCHEMA)


def _quarantined_with_spark(run_id: str, judged: JudgedDataset, files: Sequence[int]) -> DataFrame:
    """Builds the rows of QUARANTINE with Spark."""
    return judged.staged.invalid_rows_spark(files).select(
        F.lit(run_id).alias("run_id"), F.lit(judged.staged.contract.name).alias("dataset"), "*"
    )
