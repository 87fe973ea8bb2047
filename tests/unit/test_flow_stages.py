"""Tables of stages from counts, on cases few enough to count by hand."""

import pandas as pd
import pytest
from flows import COUNTS, STAGES, stage_counts
from frames import rows_of

from socare_spark.analyses.flow.durations import FLOW_REWORK
from socare_spark.analyses.flow.stages import (
    STAGE_COMPLETION,
    STAGE_CONTINUITY,
    STAGE_TOTALS,
    flow_rework,
    long_cases,
    stage_completion,
    stage_continuity,
    stage_totals,
)


@pytest.fixture
def counted():
    return stage_counts(COUNTS)


def rows(table, frame, *columns):
    """Rows of a table in order. The frame has all columns of the table."""
    assert {*table.names} - {"flow"} <= {*frame.columns}
    assert frame["cost"].isna().all()
    return rows_of(frame, *columns)


def test_totals_count_people_once_and_records_all(counted):
    assert rows(STAGE_TOTALS, stage_totals(counted), "stage", "people", "records") == [
        ("AS", 2, 3), ("CA", 3, 4), ("SP", 3, 3), ("assessed", 6, 11),
    ]  # fmt: skip


def test_rework_is_of_stages_only(counted):
    columns = ("activity", "people", "records", "repeats", "people_repeating")
    assert rows(FLOW_REWORK, flow_rework(counted), *columns) == [
        ("AS", 2, 3, 1, 1), ("CA", 3, 4, 1, 1), ("SP", 3, 3, 0, 0),
    ]  # fmt: skip


def test_continuity_is_a_share_of_the_people_in_either_stage(counted):
    columns = (
        "stage", "previous", "people_without_previous", "people_either", "share", "people",
        "records",
    )  # fmt: skip
    assert rows(STAGE_CONTINUITY, stage_continuity(counted, STAGES), *columns) == [
        ("AS", "CA", 1, 4, 1 / 4, 1, 2),
        ("SP", "AS", 2, 4, 2 / 4, 2, 2),
    ]


def test_stage_without_skips_has_a_row_with_zero():
    one = [
        ("CA", None, True, 1, 1, 0, 0, 0),
        ("AS", True, True, 1, 1, 0, 0, 0),
        (None, None, None, 1, 2, None, 0, 0),
    ]
    columns = ("stage", "people_without_previous", "people_either", "share", "people", "records")
    made = stage_continuity(stage_counts(one), ["CA", "AS", "SP", "AG"])
    assert rows(STAGE_CONTINUITY, made, *columns) == [
        ("AS", 0, 1, 0.0, 0, 0),
        ("SP", 0, 1, 0.0, 0, 0),  # nobody is in AG, and nobody in the stage before it: no row
    ]


def test_completion_needs_every_stage_before(counted):
    columns = (
        "stage", "people_all_stages", "people_any", "share_any", "share_last", "people", "records",
    )  # fmt: skip
    assert rows(STAGE_COMPLETION, stage_completion(counted, STAGES), *columns) == [
        ("AS", 1, 6, 1 / 6, 1 / 2, 1, 1),
        ("CA", 3, 6, 3 / 6, 3 / 3, 3, 4),
        ("SP", 1, 6, 1 / 6, 1 / 3, 1, 1),
    ]


def test_a_stage_without_records_has_no_share():
    one = [("CA", None, True, 1, 1, 0, 0, 0), (None, None, None, 1, 1, None, 0, 0)]
    made = stage_completion(stage_counts(one), ["CA", "AS"])
    columns = ("stage", "people_all_stages", "share_any", "share_last")
    assert rows(STAGE_COMPLETION, made, *columns) == [("AS", 0, 0.0, None), ("CA", 1, 1.0, 1.0)]


def test_a_flow_without_cases_has_no_rows():
    none = stage_counts([])
    frames = [stage_continuity(none, STAGES), stage_completion(none, STAGES), stage_totals(none)]
    assert [len(frame) for frame in frames] == [0, 0, 0]


def test_long_cases_are_those_of_the_whole_flow(counted):
    whole = pd.DataFrame({"stage": [None], "people_long": [2]})
    assert long_cases(pd.concat([counted[counted["stage"].notna()], whole])) == 2
