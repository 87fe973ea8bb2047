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

from socare_spark.intake.arrivals import Refused
from socare_spark.intake.checks import broken
from socare_spark.intake.commit import Standing
from socare_spark.intake.ledger import LEDGER, QUARANTINE, Books, Entry, ledger_rows
from socare_spark.intake.persons import add_people
from socare_spark.intake.pseudonym import Keyring
from socare_spark.intake.stage import Stage
from socare_spark.job import Context

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
class Taken:
    """A dataset's stage with what was judged of its files.

    Attributes:
        stage: The staged rows.
        wanted: Indices of the files that are taken.
        gated: Index -> why, of the files that are refused after all.
        repeated: Index -> rows whose key a later row of the same file has.
        rebuild: Whether the table is made anew, because its contract changed for all files.
        standing: How the rows stand, once they are in the tables.
    """

    stage: Stage
    wanted: list[int]
    gated: dict[int, str]
    repeated: Counter[int] = field(default_factory=Counter)
    rebuild: bool = False
    standing: Standing | None = None


def entries_of(
    context: Context,
    taken: Sequence[Taken],
    refused: Sequence[Refused],
    known: Books,
) -> list[Entry]:
    """The ledger's new rows, each balanced."""
    run = context.run.run_id
    entries: list[Entry] = []
    for t in taken:
        contract, files = t.stage.contract, t.stage.files
        for i in t.wanted:
            entries.append(_accepted(run, t, i))
        names = {files[i].arrival.identity for i in t.wanted}
        for identity, entry in known.standing.items():
            if identity[0] != contract.name:
                continue
            if identity in names or (t.rebuild and t.wanted):
                # It says what the file was; its rows are no longer there.
                entries.append(replace(entry, run_id=run, status="replaced"))
            elif t.standing is not None:
                changed = amended(run, t.standing, entry)
                entries += [changed] if changed else []
    entries.extend(_refusal(run, r, taken) for r in refused)
    news = (replace(e, sequence=known.sequence).balanced() for e in entries)
    return sorted(news, key=lambda e: e.status != "replaced")


def _accepted(run: str, taken: Taken, i: int) -> Entry:
    file, tally, how = taken.stage.files[i], taken.stage.tallies[i], taken.standing
    assert how is not None  # noqa: S101 - a wanted file has been brought in
    name = file.arrival.name
    duplicate = how.lost.get((name, "duplicate"), 0)
    if how.recount is None:
        superseded = how.lost.get((name, "superseded"), 0)
        kept = tally.good - duplicate - superseded
    else:
        kept, superseded = how.recount.get(name, (0, 0))
    return Entry(
        run_id=run,
        dataset=taken.stage.contract.name,
        file=name,
        sha256=file.look.sha256,
        status="accepted",
        rows_read=file.look.records,
        rows_kept=kept,
        rows_quarantined=tally.quarantined,
        rows_duplicate=duplicate,
        rows_superseded=superseded,
        extract=file.arrival.as_of,
        part=file.arrival.part,
        revision=file.arrival.revision,
        contract=taken.stage.contract.digest(file.arrival.as_of),
        columns_dropped=", ".join(sorted(file.dropped)),
    )


def amended(run: str, how: Standing, entry: Entry) -> Entry | None:
    """The entry after a commit took or gave back rows of it; None where nothing changed."""
    if how.recount is not None:
        kept, superseded = how.recount.get(entry.file, (0, 0))
    else:
        lost = how.lost.get((entry.file, "superseded"), 0)
        kept, superseded = entry.rows_kept - lost, entry.rows_superseded + lost
    return entry.amended(run, kept, superseded)


def _refusal(run: str, refused: Refused, taken: Sequence[Taken]) -> Entry:
    arrival = refused.arrival
    rows = 0
    for t in taken:
        for i in t.gated:
            if t.stage.files[i].arrival is arrival:
                rows = t.stage.files[i].look.records
    return Entry(
        run_id=run,
        dataset=arrival.contract.name,
        file=arrival.name,
        sha256=refused.sha256,
        status="refused",
        rows_read=rows,
        rows_quarantined=rows,
        extract=arrival.extract,
        part=arrival.part,
        revision=arrival.revision,
        contract=arrival.contract.digest(arrival.extract) if arrival.extract else "",
        why=refused.why,
    )


def commit_people(context: Context, taken: Sequence[Taken], keyring: Keyring) -> None:
    """The people who were not known; Spark adds them in between the tasks of other commits."""
    scheduler = context.spark.sparkContext
    scheduler.setLocalProperty("spark.scheduler.pool", "people")
    try:
        add_people(context.lake, [(t.stage, t.wanted) for t in taken], keyring, context.note())
    finally:
        scheduler.setLocalProperty("spark.scheduler.pool", None)  # type: ignore[arg-type]


def commit_books(
    context: Context, taken: Sequence[Taken], entries: list[Entry], refused: Collection[str]
) -> None:
    """Quarantine and, last of all, the ledger."""
    lake, note = context.lake, context.note()
    found = [(t, _judged(t, refused)) for t in taken]
    size = sum(t.stage.tallies[i].quarantined for t, files in found for i in files)
    if size > _FEW:
        frames = [_quarantined_many(context.run.run_id, t, files) for t, files in found if files]
        lake.append(QUARANTINE, reduce(DataFrame.unionByName, frames), note)
    elif size:
        rows = [_quarantined(context.run.run_id, t, files) for t, files in found if files]
        lake.enter(QUARANTINE, pa.concat_tables(rows), note)
    lake.enter(LEDGER, ledger_rows(entries), note)


def _judged(taken: Taken, refused: Collection[str]) -> list[int]:
    """The files whose bad rows are noted: those taken, and those refused for the first time."""
    new = {i for i in taken.gated if taken.stage.files[i].arrival.name in refused}
    return sorted(new.union(taken.wanted))


def _quarantined(run_id: str, taken: Taken, files: Sequence[int]) -> pa.Table:
    """Rows of the quarantine table, made by the driver."""
    stage = taken.stage
    rows = [
        {
            "run_id": run_id,
            "dataset": stage.contract.name,
            "file": stage.files[i].arrival.name,
            "line": line,
            "reasons": [code for code, _ in found],
            "columns": [column for _, column in found],
        }
        for i in files
        for line, words in stage.bad(i)
        for found in [broken(words, stage.rules)]
    ]
    return pa.Table.from_pylist(rows, _SCHEMA)


def _quarantined_many(run_id: str, taken: Taken, files: Sequence[int]) -> DataFrame:
    """Rows of the quarantine table, made by Spark."""
    return taken.stage.bad_many(files).select(
        F.lit(run_id).alias("run_id"), F.lit(taken.stage.contract.name).alias("dataset"), "*"
    )
