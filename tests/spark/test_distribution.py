"""Elements by area and year: ranks with ties, what is left out, and a recount by DuckDB."""

import random

import duckdb
import pandas as pd
from pyspark.sql import functions as F

from socare_spark.analyses.provision.density import by_area
from socare_spark.analyses.provision.distribution import (
    element_distribution,
    left_out_of_distribution,
)

AREAS = [("ward", "W1"), ("ward", "W2"), ("sector", "S1"), ("sector", "S2")]
LAYERS = ("city", "ward", "sector")
RECORDS = """person bigint, element string, year int, reason string, cost decimal(20,2),
    areas array<struct<layer: string, code: string>>"""
NAMES = ("layer", "code", "element", "year", "people", "records", "rank")


def _found(spark, *rows):
    """The reasons for which records are left out, and the distribution of the others."""
    records = spark.createDataFrame(rows, RECORDS)
    reason = left_out_of_distribution(F.col("reason"))
    found = element_distribution(by_area(records.where(reason.isNull()), LAYERS))
    reasons = sorted(row[0] for row in records.select(reason).collect() if row[0])
    return reasons, sorted(map(tuple, found.select(*NAMES).collect()), key=str)


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
    reasons, found = _found(
        spark,
        (1, None, 2010, None, None, [("ward", "W1")]),
        (1, None, 2010, "no_postcode", None, None),
        (1, "A", 2010, "outside_years", None, [("ward", "W1")]),
    )
    assert found == []
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
