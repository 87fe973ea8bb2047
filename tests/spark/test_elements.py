"""Elements against each other, recounted by DuckDB."""

import random

import duckdb
import pandas as pd
import pytest
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses import vocabulary
from socare_spark.analyses.element_codes import canonical_code
from socare_spark.analyses.elements import code_variants as codes_module
from socare_spark.analyses.elements.code_variants import element_variants
from socare_spark.analyses.elements.comparison import (
    element_comparison,
    element_concentration,
    element_profile,
)
from socare_spark.analyses.elements.settings import Comparison, Concentration
from socare_spark.analyses.vocabulary import codes_present

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


@pytest.fixture
def districts(spark):
    return spark.createDataFrame([("B1",), ("B2",), ("B3",), ("B4",)], "district string")


CITY = "('B1', 'B2', 'B3')"


def same(ours, query, *columns):
    found = sorted((tuple(r[c] for c in columns) for r in ours.collect()), key=str)
    assert found == sorted(query.fetchall(), key=str)


def test_comparison(records, districts, rows):
    made = element_comparison(records, districts, PAIR).where("district <> 'B4'")
    query = duckdb.sql(
        f"""WITH c AS (SELECT district, count_if(element = 'A') AS a, count_if(element = 'B') AS b,
                count(DISTINCT person) AS people FROM rows
            WHERE district IN {CITY} AND element IN ('A', 'B') GROUP BY district
            UNION ALL SELECT 'B4', 0, 0, 0)
        SELECT * FROM (SELECT district, a, b, a + b, b - a, people,
            row_number() OVER (ORDER BY b - a, district) FROM c) WHERE district <> 'B4'"""
    )
    names = ("district", "count_a", "count_b", "total", "difference", "people", "rank")
    same(made, query, *names)


def test_a_district_without_either_counts_nothing(records, districts):
    row = element_comparison(records, districts, PAIR).where("district = 'B4'").first()
    assert (row["people"], row["records"], row["count_a"], row["difference"]) == (0, 0, 0, 0)


def test_profile(records, rows):
    query = duckdb.sql(
        """SELECT element, 'sex', sex, count(DISTINCT person), count(*) FROM rows
        WHERE element IN ('A', 'B') GROUP BY ALL"""
    )
    names = ("element", "characteristic", "value", "people", "records")
    same(element_profile(records, ["A", "B"], ["sex"]), query, *names)


def test_concentration(records, districts, rows):
    wanted = Concentration(elements=("A", "C"), first_year=2010, last_year=2014)
    made = element_concentration(records, districts, wanted).orderBy("district", "element")
    expected = duckdb.sql(
        f"""WITH c AS (SELECT district, element, count(*) AS n FROM rows
            WHERE district IN {CITY} AND year BETWEEN 2010 AND 2014 GROUP BY district, element),
        t AS (SELECT *, sum(n) OVER (PARTITION BY district) AS in_district,
            sum(n) OVER (PARTITION BY element) AS of_element, sum(n) OVER () AS everything FROM c)
        SELECT district, element, n, n / in_district, n / in_district / (of_element / everything)
        FROM t WHERE element IN ('A', 'C') ORDER BY district, element"""
    ).fetchall()
    found = made.select("district", "element", "records", "share", "location_quotient").collect()
    assert [tuple(r[:3]) for r in found] == [e[:3] for e in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert tuple(ours[3:]) == pytest.approx(theirs[3:], rel=1e-12)


def test_codes_are_corrected_by_the_list_only(spark):
    rows = spark.createDataFrame([(" oahsgco",), ("OAEHSGC",), (None,)], "code string")
    made = rows.select(canonical_code(F.col("code"), {"OAHSGCO": "OAEHSGCO"}).alias("e"))
    assert [r["e"] for r in made.collect()] == ["OAEHSGCO", "OAEHSGC", None]


def test_look_alikes_of_unknown_codes(spark):
    codes = ["OAHSGCO", "OAHSGCO", "DIR0A", "ZZTEST", "DIROA", "diroa", None]
    written = spark.createDataFrame(
        [(c, i, None) for i, c in enumerate(codes)], "code string, person int, cost decimal(12,2)"
    )
    said = []
    made = element_variants(written, ["OAEHSGCO", "DIROA"], {"OAHSGCO": "OAEHSGCO"}, said.append)
    assert said == []
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
    said = []
    made = element_variants(written, ["DIROA"], {"OAHSGCO": "DIROA"}, said.append).collect()
    assert sorted((r["element"], r["look_alike"], r["mended"]) for r in made) == [
        ("DIR0A", "DIROA", False), ("DIROB", None, False), ("OAHSGCO", "DIROA", True),
    ]  # fmt: skip
    assert "more than 1 codes" in said[0]


def test_requested_codes_are_found_beyond_the_comparison_limit(spark, monkeypatch):
    monkeypatch.setattr(vocabulary, "MOST_COMPARED", 2)
    records = spark.createDataFrame([(c,) for c in [*"aabbcd", None]], "code string")
    assert sorted(codes_present(records, "code", ["d", "e"])) == ["a", "b", "d"]
    assert sorted(codes_present(records, "code", [])) == ["a", "b"]
