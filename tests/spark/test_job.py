"""An analysis that can make some of its tables makes those, and says what the others lack."""

import shutil
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from rich.console import Console
from studies import run_here

from socare_spark.analysis import Analysis, Context, Job, Result
from socare_spark.errors import ConfigurationError, DataError, ExitCode, MissingInputError
from socare_spark.inputs import Need
from socare_spark.lake import collect
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.lake.transaction import has_unfinished_commits
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

GIVEN = TableSpec(Zone.REFERENCE, "given", "A day.", (ColumnSpec("day", "date", "A day."),))
ALWAYS = TableSpec(Zone.WORKING, "always", "A day.", (ColumnSpec("day", "date", "A day."),))
WITH_GIVEN = TableSpec(Zone.WORKING, "with_given", "A day.", (ColumnSpec("day", "date", "A day."),))

LARGE = TableSpec(
    Zone.WORKING, "large", "A number.", (ColumnSpec("id", "bigint", "A number."),), grows=True
)


def build(inputs, first):
    days = pd.DataFrame({"day": [first]})
    if not inputs.exists(GIVEN):
        return Result({ALWAYS: days}, {WITH_GIVEN: GIVEN.path})
    return Result({ALWAYS: days, WITH_GIVEN: inputs.read(GIVEN)})


def analysis(name, build, writes=(ALWAYS,), reads=(), **more):
    """An analysis whose settings are a day."""
    first = date(2020, 1, 1)
    return Analysis(name, "Makes days.", lambda _: first, lambda *_: reads, writes, build, **more)


ANALYSIS = analysis("some", build, (ALWAYS, WITH_GIVEN), optional=lambda *_: [GIVEN.path])
NEEDY = analysis("needy", build, reads=[GIVEN.path])


@pytest.fixture
def context(spark, tmp_path):
    def new():
        run = Run("some", LocalStorage(tmp_path), {})
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
    assert after.inputs.read(WITH_GIVEN).collect() == [(date(2021, 1, 1),)]
    assert after.run.warnings == []


def test_result_of_too_many_rows_is_refused_with_its_bound(context, monkeypatch):
    monkeypatch.setattr(collect, "DRIVER_MAX_RESULT_ROWS", 2)
    given = context()
    days = given.spark.createDataFrame([(date(2021, 1, day),) for day in (1, 2, 3)], GIVEN.schema)
    with pytest.raises(DataError, match="reference/given has 3 rows, and at most 2 are allowed"):
        given.write(GIVEN, days)
    assert not given.lake.exists(GIVEN)


def test_stale_table_is_emptied_when_inputs_disappear(context):
    given = context()
    given.write(GIVEN, given.spark.createDataFrame([(date(2021, 1, 1),)], GIVEN.schema))
    ANALYSIS.job().run(given)
    shutil.rmtree(given.lake.storage.path(GIVEN.path))
    after = context()
    ANALYSIS.job().run(after)
    assert after.inputs.read(WITH_GIVEN).collect() == []


def test_declared_table_without_a_result_is_a_program_error(context):
    forgetful = analysis("some", lambda *_: Result({}), (ALWAYS, WITH_GIVEN))
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
    def made(inputs, _):
        numbers = inputs.spark.range(3, numPartitions=3)
        days = numbers.selectExpr("DATE'2020-01-01' AS day")
        return Result({ALWAYS: days, LARGE: numbers})

    new = context()
    analysis("sizes", made, (ALWAYS, LARGE)).job().run(new)
    files = {t: len(list(new.lake.storage.path(t.path).glob("*.parquet"))) for t in (ALWAYS, LARGE)}
    assert files == {ALWAYS: 1, LARGE: 3}


def test_tables_of_an_analysis_change_together_or_not_at_all(context):
    given = context()
    given.write(GIVEN, given.spark.createDataFrame([(date(2021, 1, 1),)], GIVEN.schema))
    ANALYSIS.job().run(context())
    before = {table: context().lake.version(table) for table in ANALYSIS.writes}

    def broken(inputs, _):
        days = inputs.spark.createDataFrame([(date(2022, 1, 1),)], "day date")
        raising = days.selectExpr("to_date(raise_error('no')) AS day")
        return Result({ALWAYS: days, WITH_GIVEN: raising})

    failing = replace(ANALYSIS, build=broken)
    new = context()
    new.run.configuration = "another"
    with pytest.raises(Exception, match="no"):
        failing.job().run(new)
    assert {table: context().lake.version(table) for table in ANALYSIS.writes} == before
    assert context().inputs.read(ALWAYS).collect() == [(date(2020, 1, 1),)]
    assert not has_unfinished_commits(new.lake)


