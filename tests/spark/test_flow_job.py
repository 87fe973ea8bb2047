"""The job on a log of minutes and on movements: tables, pools, reports and pictures."""

import shutil
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from frames import rows_of
from rich.console import Console

from socare_spark.analyses.flow import job as flow
from socare_spark.analysis import Context
from socare_spark.errors import DataError
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.maintenance.leftovers import unnamed_pictures
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

BEGIN = datetime(2020, 1, 1, 9)
FLOWS = {
    "calls": {
        "flow": "calls",
        "title": "Calls",
        "noun": {"one": "call", "many": "calls"},
        "unit": "auto",
        "points": [0, 5, 60],
        "limits": {"edges": 2, "variants": 1},
        "log": {
            "dataset": "calls", "case": "call", "time": "at", "activity": "step",
            "column": "state", "values": ["complete", "done"],
        },
    },
    "moves": {
        "flow": "moves",
        "title": "Moves",
        "limits": {"least": 2},
        "matrix": {
            "dataset": "moves", "from": "origin", "to": "goal", "column": "kind",
            "codes": ["1"], "values": ["van"],
        },
    },
    # An activity has the name of the pool.
    "steps": {
        "flow": "steps",
        "title": "Steps",
        "limits": {"least": 2, "pool": "ring"},
        "log": {"dataset": "calls", "case": "call", "time": "at", "activity": "step"},
    },
}  # fmt: skip
LAST = date(2020, 1, 1)
CALLS = [
    (call, step, BEGIN + timedelta(minutes=minutes), LAST, state)
    for call, steps in enumerate(
        [
            [("ring", 0), ("answer", 3), ("end", 9)],
            [("ring", 0), ("answer", 4), ("end", 30)],
            [("ring", 0), ("end", 7)],
            [("ring", 0), ("hold", 2), ("answer", 70), ("end", 71)],
        ]
    )
    for step, minutes in steps
    for state in ("start", "complete")
]
# After the day of the extract: the third call would have another way.
CALLS.append((2, "answer", BEGIN + timedelta(days=1), LAST, "complete"))
CALLS.append((2, "answer", BEGIN, LAST, None))
MOVES = [("A", "B", 1), ("A", "B", 1), ("B", "C", 1), ("C", "A", 2)]


