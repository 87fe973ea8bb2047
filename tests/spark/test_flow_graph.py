"""What follows what: ties, gaps, variants, and the same from another engine."""

import random
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import pytest
from frames import counts_of
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses.flow.events import all_events
from socare_spark.analyses.flow.graph import (
    FLOW_EDGES,
    FLOW_STARTS_ENDS,
    LONGER,
    STEPS_SPELLED,
    count_ties,
    edge_days,
    flow_edges,
    flow_variants,
    graph_groupings,
    traces,
)
from socare_spark.analyses.flow.parts import Log
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.flow.stages import MOST_STEPS, long_cases, stage_counts, visits
from socare_spark.lake.collect import collect

DAY = 86_400_000_000
EVENTS = "case bigint, activity string, at bigint, tie int"


def a_log(key):
    """A log with the events of the test."""
    return Log(dataset="log", case="case", time="at", activity="activity", key=key)


def graph_of(traced):
    """Rows of FLOW_EDGES and of FLOW_STARTS_ENDS."""
    counts = counts_of(traced, *graph_groupings(), person="case")
    days = collect({"days": edge_days(traced)})["days"]
    return flow_edges(counts[FLOW_EDGES], days), counts[FLOW_STARTS_ENDS]


@pytest.fixture
def traced(spark):
    events = [
        (1, "AS", 10 * DAY, 1), (1, "CA", 10 * DAY, 0), (1, "SP", 30 * DAY, 2),  # tie: CA first
        (2, "CA", 0, 0), (2, "AS", 5 * DAY, 1), (2, "AS", 11 * DAY, 1),
        (3, "CA", 7 * DAY, 0), (3, "AS", 8 * DAY, 1),
        (4, "SP", 3 * DAY, 2),
        (5, "SP", 2 * DAY, 2),
    ]  # fmt: skip
    return traces(spark.createDataFrame(events, EVENTS)).cache()


def test_edges_count_transitions_and_days_between(traced):
    edges, _ = graph_of(traced)
    columns = ["from_activity", "to_activity", "transitions", "people", "median_days", "p90_days"]
    assert sorted(edges[columns].itertuples(index=False, name=None)) == [
        ("AS", "AS", 1, 1, 6.0, 6.0),
        ("AS", "SP", 1, 1, 20.0, 20.0),
        ("CA", "AS", 3, 3, 1.0, pytest.approx(4.2, rel=1e-12)),  # 0, 1 and 5 days
    ]


def test_variants_rank_by_people_then_text_and_cover_all(spark, traced):
    expected = [
        ("SP", 1, 2, 2, 2 / 5),
        ("CA > AS", 2, 1, 2, 3 / 5),  # before its longer namesakes, as text
        ("CA > AS > AS", 3, 1, 3, 4 / 5),
        ("CA > AS > SP", 4, 1, 3, 5 / 5),
    ]
    assertDataFrameEqual(
        flow_variants(traced, 5).select("variant", "rank", "people", "records", "coverage"),
        spark.createDataFrame(
            expected,
            "variant string, rank bigint, people bigint, records bigint, coverage double",
        ),
        rtol=0,
        atol=0,
    )


def test_lines_order_the_events_of_one_file_only(spark):
    log = a_log("line")
    flow = Flow(flow="log", title="Log", log=log)
    at = datetime(2020, 1, 1)
    rows = [
        # One file; one activity in two files; another time.
        (1, "b", at, "x.csv", 2), (1, "a", at, "x.csv", 3),
        (2, "a", at, "x.csv", 4), (2, "a", at, "y.csv", 2),
        (3, "a", at, "x.csv", 5), (3, "b", at + timedelta(1), "y.csv", 3),
        # Two files at one time: each is a way of its own.
        (4, "a", at, "y.csv", 4), (4, "b", at, "x.csv", 6), (4, "c", at, "y.csv", 5),
    ]  # fmt: skip
    columns = "case bigint, activity string, at timestamp, source_file string, line bigint"
    read = {"log": spark.createDataFrame(rows, columns)}.__getitem__
    traced = traces(all_events(flow, read)).cache()
    assert [*collect({"ties": count_ties(traced, log)})["ties"]["ties"]] == [3]
    ways = {row["variant"] for row in flow_variants(traced, 4).collect()}
    assert ways == {"b > a", "a > a", "a > b", "b > a > c"}


def test_different_sequences_have_different_variant_names(spark):
    ways = [["A > B"], ["A", "B"], ["A >", "B"], ["A", "> B"], ["A \\", "B"], ["A \\> B"]]
    rows = [(i, step, at, 0) for i, way in enumerate(ways) for at, step in enumerate(way)]
    traced = traces(spark.createDataFrame(rows, EVENTS))
    names = [row.variant for row in flow_variants(traced, 6).collect()]
    assert len(names) == len(ways)
    assert {"A > B", "A \\> B"} <= set(names)


