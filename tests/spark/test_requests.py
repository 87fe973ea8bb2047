"""Snapshots of requests: totals, top lists and what moved between them."""

import random
from datetime import date
from types import SimpleNamespace

import duckdb
import pandas as pd
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses.requests.job import (
    Variants,
    by_description,
    gather_requests,
    of_newest,
    request_single_use,
    request_snapshots,
    request_top,
    request_variants,
    variants_within_limit,
)

ROWS = "snapshot date, service_description string, person bigint"
FIRST, SECOND = date(2019, 2, 12), date(2019, 8, 12)


def _requests(spark, counts):
    rows = [
        (snapshot, description, None)
        for (snapshot, description), number in counts.items()
        for _ in range(number)
    ]
    return gather_requests(spark.createDataFrame(rows, ROWS))


def test_a_snapshot_counts_descriptions_as_they_are_written(spark):
    rows = [
        (FIRST, "Large Items", None),
        (FIRST, "Large Items", 7),
        (FIRST, "Large Items.", 7),  # a full stop makes another description
        (SECOND, "Large Items", 7),
        (SECOND, "Large\nItems", 8),  # so does a line break
    ]
    expected = [(FIRST, 3, 2, 1), (SECOND, 2, 2, 2)]
    assertDataFrameEqual(
        request_snapshots(gather_requests(spark.createDataFrame(rows, ROWS))).select(
            "snapshot", "records", "descriptions", "people"
        ),
        spark.createDataFrame(
            expected, "snapshot date, records bigint, descriptions bigint, people bigint"
        ),
    )


def test_ranks_are_compared_with_all_of_the_snapshot_before(spark):
    counts = {
        (FIRST, "bins"): 9, (FIRST, "pests"): 5, (FIRST, "leaks"): 2, (FIRST, "trees"): 2,
        (SECOND, "trees"): 7, (SECOND, "bins"): 6, (SECOND, "fires"): 4, (SECOND, "pests"): 1,
    }  # fmt: skip
    expected = [
        # rank, records, places risen, records more
        (FIRST, "bins", 1, 9, None, None),
        (FIRST, "pests", 2, 5, None, None),
        (FIRST, "leaks", 3, 2, None, None),  # as many as trees, before it by alphabet
        (SECOND, "trees", 1, 7, 3, 5),  # was fourth, outside the top three
        (SECOND, "bins", 2, 6, -1, -3),
        (SECOND, "fires", 3, 4, None, 4),  # new
    ]
    assertDataFrameEqual(
        request_top(by_description(_requests(spark, counts)), 3).select(
            "snapshot", "description", "rank", "records", "rank_change", "records_change"
        ),
        spark.createDataFrame(
            expected,
            "snapshot date, description string, rank int, records bigint, rank_change int, "
            "records_change bigint",
        ),
    )


def test_the_top_list_equals_duckdb(spark):
    draw = random.Random(11)
    rows = pd.DataFrame(
        [
            (draw.choice([FIRST, SECOND, date(2020, 2, 25)]), f"d{int(draw.paretovariate(0.8))}")
            for _ in range(1_500)
        ],
        columns=["snapshot", "service_description"],
    )
    frame = spark.createDataFrame(
        [(*row, None) for row in rows.itertuples(index=False, name=None)], ROWS
    )
    theirs = (
        duckdb.connect()
        .register("rows", rows)
        .sql(
            """WITH c AS (SELECT snapshot, service_description AS description, count(*) AS records
            FROM rows GROUP BY ALL),
        r AS (SELECT *, row_number() OVER (PARTITION BY snapshot ORDER BY records DESC, description)
            AS rank, dense_rank() OVER (ORDER BY snapshot) AS place FROM c)
        SELECT n.description, n.rank, n.records, b.rank - n.rank AS rank_change,
            CASE WHEN n.place > 1 THEN n.records - coalesce(b.records, 0) END AS records_change
        FROM r n LEFT JOIN r b ON b.description = n.description AND b.place = n.place - 1
        WHERE n.rank <= 30 ORDER BY n.snapshot, n.rank"""
        )
    )
    ours = (
        request_top(by_description(gather_requests(frame)), 30)
        .orderBy("snapshot", "rank")
        .select(*theirs.columns)
    )
    assert [tuple(row) for row in ours.collect()] == theirs.fetchall()


def test_single_use_descriptions_can_be_filtered_by_text(spark):
    counts = {
        (FIRST, "Wheelie men"): 1, (FIRST, "wheelie bins"): 2, (FIRST, "Trees"): 1,
        (SECOND, "Wheelie men"): 2, (SECOND, "A WHEELIE"): 1, (SECOND, "a%"): 1,
    }  # fmt: skip
    counted = by_description(_requests(spark, counts))

    def found(contains):
        rows = request_single_use(counted, contains).collect()
        return sorted((r["snapshot"], r["description"]) for r in rows)

    assert found("wheelie") == [(FIRST, "Wheelie men"), (SECOND, "A WHEELIE")]
    assert found("%") == [(SECOND, "a%")]
    assert len(found("")) == 4


def test_variants_are_those_of_the_newest_snapshot(spark):
    counts = {
        (FIRST, "Garden waste"): 9, (FIRST, "Garden wast"): 8,
        (SECOND, "Garden waste"): 1, (SECOND, "Garden waste."): 3, (SECOND, "Pest control"): 5,
    }  # fmt: skip
    made = request_variants(of_newest(by_description(_requests(spark, counts))), 8, 100)
    columns = ("variant_group", "description", "canonical", "records")
    assert sorted(tuple(r[c] for c in columns) for r in made.collect()) == [
        ("garden waste", "Garden waste", "Garden waste.", 1),
        ("garden waste", "Garden waste.", "Garden waste.", 3),
    ]


def test_of_too_many_descriptions_the_most_used_are_compared(spark):
    counts = {
        (FIRST, "Garden waste"): 5, (FIRST, "Garden waste."): 3, (FIRST, "Pest control"): 4,
        (FIRST, "Garden wastes"): 1,
    }  # fmt: skip
    newest = of_newest(by_description(_requests(spark, counts)))
    context = SimpleNamespace(run=SimpleNamespace(warnings=[]))
    made = variants_within_limit(context, newest, Variants(most=3))
    assert {r["description"] for r in made.collect()} == {"Garden waste", "Garden waste."}
    (said,) = context.run.warnings
    assert "compares the 3 most used descriptions of 4" in said
    assert variants_within_limit(context, newest, Variants(most=4)).count() == 3
    assert len(context.run.warnings) == 1


def test_no_variants_make_an_empty_table(spark):
    counted = by_description(_requests(spark, {(FIRST, "a"): 1}))
    assert request_variants(of_newest(counted), 8, 100).count() == 0
