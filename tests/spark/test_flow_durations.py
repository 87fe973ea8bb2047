"""Days from one activity to another, against plain counting."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from socare_spark.analyses.flow.durations import Transition, count_durations, flow_durations
from socare_spark.analyses.flow.events import MICROSECONDS_A_DAY
from socare_spark.lake.collect import collect
from socare_spark.measures.survival import kaplan_meier

FIRST = date(2013, 1, 1)
LAST = date(2015, 12, 31)
STAGES = ["CA", "AS", "SP"]
SCHEMA = "case bigint, activity string, at bigint, tie int"


def moment(day):
    return ((day - date(1970, 1, 1)).days) * MICROSECONDS_A_DAY


def random_events(cases):
    draw = random.Random(5)
    rows = []
    for case in range(cases):
        day = FIRST + timedelta(draw.randrange(1000))
        for _ in range(draw.randrange(1, 7)):
            activity = draw.choice(STAGES)
            rows.append((case, activity, moment(day), STAGES.index(activity)))
            day += timedelta(draw.choice([0, 0, 1, 7, 30, 200]))
    return rows


def waits(rows, a, b):
    """Days from the first `a` of a case to the first `b` after it, or to the last day."""
    by_case = {}
    for case, activity, at, tie in rows:
        if at <= moment(LAST):
            by_case.setdefault(case, []).append((at, tie, activity))
    found = []
    for steps in by_case.values():
        starts = [s for s in steps if s[2] == a]
        if starts:
            begun = min(starts)
            after = [s for s in steps if s[2] == b and s[:2] > begun[:2]]
            end = min(after)[0] if after else moment(LAST)
            found.append(((end - begun[0]) // MICROSECONDS_A_DAY, bool(after)))
    return found


def counts(frame):
    """(transition, time) -> records and events."""
    return {(r["transition"], r["time"]): (r["records"], r["events"]) for r in frame.collect()}


def test_days_are_those_of_plain_counting(spark):
    rows = random_events(400)
    events = spark.createDataFrame(rows, SCHEMA).repartition(3)
    pairs = [("CA", "AS"), ("AS", "SP")]
    made = counts(count_durations(events, [Transition(*pair, LAST) for pair in pairs]))
    expected = {}
    for a, b in pairs:
        found = waits(rows, a, b)
        came = Counter(days for days, event in found if event)
        for days, records in Counter(days for days, _ in found).items():
            expected[f"{a} > {b}", days] = (records, came[days])
    assert made == expected


def test_no_transitions_have_no_durations(spark):
    events = spark.createDataFrame(random_events(3), SCHEMA)
    assert counts(count_durations(events, [])) == {}


def test_names_of_transitions_are_escaped(spark):
    rows = [(1, 'é > "b"', 0, 0), (1, "c", MICROSECONDS_A_DAY, 1)]
    transitions = [Transition('é > "b"', "c", LAST)]
    made = count_durations(spark.createDataFrame(rows, SCHEMA), transitions)
    assert counts(made) == {('é \\> "b" > c', 1): (1, 1)}


@pytest.mark.parametrize("last", [FIRST, FIRST + timedelta(5)])
def test_events_after_the_last_day_are_censored(spark, last):
    rows = [(1, "CA", moment(FIRST), 0), (1, "AS", moment(FIRST + timedelta(6)), 1)]
    events = spark.createDataFrame(rows, SCHEMA)
    made = counts(count_durations(events, [Transition("CA", "AS", last)]))
    assert made == {("CA > AS", (last - FIRST).days): (1, 0)}


def test_each_transition_is_followed_to_the_earlier_end_of_its_two_stages(spark):
    def day(number):
        return moment(FIRST + timedelta(number))

    rows = [
        (1, "CA", day(0), 0), (1, "AS", day(4), 1),
        (2, "CA", day(1), 0), (2, "AS", day(12), 1),  # after the last day of CA > AS
        (3, "CA", day(2), 0), (3, "AS", day(3), 1), (3, "SP", day(18), 2),
        (4, "CA", day(11), 0), (4, "AS", day(15), 1),  # begins after that day
    ]  # fmt: skip
    transitions = [
        Transition("CA", "AS", FIRST + timedelta(10)),
        Transition("AS", "SP", FIRST + timedelta(20)),
    ]
    durations = count_durations(spark.createDataFrame(rows, SCHEMA), transitions)
    made = kaplan_meier(collect({"durations": durations})["durations"])
    columns = ["transition", "time", "at_risk", "events", "censored"]
    found = {*made[columns].itertuples(index=False, name=None)}
    assert found == {
        ("CA > AS", 1, 3, 1, 0), ("CA > AS", 4, 2, 1, 0), ("CA > AS", 9, 1, 0, 1),
        ("AS > SP", 5, 4, 0, 1), ("AS > SP", 8, 3, 0, 1), ("AS > SP", 15, 2, 1, 0),
        ("AS > SP", 16, 1, 0, 1),
    }  # fmt: skip


def test_durations_are_whole_units(spark):
    minute = 60_000_000
    rows = [
        (1, "CA", 0, 0), (1, "AS", 90 * minute, 1),
        (2, "CA", 0, 0), (2, "AS", 90 * minute + 1, 1),
        (3, "CA", 0, 0), (3, "AS", 91 * minute - 1, 1),
        (4, "CA", 0, 0), (4, "AS", 26 * 60 * minute, 1),
    ]  # fmt: skip
    events = spark.createDataFrame(rows, SCHEMA).cache()
    transitions = [Transition("CA", "AS", LAST)]
    found = {
        unit: flow_durations(count_durations(events, transitions, unit), "all", unit)
        for unit in ("minutes", "hours", "days")
    }
    columns = ["time", "days", "events", "unit"]
    rows_of = {unit: frame[columns].to_numpy().tolist() for unit, frame in found.items()}
    assert rows_of == {
        "minutes": [[90, 0, 3, "minutes"], [1560, 1, 1, "minutes"]],
        "hours": [[1, 0, 3, "hours"], [26, 1, 1, "hours"]],
        "days": [[0, 0, 3, "days"], [1, 1, 1, "days"]],
    }


@pytest.mark.parametrize("points", [(0, 7, 30), 5])
def test_curves_at_points_equal_those_of_all_times(spark, points):
    events = spark.createDataFrame(random_events(400), SCHEMA).repartition(3)
    pairs = [("CA", "AS"), ("AS", "SP")]
    counted = count_durations(events, [Transition(*pair, LAST) for pair in pairs])
    whole = flow_durations(counted, "all", "days")
    found = flow_durations(counted, points, "days")
    assert len(found) < len(whole) / 10
    for name, curve in found.groupby("transition"):
        times = whole[whole["transition"] == name]
        assert curve["time"].tolist()[-1] == times["time"].max()
        for row in curve.to_dict("records"):
            until = times[times["time"] <= row["time"]]
            share = until["cumulative_incidence"].iloc[-1] if len(until) else 0
            assert row["cumulative_incidence"] == pytest.approx(share)
        sums = ["people", "records", "events", "censored"]
        assert curve[sums].sum().tolist() == times[sums].sum().tolist()


def test_no_transitions_have_no_curves(spark):
    events = spark.createDataFrame(random_events(3), SCHEMA)
    assert len(flow_durations(count_durations(events, []), 40, "days")) == 0
