"""Limits of a log: its transitions with durations, and its activities."""

from datetime import date

import pandas as pd
import pytest

from socare_spark.analyses.flow import bounds
from socare_spark.analyses.flow.settings import Flow
from socare_spark.errors import ConfigurationError

LOG = {"dataset": "doors", "case": "door", "time": "at", "activity": "what", "transitions": 2}
FLOW = Flow.model_validate({"flow": "doors", "title": "Doors", "log": LOG})
EDGES = pd.DataFrame(
    [("a", "b", 5), ("a", "a", 9), ("b", "c", 5), ("a", "c", 1), ("c", "b", 5)],
    columns=["from_activity", "to_activity", "transitions"],
)


def test_the_most_common_transitions_come_first():
    found = [*bounds.transitions_of(EDGES).itertuples(index=False, name=None)]
    assert found == [("a", "b"), ("b", "c"), ("c", "b"), ("a", "c")]


def test_transitions_without_durations_are_reported():
    (warning,), counts = bounds.exceeded_limits(FLOW, 0, EDGES)
    assert counts == {"transitions_without_durations": 2}
    assert "has 4 transitions. working/flow_durations has the 2 most common" in warning


def test_long_cases_are_reported():
    (warning,), counts = bounds.exceeded_limits(FLOW, 2, EDGES.head(2))
    assert counts == {"cases_too_long": 2}
    assert "has 2 cases with more than 10,000 steps" in warning


def test_a_log_within_its_limits_gives_no_warning():
    assert bounds.exceeded_limits(FLOW, 0, EDGES.head(3)) == ([], {})


def test_events_after_the_last_day_are_reported():
    later = pd.DataFrame({"dataset": ["doors", "gates"], "later": [1_200, 3]})
    ends = {"doors": date(2020, 1, 31), "gates": date(2020, 2, 29), "halls": None}
    (warning,), counts = bounds.later_events(FLOW, later, ends)
    assert counts == {"after_last_day": 1_203}
    assert "1,200 of doors after 2020-01-31, 3 of gates after 2020-02-29" in warning
    assert bounds.later_events(FLOW, later.head(0), ends) == ([], {})


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ({}, "Such events are in the order of the names of their activities, so"),
        ({"key": "no"}, "Such events have the same no, and are in the order of the names of their"),
        (
            {"key": "line"},
            "Such events are in several files, and in the order of the names of these",
        ),
    ],
)
def test_events_without_an_order_are_reported(key, says):
    flow = Flow.model_validate({"flow": "doors", "title": "Doors", "log": LOG | key})
    (warning,), counts = bounds.unordered_events(flow, 1_485)
    assert counts == {"unordered_events": 1_485}
    assert "1,485 events have the case and time of an event of another activity" in warning
    assert says in warning
    assert bounds.unordered_events(FLOW, 0) == ([], {})


def test_a_log_whose_activity_is_a_text_is_refused(monkeypatch):
    monkeypatch.setattr(bounds, "MOST_ACTIVITIES", 3)
    bounds.check_activities("doors", FLOW.log, 3)
    with pytest.raises(ConfigurationError, match=r"column what of dataset doors has 4 different"):
        bounds.check_activities("doors", FLOW.log, 4)
