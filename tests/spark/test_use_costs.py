"""Cost of groups of elements by year and quarter, recounted by DuckDB."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from agreements import SCHEMA, frames, made_up

from socare_spark.analyses.use.costs import cost_by_quarter, element_cost_by_year, in_groups
from socare_spark.measures.periods import quarters, years

GROUPS = {"one": ["A", "B"], "two": ["B", "C"], "none": ["NONE"]}
OPEN = """WITH members AS (SELECT * FROM (VALUES
        ('one', 'A'), ('one', 'B'), ('two', 'B'), ('two', 'C')) AS m(grp, element)),
    rows AS (
        SELECT grp, person::BIGINT AS person, start::DATE AS s, "end"::DATE AS e,
            weekly_cost::DECIMAL(12,2) AS weekly
        FROM given JOIN members USING (element)),
    spans AS (SELECT first, last_day AS last FROM (
        SELECT first::DATE AS first, (first + INTERVAL {months} MONTH - INTERVAL 1 DAY)::DATE
            AS last_day
        FROM generate_series(DATE '2010-01-01', DATE '2011-12-31', INTERVAL {months} MONTH)
            AS g(first))),
    open AS (
        SELECT *, date_diff('day', greatest(s, first), least(e, last)) + 1 AS n
        FROM rows, spans WHERE s <= last AND e >= first)
    """


@pytest.fixture
def given(spark):
    return frames(spark, made_up("costs", 200, people=15))


def test_a_year_of_each_group(given):
    records, pandas = given
    made = element_cost_by_year(in_groups(records, GROUPS), list(GROUPS), years(2010, 2011))
    expected = duckdb.query_df(
        pandas,
        "given",
        OPEN.format(months=12)
        + """SELECT grp, year(first), count(DISTINCT person), count(*),
                sum(round(weekly * n / 7, 2)::DECIMAL(20,2)), sum(weekly)
        FROM open GROUP BY ALL""",
    ).fetchall()
    rows = {(r["element_group"], r["year"]): r for r in made.collect()}
    names = ("people", "records", "cost", "weekly_cost")
    found = {(*key, *(row[n] for n in names)) for key, row in rows.items() if row["records"]}
    assert found == set(expected)
    for group in ("one", "two"):
        for share, name in [
            ("share_people", "people"), ("share_records", "records"), ("share_cost", "weekly_cost"),
        ]:  # fmt: skip
            whole = sum(rows[group, year][name] for year in (2010, 2011))
            for year in (2010, 2011):
                assert rows[group, year][share] == pytest.approx(
                    float(rows[group, year][name]) / float(whole), rel=1e-12
                )


def test_group_without_people_has_rows_without_shares(given):
    records, _ = given
    made = element_cost_by_year(in_groups(records, GROUPS), list(GROUPS), years(2010, 2011))
    rows = made.where("element_group = 'none'").collect()
    assert [r["year"] for r in rows] == [2010, 2011]
    names = ("people", "records", "cost", "weekly_cost", "share_people", "share_cost")
    assert {tuple(r[n] for n in names) for r in rows} == {(0, 0, None, Decimal(0), None, None)}


def test_quarterly_cost_has_a_value_for_every_quarter(given):
    records, pandas = given
    spans = quarters(date(2010, 1, 1), date(2011, 12, 31))
    made = cost_by_quarter(in_groups(records, GROUPS), list(GROUPS), spans)
    expected = duckdb.query_df(
        pandas,
        "given",
        OPEN.format(months=3)
        + """SELECT grp, first, sum(round(weekly * n / 7, 2)::DECIMAL(20,2)) FROM open
        GROUP BY ALL ORDER BY ALL""",
    ).fetchall()
    for group in ("one", "two"):
        assert made[group] == [float(cost or 0) for name, _, cost in expected if name == group]
    assert made["none"] == [0.0] * 8


def test_a_quarter_without_cost_is_0(spark):
    rows = [
        ("A", 1, date(2010, 1, 1), date(2010, 1, 7), Decimal("7.00"), None),
        ("A", 1, date(2010, 8, 1), date(2010, 8, 1), None, None),
    ]
    grouped = in_groups(spark.createDataFrame(rows, SCHEMA), {"one": ["A"]})
    spans = quarters(date(2010, 1, 1), date(2010, 12, 31))
    assert cost_by_quarter(grouped, ["one"], spans) == {"one": [7.0, 0.0, 0.0, 0.0]}
