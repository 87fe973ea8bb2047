"""A permit process of a Dutch municipality, which nobody here wrote, through a flow file."""

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
from socare_spark.analyses.flow.settings import read_flows
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
