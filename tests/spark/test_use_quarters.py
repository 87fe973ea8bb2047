"""People by quarter and between quarters, recounted by DuckDB."""

from datetime import date
from decimal import Decimal
from itertools import combinations

import duckdb
import pytest
from agreements import SCHEMA, frames, made_up
from frames import counts_of, rows_of

from socare_spark.analyses.use.quarters import (
    PEOPLE_WITH,
    USERS_BETWEEN_QUARTERS,
    USERS_BY_QUARTER,
    in_pairs,
    pair_grouping,
    quarter_grouping,
    users_between_quarters,
    users_by_quarter,
)
from socare_spark.analyses.use.records import in_periods
from socare_spark.measures.periods import quarter, quarters

SPANS = quarters(date(2010, 1, 1), date(2011, 12, 31))
# Days of an agreement in a period, and their cost.
DAYS = """CREATE MACRO days(s, e, first, last) AS
    greatest(date_diff('day', greatest(s, first), least(e, last)) + 1, 0)"""
COST = """CREATE MACRO cost(weekly, n) AS round(weekly * n / 7, 2)::DECIMAL(20,2)"""
PERIODS = """CREATE VIEW spans AS SELECT * FROM (VALUES
    ('2010Q1', DATE '2010-01-01', DATE '2010-03-31'),
    ('2010Q2', DATE '2010-04-01', DATE '2010-06-30'),
    ('2010Q3', DATE '2010-07-01', DATE '2010-09-30'),
    ('2010Q4', DATE '2010-10-01', DATE '2010-12-31'),
    ('2011Q1', DATE '2011-01-01', DATE '2011-03-31'),
    ('2011Q2', DATE '2011-04-01', DATE '2011-06-30'),
    ('2011Q3', DATE '2011-07-01', DATE '2011-09-30'),
    ('2011Q4', DATE '2011-10-01', DATE '2011-12-31')) AS q(quarter, first, last)"""


def other_engine(pandas):
    connection = duckdb.connect()
    connection.register("given", pandas)
    connection.execute(
        """CREATE VIEW agreements AS SELECT element, person::BIGINT AS person, start::DATE AS s,
        "end"::DATE AS e, weekly_cost::DECIMAL(12,2) AS weekly FROM given"""
    )
    for statement in (DAYS, COST, PERIODS):
        connection.execute(statement)
    return connection


def by_quarter(records, elements, spans):
    counts = counts_of(in_periods(records, spans), quarter_grouping(elements, spans), cost="cost")
    return users_by_quarter(counts[USERS_BY_QUARTER], elements, spans)


def between_quarters(records, elements, pairs):
    rows = in_pairs(records, elements, pairs)
    counts = counts_of(rows, pair_grouping(), cost="cost", people_with=PEOPLE_WITH)
    return users_between_quarters(counts[USERS_BETWEEN_QUARTERS], elements, pairs)


@pytest.fixture
def given(spark):
    return frames(spark, made_up("quarters", 120, people=12))


def test_users_by_quarter(given):
    records, pandas = given
    made = by_quarter(records, ["A", "B"], SPANS)
    expected = other_engine(pandas).execute(
        """WITH open AS (
            SELECT *, days(s, e, first, last) AS n FROM agreements, spans
            WHERE element IN ('A', 'B') AND n > 0),
        counted AS (
            SELECT element, quarter, count(DISTINCT person) AS people, count(*) AS records,
                sum(cost(weekly, n)) AS cost
            FROM open GROUP BY ALL)
        SELECT *, people / lag(people) OVER (PARTITION BY element ORDER BY quarter) - 1
        FROM counted"""
    )
    names = ("element", "quarter", "people", "records", "cost", "change")
    assert rows_of(made, *names) == sorted(expected.fetchall(), key=str)


def test_quarter_without_people_has_a_row_and_gives_no_change(spark):
    rows = [
        ("A", 1, date(2010, 3, 31), date(2010, 3, 31), Decimal("70.00"), None),
        ("A", 2, date(2010, 10, 1), date(2011, 3, 31), Decimal("70.00"), None),
    ]
    made = by_quarter(spark.createDataFrame(rows, SCHEMA), ["A", "NONE"], SPANS[:5])
    assert rows_of(made[made["element"] == "A"], "quarter", "people", "cost", "change") == [
        ("2010Q1", 1, Decimal("10.00"), None),  # a day, on the last of the quarter
        ("2010Q2", 0, None, -1.0),
        ("2010Q3", 0, None, None),
        ("2010Q4", 1, Decimal("920.00"), None),
        ("2011Q1", 1, Decimal("900.00"), 0.0),
    ]
    assert rows_of(made[made["element"] == "NONE"], "people", "records") == [(0, 0)] * 5


def test_users_between_all_quarters(given):
    records, pandas = given
    made = between_quarters(records, ["A", "B"], list(combinations(SPANS, 2)))
    people = other_engine(pandas).execute(
        """WITH present AS (
            SELECT DISTINCT element, quarter, person FROM agreements, spans
            WHERE element IN ('A', 'B') AND days(s, e, first, last) > 0 AND person IS NOT NULL),
        pairs AS (
            SELECT element, a.quarter AS qa, b.quarter AS qb
            FROM spans a, spans b, (VALUES ('A'), ('B')) AS e(element) WHERE a.quarter < b.quarter)
        SELECT element, qa, qb,
            (SELECT count(*) FROM present p WHERE p.element = x.element AND quarter = qa),
            (SELECT count(*) FROM present p WHERE p.element = x.element AND quarter = qb),
            (SELECT count(*) FROM present p JOIN present q USING (element, person)
                WHERE element = x.element AND p.quarter = qa AND q.quarter = qb)
        FROM pairs x"""
    )
    names = ("element", "quarter_a", "quarter_b", "people_a", "people_b", "people_both")
    assert rows_of(made, *names) == sorted(people.fetchall(), key=str)
    for row in made.to_dict("records"):
        assert row["only_a"] == row["people_a"] - row["people_both"]
        assert row["only_b"] == row["people_b"] - row["people_both"]
        assert row["people"] == row["only_a"] + row["people_both"] + row["only_b"]
    cells = other_engine(pandas).execute(
        """WITH either AS (
            SELECT x.element, a.quarter AS qa, b.quarter AS qb, weekly,
                days(s, e, a.first, a.last) AS na, days(s, e, b.first, b.last) AS nb
            FROM agreements x, spans a, spans b
            WHERE a.quarter < b.quarter AND element IN ('A', 'B') AND na + nb > 0)
        SELECT element, qa, qb, count(*), sum(cost(weekly, na) + cost(weekly, nb))
        FROM either GROUP BY ALL"""
    )
    names = ("element", "quarter_a", "quarter_b", "records", "cost")
    assert rows_of(made, *names) == sorted(cells.fetchall(), key=str)


def test_quarter_pairs_can_be_reversed_or_without_people(spark):
    rows = [("A", 1, date(2010, 3, 1), date(2010, 5, 1), None, None)]
    records = spark.createDataFrame(rows, SCHEMA)
    pairs = [(quarter("2010Q2"), quarter("2010Q1")), (quarter("2015Q1"), quarter("2015Q2"))]
    made = between_quarters(records, ["A"], pairs)
    names = ("quarter_a", "people_a", "people_b", "people_both", "only_a", "only_b", "records")
    assert rows_of(made, *names) == [
        ("2010Q2", 1, 1, 1, 0, 0, 1),  # the agreement counts once
        ("2015Q1", 0, 0, 0, 0, 0, 0),
    ]
    assert between_quarters(records, ["A"], []).empty
