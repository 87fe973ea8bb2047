"""Jobs, the context of a run, and the writing of result tables.

An analysis declares the tables that it reads and writes, and a function that makes them. This
module does the rest for all analyses: it skips an analysis that is up to date, writes tables at the
same time, and records versions.
"""

import hashlib
import json
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from socare_spark.errors import DataError, MissingInputError
from socare_spark.lake.columns import is_readable, with_columns_as
from socare_spark.lake.lake import Lake
from socare_spark.lake.pool import worker_pool
from socare_spark.lake.table import TableSpec
from socare_spark.lake.transaction import atomic_commits
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

_WRITERS = 4
# Rows of a result that the driver collects: some hundred megabytes as Arrow.
DRIVER_MAX_RESULT_ROWS = 1_000_000


@dataclass(frozen=True)
class Need:
    """A column that an analysis reads from a dataset, which may lack it.

    Attributes:
        source: The table, as `restricted/requests`.
        column: Its column.
        type: Spark SQL type as which it is read; an empty text means any type.
        tables: Results that cannot be made without it.
        without: Results that are made without it, as if it were empty; the run names them.
    """

    source: str
    column: str
    type: str
    tables: tuple[TableSpec, ...] = ()
    without: tuple[TableSpec, ...] = ()

    @property
    def text(self) -> str:
        """The column and where to declare it, for messages."""
        kind = f" ({self.type})" if self.type else ""
        file = f"conf/datasets/{self.source.partition('/')[2]}.yaml"
        return f"the column {self.column}{kind} of {self.source}, to be kept in {file}"


@dataclass
class Context:
    """The session, folders and records of a run.

    Attributes:
        spark: The session.
        lake: The lake of the tables.
        conf: Folder of the council's configuration.
        landing: Folder of extracts; only `ingest` and `places` read it.
        as_of: Day to which open agreements run; None means the day of the newest extract.
        run: The record of this run.
        progress: Prints the steps of the run.
        unavailable: Path of a table that cannot be made -> the missing tables and columns.
        types: Path of a table -> the columns that an analysis reads, with their types.
        withdraw: Files that `ingest` removes from the lake; it loads no file then.
    """

    spark: SparkSession
    lake: Lake
    conf: Path
    landing: Path | None
    as_of: date | None
    run: Run
    progress: Progress
    unavailable: dict[str, str] = field(default_factory=dict)
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    withdraw: tuple[str, ...] = ()

    def pin(self, table: TableSpec | str) -> int:
        """Pins the version at which this run reads a table, and records it.

        Raises:
            DataError: the table has not been written yet.
        """
        name = table if isinstance(table, str) else table.path
        if name not in self.run.tables_read:
            self.run.tables_read[name] = self.lake.existing_version(name)
        return self.run.tables_read[name]

    def read(self, table: TableSpec | str) -> DataFrame:
        """Reads a table at the version that this run has pinned."""
        name = table if isinstance(table, str) else table.path
        frame = self.lake.read(self.spark, name, self.pin(name))
        return with_columns_as(frame, self.types.get(name, {}))

    def missing(self, needs: Iterable[Need]) -> list[Need]:
        """The needed columns that a table lacks, or has with a type that cannot be read."""
        present = [need for need in needs if self.lake.exists(need.source)]
        schemas = {
            source: self.lake.schema(source)
            for source in dict.fromkeys(need.source for need in present)
        }
        return [n for n in present if not is_readable(schemas[n.source], n.column, n.type)]

    def need(self, needs: Sequence[Need]) -> None:
        """Declares the columns that an analysis reads.

        From now on `read` returns each of them with its type, and null where the table lacks it.
        Results that need a missing column become unavailable. Results that are made without it are
        named in a warning.
        """
        for need in self.missing(needs):
            for table in need.tables:
                self.mark_unavailable(
                    table, *filter(None, [self.unavailable.get(table.path)]), need.text
                )
            if need.without:
                made = ", ".join(table.path for table in need.without)
                self.run.warnings.append(
                    f"{need.text[0].upper()}{need.text[1:]}, is missing and counts as empty in "
                    f"{made}."
                )
        for need in needs:
            self.types.setdefault(need.source, {})[need.column] = need.type

    def mark_unavailable(self, table: TableSpec, *needed: str) -> None:
        """Records that a table cannot be made because tables or columns are missing."""
        self.unavailable[table.path] = " and ".join(needed)

    def picture(self, path: Path) -> None:
        """Records a picture or map that the run wrote."""
        self.run.pictures.append(str(path.relative_to(self.lake.root)))

    def commit_metadata(self, fingerprint: str = "") -> dict[str, str]:
        """User metadata of the Delta commits of this run."""
        return {"run_id": self.run.run_id, "job": self.run.job, "fingerprint": fingerprint}

    def write(self, table: TableSpec, frame: DataFrame, fingerprint: str = "") -> None:
        """Replaces a result table; records its version, its rows and the seconds it took."""
        began = time.monotonic()
        self.spark.sparkContext.setJobDescription(table.path)
        metadata = self.commit_metadata(fingerprint)
        if table.grows:
            commit = self.lake.replace(table, frame, metadata)
        else:
            commit = self.lake.replace_arrow(table, collect_result(table, frame), metadata)
        self.run.counts[f"seconds/{table.path}"] = round(time.monotonic() - began, 2)
        self.run.outputs[table.path] = {"version": commit.version, "rows": commit.rows}


