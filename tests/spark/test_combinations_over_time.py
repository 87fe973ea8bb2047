"""Blocks, renamings, declared periods and persons' timelines, recounted by DuckDB."""

import random
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses.combinations.counts import combinations, spellings, uses
from socare_spark.analyses.combinations.period_text import Period
from socare_spark.analyses.combinations.periods import combination_periods
from socare_spark.analyses.combinations.reasons import Reason, read_reasons
from socare_spark.analyses.combinations.renames import combination_renames
from socare_spark.analyses.combinations.settings import Blocks, Renames
from socare_spark.analyses.combinations.timelines import PERSON_TIMELINES, person_timelines
from socare_spark.analyses.combinations.turnover import combination_blocks
from socare_spark.lake.table import Zone

RECORDS = "person bigint, reason string, outcome string, first_day date, last_day date"
CLAIMS = [("A1", None, "S"), ("A2", None, "S"), ("B1", None, "T"), ("B1", "Z", "S")]
MONTHLY = Blocks(window="month", combinations=3)
RENAMES = Renames(similarity=0.75, days=92, shortest=6)
# Code -> texts, first and last month of use.
REASONS = {
    "A1": (["Plan of Care (Jan 12 - Jun 13)", "Plan of Care"], "2012-01-01", "2013-06-28"),
    "A2": (["Mash - Plan of Care"], "2013-06-01", "2015-12-28"),
    "B1": (["Risk Form (- Dec 12)", "Risk Form (16-18)"], "2012-01-10", "2013-06-20"),
    "C1": (["", "Notes (from Mar 13)"], "2012-06-01", "2015-12-10"),
}
SUBPROCESS = """CASE WHEN reason IN ('A1', 'A2') OR (reason, outcome) = ('B1', 'Z') THEN 'S'
    WHEN reason = 'B1' THEN 'T' ELSE 'Unmapped' END"""


@pytest.fixture(scope="module")
def rows():
    """Random records as a table: person, reason, outcome, text, first_day, last_day."""
    draw = random.Random(7)
    found = []
    for _ in range(900):
        reason = draw.choice([*REASONS])
        texts, begin, end = REASONS[reason]
        days = (date.fromisoformat(end) - date.fromisoformat(begin)).days
        first = date.fromisoformat(begin) + timedelta(days=draw.randrange(days))
        last = draw.choice([None, first, first + timedelta(days=draw.randrange(30))])
        person = draw.choice([None, *range(60)])
        found.append((person, reason, draw.choice("XYZ"), draw.choice(texts), first, last))
    names = ["person", "reason", "outcome", "text", "first_day", "last_day"]
    return pd.DataFrame(found, columns=names).astype({"person": "Int64"})


class Gathered:
    """What the job has before it makes its tables."""

    def __init__(self, spark, records):
        frame = spark.createDataFrame(records, RECORDS)
        spelled = spellings(frame, CLAIMS).cache()
        self.used = uses(frame, spelled).cache()
        self.counted = combinations(self.used, spelled)
        self.reasons = read_reasons(spelled)


@pytest.fixture
def random_ones(spark, rows):
    records = [
        (None if pd.isna(p) else int(p), f"{reason} - {text}".rstrip(" -"), outcome, first, last)
        for p, reason, outcome, text, first, last in rows.itertuples(index=False)
    ]
    return Gathered(spark, records)


def same(ours, theirs, *columns):
    found = sorted((tuple(row[c] for c in columns) for row in ours.collect()), key=str)
    assert found == sorted(theirs.fetchall(), key=str)
    assert found


