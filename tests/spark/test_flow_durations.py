"""Waiting times against statsmodels' survival function, and rework against plain counting."""

import itertools
import random
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest
from pyspark.sql import functions as F
from statsmodels.duration.survfunc import SurvfuncRight

from socare_spark.analyses.flow.durations import consecutive, flow_durations, flow_rework
from socare_spark.analyses.flow.events import MICROSECONDS_A_DAY
from socare_spark.analyses.flow.stages import visits

FIRST = date(2013, 1, 1)
LAST = date(2015, 12, 31)
STAGES = ["CA", "AS", "SP"]
SCHEMA = "case bigint, activity string, at bigint, tie int"


def moment(day):
    return ((day - date(1970, 1, 1)).days) * MICROSECONDS_A_DAY


def until(pairs, last):
    return pairs.withColumn("last", F.lit(last))


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


def test_equal_to_the_survival_function_of_statsmodels(spark):
    rows = random_events(400)
    events = spark.createDataFrame(rows, SCHEMA).repartition(3)
    made = flow_durations(events, until(consecutive(events, STAGES), LAST)).toPandas()
    assert set(made["transition"]) == {"CA > AS", "AS > SP"}
    for a, b in itertools.pairwise(STAGES):
        days, status = np.array(waits(rows, a, b)).T
        expected = SurvfuncRight(days, status)
        ours = made[made["transition"] == f"{a} > {b}"].sort_values("days")
        assert ours["people"].sum() == len(days)
        assert ours["events"].sum() == status.sum()
        assert ours["censored"].sum() == len(days) - status.sum()
        steps = ours[ours["events"] > 0]
        assert steps["days"].tolist() == expected.surv_times.tolist()
        assert steps["at_risk"].tolist() == expected.n_risk.tolist()
        survived = 1 - steps["cumulative_incidence"].to_numpy()
        np.testing.assert_allclose(survived, expected.surv_prob, rtol=1e-9, atol=1e-12)
        inner = (survived > 0) & (survived < 1)
        log = np.log(expected.surv_prob[inner])
        error = expected.surv_prob_se[inner] / expected.surv_prob[inner] / np.abs(log)
        for column, sign in (("lower", -1), ("upper", 1)):
            power = np.exp(sign * 1.959963984540054 * error)
            np.testing.assert_allclose(steps[column].to_numpy()[inner], 1 - np.exp(log * power))


def test_incidence_reaches_one_without_limits_when_everybody_arrives(spark):
    rows = [(i, s, moment(FIRST) + i * k * MICROSECONDS_A_DAY, k)
            for i in range(1, 4) for k, s in enumerate(STAGES)]  # fmt: skip
    events = spark.createDataFrame(rows, SCHEMA)
    made = flow_durations(events, until(consecutive(events, STAGES[:2]), LAST)).orderBy("days")
    found = [
        (r["days"], r["at_risk"], r["events"], r["cumulative_incidence"]) for r in made.collect()
    ]
    assert [tuple(f[:3]) for f in found] == [(1, 3, 1), (2, 2, 1), (3, 1, 1)]
    assert found[-1][3] == 1.0
    last = made.collect()[-1]
    assert last["lower"] is None
    assert last["upper"] is None


@pytest.mark.parametrize("last", [FIRST, FIRST + timedelta(5)])
def test_events_after_the_last_day_are_censored(spark, last):
    rows = [(1, "CA", moment(FIRST), 0), (1, "AS", moment(FIRST + timedelta(6)), 1)]
    events = spark.createDataFrame(rows, SCHEMA)
    (only,) = flow_durations(events, until(consecutive(events, ["CA", "AS"]), last)).collect()
    assert (only["days"], only["events"], only["censored"]) == ((last - FIRST).days, 0, 1)
    assert only["cumulative_incidence"] == 0.0


def test_each_transition_is_followed_to_the_earlier_end_of_its_two_stages(spark):
    def day(number):
        return moment(FIRST + timedelta(number))

    rows = [
        (1, "CA", day(0), 0), (1, "AS", day(4), 1),
        (2, "CA", day(1), 0), (2, "AS", day(12), 1),  # after the last day of CA > AS
        (3, "CA", day(2), 0), (3, "AS", day(3), 1), (3, "SP", day(18), 2),
        (4, "CA", day(11), 0), (4, "AS", day(15), 1),  # begins after that day
    ]  # fmt: skip
    ends = [("CA", "AS", FIRST + timedelta(10)), ("AS", "SP", FIRST + timedelta(20))]
    pairs = spark.createDataFrame(ends, "from_activity string, to_activity string, last date")
    made = flow_durations(spark.createDataFrame(rows, SCHEMA), pairs).collect()
    found = {tuple(r[c] for c in ("transition", "days", "at_risk", "events", "censored"))
             for r in made}  # fmt: skip
    assert found == {
        ("CA > AS", 1, 3, 1, 0), ("CA > AS", 4, 2, 1, 0), ("CA > AS", 9, 1, 0, 1),
        ("AS > SP", 5, 4, 0, 1), ("AS > SP", 8, 3, 0, 1), ("AS > SP", 15, 2, 1, 0),
        ("AS > SP", 16, 1, 0, 1),
    }  # fmt: skip


def test_rework_counts_records_beyond_the_first_of_a_case(spark):
    rows = random_events(60)
    made = flow_rework(visits(spark.createDataFrame(rows, SCHEMA), None)).collect()
    counts = Counter((case, activity) for case, activity, _, _ in rows)
    for stage in STAGES:
        times = [n for (_, activity), n in counts.items() if activity == stage]
        (row,) = [r for r in made if r["activity"] == stage]
        assert row["repeats"] == sum(times) - len(times)
        assert row["people_repeating"] == sum(n > 1 for n in times)
        assert (row["people"], row["records"]) == (len(times), sum(times))
