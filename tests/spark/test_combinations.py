"""Combinations, blocks, renames, periods and timelines: counted by hand, and by DuckDB."""

import random
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest

from socare_spark.analyses.combinations.counts import (
    COMBINATION_BANDS,
    COMBINATION_TOTALS,
    COMBINATIONS,
    combinations_in_use,
    spellings,
    with_subprocess,
)
from socare_spark.analyses.combinations.groups import count_groups, number_groups, with_counts
from socare_spark.analyses.combinations.job import combination_results
from socare_spark.analyses.combinations.period_text import Period
from socare_spark.analyses.combinations.periods import COMBINATION_PERIODS
from socare_spark.analyses.combinations.reasons import Reason, reasons_of
from socare_spark.analyses.combinations.renames import COMBINATION_RENAMES
from socare_spark.analyses.combinations.settings import Blocks, Combinations, Renames, Settings
from socare_spark.analyses.combinations.timelines import PERSON_TIMELINES, person_timelines
from socare_spark.analyses.combinations.turnover import COMBINATION_BLOCKS, block_members
from socare_spark.analyses.vocabulary import Claim
from socare_spark.lake.collect import collect
from socare_spark.lake.table import Zone

RECORDS = "person bigint, reason_text string, outcome_text string, first_day date, last_day date"
CLAIMS = [
    Claim("A1", None, "S"),
    Claim("A2", None, "S"),
    Claim("B1", None, "T"),
    Claim("B1", "Z", "S"),
]
WANTED = Combinations.model_validate(
    {
        "dataset": "d", "reason": "r", "outcome": "o", "first_day": "f", "last_day": "l",
        "bands": [{"label": "2+", "from": 2}, {"label": "below 2", "from": 0, "to": 2}],
        "extremes": 3,
        "blocks": Blocks(window="month", combinations=3),
        "renames": Renames(similarity=0.75, days=92, shortest=6),
    }
)  # fmt: skip


def spelled_of(frame, claims):
    return with_subprocess(collect({"s": spellings(frame)})["s"], claims)


def results(spark, records, claims=CLAIMS):
    """The tables of some records; PERSON_TIMELINES is collected too."""
    frame = spark.createDataFrame(records, RECORDS).cache()
    tables = dict(combination_results(frame, Settings(WANTED, claims)).tables)
    timelines = collect({PERSON_TIMELINES.path: tables[PERSON_TIMELINES]})
    return tables | {PERSON_TIMELINES: timelines[PERSON_TIMELINES.path]}


def cells(frame, *columns):
    """The values of some columns, in order."""
    rows = frame[list(columns)].to_numpy(dtype=object).tolist()
    return sorted((tuple(None if pd.isna(v) else v for v in row) for row in rows), key=str)


@pytest.fixture
def both(spark):
    day = [date(2015, 1, n) for n in range(1, 10)]
    records = [
        (1, "ER34 - Referral", "LOGREF - Logged", day[0], day[2]),
        (1, "ER34 \u2013 Referral (2015)", "LOGREF \u2013 Logged", day[4], day[5]),  # same
        (2, "er34-Referral", "LOGREF - Logged", day[1], None),  # still open
        (2, "ER34 - Referral", "COMP - Complete", day[1], day[8]),
        (3, "ER34 - Referral", "COMP - Complete", day[3], day[3]),
        (1, "SUM1 - Supervision", "SUPERV", day[2], day[2]),
        (None, "SUM1 - Supervision", "SUPERV", day[6], day[7]),  # a record, not a person
        (4, "NEW - Not listed", "COMP - Complete", day[5], day[5]),
    ]
    claims = [
        Claim("ER34", None, "MASH"),
        Claim("ER34", "COMP", "Early help"),
        Claim("SUM1", None, "Other"),
    ]
    return results(spark, records, claims)


def test_combinations_are_pairs_of_codes_with_the_subprocess_of_the_pair(both):
    d = [date(2015, 1, n) for n in range(1, 10)]
    expected = [
        ("MASH", "ER34", "LOGREF", "Referral", "Logged", d[0], d[5], 2, 3),
        ("Early help", "ER34", "COMP", "Referral", "Complete", d[1], d[8], 2, 2),
        ("Other", "SUM1", "SUPERV", "Supervision", None, d[2], d[7], 1, 2),
        ("Unmapped", "NEW", "COMP", "Not listed", "Complete", d[5], d[5], 1, 1),
    ]
    names = (
        "subprocess", "reason", "outcome", "reason_description", "outcome_description",
        "first_used", "last_used", "people", "records",
    )  # fmt: skip
    assert cells(both[COMBINATIONS], *names) == sorted(expected, key=str)


