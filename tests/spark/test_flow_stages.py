"""People by stage, on cases small enough to count by hand."""

import pytest
from pyspark.testing import assertDataFrameEqual

from socare_spark.analyses.flow.stages import (
    outcome_by_team,
    stage_completion,
    stage_continuity,
    stage_totals,
    visits,
)

STAGES = ["CA", "AS", "SP"]


@pytest.fixture
def visited(spark):
    events = [
        (1, "CA"), (1, "CA"), (1, "AS"), (1, "SP"),  # through all stages, one of them twice
        (2, "CA"),
        (3, "AS"), (3, "AS"),  # never contacted
        (4, "SP"),  # neither contacted nor assessed
        (5, "CA"), (5, "SP"),  # skips a stage
    ]  # fmt: skip
    # A sixth person was assessed in a sub-process that is no stage; one assessment has no person.
    assessed = [(1,)] * 4 + [(2,), (3,), (3,), (4,), (5,), (5,), (6,), (None,)]
    return visits(
        spark.createDataFrame(events, "case bigint, activity string"),
        spark.createDataFrame(assessed, "case bigint"),
    ).cache()


def test_totals_count_people_once_and_records_all(spark, visited):
    expected = [("CA", 3, 4), ("AS", 2, 3), ("SP", 3, 3), ("assessed", 6, 11)]
    assertDataFrameEqual(
        stage_totals(visited).select("stage", "people", "records"),
        spark.createDataFrame(expected, "stage string, people bigint, records bigint"),
    )


def test_continuity_is_a_share_of_the_people_in_either_stage(spark, visited):
    expected = [
        # stage, previous, without previous, either, share, records of those without
        ("AS", "CA", 1, 4, 1 / 4, 2),
        ("SP", "AS", 2, 4, 2 / 4, 2),
    ]
    assertDataFrameEqual(
        stage_continuity(visited, STAGES).select(
            "stage", "previous", "people_without_previous", "people_either", "share", "records"
        ),
        spark.createDataFrame(
            expected,
            "stage string, previous string, people_without_previous bigint, "
            "people_either bigint, share double, records bigint",
        ),
        rtol=0,
        atol=0,
    )


def test_stage_without_skips_has_a_row_with_zero(spark):
    one = spark.createDataFrame([(1, "CA"), (1, "AS")], "case bigint, activity string")
    row = stage_continuity(visits(one, None), ["CA", "AS"]).first()
    assert (row["people_without_previous"], row["people_either"], row["share"]) == (0, 1, 0.0)
    assert (row["people"], row["records"]) == (0, 0)


def test_completion_needs_every_stage_before(spark, visited):
    expected = [
        # stage, in it and all before, in any or assessed, share of any, of the stage, records
        ("CA", 3, 6, 3 / 6, 3 / 3, 4),
        ("AS", 1, 6, 1 / 6, 1 / 2, 1),
        ("SP", 1, 6, 1 / 6, 1 / 3, 1),
    ]
    assertDataFrameEqual(
        stage_completion(visited, STAGES).select(
            "stage", "people_all_stages", "people_any", "share_any", "share_last", "records"
        ),
        spark.createDataFrame(
            expected,
            "stage string, people_all_stages bigint, people_any bigint, share_any double, "
            "share_last double, records bigint",
        ),
        rtol=0,
        atol=0,
    )


def test_a_stage_without_records_has_no_share(spark):
    one = spark.createDataFrame([(1, "CA")], "case bigint, activity string")
    last = stage_completion(visits(one, None), ["CA", "AS"]).where("stage = 'AS'").first()
    assert (last["people_all_stages"], last["share_any"], last["share_last"]) == (0, 0.0, None)


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
        spark.createDataFrame([("CLNFS", "Close")], "code string, outcome_category string"),
        spark.createDataFrame([("AD ERDINGTON", "Adults")], "team string, team_category string"),
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
