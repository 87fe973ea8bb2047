"""Elements against each other, recounted by DuckDB."""

import random

import duckdb
import pandas as pd
import pytest
from frames import counts_of, rows_of
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses import vocabulary
from socare_spark.analyses.element_codes import canonical_code
from socare_spark.analyses.elements import code_variants as codes_module
from socare_spark.analyses.elements.code_variants import (
    element_variants,
    look_alikes,
    most_common,
    unknown_codes_as_written,
)
from socare_spark.analyses.elements.comparison import (
    ELEMENT_COMPARISON,
    ELEMENT_CONCENTRATION,
    comparison_groupings,
    concentration_grouping,
    element_comparison,
    element_concentration,
    element_profile,
)
from socare_spark.analyses.elements.settings import Comparison, Concentration
from socare_spark.analyses.vocabulary import code_counts, codes_present
from socare_spark.lake.collect import collect

PAIR = Comparison(a="A", b="B")
COLUMNS = "element string, district string, year int, person bigint, cost decimal(12,2), sex string"


@pytest.fixture
def rows():
    draw = random.Random(3)
    return pd.DataFrame(
        [
            (
                draw.choice(["A", "B", "C", None]),
                draw.choice(["B1", "B2", "B3", "B99", None]),
                draw.randrange(2008, 2017),
                draw.choice([None, *range(40)]),
                None,
                draw.choice(["F", "M", None]),
            )
            for _ in range(600)
        ],
        columns=[c.split()[0] for c in COLUMNS.split(", ")],
        dtype=object,
    )


@pytest.fixture
def records(spark, rows):
    return spark.createDataFrame(list(rows.itertuples(index=False, name=None)), COLUMNS)


DISTRICTS = ["B1", "B2", "B3", "B4"]
CITY = "('B1', 'B2', 'B3')"


def test_comparison(records, rows):
    counts = counts_of(records, *comparison_groupings([PAIR], DISTRICTS), cost="cost")
    made = element_comparison(counts[ELEMENT_COMPARISON], [PAIR], DISTRICTS)
    query = duckdb.sql(
        f"""WITH c AS (SELECT district, count_if(element = 'A') AS a, count_if(element = 'B') AS b,
                count(DISTINCT person) AS people FROM rows
            WHERE district IN {CITY} AND element IN ('A', 'B') GROUP BY district
            UNION ALL SELECT 'B4', 0, 0, 0)
        SELECT district, a, b, a + b, b - a, people, row_number() OVER (ORDER BY b - a, district)
        FROM c"""
    )
    names = ("district", "count_a", "count_b", "total", "difference", "people", "rank")
    assert rows_of(made, *names) == sorted(query.fetchall(), key=str)


def test_profile(records, rows):
    query = duckdb.sql(
        """SELECT element, 'sex', sex, count(DISTINCT person), count(*) FROM rows
        WHERE element IN ('A', 'B') GROUP BY ALL"""
    )
    names = ("element", "characteristic", "value", "people", "records")
    made = element_profile(records, ["A", "B"], {"sex": "sex"}).toPandas()
    assert rows_of(made, *names) == sorted(query.fetchall(), key=str)


def test_concentration(records, rows):
    wanted = Concentration(elements=("A", "C"), first_year=2010, last_year=2014)
    counts = counts_of(records, concentration_grouping(wanted, DISTRICTS), cost="cost")
    made = element_concentration(counts[ELEMENT_CONCENTRATION])
    expected = duckdb.sql(
        f"""WITH c AS (SELECT district, element, count(*) AS n FROM rows
            WHERE district IN {CITY} AND year BETWEEN 2010 AND 2014 GROUP BY district, element),
        t AS (SELECT *, sum(n) OVER (PARTITION BY district) AS in_district,
            sum(n) OVER (PARTITION BY element) AS of_element, sum(n) OVER () AS everything FROM c)
        SELECT district, element, n, n / in_district, n / in_district / (of_element / everything)
        FROM t WHERE element IN ('A', 'C') ORDER BY district, element"""
    ).fetchall()
    found = rows_of(made, "district", "element", "records", "share", "location_quotient")
    assert [tuple(r[:3]) for r in found] == [e[:3] for e in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert tuple(ours[3:]) == pytest.approx(theirs[3:], rel=1e-12)


def test_codes_are_corrected_by_the_list_only(spark):
    rows = spark.createDataFrame([(" oahsgco",), ("OAEHSGC",), (None,)], "code string")
    made = rows.select(canonical_code(F.col("code"), {"OAHSGCO": "OAEHSGCO"}).alias("e"))
    assert [r["e"] for r in made.collect()] == ["OAEHSGCO", "OAEHSGC", None]


def variants(written, known, corrections):
    """Rows of ELEMENT_VARIANTS, and warnings."""
    unknown = unknown_codes_as_written(written, known)
    common = collect({"codes": most_common(unknown, corrections)})["codes"]
    alike, warnings = look_alikes(common, known)
    return element_variants(unknown, alike, corrections), warnings


def test_look_alikes_of_unknown_codes(spark):
    codes = ["OAHSGCO", "OAHSGCO", "DIR0A", "ZZTEST", "DIROA", "diroa", None]
    written = spark.createDataFrame(
        [(c, i, None) for i, c in enumerate(codes)], "code string, person int, cost decimal(12,2)"
    )
    made, warnings = variants(written, ["OAEHSGCO", "DIROA"], {"OAHSGCO": "OAEHSGCO"})
    assert warnings == []
    assertDataFrameEqual(
        made.select("element", "look_alike", "mended", "records"),
        spark.createDataFrame(
            [
                ("OAHSGCO", "OAEHSGCO", True, 2),
                ("DIR0A", "DIROA", False, 1),
                ("ZZTEST", None, False, 1),
            ],
            "element string, look_alike string, mended boolean, records bigint",
        ),
    )


def test_only_the_most_common_unknown_codes_are_compared(spark, monkeypatch):
    monkeypatch.setattr(codes_module, "MOST_COMPARED", 1)
    codes = ["DIR0A", "DIR0A", "DIROB", "OAHSGCO"]
    written = spark.createDataFrame(
        [(c, i, None) for i, c in enumerate(codes)], "code string, person int, cost decimal(12,2)"
    )
    made, warnings = variants(written, ["DIROA"], {"OAHSGCO": "DIROA"})
    assert rows_of(made.toPandas(), "element", "look_alike", "mended") == [
        ("DIR0A", "DIROA", False), ("DIROB", None, False), ("OAHSGCO", "DIROA", True),
    ]  # fmt: skip
    assert "more than 1 codes" in warnings[0]


def test_requested_codes_are_found_beyond_the_comparison_limit(spark, monkeypatch):
    monkeypatch.setattr(vocabulary, "MOST_COMPARED", 2)
    records = spark.createDataFrame([(c,) for c in [*"aabbcd", None]], "code string")
    for wanted, found in [(["d", "e"], ["a", "b", "d"]), ([], ["a", "b"])]:
        counted = collect({"codes": code_counts(records, "code", wanted)})["codes"]
        assert sorted(codes_present(counted, wanted)) == found