@pytest.fixture(scope="module")
def run(spark_session, tmp_path_factory):
    root = tmp_path_factory.mktemp("flow_job")
    (root / "conf" / "flows").mkdir(parents=True)
    for name, settings in FLOWS.items():
        (root / "conf" / "flows" / f"{name}.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    record, quiet = Run("flow", LocalStorage(root), {}), Progress(Console(quiet=True))
    context = Context(spark_session, Lake(root / "lake"), root / "conf", None, None, record, quiet)
    datasets = {
        "calls": (
            CALLS,
            {
                "call": "bigint", "step": "string", "at": "timestamp", "extract": "date",
                "state": "string",
            },
        ),
        "moves": (MOVES, {"origin": "string", "goal": "string", "kind": "int"}),
    }  # fmt: skip
    # Each dataset has two snapshots. The newest counts.
    snapshots = (BEGIN.date() - timedelta(1), BEGIN.date())
    for name, (rows, types) in datasets.items():
        named = {**types, "snapshot": "date"}
        columns = tuple(ColumnSpec(key, type_, "Something.") for key, type_ in named.items())
        table = TableSpec(Zone.RESTRICTED, name, "A record.", columns)
        copies = [(*row, day) for row in rows for day in snapshots]
        context.write(table, spark_session.createDataFrame(copies, table.schema))
    record.outputs.clear()
    with pytest.raises(DataError) as refusal:
        flow.ANALYSIS.job().run(context)
    context.refusal = str(refusal.value)
    return context


def rows(run, table, *columns):
    return rows_of(run.lake.to_pandas(table), *columns)


def test_a_log_of_minutes_has_durations_in_minutes(run):
    found = rows(run, flow.FLOW_DURATIONS, "transition", "time", "events", "unit", "days")
    # Points are 0, 5 and 60, and the last time of each transition. Two calls go from answer to end
    # in 5 to 60 minutes, one in 1 minute.
    assert [row for row in found if row[0] == "answer > end"] == [
        ("answer > end", 0, 0, "minutes", 0),
        ("answer > end", 26, 2, "minutes", 0),
        ("answer > end", 5, 1, "minutes", 0),
    ]
    edges = run.lake.to_pandas(flow.FLOW_EDGES)
    answered = edges[(edges["from_activity"] == "answer") & (edges["flow"] == "calls")]
    assert answered["median"].tolist() == [6.0]


def test_rare_transitions_and_variants_are_pooled_and_reported(run):
    edges = rows(run, flow.FLOW_EDGES, "flow", "from_activity", "to_activity", "transitions")
    assert edges == [
        ("calls", "answer", "end", 3), ("calls", "other", "other", 3),
        ("calls", "ring", "answer", 2), ("moves", "A", "B", 2), ("moves", "other", "other", 1),
    ]  # fmt: skip
    variants = rows(run, flow.FLOW_VARIANTS, "variant", "rank", "people")
    assert variants == [("other", None, 2), ("ring > answer > end", 1, 2)]
    said = "\n".join(run.run.warnings)
    assert "Flow calls: 3 of 5 transitions are beyond its limits." in said
    assert "`other`, with 3 records of 2 calls." in said
    assert "Flow calls: 2 variants are beyond its limits." in said
    assert "Flow moves: 1 of 2 transitions is beyond its limits." in said
    assert run.run.counts["calls.edges_pooled"] == 3
    # The pool has no durations.
    names = {row[0] for row in rows(run, flow.FLOW_DURATIONS, "transition")}
    assert names == {"answer > end", "ring > answer"}


def test_events_after_the_newest_extract_are_in_no_table_and_are_reported(run):
    totals = rows(run, flow.STAGE_TOTALS, "stage", "records")
    assert totals == [("answer", 3), ("end", 4), ("hold", 1), ("ring", 4)]
    assert run.run.counts["calls.after_last_day"] == 1
    (warning,) = [text for text in run.run.warnings if "newest extract" in text]
    assert "are left out: 1 of calls after 2020-01-01." in warning


def test_records_that_a_flow_does_not_select_are_counted(run):
    """The other tests show that they are in no table."""
    counts = run.run.counts
    assert (counts["calls.events"], counts["calls.not_selected"]) == (13, 13)
    assert (counts["moves.records"], counts["moves.not_selected"]) == (3, 1)
    said = [text for text in run.run.warnings if "which no record of" in text]
    assert said == [
        "Flow calls: log.values in conf/flows/calls.yaml names done, which no record of calls has "
        "in state.",
        "Flow moves: matrix.values in conf/flows/moves.yaml names van, which no record of moves "
        "has in kind.",
    ]


def test_a_flow_that_is_refused_does_not_stop_the_others(run):
    """The other tests show the tables and pictures of the others."""
    assert run.refusal == (
        "flow wrote its tables without the parts that were refused.\n  Flow steps has an activity "
        "with the name of the pool, ring. Set 'limits.pool' of the flow in conf/flows to a name "
        "that no activity has."
    )
    assert run.run.pictures
    assert unnamed_pictures(run.lake) == []


def test_flows_that_are_all_refused_leave_no_row_of_an_earlier_run(run, tmp_path):
    shutil.copytree(run.lake.storage.root, tmp_path / "lake")
    conf = tmp_path / "conf" / "flows"
    conf.mkdir(parents=True)
    absent = {**FLOWS["moves"], "flow": "absent"}
    absent["matrix"] = {**absent["matrix"], "dataset": "nothing"}
    for settings in (FLOWS["steps"], absent):
        (conf / f"{settings['flow']}.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    record, lake = Run("flow", LocalStorage(tmp_path), {}), Lake(tmp_path / "lake")
    again = replace(run, lake=lake, conf=conf.parent, run=record, unavailable={})
    before = unnamed_pictures(lake)
    with pytest.raises(DataError, match="Flow steps has an activity"):
        flow.ANALYSIS.job().run(again)
    assert {t.path: len(lake.to_pandas(t)) for t in flow.ANALYSIS.writes if lake.exists(t)} == {
        table.path: 0 for table in flow.ANALYSIS.writes
    }
    assert record.warnings == [
        "Flow absent is left out: the lake does not have restricted/nothing."
    ]
    assert (before, record.pictures) == ([], [])
    assert unnamed_pictures(lake) == sorted(run.run.pictures)


def test_movements_have_a_balance_and_no_stages(run):
    assert rows(run, flow.FLOW_BALANCE, "activity", "departures", "arrivals", "people") == [
        ("A", 2, 0, None), ("B", 1, 2, None), ("C", 0, 1, None),
    ]  # fmt: skip
    assert {row[0] for row in rows(run, flow.STAGE_TOTALS, "flow")} == {"calls"}
    assert rows(run, flow.FLOW_EDGES_BY_MONTH, "flow") == []


def test_each_flow_has_its_pictures(run):
    assert [Path(path).name for path in run.run.pictures] == [
        "flow_calls.png", "flow_calls_waiting.png", "flow_moves_matrix.png",
    ]  # fmt: skip
