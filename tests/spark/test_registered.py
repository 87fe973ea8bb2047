"""Services by year and elements of people, on cases to count by hand and recounted by DuckDB."""

import random
from decimal import Decimal

import duckdb
import pandas as pd
import pytest
from frames import counts_of, rows_of

from socare_spark.analyses.agreements import with_band
from socare_spark.analyses.provision.registered import (
    REGISTERED_SERVICES,
    elements_per_person,
    left_out_of_elements,
    left_out_of_years,
    services_grouping,
)
from socare_spark.lake.collect import to_pandas
from socare_spark.measures.bands import Band

RECORDS = "person bigint, age int, year int, service string, element string, cost decimal(20,2)"
BANDS = [
    Band.model_validate({"label": "0-11", "from": 0, "to": 11}),
    Band.model_validate({"label": "11+", "from": 11}),
]
BANDED = """banded AS (SELECT *, CASE WHEN age IS NULL THEN 'unknown' WHEN age < 11 THEN '0-11'
    ELSE '11+' END AS age_band FROM many)"""


def _records(spark, *rows):
    return spark.createDataFrame(rows, RECORDS)


def _services(records, years):
    where = left_out_of_years(years).isNull()
    return counts_of(records, services_grouping(BANDS, where), cost="cost")[REGISTERED_SERVICES]


def _elements(records):
    counting = records.where(left_out_of_elements().isNull())
    return to_pandas(elements_per_person(with_band(counting, BANDS)).toArrow())


def _reasons(records, reason):
    """Reason -> the number of records that are left out."""
    found = [row[0] for row in records.select(reason).collect()]
    return {name: found.count(name) for name in {*found} - {None}}


@pytest.fixture
def many():
    draw = random.Random(5)
    rows = [
        (
            draw.choice([None, *range(30)]),
            draw.choice([5, 40, None]),
            draw.choice([None, *range(2008, 2017)]),
            draw.choice(["HOME", "DAYC", None]),
            draw.choice(["A", "B", "C", "D", None]),
            draw.choice([None, Decimal("1.10"), Decimal("2.25")]),
        )
        for _ in range(400)
    ]
    names = [column.split()[0] for column in RECORDS.split(", ")]
    return pd.DataFrame(rows, columns=names, dtype=object)


def test_services_of_a_year_by_band_and_of_all_ages(spark):
    records = _records(
        spark,
        (1, 10, 2009, "HOME", "A", Decimal("2.00")),
        (1, 11, 2009, "HOME", "A", None),
        (None, 11, 2009, "HOME", "A", Decimal("3.00")),
        (2, 11, 2010, None, "A", None),
        (2, 11, 2011, "HOME", "A", None),
        (2, 11, None, "HOME", "A", None),
    )
    found = _services(records, range(2009, 2011))
    assert rows_of(found, "year", "age_band", "service", "people", "records", "cost") == [
        (2009, "0-11", "HOME", 1, 1, Decimal("2.00")),
        (2009, "11+", "HOME", 1, 2, Decimal("3.00")),
        (2009, None, "HOME", 1, 3, Decimal("5.00")),  # one person, who is in both bands
        (2010, "11+", None, 1, 1, None),
        (2010, None, None, 1, 1, None),
    ]
    assert _reasons(records, left_out_of_years(range(2009, 2011))) == {"outside_years": 2}


def test_every_agreement_is_registered_and_a_code_counts_once_as_distinct(spark):
    records = _records(
        spark,
        (1, 10, 2009, "HOME", "A", Decimal("2.00")),
        (1, 10, 2010, "HOME", "A", Decimal("3.00")),
        (1, 11, 2011, "HOME", "B", None),
        (2, 11, 2009, "HOME", "A", None),
        (2, 11, 2009, "HOME", None, None),
        (None, 11, 2009, "HOME", "A", None),
        (None, 11, 2009, "HOME", None, None),
    )
    found = _elements(records)
    assert rows_of(found, "kind", "age_band", "elements", "people", "records", "cost") == [
        ("distinct", "0-11", 1, 1, 2, Decimal("5.00")),
        ("distinct", "11+", 1, 2, 2, None),
        ("distinct", None, 1, 1, 1, None),
        ("distinct", None, 2, 1, 3, Decimal("5.00")),
        ("registered", "0-11", 2, 1, 2, Decimal("5.00")),
        ("registered", "11+", 1, 2, 2, None),
        ("registered", None, 1, 1, 1, None),
        ("registered", None, 3, 1, 3, Decimal("5.00")),
    ]
    assert _reasons(records, left_out_of_elements()) == {"no_element": 1, "no_person": 2}


def test_no_records_give_no_rows(spark):
    nothing = _records(spark)
    assert len(_elements(nothing)) == 0
    assert len(_services(nothing, range(2009, 2015))) == 0


def test_services_equal_duckdb(spark, many):
    frame = _records(spark, *many.itertuples(index=False, name=None))
    found = _services(frame, range(2009, 2015))
    counts = "service, count(DISTINCT person), count(*), sum(cost::DECIMAL(20,2))"
    query = duckdb.sql(
        f"""WITH {BANDED}
        SELECT year, age_band, {counts} FROM banded WHERE year BETWEEN 2009 AND 2014
            GROUP BY year, age_band, service
        UNION ALL SELECT year, NULL, {counts} FROM banded WHERE year BETWEEN 2009 AND 2014
            GROUP BY year, service"""
    )
    names = ("year", "age_band", "service", "people", "records", "cost")
    assert rows_of(found, *names) == sorted(query.fetchall(), key=str)


def test_elements_of_people_equal_duckdb(spark, many):
    found = _elements(_records(spark, *many.itertuples(index=False, name=None)))
    query = duckdb.sql(
        f"""WITH {BANDED},
        known AS (SELECT * FROM banded WHERE person IS NOT NULL AND element IS NOT NULL),
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
    assert rows_of(found, *names) == sorted(expected, key=str)
