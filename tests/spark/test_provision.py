"""Provision: the matrix with what it leaves out, totals and dense windows."""

import random
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from frames import counts_of, rows_of
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import in_band
from socare_spark.analyses.provision import dense_window, matrix
from socare_spark.analyses.provision.dense_window import DATASET_TOTALS, DENSE_WINDOW
from socare_spark.analyses.provision.matrix import PROVISION_MATRIX, REMOVED_ROWS
from socare_spark.analyses.provision.settings import load_settings
from socare_spark.lake.collect import to_pandas
from socare_spark.measures.bands import Band

CONF = Path(__file__).resolve().parents[2] / "conf"
RECORDS = "dataset string, person bigint, age int, year int, postcode string, cost decimal(20,2)"
BANDS = [
    Band.model_validate({"label": "0-11", "from": 0, "to": 11}),
    Band.model_validate({"label": "11+", "from": 11}),
]


def _records(spark, *rows):
    return spark.createDataFrame(rows, RECORDS)


def _matrix(records, districts, first, last):
    """Rows of the matrix, of the trends and of the removed records."""
    settings = load_settings(CONF).provision
    settings = settings.model_copy(update={"first_year": first, "last_year": last})
    reason = matrix.left_out_of_matrix(districts, settings.years)
    counts = counts_of(
        records,
        matrix.matrix_grouping(reason.isNull()),
        matrix.removed_grouping(PROVISION_MATRIX, reason, F.lit(True)),
        cost="cost",
    )
    made = matrix.provision_matrix(counts[PROVISION_MATRIX], districts, settings)
    return *made, counts[REMOVED_ROWS]


def test_the_reason_why_a_record_is_left_out(spark):
    cases = [
        ("B1 1AA", 2010, None),
        ("B1 1AA", 2001, None),  # the first year counts
        ("B1 1AA", 2015, None),  # and the last
        ("B1 1AA", 2000, "outside_years"),
        ("B1 1AA", 2016, "outside_years"),
        ("B11 1AA", 2010, "outside_city"),  # begins like a district of the city, and is none
        ("WS9 1AA", 1999, "outside_city"),  # the first reason alone
        (None, 1999, "no_postcode"),
    ]
    records = spark.createDataFrame(cases, "postcode string, year int, expected string")
    reason = matrix.left_out_of_matrix(["B1"], range(2001, 2016))
    found = records.select("expected", reason.alias("found")).collect()
    assert [row["found"] for row in found] == [row["expected"] for row in found]
    nowhere = records.select(matrix.left_out_of_matrix([], range(2001, 2016)).alias("found"))
    assert {row["found"] for row in nowhere.collect()} == {"outside_city", "no_postcode"}


def test_every_district_and_year_has_a_cell_and_every_district_a_total(spark):
    records = _records(
        spark,
        ("d", 1, 30, 2001, "B1 1AA", Decimal("10.00")),
        ("d", 1, 30, 2001, "B1 1AA", None),
        ("d", 1, 31, 2002, "B1 1AA", None),
        ("d", 2, 31, 2002, "B1 2AA", None),
        ("d", 3, 31, 2002, None, None),
    )
    by_cell, by_district, removed = _matrix(records, ["B1", "B2"], 2001, 2002)
    assert rows_of(by_cell, "district", "year", "people", "records", "cost") == [
        ("B1", 2001, 1, 2, Decimal("10.00")),
        ("B1", 2002, 2, 2, None),
        ("B2", 2001, 0, 0, None),
        ("B2", 2002, 0, 0, None),
    ]
    assert rows_of(by_district, "district", "people", "records", "cost") == [
        ("B1", 2, 4, Decimal("10.00")),  # people are distinct over the years
        ("B2", 0, 0, None),
    ]
    assert rows_of(removed, "analysis", "reason", "people", "records") == [
        ("provision_matrix", "no_postcode", 1, 1)
    ]


def test_totals_by_band_and_of_all(spark):
    records = _records(
        spark,
        ("d", 1, 10, 2001, None, None),
        ("d", 1, 11, 2002, None, None),  # 11 belongs to the band that begins there
        ("d", 2, None, 2002, None, None),
        ("e", 1, 50, 2002, None, None),
        ("f", 1, 50, 2002, None, None),  # not asked for
    )
    whole = [Band.model_validate({"label": "any", "from": 0})]
    found = counts_of(records, dense_window.totals_grouping({"d": BANDS, "e": whole}))
    assert rows_of(found[DATASET_TOTALS], "dataset", "age_band", "people", "records") == [
        ("d", "0-11", 1, 1),
        ("d", "11+", 1, 1),
        ("d", "unknown", 1, 1),
        ("d", None, 2, 3),
        ("e", "any", 1, 1),
        ("e", None, 1, 1),
    ]


def test_dense_windows_count_agreements_by_start(spark):
    rows = [("d", i, 30, 2001 + i // 4, None, None) for i in range(12)]
    records = _records(
        spark,
        *rows,
        ("d", 0, 30, 2010, None, None),
        ("d", 0, 30, None, None, None),
        ("e", 1, 30, 2005, None, None),
        ("f", 1, 30, 2005, None, None),  # not asked for
    )
    years = to_pandas(dense_window.records_by_year(records, ["d", "e"]).toArrow())
    windows = dense_window.dense_windows(years, 0.9)
    assert rows_of(windows, "dataset", "first_year", "last_year", "share") == [
        ("d", 2001, 2003, 12 / 13),
        ("e", 2005, 2005, 1.0),
    ]
    counts = counts_of(records, dense_window.window_grouping(windows))
    assert rows_of(counts[DENSE_WINDOW], "dataset", "people", "records") == [
        ("d", 12, 12),
        ("e", 1, 1),
    ]
    none = counts_of(records, dense_window.window_grouping(windows[:0]))
    assert len(none[DENSE_WINDOW]) == 0


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
    found, *_ = _matrix(_records(spark, *rows), ["B1", "B21", "B44"], 2001, 2015)
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
    assert records.where(in_band(BANDS, "0-11")).select("age").collect() == [(10,)]
    assert records.where(in_band(BANDS, None)).count() == 3
