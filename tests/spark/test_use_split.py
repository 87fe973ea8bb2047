"""Internal against external provision, recounted by DuckDB; what is unusual by statsmodels."""

import random
from datetime import date

import duckdb
import numpy as np
import pytest
from agreements import SCHEMA, frames, made_up
from scipy.stats import false_discovery_control, norm
from statsmodels.stats.contingency_tables import Table

from socare_spark.analyses.use.settings import Split
from socare_spark.analyses.use.split import counted_split, provision_split, unusual_split
from socare_spark.measures.periods import with_total, years

YEARS = with_total(years(2010, 2011))
DISTRICTS = ["B1", "B2", "B3"]
PROVIDERS = [("A", "Old", True), ("B", "Old", False), ("C", "Young", False), ("D", "Young", True)]
SPLIT = Split(services=("S",), client_groups=("O", "Y"), least_expected=1)
NAMES = ("people", "records", "cost", "internal", "external", "share_internal")


def cells_of(frame, *names):
    return {
        (r["client_group"], r["district"], r["year"]): tuple(r[n] for n in names)
        for r in frame.collect()
    }


def test_every_cell_and_every_total(spark):
    records, pandas = frames(spark, made_up("split", 300, people=25))
    made = cells_of(counted_split(records, PROVIDERS, YEARS, DISTRICTS), *NAMES)
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


def test_cell_without_records_has_no_share(spark):
    records = spark.createDataFrame([], SCHEMA)
    made = cells_of(provision_split(records, PROVIDERS, YEARS, DISTRICTS, SPLIT), *NAMES, "flag")
    assert set(made.values()) == {(0, 0, None, 0, 0, None, None)}


def test_an_agreement_of_two_years_counts_in_each_and_once_in_all(spark):
    rows = [("A", 1, date(2010, 12, 1), date(2011, 1, 31), None, "B1")]
    records = spark.createDataFrame(rows, SCHEMA)
    made = cells_of(counted_split(records, PROVIDERS, YEARS, DISTRICTS), "internal")
    assert [made["Old", "B1", year] for year in (2010, 2011, None)] == [(1,)] * 3


def test_flags_belong_to_their_district_and_year(spark):
    draw = random.Random(5)
    rows = [
        (
            "A" if draw.random() < (0.9 if district == "B1" else 0.2) else "B",
            n, date(2010, 5, 1), date(2010, 6, 1), None, district,
        )
        for n, district in enumerate(draw.choices(["B1", "B2", "B3"], k=300))
    ]  # fmt: skip
    records = spark.createDataFrame(rows, SCHEMA)
    made = cells_of(provision_split(records, PROVIDERS, YEARS, DISTRICTS, SPLIT), "flag")
    for group, year in [("Old", 2010), ("Old", None), (None, 2010)]:
        flags = [made[group, district, year][0] for district in (*DISTRICTS, None)]
        assert flags == ["high", "low", "low", None]
    assert {made["Young", d, 2010] for d in DISTRICTS} == {(None,)}


def test_residuals_are_those_of_statsmodels():
    rng = np.random.default_rng(2)
    families = [(group, year) for group in ("Old", None) for year in (2010, None)]
    counts = [
        (group, f"B{place}", year, *rng.poisson((12, 20) if place else (2, 1)).tolist())
        for group, year in families
        for place in range(9)
    ]
    found = unusual_split(counts, 0.05, 5)
    assert [row[:3] for row in found] == [row[:3] for row in counts]
    for group, year in families:
        table = np.array([row[3:] for row in counts if (row[0], row[2]) == (group, year)])
        ours = [row[3:] for row in found if (row[0], row[2]) == (group, year)]
        other = Table(table, shift_zeros=False)
        z = other.standardized_resids[:, 0]
        tested = other.fittedvalues.min(axis=1) >= 5
        assert not tested[0] and tested[1:].any()
        p = false_discovery_control(2 * norm.sf(abs(z[tested])))
        assert [row for row, known in zip(ours, tested, strict=True) if not known] == [
            (None, None, None)
        ] * int((~tested).sum())
        known = [row for row, known in zip(ours, tested, strict=True) if known]
        assert [row[0] for row in known] == pytest.approx(z[tested])
        assert [row[1] for row in known] == pytest.approx(p)
        assert [row[2] for row in known] == [
            ("high" if one > 0 else "low") if q < 0.05 else None
            for one, q in zip(z[tested], p, strict=True)
        ]
