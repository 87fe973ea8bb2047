"""Cost of groups of elements by year and quarter, recounted by DuckDB."""

from datetime import date

import duckdb
import pytest
from agreements import frames, made_up
from frames import counts_of

from socare_spark.analyses.use.costs import (
    ELEMENT_COST_BY_YEAR,
    SUMS,
    cost_by_quarter,
    element_cost_by_year,
    group_groupings,
)
from socare_spark.analyses.use.records import in_periods
from socare_spark.analyses.use.savings import SAVINGS_VIABILITY
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


def counts(table, records, periods):
    groupings = group_groupings(table, GROUPS, periods)
    return counts_of(in_periods(records, periods), *groupings, cost="cost", sums=SUMS)[table]


def test_a_year_of_each_group(given):
    records, pandas = given
    spans = years(2010, 2011)
    made = element_cost_by_year(counts(ELEMENT_COST_BY_YEAR, records, spans), GROUPS, spans)
    expected = duckdb.query_df(
        pandas,
        "given",
        OPEN.format(months=12)
        + """SELECT grp, year(first), count(DISTINCT person), count(*),
                sum(round(weekly * n / 7, 2)::DECIMAL(20,2)), sum(weekly)
        FROM open GROUP BY ALL""",
    ).fetchall()
    rows = {(r["element_group"], r["year"]): r for r in made.to_dict("records")}
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


def test_quarterly_cost_has_a_value_for_every_quarter(given):
    records, pandas = given
    spans = quarters(date(2010, 1, 1), date(2011, 12, 31))
    made = cost_by_quarter(counts(SAVINGS_VIABILITY, records, spans), GROUPS, spans)
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
