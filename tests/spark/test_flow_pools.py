"""Pools of rare transitions and variants, and units that fit."""

import pytest
from frames import counts_of, rows_of

from socare_spark.analyses.flow.graph import (
    FLOW_EDGES,
    edge_days,
    flow_edges,
    flow_variants,
    graph_groupings,
    traces,
)
from socare_spark.analyses.flow.parts import Limits
from socare_spark.analyses.flow.pools import (
    check_pool,
    count_pooled_edges,
    pool_edges,
    pool_variants,
    report_edges,
    report_variants,
)
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.flow.units import fitting_unit
from socare_spark.errors import ConfigurationError
from socare_spark.lake.collect import collect

HOUR = 3_600_000_000
EVENTS = "case bigint, activity string, at bigint, tie int"
LOG = {"dataset": "log", "case": "job", "time": "at", "activity": "what"}


def flow_with(**keys):
    return Flow.model_validate({"flow": "jobs", "title": "Jobs", "log": LOG, **keys})


@pytest.fixture
def traced(spark):
    ways = ["AB", "AB", "AB", "ABCD", "ABDC", "ACB"]
    events = [
        (case, activity, at * HOUR, 0)
        for case, way in enumerate(ways)
        for at, activity in enumerate(way)
    ]
    return traces(spark.createDataFrame(events, EVENTS)).cache()


def edges_of(traced, unit="days"):
    counts = counts_of(traced, *graph_groupings(), person="case")
    return flow_edges(counts[FLOW_EDGES], collect({"days": edge_days(traced)})["days"], unit)


def test_a_case_with_several_pooled_transitions_is_counted_once(traced):
    flow = flow_with(limits={"edges": 2})
    pooled = pool_edges(traced, flow.limits).cache()
    edges = edges_of(pooled)
    columns = ["from_activity", "to_activity", "transitions", "people"]
    # A > B is most frequent. Of five single transitions the first by text is kept; case 4 has two
    # of the others.
    assert rows_of(edges, *columns) == [
        ("A", "B", 5, 5), ("A", "C", 1, 1), ("other", "other", 5, 3),
    ]  # fmt: skip
    assert edges["median_days"].tolist() == pytest.approx([1 / 24] * 3)
    number = count_pooled_edges(pooled, flow.limits).collect()[0][0]
    (warning,), counts = report_edges(flow, edges, number)
    assert counts == {"edges_pooled": 5, "edges_pooled_records": 5}
    assert "5 of 7 transitions are beyond its limits" in warning
    assert "`other`, with 5 records of 3 cases" in warning


def test_rare_transitions_are_pooled_by_their_number(traced):
    edges = edges_of(pool_edges(traced, Limits(least=2, pool="rare")))
    assert rows_of(edges, "from_activity", "transitions") == [("A", 5), ("rare", 6)]


def test_without_limits_nothing_is_pooled(traced):
    flow = flow_with()
    assert len(edges_of(pool_edges(traced, flow.limits))) == 7
    assert report_edges(flow, edges_of(traced), 0) == ([], {})


@pytest.mark.parametrize(
    ("limits", "rows", "number"),
    [
        ({"variants": 2}, [("AB", 1, 3), ("ABCD", 2, 1), ("other", None, 2)], 2),
        ({"least": 2}, [("AB", 1, 3), ("other", None, 3)], 3),
    ],
)
def test_rare_variants_are_one_row_without_a_rank(traced, limits, rows, number):
    flow = flow_with(limits=limits)
    variants = pool_variants(flow_variants(traced, 6), flow.limits)
    found = variants.toPandas()
    names = found["variant"].str.replace(" > ", "")
    assert rows_of(found.assign(variant=names), "variant", "rank", "people") == rows
    assert found.set_index("variant")["coverage"]["other"] == 1
    (warning,), counts = report_variants(flow, variants)
    assert counts == {"variants_pooled": number, "variants_pooled_people": rows[-1][2]}
    assert f"{number} variants are beyond its limits" in warning


def test_no_activity_can_have_the_name_of_the_pool():
    with pytest.raises(ConfigurationError, match="an activity with the name of the pool, other"):
        check_pool(flow_with(limits={"least": 2}), ["A", "other"])
    check_pool(flow_with(), ["A", "other"])
    check_pool(flow_with(limits={"least": 2, "pool": "rare"}), ["A", "other"])


def test_percentiles_are_in_the_unit(traced):
    edges = edges_of(traced, "minutes").set_index(["from_activity", "to_activity"])
    row = edges.loc["A", "B"]
    assert (row["unit"], row["median"], row["p90"]) == ("minutes", 60.0, 60.0)
    assert row["median_days"] == pytest.approx(1 / 24)
    days = edges_of(traced).set_index(["from_activity", "to_activity"]).loc["A", "B"]
    assert (days["unit"], days["median"]) == ("days", days["median_days"])


@pytest.mark.parametrize(
    ("hours", "unit"),
    [
        ([0, 0, 24, 24], "days"),  # events at the same time do not count
        ([1, 24], "days"),
        ([1, 1, 24], "hours"),
        ([0.02, 0.02, 24], "minutes"),
        ([0.01, 0.01, 24], "seconds"),
        ([1e-7], "seconds"),  # less than a second
        ([0], "days"),
        ([], "days"),
    ],
)
def test_the_unit_fits_half_of_the_times(spark, hours, unit):
    events = [(9, "A", 0, 0)]
    for hour in hours:
        events.append((9, "A", events[-1][2] + int(hour * HOUR), 0))
    assert fitting_unit(traces(spark.createDataFrame(events, EVENTS))) == unit
