"""Reason x outcome combinations, on records small enough to count by hand, and from DuckDB."""

import random
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses.combinations.counts import (
    combination_bands,
    combination_totals,
    combinations,
    spellings,
    subprocess_extremes,
    uses,
)
from socare_spark.measures.bands import Band

RECORDS = "person bigint, reason string, outcome string, first_day date, last_day date"


def gathered(spark, records, claims):
    """The spellings, and the uses."""
    frame = spark.createDataFrame(records, RECORDS)
    spelled = spellings(frame, claims).cache()
    return spelled, uses(frame, spelled).cache()


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
    claims = [("ER34", None, "MASH"), ("ER34", "COMP", "Early help"), ("SUM1", None, "Other")]
    return gathered(spark, records, claims)


def test_combinations_are_pairs_of_codes_with_the_subprocess_of_the_pair(spark, both):
    spelled, used = both
    d = [date(2015, 1, n) for n in range(1, 10)]
    expected = [
        ("MASH", "ER34", "LOGREF", "Referral", "Logged", d[0], d[5], 2, 3),
        ("Early help", "ER34", "COMP", "Referral", "Complete", d[1], d[8], 2, 2),
        ("Other", "SUM1", "SUPERV", "Supervision", None, d[2], d[7], 1, 2),
        ("Unmapped", "NEW", "COMP", "Not listed", "Complete", d[5], d[5], 1, 1),
    ]
    assertDataFrameEqual(
        combinations(used, spelled).select(
            "subprocess", "reason", "outcome", "reason_description", "outcome_description",
            "first_used", "last_used", "people", "records",
        ),
        spark.createDataFrame(
            expected,
            "subprocess string, reason string, outcome string, reason_description string, "
            "outcome_description string, first_used date, last_used date, people bigint, "
            "records bigint",
        ),
    )  # fmt: skip


def test_totals_count_a_person_of_several_outcomes_once(spark):
    records = [(1, "A - a", o, date(2015, 1, 1), None) for o in "XYZ"]
    records += [
        (1, "B - b", "X", date(2015, 1, 1), None),
        (2, "B - b", "X", date(2015, 1, 1), None),
    ]
    claims = [("A", None, "S"), ("B", None, "S")]
    _, made = gathered(spark, records, claims)
    expected = [("S", "A", 1, 3), ("S", "B", 2, 2), ("S", None, 2, 5)]
    assertDataFrameEqual(
        combination_totals(made).select("subprocess", "reason", "people", "records"),
        spark.createDataFrame(
            expected, "subprocess string, reason string, people bigint, records bigint"
        ),
    )


def test_a_combination_on_a_boundary_is_in_the_band_that_begins_there(spark, both):
    spelled, used = both
    bands = [
        Band.model_validate({"label": "2+", "from": 2}),
        Band.model_validate({"label": "below 2", "from": 0, "to": 2}),
    ]
    expected = [("2+", 2, 3, 5), ("below 2", 2, 2, 3)]  # people are distinct over combinations
    assertDataFrameEqual(
        combination_bands(used, combinations(used, spelled), bands).select(
            "band", "combinations", "people", "records"
        ),
        spark.createDataFrame(
            expected, "band string, combinations bigint, people bigint, records bigint"
        ),
    )


def test_extremes_rank_as_the_study_printed_them(spark):
    # Table 22, most and least used of MASH & ASTI, and one between; out of order on purpose.
    counted = [
        ("MASH", "REF03", "MSPCLS03", 1, 1),
        ("MASH", "REF03", "LOGREF", 15242, 17867),
        ("MASH", "REF03", "MSPCLS02", 1, 1),
        ("MASH", "ER34", "COMP", 1, 1),
        ("MASH", "ER32", "NFA", 40, 41),
        ("MASH", "ER34", "LOGREF", 18809, 22823),
        ("MASH", "REF03", "LOGCON", 12154, 14061),
    ]
    names = "subprocess string, reason string, outcome string, people bigint, records bigint"
    expected = [
        ("most", 1, "ER34", "LOGREF"), ("most", 2, "REF03", "LOGREF"),
        ("most", 3, "REF03", "LOGCON"),
        ("least", 1, "ER34", "COMP"), ("least", 2, "REF03", "MSPCLS02"),
        ("least", 3, "REF03", "MSPCLS03"),
    ]  # fmt: skip
    assertDataFrameEqual(
        subprocess_extremes(spark.createDataFrame(counted, names), 3).select(
            "kind", "rank", "reason", "outcome"
        ),
        spark.createDataFrame(expected, "kind string, rank int, reason string, outcome string"),
    )


def test_counts_and_spans_equal_duckdb(spark):
    draw = random.Random(3)
    begin = date(2014, 1, 1)
    rows = pd.DataFrame(
        [
            (
                draw.choice([None, *range(50)]),
                draw.choice("ABCD"),
                draw.choice("XYZ"),
                begin + timedelta(days=draw.randrange(400)),
            )
            for _ in range(800)
        ],
        columns=["person", "reason", "outcome", "first_day"],
    ).astype({"person": "Int64"})
    records = [
        (None if pd.isna(p) else int(p), f"{r} - {r}{i % 3}", f"{o} {o}", f, f)
        for i, (p, r, o, f) in enumerate(rows.itertuples(index=False))
    ]
    spelled, used = gathered(spark, records, [("A", None, "S"), ("B", None, "T")])
    engine = duckdb.connect().register("rows", rows)
    sub = "CASE reason WHEN 'A' THEN 'S' WHEN 'B' THEN 'T' ELSE 'Unmapped' END AS subprocess"
    keys = ["subprocess", "reason", "outcome"]
    theirs = engine.sql(
        f"""SELECT {sub}, reason, outcome || ' ' || outcome AS outcome,
        count(DISTINCT person) AS people, count(*) AS records, min(first_day) AS first_used,
        max(first_day) AS last_used FROM rows GROUP BY ALL"""
    ).df()
    ours = combinations(used, spelled).select(*theirs.columns).toPandas()
    for days in ("first_used", "last_used"):
        ours[days], theirs[days] = pd.to_datetime(ours[days]), pd.to_datetime(theirs[days])
    pd.testing.assert_frame_equal(
        ours.sort_values(keys, ignore_index=True),
        theirs.sort_values(keys, ignore_index=True),
        check_dtype=False,
    )
    totals = engine.sql(
        f"""WITH r AS (SELECT *, {sub} FROM rows) SELECT subprocess, reason,
        count(DISTINCT person) AS people, count(*) AS records FROM r
        GROUP BY GROUPING SETS ((subprocess, reason), (subprocess))"""
    )
    ours_totals = combination_totals(used).select("subprocess", "reason", "people", "records")
    assert sorted(map(str, map(tuple, ours_totals.collect()))) == sorted(
        map(str, totals.fetchall())
    )