@dataclass(frozen=True)
class Job:
    """A job that can be submitted.

    Attributes:
        name: As in `jobs/NAME.py`.
        description: One sentence on its results.
        run: Runs the job.
        plan: Lists the tables and files that it would read and write, for `--dry-run`.
        writes: The tables that it makes, except those that the configuration declares.
        options: Adds options to the command line of the job.
    """

    name: str
    description: str
    run: Callable[[Context], None]
    plan: Callable[[Context], Sequence[str]]
    writes: tuple[TableSpec, ...]
    options: Callable[[ArgumentParser], None] | None = None


@dataclass(frozen=True)
class Analysis:
    """A job that makes result tables.

    Attributes:
        name: As in `jobs/NAME.py`.
        description: One sentence on its results.
        reads: The `zone/name` of each table that it requires.
        writes: The tables that it makes.
        tables: Makes one frame for each table, except for those that it marks as unavailable
            (`Context.mark_unavailable`). Frames that several tables use should be cached.
        draw: Draws pictures from the written tables, or None.
        optional: The `zone/name` of each table that it reads if the lake has it. Without it some
            results can be unavailable.
        needs: The columns that it reads from datasets.
    """

    name: str
    description: str
    reads: Callable[[Context], Sequence[str]]
    writes: tuple[TableSpec, ...]
    tables: Callable[[Context], Mapping[TableSpec, DataFrame]]
    draw: Callable[[Context], None] | None = None
    optional: Callable[[Context], Sequence[str]] = field(default=lambda _: ())
    needs: Callable[[Context], Sequence[Need]] = field(default=lambda _: ())

    def job(self) -> Job:
        """The job that runs this analysis."""
        return Job(self.name, self.description, self._run, self._plan, self.writes)

    def _plan(self, context: Context) -> Sequence[str]:
        reads = [f"reads  {name}" for name in (*self.reads(context), *self.optional(context))]
        return [*reads, *(f"writes {table.path}" for table in self.writes)]

    def _run(self, context: Context) -> None:
        missing = [name for name in self.reads(context) if not context.lake.exists(name)]
        if missing:
            raise MissingInputError(
                f"{self.name} needs {', '.join(missing)}, which the lake does not have: "
                "run the job that writes it first."
            )
        fingerprint = self._fingerprint(context)
        if self._up_to_date(context, fingerprint):
            context.progress.say(f"{self.name}: up to date")
            self._reuse_outputs(context)
            return
        with context.progress.step(f"{self.name}: tables", of=len(self.writes)) as step:
            self._write_all(context, fingerprint, step.advance)
        if self.draw is not None:
            with context.progress.step(f"{self.name}: pictures"):
                self.draw(context)
        state = {
            "fingerprint": fingerprint,
            "pictures": context.run.pictures,
            "lacking": context.unavailable,
        }
        _state(context, self.name).write_text(json.dumps(state), "utf-8")

    def _write_all(self, context: Context, fingerprint: str, advance: Callable[[], None]) -> None:
        frames = self._frames(context)
        accounted = {*(t.path for t in frames), *context.unavailable}
        undeclared = accounted ^ {t.path for t in self.writes}
        if undeclared:
            raise RuntimeError(f"{self.name} declares and makes different tables: {undeclared}")

        def write(item: tuple[TableSpec, DataFrame]) -> None:
            table, frame = item
            context.write(table, frame, fingerprint)
            advance()

        # Readers combine the tables of a job, so all of them change or none does.
        with atomic_commits(context.spark, context.lake, [table.path for table in self.writes]):
            # Small results take most of their time for commits, so they are written in parallel.
            with worker_pool(_WRITERS) as pool:
                list(pool.map(write, frames.items()))
            self._truncate_unavailable(context)
        context.spark.catalog.clearCache()

    def _frames(self, context: Context) -> Mapping[TableSpec, DataFrame]:
        """Makes a frame for each table that is not unavailable.

        Raises:
            MissingInputError: every table lacks a column.
        """
        context.need(self.needs(context))
        if all(table.path in context.unavailable for table in self.writes):
            needed = " and ".join(dict.fromkeys(context.unavailable.values()))
            raise MissingInputError(f"{self.name} can make no table: it needs {needed}.")
        frames = self.tables(context)
        return {table: frames[table] for table in frames if table.path not in context.unavailable}

    def _truncate_unavailable(self, context: Context) -> None:
        """Warns of tables that were not made, and empties their earlier versions."""
        for table in self.writes:
            needed = context.unavailable.get(table.path)
            if needed is None:
                continue
            context.run.warnings.append(f"{table.path} was not made: it needs {needed}.")
            if context.lake.exists(table):
                context.lake.truncate(table, context.commit_metadata())

    def _fingerprint(self, context: Context) -> str:
        names = sorted({*self.reads(context), *self.optional(context)})
        versions = {name: context.lake.version(name) for name in names}
        context.run.tables_read.update({k: v for k, v in versions.items() if v is not None})
        versions = {name: context.lake.rows_version(name) for name in names}
        parts = [self.name, context.run.code, context.run.configuration, str(context.as_of)]
        text = json.dumps([parts, versions], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _up_to_date(self, context: Context, fingerprint: str) -> bool:
        try:
            state = json.loads(_state(context, self.name).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        if state["fingerprint"] != fingerprint:
            return False
        if not all((context.lake.root / p).is_file() for p in state["pictures"]):
            return False
        made = [table for table in self.writes if table.path not in state["lacking"]]
        commits = [context.lake.last_commit(table) for table in made]
        return all(c is not None and c.metadata.get("fingerprint") == fingerprint for c in commits)

    def _reuse_outputs(self, context: Context) -> None:
        """Records the existing tables and pictures of an analysis that is up to date."""
        context.run.up_to_date = True
        state = json.loads(_state(context, self.name).read_text("utf-8"))
        for table in self.writes:
            commit = context.lake.last_commit(table)
            if commit is not None and table.path not in state["lacking"]:
                context.run.outputs[table.path] = {"version": commit.version, "rows": commit.rows}
        context.run.pictures.extend(state["pictures"])


def collect_result(table: TableSpec, frame: DataFrame) -> pa.Table:
    """The rows of a result that does not grow with records, as Arrow, in the declared shape.

    Raises:
        DataError: the result has more rows than the driver collects.
    """
    try:
        rows = table.conform(frame).toArrow()
    except (PySparkException, Py4JError) as error:
        if "spark.driver.maxResultSize" not in str(error):
            raise
        raise DataError(
            f"{table.path} is larger than spark.driver.maxResultSize, the size of results that the "
            "driver collects: its configuration names too many periods, areas, bands or codes. "
            "Name fewer, or set a larger size in the Spark configuration."
        ) from None
    if len(rows) > DRIVER_MAX_RESULT_ROWS:
        raise DataError(
            f"{table.path} has {len(rows)} rows, and at most {DRIVER_MAX_RESULT_ROWS} are allowed: "
            "its configuration names too many periods, areas, bands or codes. Name fewer."
        )
    return rows


def _state(context: Context, name: str) -> Path:
    """The file with the fingerprint, pictures and unavailable tables of an analysis."""
    path = context.lake.root / "working" / f".{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