def test_every_case_starts_and_ends_once(traced):
    _, ends = graph_of(traced)
    found = ends[["kind", "activity", "people"]].itertuples(index=False, name=None)
    assert {*found} == {("start", "CA", 3), ("start", "SP", 2), ("end", "AS", 2), ("end", "SP", 3)}


def test_cases_of_too_many_steps_are_one_variant_and_are_counted(spark):
    steps = MOST_STEPS + 1
    events = spark.range(2 * steps).selectExpr(
        "id % 2 AS case", "if(id % 3 = 0, '> 10000 steps', 'in') AS activity", "id AS at",
        "0 AS tie",
    )  # fmt: skip
    short = spark.createDataFrame([(7, "> 10000 steps", 0, 0)], EVENTS)
    events = events.unionByName(short).cache()
    traced = traces(events).cache()
    found = {r.variant: (r.people, r.records) for r in flow_variants(traced, 3).collect()}
    # An activity of that name is another variant.
    assert found == {LONGER: (2, 2 * steps), "\\> 10000 steps": (1, 1)}
    assert graph_of(traced)[0]["transitions"].sum() == 2 * (steps - 1)
    counted = collect({"stages": stage_counts(visits(events, None), [])})["stages"]
    assert long_cases(counted) == 2


def test_a_case_of_ten_thousand_events_has_a_short_name_of_its_own(spark):
    long = [(1, "AB"[i % 2], i, 0) for i in range(10_000)]
    # As long, and alike but for the last step: another variant.
    other = [(2, "AB"[i % 2], i, 0) for i in range(9_999)] + [(2, "C", 9_999, 0)]
    pdf = pd.DataFrame(long + other, columns=["case", "activity", "at", "tie"])
    traced = traces(spark.createDataFrame(pdf, EVENTS))
    names = {row.variant: row.records for row in flow_variants(traced, 2).collect()}
    assert list(names.values()) == [10_000, 10_000]
    assert max(map(len, names)) < 5 * STEPS_SPELLED
    assert all(f"… {10_000 - STEPS_SPELLED} more" in name for name in names)
    assert graph_of(traced)[0]["transitions"].sum() == 2 * 9_999


def test_edges_variants_and_ends_equal_duckdb(spark):
    draw = random.Random(7)
    log = pd.DataFrame(
        [
            # Few moments, so that ties are common; the key settles them.
            (draw.randrange(60), draw.choice("ABCDE"), draw.randrange(40) * DAY // 4, key)
            for key in range(700)
        ],
        columns=["case", "activity", "at", "tie"],
    )
    traced = traces(spark.createDataFrame(log, EVENTS)).cache()
    ordered = """WITH e AS (SELECT *, row_number() OVER w AS n, lead(activity) OVER w AS next,
        (lead("at") OVER w - "at") / 86400e6 AS days FROM log WINDOW w AS
        (PARTITION BY "case" ORDER BY "at", tie, activity))"""
    engine = duckdb.connect().register("log", log)

    def same(frame, sql, keys):
        theirs = engine.sql(f"{ordered} {sql}").df().sort_values(keys, ignore_index=True)
        ours = frame[[*theirs.columns]].sort_values(keys, ignore_index=True)
        pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-9, atol=0)

    moments = log.groupby(["case", "at"])["activity"].agg(["size", "nunique"])
    ties = moments["size"][moments["nunique"] > 1].sum()
    same_key = traced.withColumn("tie", F.lit(1))
    queries = {
        "no key": count_ties(traced, a_log(None)),
        "different keys": count_ties(traced, a_log("no")),
        "equal keys": count_ties(same_key, a_log("no")),
    }
    found = {name: rows["ties"].item() for name, rows in collect(queries).items()}
    assert found == {"no key": ties, "different keys": 0, "equal keys": ties}
    edges, ends = graph_of(traced)
    variants = flow_variants(traced, log["case"].nunique())
    edge = ["from_activity", "to_activity"]
    same(
        edges,
        """SELECT activity AS from_activity, next AS to_activity, count(*) AS transitions,
        count(DISTINCT "case") AS people, quantile_cont(days, 0.5) AS median_days,
        quantile_cont(days, 0.9) AS p90_days FROM e WHERE next IS NOT NULL GROUP BY ALL""",
        edge,
    )
    same(
        variants.where(f"size(split(variant, ' > ')) < {STEPS_SPELLED}").toPandas(),
        """, v AS (SELECT "case", string_agg(activity, ' > ' ORDER BY n) AS variant,
        count(*) AS records FROM e GROUP BY ALL) SELECT variant, count(*) AS people,
        sum(records) AS records FROM v GROUP BY ALL""",
        ["variant"],
    )
    same(
        ends,
        """SELECT 'start' AS kind, activity, count(*) AS people FROM e WHERE n = 1 GROUP BY ALL
        UNION ALL SELECT 'end', activity, count(*) FROM e WHERE next IS NULL GROUP BY ALL""",
        ["kind", "activity"],
    )
