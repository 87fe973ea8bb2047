"""Snapshots of requests: totals, top lists, ranks before, single use and variants."""

import random
from datetime import date

import duckdb
import pandas as pd

from socare_spark.analyses.requests.counts import (
    REQUEST_SINGLE_USE,
    REQUEST_SNAPSHOTS,
    by_description,
    request_counts,
    request_single_use,
)
from socare_spark.analyses.requests.job import request_results
from socare_spark.analyses.requests.settings import Settings, Variants
from socare_spark.analyses.requests.top import REQUEST_TOP
from socare_spark.analyses.requests.variants import REQUEST_VARIANTS

ROWS = "snapshot date, service_description string, person bigint"
FIRST, SECOND = date(2019, 2, 12), date(2019, 8, 12)
COUNTS = {
    (FIRST, "bins"): 9, (FIRST, "pests"): 5, (FIRST, "leaks"): 2, (FIRST, "trees"): 2,
    (SECOND, "trees"): 7, (SECOND, "bins"): 6, (SECOND, "fires"): 4, (SECOND, "pests"): 1,
}  # fmt: skip


def _rows(counts):
    return [
        (snapshot, description, None)
        for (snapshot, description), number in counts.items()
        for _ in range(number)
    ]


def _results(spark, rows, *, top=3, **variants):
    settings = Settings(dataset="d", top=top, drawn=1, variants=Variants(**variants))
    return request_results(request_counts(spark.createDataFrame(rows, ROWS)).cache(), settings)


def _cells(frame, *names):
    """The values of some columns, in order."""
    rows = frame[list(names)].to_numpy(dtype=object).tolist()
    return sorted((tuple(None if pd.isna(v) else v for v in row) for row in rows), key=str)


def test_a_snapshot_counts_descriptions_as_they_are_written(spark):
    rows = [
        (FIRST, "Large Items", None),
        (FIRST, "Large Items", 7),
        (FIRST, "Large Items.", 7),  # a full stop makes another description
        (SECOND, "Large Items", 7),
        (SECOND, "Large\nItems", 8),  # so does a line break
    ]
    made = _results(spark, rows).tables[REQUEST_SNAPSHOTS]
    assert _cells(made, "snapshot", "records", "descriptions", "people", "cost") == [
        (FIRST, 3, 2, 1, None),
        (SECOND, 2, 2, 2, None),
    ]


def test_ranks_are_compared_with_all_of_the_snapshot_before(spark):
    made = _results(spark, _rows(COUNTS)).tables[REQUEST_TOP]
    names = ("snapshot", "description", "rank", "records", "rank_change", "records_change")
    assert _cells(made.sort_values(["snapshot", "rank"]), *names) == sorted(
        [
            (FIRST, "bins", 1, 9, None, None),
            (FIRST, "pests", 2, 5, None, None),
            (FIRST, "leaks", 3, 2, None, None),  # as many as trees, before it by alphabet
            (SECOND, "trees", 1, 7, 3, 5),  # was fourth, outside the top three
            (SECOND, "bins", 2, 6, -1, -3),
            (SECOND, "fires", 3, 4, None, 4),  # new
        ],
        key=str,
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
    theirs = (
        duckdb.connect()
        .register("rows", rows)
        .sql(
            """WITH c AS (SELECT snapshot, service_description AS description, count(*) AS records
            FROM rows GROUP BY ALL),
        r AS (SELECT *, row_number() OVER (PARTITION BY snapshot ORDER BY records DESC, description)
            AS rank, dense_rank() OVER (ORDER BY snapshot) AS place FROM c)
        SELECT n.snapshot, n.description, n.rank, n.records, b.rank - n.rank AS rank_change,
            CASE WHEN n.place > 1 THEN n.records - coalesce(b.records, 0) END AS records_change
        FROM r n LEFT JOIN r b ON b.description = n.description AND b.place = n.place - 1
        WHERE n.rank <= 30"""
        )
    )
    requests = [(*row, None) for row in rows.itertuples(index=False, name=None)]
    made = _results(spark, requests, top=30).tables[REQUEST_TOP]
    assert _cells(made, *theirs.columns) == sorted(theirs.fetchall(), key=str)


def test_single_use_descriptions_can_be_filtered_by_text(spark):
    counts = {
        (FIRST, "Wheelie men"): 1, (FIRST, "wheelie bins"): 2, (FIRST, "Trees"): 1,
        (SECOND, "Wheelie men"): 2, (SECOND, "A WHEELIE"): 1, (SECOND, "a%"): 1,
    }  # fmt: skip
    counted = by_description(request_counts(spark.createDataFrame(_rows(counts), ROWS)).cache())

    def found(contains):
        rows = request_single_use(counted, contains).collect()
        return sorted((r["snapshot"], r["description"]) for r in rows)

    assert found("wheelie") == [(FIRST, "Wheelie men"), (SECOND, "A WHEELIE")]
    assert found("%") == [(SECOND, "a%")]
    assert len(found("")) == 4


def test_variants_are_those_of_the_most_used_descriptions_of_the_newest_snapshot(spark):
    counts = {
        (FIRST, "Pest control"): 9, (FIRST, "Pest control."): 8,
        (SECOND, "Garden waste"): 5, (SECOND, "Garden waste."): 3, (SECOND, "Pest control"): 4,
        (SECOND, "Garden wastes"): 1,
    }  # fmt: skip
    names = ("variant_group", "description", "canonical", "records")
    some = _results(spark, _rows(counts), most=3)
    assert _cells(some.tables[REQUEST_VARIANTS], *names) == [
        ("garden waste", "Garden waste", "Garden waste", 5),
        ("garden waste", "Garden waste.", "Garden waste", 3),
    ]
    (warning,) = some.warnings
    assert "compares the 3 most used descriptions of 4" in warning
    whole = _results(spark, _rows(counts), most=4)
    assert len(whole.tables[REQUEST_VARIANTS]) == 3
    assert whole.warnings == []


def test_without_requests_all_tables_are_empty(spark):
    made = _results(spark, [])
    assert made.tables[REQUEST_SINGLE_USE].isEmpty()
    assert all(made.tables[t].empty for t in (REQUEST_SNAPSHOTS, REQUEST_TOP, REQUEST_VARIANTS))
    assert made.warnings == []
