"""What a flow may hold: longer cases, more transitions and more activities are reported."""

import pytest
from pyspark.sql import functions as F
from rich.console import Console

from socare_spark.analyses.flow import bounds
from socare_spark.analyses.flow.graph import LONGER, MOST_STEPS, flow_edges, flow_variants, traces
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.flow.stages import visits
from socare_spark.analysis import Context
from socare_spark.errors import ConfigurationError
from socare_spark.lake.lake import Lake
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

LOG = {"dataset": "doors", "case": "door", "time": "at", "activity": "what", "transitions": 2}
FLOW = Flow.model_validate({"flow": "doors", "title": "Doors", "log": LOG})
EVENTS = "case bigint, activity string, at bigint, tie int"


@pytest.fixture
def context(spark, tmp_path):
    run, quiet = Run("flow", tmp_path / "runs", {}), Progress(Console(quiet=True))
    return Context(spark, Lake(tmp_path / "lake"), tmp_path, None, None, run, quiet)


def test_cases_of_too_many_steps_are_one_variant_and_are_reported(spark, context):
    steps = MOST_STEPS + 1
    events = spark.range(2 * steps).selectExpr(
        "id % 2 AS case", "if(id % 3 = 0, '> 10000 steps', 'in') AS activity", "id AS at",
        "0 AS tie",
    )  # fmt: skip
    short = spark.createDataFrame([(7, "> 10000 steps", 0, 0)], EVENTS)
    events = events.unionByName(short).cache()
    traced = traces(events).cache()
    found = {r.variant: (r.people, r.records) for r in flow_variants(traced).collect()}
    # An activity of that name is another variant.
    assert found == {LONGER: (2, 2 * steps), "\\> 10000 steps": (1, 1)}
    assert sum(r.transitions for r in flow_edges(traced).collect()) == 2 * (steps - 1)
    bounds.warn_long_cases(context, FLOW, visits(events, None))
    assert context.run.counts["doors.cases_too_long"] == 2
    assert "has 2 cases with more than 10,000 steps" in context.run.warnings[0]


def test_short_cases_give_no_warning(spark, context):
    events = spark.createDataFrame([(1, "in", 0, 0), (1, "out", 1, 0)], EVENTS)
    bounds.warn_long_cases(context, FLOW, visits(events, None))
    assert context.run.warnings == []


def test_the_most_common_transitions_of_a_log_have_durations(spark, context):
    edges = spark.createDataFrame(
        [("a", "b", 5), ("a", "a", 9), ("b", "c", 5), ("a", "c", 1), ("c", "b", 5)],
        "from_activity string, to_activity string, transitions bigint",
    )
    kept = bounds.most_common(context, FLOW, FLOW.log, edges)
    assert sorted(map(tuple, kept.collect())) == [("a", "b"), ("b", "c")]
    assert context.run.counts["doors.transitions_without_durations"] == 2
    (said,) = context.run.warnings
    assert "has 4 transitions. working/flow_durations has the 2 most common" in said


def test_a_log_whose_activity_is_a_text_is_refused(spark, monkeypatch):
    monkeypatch.setattr(bounds, "MOST_ACTIVITIES", 3)
    events = spark.range(4).select("id", F.col("id").cast("string").alias("activity"))
    visited = visits(events.withColumnRenamed("id", "case"), None)
    bounds.check_activities(FLOW, FLOW.log, visited.where("stage < 3"))
    with pytest.raises(ConfigurationError, match=r"column what of dataset doors has 4 different"):
        bounds.check_activities(FLOW, FLOW.log, visited)
