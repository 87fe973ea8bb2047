"""Regions of interest, recounted by DuckDB and by hand."""

import random
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from socare_spark.analyses.elements.regions import NOT_RECORDED, count_regions
from socare_spark.analyses.elements.settings import Region, Regions

COLUMNS = (
    "person bigint, district string, start date, end date, weekly_cost decimal(12,2), "
    "age_band string, ethnicity string"
)
NAMES = [column.split()[0] for column in COLUMNS.split(", ")]
# B3 is in two regions, B9 in none; one region has no population.
REGIONS = {
    "North": Region(districts=("B1", "B2", "B3"), population=1000),
    "South": Region(districts=(" b3 ", "B4", "B4")),
}
MEMBERS = [("North", "B1"), ("North", "B2"), ("North", "B3"), ("South", "B3"), ("South", "B4")]


def counted(spark, rows, **years):
    return count_regions(spark.createDataFrame(rows, COLUMNS), Regions(of=REGIONS, **years))


def one(start, end, **other):
    row = dict(zip(NAMES, (1, "B1", start, end, Decimal("70.00"), "65+", "A"), strict=True))
    return tuple((row | other).values())


def by_year(frame):
    """People, records and cost of all ages and classes in each year; None is all years."""
    rows = frame.where("age_band IS NULL AND ethnicity IS NULL").collect()
    return {r["year"]: (r["people"], r["records"], r["cost"]) for r in rows}


def random_rows(number):
    draw = random.Random(7)
    rows = []
    for _ in range(number):
        start = date(2008, 1, 1) + timedelta(draw.randrange(2500))
        rows.append(
            (
                draw.choice([None, *range(60)]),
                draw.choice(["B1", "B2", "B3", "B4", "B9", None]),
                start,
                start + timedelta(draw.choice([0, 1, 30, 200, 700, 1500])),
                draw.choice([None, Decimal(draw.randrange(100, 99999)) / 100]),
                draw.choice(["0-11", "65+", "unknown"]),
                draw.choice(["A", "B", None]),
            )
        )
    return rows


@pytest.mark.parametrize("years", [{}, {"first_year": 2010, "last_year": 2012}])
def test_region_profile_equals_duckdb(spark, years):
    given = random_rows(400)
    other = duckdb.connect()
    other.register("rows", pd.DataFrame(given, columns=NAMES, dtype=object))
    other.register("members", pd.DataFrame(MEMBERS, columns=["region", "district"]))
    first, last = years.get("first_year", 2000), years.get("last_year", 2020)
    expected = other.execute(
        f"""WITH located AS (SELECT m.region, row_number() OVER () AS record,
                r.person::BIGINT AS person, coalesce(r.ethnicity, '{NOT_RECORDED}') AS ethnicity,
                r.age_band, (r.weekly_cost::DECIMAL(12, 2) * 100)::BIGINT AS weekly,
                r."start"::DATE AS first_day, r."end"::DATE AS last_day
            FROM rows r JOIN members m ON m.district = r.district),
        periods AS (SELECT year, make_date(year, 1, 1) AS first, make_date(year, 12, 31) AS last
                FROM (SELECT unnest(range({first}, {last} + 1)) AS year)
            UNION ALL SELECT NULL, make_date({first}, 1, 1), make_date({last}, 12, 31)),
        open AS (SELECT l.*, p.year, l.weekly * (date_diff('day', greatest(l.first_day, p.first),
                least(l.last_day, p.last)) + 1) AS sevenfold
            FROM located l JOIN periods p ON l.first_day <= p.last AND l.last_day >= p.first)
        SELECT region, year, age_band, ethnicity, count(DISTINCT person),
            count(DISTINCT record), sum((2 * sevenfold + 7) // 14)  -- pennies, half up
        FROM open GROUP BY region, year, CUBE (age_band, ethnicity)"""
    ).fetchall()
    made = counted(spark, given, **years)
    found = made.select(
        "region", "year", "age_band", "ethnicity", "people", "records", "cost"
    ).collect()

    def keyed(table):
        return {tuple(r)[:4]: tuple(r)[4:] for r in table}

    ours, theirs = keyed(found), keyed(expected)
    assert len(found) == len(ours) == len(theirs) > 100
    for key, (people, records, pennies) in theirs.items():
        cost = None if pennies is None else Decimal(int(pennies)) / 100
        assert ours[key] == (people, records, cost), key


def test_an_agreement_counts_in_each_year_and_once_in_all_of_them(spark):
    # 31 December alone is a day of 2010; 365 days of 2011; the 1st of January of 2012.
    made = by_year(counted(spark, [one(date(2010, 12, 31), date(2012, 1, 1))]))
    assert made == {
        2010: (1, 1, Decimal("10.00")),
        2011: (1, 1, Decimal("3650.00")),
        2012: (1, 1, Decimal("10.00")),
        None: (1, 1, Decimal("3670.00")),
    }


def test_years_outside_the_window_are_not_in_the_row_of_all_years(spark):
    rows = [
        one(date(2010, 12, 31), date(2012, 1, 1)),
        one(date(2009, 1, 1), date(2009, 12, 31), person=2),
    ]
    made = by_year(counted(spark, rows, first_year=2011, last_year=2011))
    assert made == {2011: (1, 1, Decimal("3650.00")), None: (1, 1, Decimal("3650.00"))}


def test_a_class_that_is_not_recorded_is_not_the_row_of_all_classes(spark):
    day = date(2010, 5, 1)
    rows = [one(day, day), one(day, day, person=2, ethnicity=None), one(day, day, person=None)]
    made = counted(spark, rows).where("year = 2010 AND age_band IS NULL").collect()
    assert {r["ethnicity"]: (r["people"], r["records"]) for r in made} == {
        "A": (1, 2),
        NOT_RECORDED: (1, 1),
        None: (2, 3),
    }


def test_agreements_with_inverted_or_missing_dates_give_no_rows(spark):
    assert counted(spark, [one(date(2012, 1, 1), date(2011, 1, 1))]).collect() == []
    assert counted(spark, [one(None, None)]).collect() == []
    assert counted(spark, []).collect() == []
