"""Provision: the matrix with what it leaves out, totals and dense windows."""

import random
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from socare_spark.analyses.agreements import aged
from socare_spark.analyses.provision import dense_window, matrix
from socare_spark.errors import ConfigurationError
from socare_spark.measures.bands import Band

RECORDS = "dataset string, person bigint, age int, year int, postcode string, cost decimal(20,2)"
BANDS = [
    Band.model_validate({"label": "0-11", "from": 0, "to": 11}),
    Band.model_validate({"label": "11+", "from": 11}),
]


def _records(spark, *rows):
    return spark.createDataFrame(rows, RECORDS)


def _districts(spark, *codes):
    return spark.createDataFrame([(code,) for code in codes], "code string")


def _rows(frame, *columns):
    return sorted(map(tuple, frame.select(*columns).collect()), key=str)


@pytest.mark.parametrize(
    ("postcode", "year", "reason"),
    [
        ("B1 1AA", 2010, None),
        ("B1 1AA", 2001, None),  # the first year counts
        ("B1 1AA", 2015, None),  # and the last
        ("B1 1AA", 2000, "outside_years"),
        ("B1 1AA", 2016, "outside_years"),
        ("B11 1AA", 2010, "outside_city"),  # begins like a district of the city, and is none
        ("WS9 1AA", 1999, "outside_city"),  # the first reason alone
        (None, 1999, "no_postcode"),
    ],
)
def test_the_reason_why_a_record_is_left_out(spark, postcode, year, reason):
    records = _records(spark, ("d", 1, 30, year, postcode, None))
    placed = matrix.with_district(records, _districts(spark, "B1"), range(2001, 2016))
    assert placed.first()["reason"] == reason


def test_every_district_and_year_has_a_cell_and_every_district_a_total(spark):
    records = _records(
        spark,
        ("d", 1, 30, 2001, "B1 1AA", Decimal("10.00")),
        ("d", 1, 30, 2001, "B1 1AA", None),
        ("d", 1, 31, 2002, "B1 1AA", None),
        ("d", 2, 31, 2002, "B1 2AA", None),
        ("d", 3, 31, 2002, None, None),
    )
    districts = _districts(spark, "B1", "B2")
    placed = matrix.with_district(records, districts, range(2001, 2003))
    counted = matrix.counted_matrix(placed, districts, range(2001, 2003))
    assert _rows(counted, "district", "year", "people", "records", "cost") == [
        ("B1", 2001, 1, 2, Decimal("10.00")),
        ("B1", 2002, 2, 2, None),
        ("B1", None, 2, 4, Decimal("10.00")),  # people are distinct over the years
        ("B2", 2001, 0, 0, None),
        ("B2", 2002, 0, 0, None),
        ("B2", None, 0, 0, None),
    ]
    assert _rows(
        matrix.count_removed({"m": placed}), "analysis", "reason", "people", "records"
    ) == [("m", "no_postcode", 1, 1)]


def test_totals_by_band_and_of_all(spark):
    records = _records(
        spark,
        ("d", 1, 10, 2001, None, None),
        ("d", 1, 11, 2002, None, None),  # 11 belongs to the band that begins there
        ("d", 2, None, 2002, None, None),
        ("e", 1, 50, 2002, None, None),
        ("f", 1, 50, 2002, None, None),  # not asked for
    )
    found = dense_window.dataset_totals(records, {"d": BANDS, "e": BANDS})
    assert _rows(found, "dataset", "age_band", "people", "records") == [
        ("d", "0-11", 1, 1),
        ("d", "11+", 1, 1),
        ("d", "unknown", 1, 1),
        ("d", None, 2, 3),
        ("e", "11+", 1, 1),
        ("e", None, 1, 1),
    ]


def test_dense_windows_count_agreements_by_start(spark):
    rows = [("d", i, 30, 2001 + i // 4, None, None) for i in range(12)]
    records = _records(spark, *rows, ("d", 0, 30, 2010, None, None), ("e", 1, 30, 2005, None, None))
    found = dense_window.dense_windows(records, ["d", "e"], 0.9)
    assert _rows(found, "dataset", "first_year", "last_year", "share", "people", "records") == [
        ("d", 2001, 2003, 12 / 13, 12, 12),
        ("e", 2005, 2005, 1.0, 1, 1),
    ]


def test_matrix_equals_duckdb(spark):
    draw = random.Random(7)
    rows = [
        (
            "d",
            draw.randrange(40),
            draw.randrange(90),
            draw.randrange(1999, 2018),
            draw.choice([None, "B1 1AA", "B1 2AB", "B21 8AA", "B44 0ZZ", "WS1 1AA"]),
            None,
        )
        for _ in range(600)
    ]
    records = _records(spark, *rows)
    districts = _districts(spark, "B1", "B21", "B44")
    placed = matrix.with_district(records, districts, range(2001, 2016))
    counted = matrix.counted_matrix(placed, districts, range(2001, 2016)).toPandas()
    found = matrix.unusual(counted[counted["year"].notna()].astype({"year": int}), 0.05)
    rows_ = pd.DataFrame(rows, columns=["dataset", "person", "age", "year", "postcode", "cost"])
    other = duckdb.query_df(
        rows_,
        "rows_",
        """
        WITH cells AS (
            SELECT split_part(postcode, ' ', 1) AS district, year, count(*) AS n
            FROM rows_ WHERE district IN ('B1', 'B21', 'B44') AND year BETWEEN 2001 AND 2015
            GROUP BY ALL
        ), margins AS (
            SELECT *, sum(n) OVER (PARTITION BY district) AS r,
                   sum(n) OVER (PARTITION BY year) AS c,
                   sum(n) OVER () AS t
            FROM cells
        )
        SELECT district, year, r * c / t AS expected,
               (n - r * c / t) / sqrt(r * c / t * (1 - r / t) * (1 - c / t)) AS residual
        FROM margins
        """,
    ).df()
    both = found.merge(other, on=["district", "year"], suffixes=("", "_other"))
    assert len(both) == len(other)
    assert both["expected"].to_numpy() == pytest.approx(both["expected_other"].to_numpy())
    assert both["residual"].to_numpy() == pytest.approx(both["residual_other"].to_numpy())


def test_records_of_one_age_band(spark):
    ages = (10, 11, None)
    records = _records(spark, *(("d", 1, age, 2010, None, None) for age in ages))
    assert _rows(aged(records, BANDS, "0-11", "x.yaml"), "age") == [(10,)]
    assert aged(records, BANDS, None, "x.yaml").count() == 3
    with pytest.raises(ConfigurationError, match=r"x.yaml names the age band '0-12'; its set has"):
        aged(records, BANDS, "0-12", "x.yaml")