BLOCKS = """
    WITH c AS (SELECT reason, outcome, min(first_day) AS f, max(coalesce(last_day, first_day)) AS l
        FROM rows GROUP BY ALL),
    e AS (SELECT *, 'start' AS kind, date_trunc('{window}', f)::DATE AS period FROM c
        UNION ALL SELECT *, 'end', date_trunc('{window}', l)::DATE FROM c),
    n AS (SELECT kind, period, count(*) AS n FROM e
        WHERE NOT (kind = 'start' AND period = (SELECT min(period) FROM e))
        AND NOT (kind = 'end' AND period = (SELECT max(period) FROM e))
        GROUP BY ALL HAVING n >= {least}),
    b AS (SELECT *, row_number() OVER (ORDER BY period, kind DESC) AS block FROM n)
    SELECT block, kind, period, n, count(DISTINCT person), count(*)
    FROM b JOIN e USING (kind, period) JOIN rows USING (reason, outcome) GROUP BY ALL"""


@pytest.mark.parametrize(("window", "least"), [("month", 3), ("quarter", 4), ("day", 2)])
def test_blocks_equal_duckdb(random_ones, rows, window, least):
    made = combination_blocks(
        random_ones.used, random_ones.counted, Blocks(window=window, combinations=least)
    )
    names = ("block", "kind", "period", "combinations", "people", "records")
    same(made, duckdb.sql(BLOCKS.format(window=window, least=least)), *names)


def test_first_window_starts_and_last_window_ends_make_no_block(spark):
    inner, outer = (date(2013, 5, 1), date(2014, 5, 31)), (date(2012, 1, 1), date(2016, 1, 31))
    records = [
        (1, code, outcome, *days)
        for code, days in (("OLD", outer), ("NEW", inner))
        for outcome in "XYZ"
    ]
    # In the first month and in the last, though not on the first day and on the last.
    records += [(2, "ODD", "X", date(2012, 1, 31), date(2016, 1, 1))]
    records += [(3, "LATE", "X", date(2013, 5, 31), date(2014, 6, 1))]
    own = Gathered(spark, records)
    made = combination_blocks(own.used, own.counted, MONTHLY)
    expected = [
        (1, "start", date(2013, 5, 1), 4, 2, 4),
        (2, "end", date(2014, 5, 1), 3, 1, 3),
    ]
    names = (
        "block int, kind string, period date, combinations bigint, people bigint, records bigint"
    )
    assertDataFrameEqual(
        made.select(*[n.split()[0] for n in names.split(", ")]),
        spark.createDataFrame(expected, names),
    )


def test_one_window_may_hold_a_block_of_starts_and_one_of_ends(spark):
    changed = [(1, "A", o, date(2012, 1, 1), date(2013, 5, 2)) for o in "XYZ"]
    changed += [(1, "B", o, date(2013, 5, 9), date(2014, 1, 1)) for o in "XYZ"]
    own = Gathered(spark, changed)
    made = combination_blocks(own.used, own.counted, MONTHLY).orderBy("block")
    assert [(r["block"], r["kind"]) for r in made.collect()] == [(1, "start"), (2, "end")]


def test_no_records_make_no_rows(spark):
    own = Gathered(spark, [])
    for made in (
        combination_blocks(own.used, own.counted, MONTHLY),
        combination_renames(own.used, own.reasons, RENAMES),
        combination_periods(own.used, own.reasons),
        person_timelines(own.used),
    ):
        assert made.collect() == []


def test_records_without_days_are_in_no_block_and_have_no_period(spark):
    own = Gathered(spark, [(1, "A - Form (2015)", o, None, None) for o in "XYZ"])
    assert combination_blocks(own.used, own.counted, MONTHLY).collect() == []
    period = combination_periods(own.used, own.reasons).first()
    assert (period["observed_from"], period["records_outside"], period["records"]) == (None, 0, 3)
    (row,) = person_timelines(own.used).collect()
    assert (row["period"], row["instances"]) == (None, 3)