def test_people_of_a_band_are_distinct_over_its_combinations(both):
    expected = [("2+", 2, 3, 5), ("below 2", 2, 2, 3)]
    assert cells(both[COMBINATION_BANDS], "band", "combinations", "people", "records") == expected


def test_totals_count_a_person_of_several_outcomes_once(spark):
    day = date(2015, 1, 1)
    records = [(1, "A - a", o, day, None) for o in "XYZ"]
    records += [(1, "B - b", "X", day, None), (2, "B - b", "X", day, None)]
    records += [(3, " ", "X", day, None)]  # no code of a reason: in the total of its sub-process
    claims = [Claim("A", None, "S"), Claim("B", None, "S")]
    made = results(spark, records, claims)[COMBINATION_TOTALS]
    expected = [("S", "A", 1, 3), ("S", "B", 2, 2), ("S", None, 2, 5), ("Unmapped", None, 1, 1)]
    assert cells(made, "subprocess", "reason", "people", "records") == expected


# Code -> texts, first and last month of use.
REASONS = {
    "A1": (["Plan of Care (Jan 12 - Jun 13)", "Plan of Care"], "2012-01-01", "2013-06-28"),
    "A2": (["Mash - Plan of Care"], "2013-06-01", "2015-12-28"),
    "B1": (["Risk Form (- Dec 12)", "Risk Form (16-18)"], "2012-01-10", "2013-06-20"),
    "C1": (["", "Notes (from Mar 13)"], "2012-06-01", "2015-12-10"),
}
SUBPROCESS = """CASE WHEN reason IN ('A1', 'A2') OR (reason, outcome) = ('B1', 'Z') THEN 'S'
    WHEN reason = 'B1' THEN 'T' ELSE 'Unmapped' END"""


@pytest.fixture
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


@pytest.fixture
def random_records(rows):
    return [
        (None if pd.isna(p) else int(p), f"{reason} - {text}".rstrip(" -"), outcome, first, last)
        for p, reason, outcome, text, first, last in rows.itertuples(index=False)
    ]


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
# Table -> columns, and their query.
QUERIES = {
    COMBINATIONS: (
        ["subprocess", "reason", "outcome", "people", "records", "first_used", "last_used"],
        f"""SELECT {SUBPROCESS}, reason, outcome, count(DISTINCT person), count(*),
            min(first_day), max(coalesce(last_day, first_day)) FROM rows GROUP BY ALL""",
    ),
    COMBINATION_TOTALS: (
        ["subprocess", "reason", "people", "records"],
        f"""WITH r AS (SELECT *, {SUBPROCESS} AS s FROM rows) SELECT s, reason,
            count(DISTINCT person), count(*) FROM r GROUP BY GROUPING SETS ((s, reason), (s))""",
    ),
    COMBINATION_BLOCKS: (
        ["block", "kind", "period", "combinations", "people", "records"],
        BLOCKS.format(window="month", least=3),
    ),
    COMBINATION_RENAMES: (
        ["reason_a", "reason_b", "similarity", "gap_days", "people", "records"],
        """SELECT 'A1', 'A2', 6::DOUBLE / 7, date_diff('day', max(coalesce(last_day, first_day))
            FILTER (reason = 'A1'), min(first_day) FILTER (reason = 'A2')) - 1,
            count(DISTINCT person), count(*) FROM rows WHERE reason IN ('A1', 'A2')""",
    ),
    COMBINATION_PERIODS: (
        [
            "reason", "declared_from", "declared_to", "observed_from", "observed_to",
            "records_outside", "people", "records",
        ],
        """SELECT reason, low::DATE, high::DATE, min(first_day), max(coalesce(last_day, first_day)),
            count(*) FILTER (first_day < low::DATE OR first_day > high::DATE),
            count(DISTINCT person), count(*)
        FROM rows JOIN declared USING (reason) GROUP BY ALL""",
    ),
    PERSON_TIMELINES: (
        ["person", "subprocess", "period", "instances"],
        f"""SELECT person, {SUBPROCESS} AS subprocess, date_trunc('month', first_day)::DATE,
            count(*) FROM rows WHERE person IS NOT NULL GROUP BY ALL""",
    ),
}  # fmt: skip


