"""Elements by area and year: ranks with ties, what is left out, and a recount by DuckDB."""

import random

import duckdb
import pandas as pd

from socare_spark.analyses.provision.distribution import element_distribution, with_element

AREAS = [("ward", "W1"), ("ward", "W2"), ("sector", "S1"), ("sector", "S2")]
RECORDS = """person bigint, element string, year int, reason string, cost decimal(20,2),
    areas array<struct<layer: string, code: string>>"""
NAMES = ("layer", "code", "element", "year", "people", "records", "rank")


def _found(spark, *rows):
    inside = with_element(spark.createDataFrame(rows, RECORDS))
    found = element_distribution(inside).select(*NAMES).collect()
    return inside, sorted(map(tuple, found), key=str)


def test_elements_rank_by_records_then_by_code_in_every_layer(spark):
    here, there = [("ward", "W1"), ("city", "C")], [("city", "C")]
    _, found = _found(
        spark,
        (1, "B", 2010, None, None, here),
        (1, "B", 2010, None, None, here),
        (2, "A", 2010, None, None, here),
        (3, "C", 2010, None, None, here),
        (None, "C", 2010, None, None, there),
        (3, "C", 2011, None, None, there),
    )
    assert found == [
        ("city", "C", "A", 2010, 1, 1, 3),
        ("city", "C", "B", 2010, 1, 2, 1),
        ("city", "C", "C", 2010, 1, 2, 2),  # as many records as B, of one known person
        ("city", "C", "C", 2011, 1, 1, 1),
        ("ward", "W1", "A", 2010, 1, 1, 2),
        ("ward", "W1", "B", 2010, 1, 2, 1),
        ("ward", "W1", "C", 2010, 1, 1, 3),
    ]


def test_no_element_is_the_last_reason_for_exclusion(spark):
    inside, found = _found(
        spark,
        (1, None, 2010, None, None, [("ward", "W1")]),
        (1, None, 2010, "no_postcode", None, None),
        (1, "A", 2010, "outside_years", None, [("ward", "W1")]),
    )
    assert found == []
    reasons = sorted(row["reason"] for row in inside.collect())
    assert reasons == ["no_element", "no_postcode", "outside_years"]


def test_distribution_equals_duckdb(spark):
    draw = random.Random(11)
    rows = [
        (
            draw.choice([None, *range(25)]),
            draw.choice("ABCDE"),
            draw.randrange(2009, 2013),
            draw.choice([None, None, None, "outside_years"]),
            None,
            [AREAS[draw.randrange(2)], AREAS[2 + draw.randrange(2)]],
        )
        for _ in range(500)
    ]
    flat = pd.DataFrame(
        [(*at, *row[:3]) for row in rows if row[3] is None for at in row[5]],
        columns=["layer", "code", "person", "element", "year"],
    )
    expected = duckdb.query_df(
        flat,
        "flat",
        """SELECT layer, code, element, year, count(DISTINCT person), count(*) AS n, row_number()
            OVER (PARTITION BY layer, code, year ORDER BY n DESC, element)
        FROM flat GROUP BY layer, code, element, year""",
    ).fetchall()
    _, found = _found(spark, *rows)
    assert found == sorted(expected, key=str)
