"""The last day to which transitions are followed."""

from datetime import date
from types import SimpleNamespace

import pytest

from socare_spark.analyses.as_of import followed_until
from socare_spark.analyses.flow.durations import Transition, followed_transitions
from socare_spark.analyses.flow.events import transition_name

EARLY, LATE = date(2015, 1, 1), date(2016, 1, 1)


def inputs(tmp_path, columns, days, as_of):
    """A dataset `d` without a contract."""
    return SimpleNamespace(
        conf=tmp_path,
        as_of=as_of,
        exists=lambda _: True,
        has_column=lambda _, column, __: column in columns,
        partition_days=lambda *_: days,
    )


@pytest.mark.parametrize(
    ("columns", "days", "as_of", "last_record", "expected"),
    [
        (["snapshot"], [EARLY, LATE], None, EARLY, LATE),
        (["extract"], [EARLY], None, LATE, EARLY),
        (["extract"], [LATE], EARLY, None, EARLY),
        (["extract"], [], None, LATE, None),
        (["day"], None, None, LATE, LATE),
        (["day"], None, EARLY, LATE, EARLY),
        (["day"], None, None, None, None),
        (["day"], None, EARLY, None, EARLY),
    ],
)
def test_records_are_followed_to_the_newest_extract(
    tmp_path, columns, days, as_of, last_record, expected
):
    assert followed_until(inputs(tmp_path, columns, days, as_of), "d", last_record) == expected


def test_a_transition_is_followed_to_the_earlier_end_of_its_activities():
    ends = {"CA": LATE, "AS": EARLY, "SP": None, "AG": None}
    pairs = [("CA", "AS"), ("AS", "SP"), ("SP", "AG")]
    assert followed_transitions(pairs, ends) == [
        Transition("CA", "AS", EARLY),
        Transition("AS", "SP", EARLY),
    ]


def test_the_separator_within_an_activity_is_escaped():
    assert transition_name("A > B", "C") == "A \\> B > C"
