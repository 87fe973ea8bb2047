"""Event logs and movements of other places, which nobody here wrote, through flow files."""

from types import SimpleNamespace

import pytest
from frames import counts_of
from pyspark.sql import functions as F

from socare_spark.analyses.flow.events import (
    all_events,
    complete_events,
    count_events,
    incomplete_events,
)
from socare_spark.analyses.flow.graph import (
    FLOW_EDGES,
    FLOW_STARTS_ENDS,
    edge_days,
    flow_edges,
    flow_variants,
    graph_groupings,
    traces,
)
from socare_spark.analyses.flow.movements import FLOW_BALANCE, FLOW_EDGES_BY_MONTH, follow_matrix
from socare_spark.analyses.flow.pools import count_pooled_edges, pool_edges
from socare_spark.analyses.flow.settings import Flow, read_flows
from socare_spark.analyses.flow.units import fitting_unit
from socare_spark.lake.collect import collect

FLOW = """
flow: permit_receipt
title: Environmental permits, receipt phase
log: {dataset: permits, case: case_name, time: moment, activity: step, key: instance}
"""


@pytest.fixture
def events(spark, tmp_path, public_data):
    conf = tmp_path
    (conf / "flows").mkdir()
    (conf / "flows" / "permits.yaml").write_text(FLOW, "utf-8")
    log = str(public_data / "eventlogs" / "receipt.csv")
    table = spark.read.csv(log, header=True).select(
        F.col("`case:concept:name`").alias("case_name"),
        F.col("`concept:name`").alias("step"),
        F.col("`concept:instance`").alias("instance"),
        F.to_timestamp("`time:timestamp`").alias("moment"),
    )
    (flow,) = read_flows(conf)
    return all_events(flow, {"permits": table}.__getitem__).cache()


def test_every_event_of_the_log_is_followed(events):
    counted = collect({"events": count_events(events)})["events"]
    assert incomplete_events(counted) == {
        "events": 8_577, "without_case": 0, "without_time": 0, "without_activity": 0,
    }  # fmt: skip


def test_edges_and_variants_are_as_many_as_published(events):
    traced = traces(complete_events(events)).cache()
    graph = counts_of(traced, *graph_groupings(), person="case")
    edges = flow_edges(graph[FLOW_EDGES], collect({"days": edge_days(traced)})["days"])
    assert (len(edges), edges["transitions"].sum()) == (99, 7_143)
    assert edges[["from_activity", "to_activity"]].stack().nunique() == 27
    variants = flow_variants(traced, 1_434).toPandas()
    assert (len(variants), variants["people"].sum(), variants["records"].sum()) == (
        116,
        1_434,
        8_577,
    )
    assert variants["coverage"].max() == 1.0
    ends = graph[FLOW_STARTS_ENDS].groupby("kind")["people"].sum()
    assert ends.to_dict() == {"end": 1_434, "start": 1_434}


def test_every_movement_between_libraries_is_counted(spark, tmp_path, public_data):
    path = str(public_data / "flows" / "libraries_west" / "transits.csv.gz")
    moves = spark.read.csv(path, header=True).withColumn(
        "day", F.col("date_transited").cast("date")
    )
    flow = Flow.model_validate(
        {
            "flow": "transits",
            "title": "Items in transit",
            "matrix": {
                "dataset": "moves", "from": "from_library", "to": "to_library", "time": "day",
            },
            "limits": {"least": 3},
        }
    )  # fmt: skip
    inputs = SimpleNamespace(
        read={"restricted/moves": moves}.__getitem__, conf=tmp_path, exists=lambda _: False
    )
    result = follow_matrix(inputs, flow, flow.matrix)
    assert result.counts["transits.records"] == 37_615
    edges, balance = result.tables[FLOW_EDGES], result.tables[FLOW_BALANCE]
    assert edges["transitions"].sum() == balance["departures"].sum() == 37_615
    assert result.tables[FLOW_EDGES_BY_MONTH].agg(F.sum("transitions")).first()[0] == 37_615
    assert len(edges) + result.counts["transits.edges_pooled"] - 1 == 9_616
    assert (len(balance), balance["net"].sum()) == (165, 0)


def test_most_steps_of_building_permits_are_entered_within_a_minute(spark, public_data):
    path = str(public_data / "eventlogs" / "bpic15" / "bpic15_3.csv.gz")
    table = spark.read.csv(path, header=True).select(
        "case", "activity", F.to_timestamp("timestamp").alias("at"),
        F.col("event").cast("int").alias("event"),
    )  # fmt: skip
    flow = Flow.model_validate(
        {
            "flow": "permits",
            "title": "Building permits",
            "log": {
                "dataset": "permits", "case": "case", "time": "at", "activity": "activity",
                "key": "event",
            },
            "limits": {"edges": 100},
        }
    )  # fmt: skip
    events = complete_events(all_events(flow, {"permits": table}.__getitem__))
    traced = pool_edges(traces(events), flow.limits).cache()
    assert fitting_unit(traced) == "seconds"
    graph = counts_of(traced, *graph_groupings(), person="case")[FLOW_EDGES]
    # Each event but the last one of the 1,409 cases is followed by another one.
    assert (len(graph), graph["records"].sum()) == (101, 59_681 - 1_409)
    pool = graph[graph["from_activity"] == "other"]
    followed = traced.where("from_activity = 'other'")
    assert pool["people"].tolist() == [followed.select("case").distinct().count()]
    pooled = count_pooled_edges(traced, flow.limits).first()[0]
    names = traced.where("next_activity IS NOT NULL").select("activity", "next_activity")
    assert pooled == names.distinct().count() - 100