def test_warnings_and_counts_of_a_result_are_recorded(context):
    def made(_, first):
        return Result({ALWAYS: pd.DataFrame({"day": [first]})}, {}, ["Beware."], {"days": 1})

    new = context()
    analysis("warns", made).job().run(new)
    assert new.run.warnings == ["Beware."]
    assert new.run.counts["days"] == 1
    assert new.inputs.read(ALWAYS).collect() == [(date(2020, 1, 1),)]


def test_refused_parts_of_the_data_are_refused_again_by_the_next_run(context):
    def made(_, first):
        return Result({ALWAYS: pd.DataFrame({"day": [first]})}, refusals=["A part is refused."])

    for _ in range(2):
        with pytest.raises(DataError, match=r"A part is refused\."):
            analysis("refuses", made).job().run(context())


def test_a_result_that_lacks_a_column_is_dropped_and_one_without_it_is_warned_of(context):
    """The analysis makes all results; the column that is missing is null."""

    def made(inputs, _):
        seen.append(dict(inputs.unavailable))
        rows = inputs.read(GIVEN)
        return Result({ALWAYS: rows.select("day"), WITH_GIVEN: rows.selectExpr("date(end) AS day")})

    seen = []
    needs = [
        Need(GIVEN.path, "day", "date", (ALWAYS, WITH_GIVEN)),
        Need(GIVEN.path, "end", "date", (WITH_GIVEN,), (ALWAYS,)),
    ]
    lacking = analysis("lacks", made, (ALWAYS, WITH_GIVEN), [GIVEN.path], needs=lambda *_: needs)
    given = context()
    given.write(GIVEN, given.spark.createDataFrame([(date(2021, 1, 1),)], GIVEN.schema))
    new = context()
    lacking.job().run(new)
    end = "column end (date) of reference/given, to be kept in conf/datasets/given.yaml"
    assert seen == [{WITH_GIVEN.path: f"the {end}"}]
    assert set(new.run.outputs) == {ALWAYS.path}
    assert new.run.warnings == [
        f"The {end}, is missing and counts as empty in working/always.",
        f"working/with_given was not made: it needs the {end}.",
    ]
    none = replace(lacking, name="none", writes=(WITH_GIVEN,))
    says = r"^none can make no table: it needs the column end .*given\.yaml\."
    with pytest.raises(MissingInputError, match=f"{says}$"):
        none.job().run(context())
    earlier = context()
    earlier.write(WITH_GIVEN, pd.DataFrame({"day": [date(2020, 1, 1)]}))
    with pytest.raises(MissingInputError, match=f"{says} 1 table of an earlier run keeps its rows"):
        none.job().run(context())
    assert earlier.lake.read(earlier.spark, WITH_GIVEN).count() == 1


def test_analysis_without_settings_is_not_in_use(context):
    files = ("analyses/unused.yaml",)
    unused = analysis("unused", build, (ALWAYS, WITH_GIVEN), settings_files=files)
    with pytest.raises(MissingInputError, match=r"unused has no settings: .*unused\.yaml") as error:
        unused.job().run(context())
    assert error.value.exit_code == ExitCode.CONFIGURATION
    assert unused.job().plan(context())[0].startswith("is left out")
    folder = context().conf / "analyses"
    folder.mkdir()
    (folder / "unused.yaml").write_text("")
    unused.job().run(context())


def test_dry_run_names_tables_without_making_them(context):
    plan = ANALYSIS.job().plan(context())
    assert plan == [
        "reads  reference/given", "writes working/always", "writes working/with_given",
    ]  # fmt: skip


def test_a_run_reads_each_table_at_one_version(context):
    given, reading = context(), context()
    days = [date(2021, 1, 1), date(2022, 1, 1)]
    given.write(GIVEN, pd.DataFrame({"day": days[:1]}))
    assert reading.inputs.pin(GIVEN) == 0
    given.write(GIVEN, pd.DataFrame({"day": days[1:]}))
    assert reading.inputs.read(GIVEN.path).collect() == [(days[0],)]
    assert reading.inputs.to_pandas(GIVEN)["day"].tolist() == days[:1]
    assert reading.inputs.to_pandas(GIVEN, "day").columns.tolist() == ["day"]
    assert reading.run.tables_read == {GIVEN.path: 0}
    assert context().inputs.to_pandas(GIVEN)["day"].tolist() == days[1:]
    with pytest.raises(DataError, match="working/always"):
        reading.inputs.pin(ALWAYS)
