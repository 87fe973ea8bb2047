"""Internal and external provision, recounted by DuckDB."""

from datetime import date

import duckdb
from agreements import DISTRICTS, PROVIDERS, SCHEMA, SPLIT, YEARS, frames, made_up
from frames import counts_of

from socare_spark.analyses.use.records import in_periods
from socare_spark.analyses.use.split import (
    PROVISION_SPLIT,
    SUMS,
    provider_columns,
    provision_split,
    split_grouping,
)

NAMES = ("people", "records", "cost", "internal", "external", "share_internal")


def cells_of(records, *names):
    """Client group, district and year -> some measures, with None for null."""
    rows = in_periods(records, YEARS).withColumns(provider_columns(PROVIDERS))
    counts = counts_of(rows, split_grouping(PROVIDERS, YEARS), cost="cost", sums=SUMS)
    made = provision_split(counts[PROVISION_SPLIT], PROVIDERS, YEARS, DISTRICTS, SPLIT)
    known = made.astype(object).where(made.notna(), None).to_dict("records")
    return {
        (r["client_group"], r["district"], r["year"]): tuple(r[n] for n in names) for r in known
    }


def test_every_cell_and_every_total(spark):
    records, pandas = frames(spark, made_up("split", 300, people=25))
    made = cells_of(records, *NAMES)
    assert len(made) == 3 * 4 * 3
    expected = duckdb.query_df(
        pandas,
        "given",
        """WITH providers AS (SELECT * FROM (VALUES ('A', 'Old', true), ('B', 'Old', false),
                ('C', 'Young', false), ('D', 'Young', true)) AS p(element, grp, own)),
        spans AS (SELECT * FROM (VALUES (2010, DATE '2010-01-01', DATE '2010-12-31'),
            (2011, DATE '2011-01-01', DATE '2011-12-31'),
            (NULL, DATE '2010-01-01', DATE '2011-12-31')) AS y(year, first, last)),
        open AS (
            SELECT grp, own, district, year, person::BIGINT AS person,
                weekly_cost::DECIMAL(12,2) AS weekly,
                date_diff('day', greatest(start::DATE, first), least("end"::DATE, last)) + 1 AS n
            FROM given JOIN providers USING (element), spans
            WHERE start::DATE <= last AND "end"::DATE >= first)
        SELECT g.grp, d.district, y.year, count(DISTINCT person), count(weekly IS NULL),
            sum(round(weekly * n / 7, 2)::DECIMAL(20,2)), count(*) FILTER (own),
            count(*) FILTER (NOT own), count(*) FILTER (own) / count(*)
        FROM open o, (VALUES ('Old'), ('Young'), (NULL)) AS g(grp),
            (VALUES ('B1'), ('B2'), ('B3'), (NULL)) AS d(district),
            (VALUES (2010), (2011), (NULL)) AS y(year)
        WHERE coalesce(g.grp, o.grp) = o.grp AND y.year IS NOT DISTINCT FROM o.year
            AND (d.district IS NULL OR d.district = o.district)
        GROUP BY g.grp, d.district, y.year""",
    ).fetchall()
    assert {key: cell for key, cell in made.items() if cell[1]} == {
        row[:3]: row[3:] for row in expected
    }


def test_an_agreement_of_two_years_counts_in_each_and_once_in_all(spark):
    rows = [("A", 1, date(2010, 12, 1), date(2011, 1, 31), None, "B1")]
    records = spark.createDataFrame(rows, SCHEMA)
    made = cells_of(records, "internal")
    assert [made["Old", "B1", year] for year in (2010, 2011, None)] == [(1,)] * 3
