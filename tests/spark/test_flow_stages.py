"""Counts of cases by stage, and of assessments by outcome and team."""

import random
from collections import Counter

from flows import ASSESSED, COUNTS, EVENTS, STAGES
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses.flow.stages import outcome_by_team, stage_counts, visits

MEASURES = (
    "stage", "after_previous", "after_all", "people", "records", "repeats", "people_repeating",
    "people_long",
)  # fmt: skip


def rows_of(frame):
    return sorted((tuple(row[name] for name in MEASURES) for row in frame.collect()), key=str)


def test_cases_are_counted_by_stage_and_earlier_stages(spark):
    visited = visits(
        spark.createDataFrame(EVENTS, "case bigint, activity string"),
        spark.createDataFrame(ASSESSED, "case bigint"),
    )
    assert rows_of(stage_counts(visited, STAGES)) == sorted(COUNTS, key=str)


def test_activities_of_a_log_have_no_earlier_stages(spark):
    draw = random.Random(5)
    events = [(case, draw.choice(STAGES)) for case in range(60) for _ in range(draw.randrange(7))]
    visited = visits(spark.createDataFrame(events, "case bigint, activity string"), None)
    found = rows_of(stage_counts(visited, []))
    counts = Counter(events)
    expected = [(None, None, None, len({case for case, _ in events}), len(events), None, 0, 0)]
    for stage in STAGES:
        times = [n for (_, activity), n in counts.items() if activity == stage]
        several = sum(n > 1 for n in times)
        repeats = sum(times) - len(times)
        expected.append((stage, None, None, len(times), sum(times), repeats, several, 0))
    assert found == sorted(expected, key=str)


def test_outcomes_and_teams_fall_into_their_categories(spark):
    records = [
        (1, "CLNFS - Close \u2013 No Further Services", "AD Erdington"),
        (1, "clnfs - closed", " ad erdington"),  # another spelling of both
        (2, "CLNFS", "Team nobody listed"),
        (3, "NEW99 - Not listed", "AD Erdington"),
        (3, None, None),
        (None, "CLNFS", "AD Erdington"),  # counts as a record, not as a person
    ]
    actual = outcome_by_team(
        spark.createDataFrame(records, "case bigint, outcome string, team string"),
        {"CLNFS": "Close"},
        {"AD ERDINGTON": "Adults"},
    )
    expected = [
        ("Close", "Adults", 1, 3),
        ("Close", "Others", 1, 1),
        ("Unknown", "Adults", 1, 1),
        ("Unknown", "Others", 1, 1),
    ]
    assertDataFrameEqual(
        actual.select("outcome_category", "team_category", "people", "records"),
        spark.createDataFrame(
            expected,
            "outcome_category string, team_category string, people bigint, records bigint",
        ),
    )
