"""Services by year and elements of people, on cases to count by hand and recounted by DuckDB."""

import random
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from socare_spark.analyses.provision.registered import (
    elements_per_person,
    flag_other_years,
    registered_services,
    with_person,
)

RECORDS = (
    "person bigint, age_band string, year int, service string, element string, cost decimal(20,2)"
)


def _records(spark, *rows):
    return spark.createDataFrame(rows, RECORDS)


def _rows(frame, *columns):
    return sorted(map(tuple, frame.select(*columns).collect()), key=str)


@pytest.fixture
def many():
    draw = random.Random(5)
    rows = [
        (
            draw.choice([None, *range(30)]),
            draw.choice(["0-11", "11+", "unknown"]),
            draw.choice([None, *range(2008, 2017)]),
            draw.choice(["HOME", "DAYC", None]),
            draw.choice(["A", "B", "C", "D", None]),
            draw.choice([None, Decimal("1.10"), Decimal("2.25")]),
        )
        for _ in range(400)
    ]
    return pd.DataFrame(rows, columns=[c.split()[0] for c in RECORDS.split(", ")], dtype=object)


def test_services_of_a_year_by_band_and_of_all_ages(spark):
    records = _records(
        spark,
        (1, "0-11", 2009, "HOME", "A", Decimal("2.00")),
        (1, "11+", 2009, "HOME", "A", None),
        (None, "11+", 2009, "HOME", "A", Decimal("3.00")),
        (2, "11+", 2010, None, "A", None),
        (2, "11+", 2011, "HOME", "A", None),
        (2, "11+", None, "HOME", "A", None),
    )
    started = flag_other_years(records, range(2009, 2011))
    found = registered_services(started)
    assert _rows(found, "year", "age_band", "service", "people", "records", "cost") == [
        (2009, "0-11", "HOME", 1, 1, Decimal("2.00")),
        (2009, "11+", "HOME", 1, 2, Decimal("3.00")),
        (2009, None, "HOME", 1, 3, Decimal("5.00")),  # one person, who is in both bands
        (2010, "11+", None, 1, 1, None),
        (2010, None, None, 1, 1, None),
    ]
    assert started.where("reason = 'outside_years'").count() == 2


def test_every_agreement_is_registered_and_a_code_counts_once_as_distinct(spark):
    records = _records(
        spark,
        (1, "0-11", 2009, "HOME", "A", Decimal("2.00")),
        (1, "0-11", 2010, "HOME", "A", Decimal("3.00")),
        (1, "11+", 2011, "HOME", "B", None),
        (2, "11+", 2009, "HOME", "A", None),
        (2, "11+", 2009, "HOME", None, None),
        (None, "11+", 2009, "HOME", "A", None),
        (None, "11+", 2009, "HOME", None, None),
    )
    known = with_person(records)
    found = elements_per_person(known)
    assert _rows(found, "kind", "age_band", "elements", "people", "records", "cost") == [
        ("distinct", "0-11", 1, 1, 2, Decimal("5.00")),
        ("distinct", "11+", 1, 2, 2, None),
        ("distinct", None, 1, 1, 1, None),
        ("distinct", None, 2, 1, 3, Decimal("5.00")),
        ("registered", "0-11", 2, 1, 2, Decimal("5.00")),
        ("registered", "11+", 1, 2, 2, None),
        ("registered", None, 1, 1, 1, None),
        ("registered", None, 3, 1, 3, Decimal("5.00")),
    ]
    left_out = known.where("reason IS NOT NULL").groupBy("reason").count()
    assert _rows(left_out, "reason", "count") == [("no_element", 1), ("no_person", 2)]


def test_no_records_give_no_rows(spark):
    nothing = with_person(_records(spark))
    assert elements_per_person(nothing).collect() == []
    assert registered_services(flag_other_years(_records(spark), range(2009, 2015))).collect() == []


def test_services_equal_duckdb(spark, many):
    frame = _records(spark, *many.itertuples(index=False, name=None))
    found = registered_services(flag_other_years(frame, range(2009, 2015)))
    counts = "service, count(DISTINCT person), count(*), sum(cost::DECIMAL(20,2))"
    query = duckdb.sql(
        f"""SELECT year, age_band, {counts} FROM many WHERE year BETWEEN 2009 AND 2014
            GROUP BY year, age_band, service
        UNION ALL SELECT year, NULL, {counts} FROM many WHERE year BETWEEN 2009 AND 2014
            GROUP BY year, service"""
    )
    names = ("year", "age_band", "service", "people", "records", "cost")
    assert _rows(found, *names) == sorted(query.fetchall(), key=str)


def test_elements_of_people_equal_duckdb(spark, many):
    found = elements_per_person(
        with_person(_records(spark, *many.itertuples(index=False, name=None)))
    )
    query = duckdb.sql(
        """WITH known AS (SELECT * FROM many WHERE person IS NOT NULL AND element IS NOT NULL),
        people AS (
            SELECT person, age_band, count(*) AS registered, count(DISTINCT element) AS "distinct"
            FROM known GROUP BY person, age_band
            UNION ALL SELECT person, NULL, count(*), count(DISTINCT element)
            FROM known GROUP BY person),
        each AS (UNPIVOT (SELECT *, registered AS records FROM people)
            ON registered, "distinct" INTO NAME kind VALUE elements)
        SELECT kind, age_band, elements, count(*), sum(records) FROM each GROUP BY ALL"""
    )
    names = ("kind", "age_band", "elements", "people", "records")
    expected = [(*row[:4], int(row[4])) for row in query.fetchall()]
    assert len(expected) > 20
    assert _rows(found, *names) == sorted(expected, key=str)
