"""Jobs, the context of a run, and the writing of result tables.

An analysis declares the tables that it reads and writes, and a function that makes them. This
module does the rest for all analyses: it skips an analysis that is up to date, writes tables at the
same time, and records versions.
"""

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from socare_spark.errors import DataError, MissingInputError, MissingSettingsError
from socare_spark.freshness import FINGERPRINT, are_fresh, fingerprint_of, record_existing
from socare_spark.inputs import (
    Inputs,
    Need,
    check_needs,
    unavailable_results,
    warnings_of_empty_columns,
)
from socare_spark.lake.collect import check_size, collect_arrow
from socare_spark.lake.lake import Lake
from socare_spark.lake.pool import worker_pool
from socare_spark.lake.table import TableSpec
from socare_spark.lake.transaction import atomic_commits
from socare_spark.plurals import agreeing, counted
from socare_spark.storage.landing import Landing
from socare_spark.storage.storage import read_existing
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

_WRITERS = 4
Frame = DataFrame | pd.DataFrame
S = TypeVar("S")


@dataclass
class Context:
    """The session, folders and records of a run.

    Attributes:
        spark: The session.
        lake: The lake of the tables.
        conf: Folder of the council's configuration.
        landing: Folder of the extracts; only `ingest` and `places` read it.
        as_of: Day to which open agreements run; None means the day of the newest extract.
        run: The record of this run.
        progress: Prints the steps of the run.
        withdraw: Files that `ingest` removes from the lake; it loads no file then.
        only: Datasets that `ingest` reads; empty means all.
        unavailable: Path of a table that this run could not make -> the missing tables and columns.
    """

    spark: SparkSession
    lake: Lake
    conf: Path
    landing: Landing | None
    as_of: date | None
    run: Run
    progress: Progress
    withdraw: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    unavailable: dict[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> Inputs:
        """The tables and the configuration that an analysis reads."""
        return Inputs(self.spark, self.lake, self.conf, self.as_of, self.run.tables_read)

    def picture(self, path: Path) -> None:
        """Stores and records a picture or map that the run wrote."""
        self.lake.storage.check_held()
        self.run.pictures.append(self.lake.storage.keep(path))

    def commit_metadata(self, fingerprint: str = "") -> dict[str, str]:
        """User metadata of the Delta commits of this run."""
        return {"run_id": self.run.run_id, "job": self.run.job, FINGERPRINT: fingerprint}

    def write(self, table: TableSpec, frame: Frame, fingerprint: str = "") -> None:
        """Replaces a result table; records its version, its rows and the seconds it took."""
        began = time.monotonic()
        self.spark.sparkContext.setJobDescription(table.path)
        metadata = self.commit_metadata(fingerprint)
        if table.grows and isinstance(frame, DataFrame):
            commit = self.lake.replace(table, frame, metadata)
        else:
            commit = self.lake.replace_arrow(table, result_rows(table, frame), metadata)
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
class Result:
    """The results of an analysis.

    Attributes:
        tables: Table -> its rows. A table that grows with records is a frame of Spark; another one
            is a frame of pandas, or of Spark.
        unavailable: Table that cannot be made -> the missing tables and columns, for messages.
        warnings: Warnings for the operator.
        counts: Metric name -> value, for the run record.
        not_configured: Table for which the configuration has no settings -> the settings. It is
            not made, and the run does not warn of it.
        refusals: Faults of a part of the data, which is in no table. The run writes the tables and
            ends with `ExitCode.DATA`, and the next one makes them again.
    """

    tables: Mapping[TableSpec, Frame]
    unavailable: Mapping[TableSpec, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    not_configured: Mapping[TableSpec, str] = field(default_factory=dict)
    refusals: Sequence[str] = ()


@dataclass(frozen=True)
class Analysis(Generic[S]):
    """A job that makes result tables.

    Attributes:
        name: As in `jobs/NAME.py`.
        description: One sentence on its results.
        load_settings: Reads the settings from the folder of the configuration, once per run.
        reads: The `zone/name` of each table that it requires.
        writes: The tables that it makes.
        build: Makes the rows of the tables.
        draw: Draws pictures from the written tables, or None.
        optional: The `zone/name` of each table that it reads if the lake has it. Without it some
            results can be unavailable.
        needs: The columns that it reads from datasets.
        named_columns: Further columns that the settings name, for the check of the configuration.
        faults: Checks the settings against the contracts of the configuration, before data exist.
        other_settings: Condition, as a line for `docs/analyses.md` -> settings under which the
            tables need other columns than under the shipped ones.
        settings_files: Patterns below the folder of the configuration. An analysis with none of
            these files is not in use.
    """

    name: str
    description: str
    load_settings: Callable[[Path], S]
    reads: Callable[[Inputs, S], Sequence[str]]
    writes: tuple[TableSpec, ...]
    build: Callable[[Inputs, S], Result]
    draw: Callable[[Context, S], None] | None = None
    optional: Callable[[Inputs, S], Sequence[str]] = field(default=lambda _, __: ())
    needs: Callable[[Inputs, S], Sequence[Need]] = field(default=lambda _, __: ())
    named_columns: Callable[[S], Sequence[Need]] = field(default=lambda _: ())
    faults: Callable[[Path, S], Sequence[str]] = field(default=lambda _, __: ())
    other_settings: Callable[[S], Mapping[str, S]] = field(default=lambda _: {})
    settings_files: tuple[str, ...] = ()

    def job(self) -> Job:
        """The job that runs this analysis."""
        return Job(self.name, self.description, self._run, self._plan, self.writes)

    def _plan(self, context: Context) -> Sequence[str]:
        if absent := self._absent_settings(context.conf):
            return [f"is left out: {absent}"]
        tables = self._inputs(context.inputs, self.load_settings(context.conf))
        return [
            *(f"reads  {name}" for name in tables),
            *(f"writes {table.path}" for table in self.writes),
        ]

    def _absent_settings(self, conf: Path) -> str:
        """The reason if the configuration has no settings of the analysis; empty if it has any."""
        if not self.settings_files or any(any(conf.glob(p)) for p in self.settings_files):
            return ""
        return f"{conf} has no {' and no '.join(self.settings_files)}"

    def _inputs(self, inputs: Inputs, settings: S) -> list[str]:
        """The required and then the optional tables."""
        return [*self.reads(inputs, settings), *self.optional(inputs, settings)]

    def _run(self, context: Context) -> None:
        if absent := self._absent_settings(context.conf):
            raise MissingSettingsError(f"{self.name} has no settings: {absent}.")
        settings, inputs = self.load_settings(context.conf), context.inputs
        missing = [name for name in self.reads(inputs, settings) if not inputs.exists(name)]
        if missing:
            raise MissingInputError(
                f"{self.name} needs {', '.join(missing)}, which the lake does not have: "
                f"run the job that writes it first.{self._kept_tables(context.lake)}"
            )
        fingerprint = self._fingerprint(context, self._inputs(inputs, settings))
        if self._up_to_date(context, fingerprint):
            context.progress.say(f"{self.name}: up to date")
            self._reuse_outputs(context)
            return
        with context.progress.step(f"{self.name}: tables", of=len(self.writes)) as step:
            try:
                result = self._build(inputs, settings)
            except MissingInputError as error:
                raise MissingInputError(f"{error}{self._kept_tables(context.lake)}") from None
            self._record(context, result)
            self._write_all(context, result, fingerprint, step.advance)
        if self.draw is not None:
            with context.progress.step(f"{self.name}: pictures"):
                self.draw(context, settings)
        # Results without their refused parts are not up to date: the next run makes them again.
        state = {
            "fingerprint": "" if result.refusals else fingerprint,
            "pictures": context.run.pictures,
            "lacking": context.unavailable,
        }
        context.lake.storage.check_held()
        context.lake.storage.write(state_file(self.name), json.dumps(state).encode())
        if result.refusals:
            raise DataError(
                f"{self.name} wrote its tables without the parts that were refused.\n  "
                + "\n  ".join(result.refusals)
            )

    def _build(self, inputs: Inputs, settings: S) -> Result:
        """Makes the rows of each table that has its columns.

        Raises:
            MissingInputError: no table can be made.
        """
        needs = self.needs(inputs, settings)
        check_needs(needs)
        missing = inputs.missing(needs)
        lacking = unavailable_results(missing)
        if all(table.path in lacking for table in self.writes):
            raise self._makes_nothing(lacking.values())
        typed = replace(inputs, needs=tuple(needs), unavailable=lacking)
        result = self.build(typed, settings)
        made = {t: frame for t, frame in result.tables.items() if t.path not in lacking}
        not_configured = result.not_configured
        lacked = [t for t in self.writes if t.path in lacking and t not in not_configured]
        unavailable = {**result.unavailable, **{table: lacking[table.path] for table in lacked}}
        undeclared = {*made, *unavailable, *not_configured} ^ {*self.writes}
        if undeclared:
            raise RuntimeError(
                f"{self.name} declares and makes different tables: "
                f"{sorted(table.path for table in undeclared)}"
            )
        if unavailable and not made:
            raise self._makes_nothing(unavailable.values())
        return replace(
            result,
            tables=made,
            unavailable=unavailable,
            warnings=[*warnings_of_empty_columns(missing), *result.warnings],
        )

    def _kept_tables(self, lake: Lake) -> str:
        """A sentence on the tables of an earlier run, which a run without a table leaves."""
        kept = sum(lake.exists(table) for table in self.writes)
        if not kept:
            return ""
        keep_rows = agreeing(kept, "keeps its", "keep their")
        return f" {counted(kept, 'table')} of an earlier run {keep_rows} rows."

    def _makes_nothing(self, needed: Iterable[str]) -> MissingInputError:
        texts = " and ".join(dict.fromkeys(needed))
        return MissingInputError(f"{self.name} can make no table: it needs {texts}.")

    def _record(self, context: Context, result: Result) -> None:
        context.run.warnings += result.warnings
        context.run.counts |= result.counts
        context.unavailable |= {t.path: needed for t, needed in result.not_configured.items()}
        for table in self.writes:
            if table in result.unavailable:
                needed = result.unavailable[table]
                context.unavailable[table.path] = needed
                context.run.warnings.append(f"{table.path} was not made: it needs {needed}.")

    def _write_all(
        self, context: Context, result: Result, fingerprint: str, advance: Callable[[], None]
    ) -> None:
        """Writes the tables, and empties the earlier versions of those that were not made."""

        def write(item: tuple[TableSpec, Frame]) -> None:
            table, frame = item
            context.write(table, frame, fingerprint)
            advance()

        # Readers combine the tables of a job, so all of them change or none does.
        with atomic_commits(context.spark, context.lake, [table.path for table in self.writes]):
            # Small results take most of their time for commits, so they are written in parallel.
            with worker_pool(_WRITERS) as pool:
                list(pool.map(write, result.tables.items()))
            for table in (*result.unavailable, *result.not_configured):
                if context.lake.exists(table):
                    context.lake.truncate(table, context.commit_metadata())
        context.spark.catalog.clearCache()

    def _fingerprint(self, context: Context, tables: Iterable[str]) -> str:
        names = sorted({*tables})
        versions = {name: context.lake.version(name) for name in names}
        context.run.tables_read.update({k: v for k, v in versions.items() if v is not None})
        rows = {name: context.lake.rows_version(name) for name in names}
        return fingerprint_of(context.run, str(context.as_of), rows)

    def _up_to_date(self, context: Context, fingerprint: str) -> bool:
        try:
            state = self._state(context)
        except (OSError, ValueError):
            return False
        if state["fingerprint"] != fingerprint:
            return False
        if not all(context.lake.storage.is_file(p) for p in state["pictures"]):
            return False
        return are_fresh(context.lake, self._made(state), fingerprint)

    def _state(self, context: Context) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(read_existing(context.lake.storage, state_file(self.name)))

    def _made(self, state: Mapping[str, Any]) -> list[TableSpec]:
        """The tables that the last run made."""
        return [table for table in self.writes if table.path not in state["lacking"]]

    def _reuse_outputs(self, context: Context) -> None:
        """Records the existing tables and pictures of an analysis that is up to date."""
        state = self._state(context)
        record_existing(context.run, context.lake, self._made(state))
        context.run.pictures.extend(state["pictures"])


def result_rows(table: TableSpec, frame: Frame) -> pa.Table:
    """The rows of a result that does not grow with records, as Arrow, in the declared shape.

    Raises:
        DataError: the result has more rows than the driver collects.
    """
    if isinstance(frame, pd.DataFrame):
        check_size(table.path, len(frame))
        return table.to_arrow(frame)
    return collect_arrow(table.path, table.conform(frame))


def state_file(name: str) -> str:
    """The file of the lake with the fingerprint, pictures and unavailable tables of an analysis."""
    return f"working/.{name}.json"