def test_tables_equal_duckdb(spark, rows, random_records):
    made = results(spark, random_records)
    declared = pd.DataFrame(
        [
            ("A1", "2012-01-01", "2013-06-30"),
            ("B1", None, "2012-12-31"),
            ("C1", "2013-03-01", None),
        ],
        columns=["reason", "low", "high"],
    )
    engine = duckdb.connect().register("rows", rows).register("declared", declared)
    for table, (columns, query) in QUERIES.items():
        theirs = sorted(engine.sql(query).fetchall(), key=str)
        assert cells(made[table], *columns) == theirs, table.path
        assert theirs
    assert set(made[COMBINATION_PERIODS]["records_outside"] > 0) == {True, False}


def test_blocks_of_other_windows_equal_duckdb(spark, rows, random_records):
    frame = spark.createDataFrame(random_records, RECORDS).cache()
    spelled = spelled_of(frame, CLAIMS)
    in_use = combinations_in_use(spelled)
    windows = {"quarter": 4, "day": 2}
    members = {
        replace(COMBINATION_BLOCKS, name=window): block_members(
            in_use, spelled, Blocks(window=window, combinations=least)
        )
        for window, least in windows.items()
    }
    groups = number_groups(members)
    counted = collect({"blocks": count_groups(frame, groups.members)})["blocks"]
    columns = ("block", "kind", "period", "combinations", "people", "records")
    for table, made in with_counts(groups, counted).items():
        query = BLOCKS.format(window=table.name, least=windows[table.name])
        theirs = duckdb.connect().register("rows", rows).sql(query).fetchall()
        assert cells(made, *columns) == sorted(theirs, key=str)
        assert theirs


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
    expected = [
        (1, "start", date(2013, 5, 1), 4, 2, 4),
        (2, "end", date(2014, 5, 1), 3, 1, 3),
    ]
    names = ("block", "kind", "period", "combinations", "people", "records")
    assert cells(results(spark, records)[COMBINATION_BLOCKS], *names) == expected


def test_records_without_days_are_in_no_block_and_have_no_period(spark):
    made = results(spark, [(1, "A - Form (2015)", o, None, None) for o in "XYZ"])
    assert made[COMBINATION_BLOCKS].empty
    names = ("observed_from", "records_outside", "records")
    assert cells(made[COMBINATION_PERIODS], *names) == [(None, 0, 3)]
    assert cells(made[PERSON_TIMELINES], "period", "instances") == [(None, 3)]


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
    assert reasons_of(spelled_of(spark.createDataFrame(records, RECORDS), [])) == [
        Reason("A", "Form", True, Period(date(2012, 10, 1), date(2015, 2, 28)), first, last),
        Reason("B", "Plan (16-18)", True, None, first, first),
        Reason("C", "Risk", False, None, first, first),
        Reason("D", None, False, None, None, None),
    ]


def test_records_outside_a_period_are_counted_by_their_first_day(spark):
    days = {
        "before": (date(2014, 2, 28), date(2014, 3, 1)),
        "first": (date(2014, 3, 1), date(2014, 3, 1)),
        "last": (date(2014, 6, 30), date(2014, 9, 1)),  # begun within, ended after
        "after": (date(2014, 7, 1), date(2014, 7, 1)),
    }
    records = [(1, f"{name} - Form (Mar 14 - Jun 14)", "X", *d) for name, d in days.items()]
    records += [(1, "NONE - Form (16-18)", "X", date(2014, 1, 1), None)]
    made = results(spark, records)[COMBINATION_PERIODS]
    assert dict(cells(made, "reason", "records_outside")) == {
        "BEFORE": 1, "FIRST": 0, "LAST": 0, "AFTER": 1, "NONE": None,
    }  # fmt: skip


def test_timelines_are_restricted_and_sorted_by_person(spark, random_records):
    assert PERSON_TIMELINES.zone == Zone.RESTRICTED
    frame = spark.createDataFrame(random_records, RECORDS)
    made = person_timelines(frame, spelled_of(frame, CLAIMS)).coalesce(1)
    assert made.rdd.getNumPartitions() == 1
    in_file = [(r["person"], r["period"], r["subprocess"]) for r in made.collect()]
    assert in_file == sorted(in_file)
