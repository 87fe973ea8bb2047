"""The job as it is submitted, on a lake of a few records."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from socare_spark.analyses.combinations import job
from socare_spark.analyses.combinations.job import ANALYSIS
from socare_spark.analysis import Context
from socare_spark.errors import ConfigurationError, MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

CONF = Path(__file__).parents[2] / "conf"
RECORDS = TableSpec(
    Zone.RESTRICTED,
    "children_assessments",
    "A record.",
    (
        ColumnSpec("person", "bigint", "Person."),
        ColumnSpec("assessment_reason", "string", "Reason."),
        ColumnSpec("form_outcome", "string", "Outcome."),
        ColumnSpec("assessment_start", "date", "First day."),
        ColumnSpec("assessment_end", "date", "Last day."),
    ),
)
DAY = date(2014, 5, 1)


@pytest.fixture
def run(spark, tmp_path):
    """Runs the job on some records, with sub-processes and settings; returns the context."""
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)

    def done(records, subprocesses, table=RECORDS, **settings):
        words = {"subprocesses": subprocesses}
        (conf / "vocabulary" / "subprocesses.yaml").write_text(yaml.safe_dump(words), "utf-8")
        file = conf / "analyses" / "combinations.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text("utf-8")) | settings), "utf-8")
        if table is not RECORDS:
            # The contract does not have its columns.
            (conf / "datasets" / "children_assessments.yaml").unlink()
        lake = Lake(tmp_path / "lake")
        lake.replace_arrow(table, spark.createDataFrame(records, table.schema).toArrow(), {})
        quiet = Progress(Console(quiet=True))
        context = Context(
            spark, lake, conf, None, None, Run("combinations", LocalStorage(tmp_path), {}), quiet
        )
        ANALYSIS.job().run(context)
        return context

    return done


def test_all_tables_are_made_and_no_picture_is_of_a_person(run):
    records = [
        (1, "ER34 - Form (from Mar 14)", "COMP", DAY, None),
        (2, "NEW", "COMP", DAY, DAY),
        (None, "ER34 - Form", "COMP", DAY, DAY),
        (3, None, "COMP", DAY, DAY),  # no combination
    ]
    context = run(records, {"MASH & ASTI": ["ER34", "ER35"], "Other": ["ZZZ/COMP"]})
    assert context.run.outputs.keys() == {table.path for table in ANALYSIS.writes}
    rows = {name: output["rows"] for name, output in context.run.outputs.items()}
    assert (rows["working/combinations"], rows["restricted/person_timelines"]) == (2, 2)
    assert context.run.warnings == [
        "1 combination has no sub-process in vocabulary/subprocesses.yaml: counted in `Unmapped`.",
        "vocabulary/subprocesses.yaml names the reason ER35, which no record has; the nearest are "
        "ER34.",
        "vocabulary/subprocesses.yaml names the reason ZZZ, which no record has.",
    ]
    assert sorted(Path(picture).name for picture in context.run.pictures) == [
        "combination_blocks.png", "combinations.png", "combinations_band_3.png",
        "combinations_of_mash_asti.png", "combinations_of_unmapped.png",
    ]  # fmt: skip


def test_without_records_tables_are_empty(run):
    context = run([], {"MASH & ASTI": ["ER34"]})
    tables = {table.path for table in ANALYSIS.writes}
    assert context.run.outputs.keys() == tables
    counted = {path: context.lake.read(context.spark, path).count() for path in tables}
    assert counted == dict.fromkeys(tables, 0)
    assert context.run.counts["combinations.unmapped"] == 0
    assert context.run.warnings == [
        "vocabulary/subprocesses.yaml names the reason ER34, which no record has."
    ]
    assert context.run.pictures == []


def test_a_column_that_is_not_there_is_named(run):
    says = "reason names the column reasons, which conf/datasets/children_assessments.yaml does not"
    with pytest.raises(ConfigurationError, match=says):
        run([], {"Other": ["A"]}, reason="reasons")
    says = "can make no table: it needs the column reasons .* of restricted/children_assessments"
    with pytest.raises(MissingInputError, match=says):
        run([], {"Other": ["A"]}, table=FLAGGED, reason="reasons")


def test_typed_texts_in_place_of_codes_are_refused(run, monkeypatch):
    monkeypatch.setattr(job, "_MOST_REASONS", 1)
    records = [(1, "ER34 - Form", "COMP", DAY, None), (2, "Mother rang", "COMP", DAY, None)]
    with pytest.raises(ConfigurationError, match="have 2 reasons in 2 combinations of texts; 1 in"):
        run(records, {"MASH": ["ER34"]})


FLAGGED = TableSpec(
    Zone.RESTRICTED,
    "children_assessments",
    "A record.",
    (
        *RECORDS.dims,
        ColumnSpec("team", "string", "Team."),
        ColumnSpec("sdq", "boolean", "Flag."),
        ColumnSpec("teeth", "boolean", "Flag."),
    ),
)
# Person, reason, outcome, days, team, and two flags.
FLAGGED_ROWS = [
    (1, "ER34 - Form", "COMP", DAY, DAY, "A+B", True, False),
    (1, "ER34 - Form", "COMP", DAY, DAY, "A+B", True, None),
    (2, "er34", None, DAY, date(2014, 6, 1), None, True, True),
    (3, None, "COMP", DAY, None, "Non-urgent", False, False),
    (4, None, None, DAY, None, None, None, None),
]
NOT_KNOWN = (
    "{} records of restricted/children_assessments have no value in one of the flags {}, so the "
    "combination is not known, and working/combination_sets does not count them. If no value means "
    "no, set empty_flags: not_true in conf/analyses/combinations.yaml."
)


def combination_sets(context):
    rows = context.lake.read(context.spark, "working/combination_sets").collect()
    names = ("parts", "people", "records", "last_used")
    return {row["combination"]: tuple(row[name] for name in names) for row in rows}


def test_reason_and_outcome_are_the_sets_of_the_present_settings(run):
    context = run([(1, "ER34 - Form", "COMP", DAY, None), (2, "A+", "X", DAY, DAY)], {})
    assert combination_sets(context) == {
        "ER34 + COMP": (2, 1, 1, DAY),
        r"A\+ + X": (2, 1, 1, DAY),
    }


def test_three_columns_and_two_flags_are_one_combination(run):
    # Of two snapshots the newest counts.
    copied = replace(FLAGGED, dims=(*FLAGGED.dims, ColumnSpec("snapshot", "date", "Its day.")))
    days = (date(2014, 1, 1), date(2015, 1, 1))
    context = run(
        [(*row, day) for row in FLAGGED_ROWS for day in days], {}, table=copied,
        columns=["assessment_reason", "form_outcome", "team"], flags=["sdq", "teeth"],
    )  # fmt: skip
    assert combination_sets(context) == {
        r"ER34 + COMP + A\+B + sdq": (4, 1, 1, DAY),
        "ER34 + (missing) + (missing) + sdq + teeth": (5, 1, 1, date(2014, 6, 1)),
        # Only a reason and an outcome are texts with a code before a dash.
        "(missing) + COMP + Non-urgent": (3, 1, 1, DAY),
    }
    # A flag without a value is neither true nor false.
    assert NOT_KNOWN.format(2, "sdq, teeth") in context.run.warnings
    assert context.run.counts["combinations.flags_not_known"] == 2
    (pair,) = context.lake.read(context.spark, "working/combinations").collect()
    assert (pair["reason"], pair["outcome"], pair["records"]) == ("ER34", "COMP", 2)


def test_flags_alone_have_bands_and_blocks_and_no_reasons(run):
    context = run(
        FLAGGED_ROWS, {}, table=FLAGGED, reason=None, outcome=None, flags=["sdq", "teeth"],
        bands=[{"label": "two", "from": 2, "to": 3}, {"label": "one", "from": 0, "to": 2}],
    )  # fmt: skip
    assert {name: (row[0], row[2]) for name, row in combination_sets(context).items()} == {
        "sdq": (1, 1), "sdq + teeth": (2, 1), "(none)": (0, 1),
    }  # fmt: skip
    bands = context.lake.read(context.spark, "working/combination_bands").collect()
    assert [(row["band"], row["combinations"], row["people"]) for row in bands] == [("one", 3, 3)]
    assert context.run.outputs.keys() == {
        "working/combination_sets", "working/combination_bands", "working/combination_blocks",
    }  # fmt: skip
    # No table of reasons is asked for, so none is reported.
    assert context.run.warnings == [NOT_KNOWN.format(2, "sdq, teeth")]
    assert context.run.pictures == []


def test_tables_without_settings_are_not_made_and_not_reported(run):
    absent = {"bands": [], "blocks": None, "renames": None, "extremes": None}
    context = run([(1, "ER34 - Form", "COMP", DAY, DAY)], {"MASH": ["ER34"]}, **absent)
    left_out = {
        "working/combination_bands", "working/combination_blocks", "working/combination_renames",
        "working/subprocess_extremes",
    }  # fmt: skip
    assert context.run.outputs.keys() == {table.path for table in ANALYSIS.writes} - left_out
    assert context.run.warnings == []
    assert not any("block" in name or "band" in name for name in context.run.pictures)


def test_flags_that_the_data_lack_make_no_table(run):
    lacking = replace(FLAGGED, dims=FLAGGED.dims[:-1])
    rows = [row[:-1] for row in FLAGGED_ROWS]
    says = (
        r"^combinations can make no table: it needs the column teeth \(boolean\) of "
        r"restricted/children_assessments, to be kept in conf/datasets/children_assessments.yaml "
        r"or replaced under flags.1 in conf/analyses/combinations.yaml\.$"
    )
    with pytest.raises(MissingInputError, match=says):
        run(rows, {}, table=lacking, reason=None, outcome=None, flags=["sdq", "teeth"])


def test_records_without_days_have_combinations(run):
    context = run(FLAGGED_ROWS, {}, table=FLAGGED, first_day=None, last_day=None)
    assert combination_sets(context) == {"ER34 + COMP": (2, 1, 2, None)}
    lacking = (
        "the role first_day (date) of restricted/children_assessments, to be mapped to a column"
    )
    assert any("working/combination_blocks was not made" in t and lacking in t
               for t in context.run.warnings)  # fmt: skip


def test_records_of_one_day_begin_and_end_on_it(run):
    context = run(
        FLAGGED_ROWS, {}, table=FLAGGED, last_day=None, flags=["sdq"], empty_flags="not_true"
    )
    # The council says that no value means no.
    assert combination_sets(context) == {"sdq": (1, 2, 3, DAY), "(none)": (0, 2, 2, DAY)}
    assert "combinations.flags_not_known" not in context.run.counts
    assert "working/combination_blocks" in context.run.outputs
