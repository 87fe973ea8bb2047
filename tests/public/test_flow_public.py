"""A permit process of a Dutch municipality, which nobody here wrote, through a flow file."""

import pytest
from pyspark.sql import functions as F

from socare_spark.analyses.flow.events import all_events, complete_events, count_incomplete
from socare_spark.analyses.flow.graph import flow_edges, flow_starts_ends, flow_variants, traces
from socare_spark.analyses.flow.settings import read_flows

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
    assert count_incomplete(events) == {
        "events": 8_577, "without_case": 0, "without_time": 0, "without_activity": 0,
    }  # fmt: skip


def test_edges_and_variants_are_as_many_as_published(events):
    traced = traces(complete_events(events)).cache()
    edges = flow_edges(traced).toPandas()
    assert (len(edges), edges["transitions"].sum()) == (99, 7_143)
    assert edges[["from_activity", "to_activity"]].stack().nunique() == 27
    variants = flow_variants(traced).toPandas()
    assert (len(variants), variants["people"].sum(), variants["records"].sum()) == (
        116,
        1_434,
        8_577,
    )
    assert variants["coverage"].max() == 1.0
    ends = flow_starts_ends(traced).groupBy("kind").agg(F.sum("people")).collect()
    assert sorted(map(tuple, ends)) == [("end", 1_434), ("start", 1_434)]
