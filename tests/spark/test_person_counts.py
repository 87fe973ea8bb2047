"""What `count_people` adds up beside people, recounted by DuckDB."""

import random
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from socare_spark.measures.person_counts import count_people

COLUMNS = "place string, kind string, person bigint, cost decimal(12,2), weight int, held boolean"


@pytest.fixture
def rows():
    draw = random.Random(11)
    return [
        (
            draw.choice(["x", "y", None]),
            draw.choice(["k", "l"]),
            draw.choice([None, *range(12)]),
            draw.choice([None, Decimal(draw.randrange(10_000)) / 100]),
            draw.choice([None, 0, 1, 5]),
            draw.choice([True, False, None]),
        )
        for _ in range(200)
    ]


def found(frame, *columns):
    return sorted((tuple(row[c] for c in columns) for row in frame.collect()), key=str)


def recount(rows, dims):
    given = pd.DataFrame(rows, columns=[c.split()[0] for c in COLUMNS.split(", ")], dtype=object)
    assert len(given) == len(rows)
    return sorted(
        duckdb.sql(
            f"""SELECT {dims}, count(DISTINCT person), count(*), sum(cost::DECIMAL(12,2)),
                sum(weight::INT), count(DISTINCT person) FILTER (held::BOOLEAN)
            FROM given WHERE {"place IS NOT NULL" if "place" in dims else "true"} GROUP BY ALL"""
        ).fetchall(),
        key=str,
    )


MEASURES = ("people", "records", "cost", "weight", "held")


def test_measures_equal_a_plain_recount(spark, rows):
    frame = spark.createDataFrame(rows, COLUMNS)
    made = count_people(frame, ["kind"], cost="cost", sums=["weight"], people_with=["held"])
    assert found(made, "kind", *MEASURES) == recount(rows, "kind")
    assert made.columns[-3:] == ["providers", "weight", "held"]


def test_measures_without_a_cost_differ_in_cost_only(spark, rows):
    frame = spark.createDataFrame(rows, COLUMNS)
    made = count_people(frame, ["kind"], sums=["weight"], people_with=["held"])
    expected = [(*row[:3], None, *row[4:]) for row in recount(rows, "kind")]
    assert found(made, "kind", *MEASURES) == expected


def test_rows_of_all_values_of_several_dimensions(spark, rows):
    """A record without a place is in the row of all places alone."""
    frame = spark.createDataFrame(rows, COLUMNS)
    made = count_people(
        frame,
        ["place", "kind"],
        cost="cost",
        totals=["place", "kind"],
        sums=["weight"],
        people_with=["held"],
    )
    expected = [
        row
        for dims in ("place, kind", "place, NULL", "NULL, kind", "NULL, NULL")
        for row in recount(rows, dims)
    ]
    assert found(made, "place", "kind", *MEASURES) == sorted(expected, key=str)


def test_a_cell_of_one_person_has_no_number_of_that_person(spark):
    rows = spark.createDataFrame([("a", 7_000_000_000_007)], "place string, person bigint")
    (row,) = count_people(rows, ["place"]).collect()
    assert row.asDict() == {
        "place": "a", "people": 1, "records": 1, "cost": None, "cost_top1": None,
        "cost_top2": None, "providers": None,
    }  # fmt: skip