def test_reason_has_its_most_frequent_text_and_any_declared_period(spark):
    first, last = date(2014, 1, 1), date(2014, 3, 1)
    records = [
        (1, "A - Form", "X", first, None),
        (2, "A - Form", "Y", last, last),
        (3, "A \u2013 Form (Oct 12 \u2013 Feb 15)", "X", first, first),
        (3, "A - Form (16-18)", "X", first, first),
        (3, "A - Form (16-18)", "X", first, first),
        (1, "B - Plan (16-18)", "X", first, first),  # figures, but no period: part of the text
        (1, "C - Plan", "X", first, first),
        (1, "C - Risk", "X", first, first),
        (1, "C - Risk", "Y", first, first),
        (1, "D", "X", None, None),
    ]
    assert Gathered(spark, records).reasons == [
        Reason("A", "Form", True, Period(date(2012, 10, 1), date(2015, 2, 28)), first, last),
        Reason("B", "Plan (16-18)", True, None, first, first),
        Reason("C", "Risk", False, None, first, first),
        Reason("D", None, False, None, None, None),
    ]


def test_renames_count_people_of_either_once(random_ones, rows):
    made = combination_renames(random_ones.used, random_ones.reasons, RENAMES)
    theirs = duckdb.sql(
        """SELECT 'A1', 'A2', 6::DOUBLE / 7, date_diff('day', max(coalesce(last_day, first_day))
            FILTER (reason = 'A1'), min(first_day) FILTER (reason = 'A2')) - 1,
            count(DISTINCT person), count(*) FROM rows WHERE reason IN ('A1', 'A2')"""
    )
    same(made, theirs, "reason_a", "reason_b", "similarity", "gap_days", "people", "records")


def test_periods_equal_duckdb(random_ones, rows):
    made = combination_periods(random_ones.used, random_ones.reasons)
    declared = pd.DataFrame(
        [
            ("A1", "2012-01-01", "2013-06-30"),
            ("B1", None, "2012-12-31"),
            ("C1", "2013-03-01", None),
        ],
        columns=["reason", "low", "high"],
    )
    theirs = duckdb.sql(
        """SELECT reason, low::DATE, high::DATE, min(first_day), max(coalesce(last_day, first_day)),
            count(*) FILTER (first_day < low::DATE OR first_day > high::DATE),
            count(DISTINCT person), count(*)
        FROM rows JOIN declared USING (reason) GROUP BY ALL"""
    )
    names = (
        "reason", "declared_from", "declared_to", "observed_from", "observed_to",
        "records_outside", "people", "records",
    )  # fmt: skip
    same(made, theirs, *names)
    assert {row["records_outside"] > 0 for row in made.collect()} == {True, False}
    assert len(declared) == made.count()


def test_records_outside_a_period_are_counted_by_their_first_day(spark):
    days = {
        "before": (date(2014, 2, 28), date(2014, 3, 1)),
        "first": (date(2014, 3, 1), date(2014, 3, 1)),
        "last": (date(2014, 6, 30), date(2014, 9, 1)),  # begun within, ended after
        "after": (date(2014, 7, 1), date(2014, 7, 1)),
    }
    records = [(1, f"{name} - Form (Mar 14 - Jun 14)", "X", *d) for name, d in days.items()]
    records += [(1, "NONE - Form (16-18)", "X", date(2014, 1, 1), None)]
    own = Gathered(spark, records)
    found = {r["reason"]: r for r in combination_periods(own.used, own.reasons).collect()}
    assert {name: row["records_outside"] for name, row in found.items()} == {
        "BEFORE": 1, "FIRST": 0, "LAST": 0, "AFTER": 1, "NONE": None,
    }  # fmt: skip


def test_timelines_equal_duckdb(random_ones, rows):
    theirs = duckdb.sql(
        f"""SELECT person, {SUBPROCESS} AS subprocess, date_trunc('month', first_day)::DATE,
            count(*) FROM rows WHERE person IS NOT NULL GROUP BY ALL"""
    )
    same(person_timelines(random_ones.used), theirs, "person", "subprocess", "period", "instances")


def test_timelines_are_restricted_and_sorted_by_person(random_ones):
    assert PERSON_TIMELINES.zone == Zone.RESTRICTED
    made = person_timelines(random_ones.used).coalesce(1)
    assert made.rdd.getNumPartitions() == 1
    lying = [(r["person"], r["period"], r["subprocess"]) for r in made.collect()]
    assert lying == sorted(lying)
