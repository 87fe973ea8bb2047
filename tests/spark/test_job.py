"""An analysis that can make some of its tables makes those, and says what the others lack."""

import shutil
from dataclasses import replace
from datetime import date

import pytest
from rich.console import Console
from studies import run_here

from socare_spark import analysis
from socare_spark.analysis import Analysis, Context, Job
from socare_spark.errors import ConfigurationError, DataError, ExitCode, MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.lake.transaction import has_unfinished_commits
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

GIVEN = TableSpec(Zone.REFERENCE, "given", "A day.", (ColumnSpec("day", "date", "A day."),))
ALWAYS = TableSpec(Zone.WORKING, "always", "A day.", (ColumnSpec("day", "date", "A day."),))
WITH_GIVEN = TableSpec(Zone.WORKING, "with_given", "A day.", (ColumnSpec("day", "date", "A day."),))

LARGE = TableSpec(
    Zone.WORKING, "large", "A number.", (ColumnSpec("id", "bigint", "A number."),), grows=True
)


def tables(context):
    days = context.spark.createDataFrame([(date(2020, 1, 1),)], "day date")
    if not context.lake.exists(GIVEN):
        context.mark_unavailable(WITH_GIVEN, GIVEN.path)
        return {ALWAYS: days}
    return {ALWAYS: days, WITH_GIVEN: context.read(GIVEN)}


ANALYSIS = Analysis(
    "some", "Makes what it can.", lambda _: [], (ALWAYS, WITH_GIVEN), tables,
    optional=lambda _: [GIVEN.path],
)  # fmt: skip
NEEDY = Analysis("needy", "Needs a table.", lambda _: [GIVEN.path], (ALWAYS,), tables)


@pytest.fixture
def context(spark, tmp_path):
    def new():
        run = Run("some", tmp_path / "runs", {})
        quiet = Progress(Console(quiet=True))
        return Context(spark, Lake(tmp_path / "lake"), tmp_path, None, None, run, quiet)

    return new


def test_table_without_its_input_is_left_out_with_a_warning(context):
    first = context()
    ANALYSIS.job().run(first)
    assert set(first.run.outputs) == {ALWAYS.path}
    assert first.run.warnings == ["working/with_given was not made: it needs reference/given."]
    again = context()
    ANALYSIS.job().run(again)
    assert again.run.outputs == first.run.outputs
    assert again.lake.version(ALWAYS) == 0


def test_table_is_made_when_its_input_appears(context):
    ANALYSIS.job().run(context())
    given = context()
    given.write(GIVEN, given.spark.createDataFrame([(date(2021, 1, 1),)], GIVEN.schema))
    after = context()
    ANALYSIS.job().run(after)
    assert after.read(WITH_GIVEN).collect() == [(date(2021, 1, 1),)]
    assert after.run.warnings == []


def test_result_of_too_many_rows_is_refused_with_its_bound(context, monkeypatch):
    monkeypatch.setattr(analysis, "DRIVER_MAX_RESULT_ROWS", 2)
    given = context()
    days = given.spark.createDataFrame([(date(2021, 1, day),) for day in (1, 2, 3)], GIVEN.schema)
    with pytest.raises(DataError, match="reference/given has 3 rows, and at most 2 are allowed"):
        given.write(GIVEN, days)
    assert not given.lake.exists(GIVEN)


def test_stale_table_is_emptied_when_inputs_disappear(context):
    given = context()
    given.write(GIVEN, given.spark.createDataFrame([(date(2021, 1, 1),)], GIVEN.schema))
    ANALYSIS.job().run(given)
    shutil.rmtree(given.lake.folder(GIVEN))
    after = context()
    ANALYSIS.job().run(after)
    assert after.read(WITH_GIVEN).collect() == []


def test_declared_table_without_a_result_is_a_program_error(context):
    forgetful = Analysis("some", "Forgets.", lambda _: [], (ALWAYS, WITH_GIVEN), lambda _: {})
    with pytest.raises(RuntimeError, match="different tables"):
        forgetful.job().run(context())


def test_missing_inputs_fail_a_job_but_skip_in_a_study(context, tmp_path):
    with pytest.raises(MissingInputError, match="reference/given"):
        NEEDY.job().run(context())
    assert study(context().spark, tmp_path, [NEEDY.job()]) == ExitCode.DONE
    assert not Lake(tmp_path / "lake").exists(ALWAYS)
    assert study(context().spark, tmp_path, [NEEDY.job(), ANALYSIS.job()]) == ExitCode.DONE
    assert Lake(tmp_path / "lake").exists(ALWAYS)


def test_refused_files_do_not_hide_a_later_error(context, tmp_path):
    ran = []

    def ending(name, error=None):
        def run(_):
            ran.append(name)
            if error is not None:
                raise error

        return Job(name, "Ends.", run, lambda _: [], ())

    refusing = ending("refusing", DataError("A file is refused."))
    spark = context().spark
    assert study(spark, tmp_path, [refusing, ending("fine")]) == ExitCode.DATA
    broken, never = ending("broken", ConfigurationError("No.")), ending("never")
    assert study(spark, tmp_path, [refusing, broken, never]) == ExitCode.CONFIGURATION
    assert ran == ["refusing", "fine", "refusing", "broken"]


def study(spark, folder, jobs):
    return run_here(spark, folder, jobs, "--mlflow", "off", key="")


def test_a_table_that_grows_with_records_is_written_by_several_tasks(context):
    def made(context):
        return {
            ALWAYS: context.spark.range(3, numPartitions=3).selectExpr("DATE'2020-01-01' AS day"),
            LARGE: context.spark.range(3, numPartitions=3),
        }

    new = context()
    Analysis("sizes", "Two tables.", lambda _: [], (ALWAYS, LARGE), made).job().run(new)
    files = {t: len(list(new.lake.folder(t).glob("*.parquet"))) for t in (ALWAYS, LARGE)}
    assert files == {ALWAYS: 1, LARGE: 3}


def test_tables_of_an_analysis_change_together_or_not_at_all(context):
    given = context()
    given.write(GIVEN, given.spark.createDataFrame([(date(2021, 1, 1),)], GIVEN.schema))
    ANALYSIS.job().run(context())
    before = {table: context().lake.version(table) for table in ANALYSIS.writes}

    def broken(now):
        days = now.spark.createDataFrame([(date(2022, 1, 1),)], "day date")
        return {ALWAYS: days, WITH_GIVEN: days.selectExpr("to_date(raise_error('no')) AS day")}

    failing = replace(ANALYSIS, tables=broken)
    new = context()
    new.run.configuration = "another"
    with pytest.raises(Exception, match="no"):
        failing.job().run(new)
    assert {table: context().lake.version(table) for table in ANALYSIS.writes} == before
    assert context().read(ALWAYS).collect() == [(date(2020, 1, 1),)]
    assert not has_unfinished_commits(new.lake)
