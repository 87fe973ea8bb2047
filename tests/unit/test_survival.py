"""Cumulative incidence by hand and against the survival function of statsmodels."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from socare_spark.measures.survival import at_points, growing_points, kaplan_meier

COLUMNS = ["transition", "time", "records", "events"]


def curve(*rows):
    return kaplan_meier(pd.DataFrame(rows, columns=COLUMNS))


def test_incidence_by_hand():
    """Of five records two have the event after a day, one is censored, one has it after three."""
    found = curve(("a", 1, 2, 2), ("a", 2, 1, 0), ("a", 3, 2, 1))
    assert found["at_risk"].tolist() == [5, 3, 2]
    assert found["censored"].tolist() == [0, 1, 1]
    assert found["cumulative_incidence"].tolist() == pytest.approx([0.4, 0.4, 1 - 0.6 * 0.5])


def test_transitions_are_separate_and_in_order():
    rows = [("b", 2, 1, 1), ("a", 5, 3, 1), ("b", 1, 1, 0), ("a", 1, 1, 1)]
    found = curve(*rows)
    assert found[["transition", "time"]].to_numpy().tolist() == [
        ["a", 1], ["a", 5], ["b", 1], ["b", 2],
    ]  # fmt: skip
    own = pd.concat([curve(*(row for row in rows if row[0] == name)) for name in "ab"])
    pd.testing.assert_frame_equal(found, own.reset_index(drop=True))


def test_without_events_there_is_no_incidence_and_no_interval():
    found = curve(("a", 1, 3, 0), ("a", 9, 2, 0))
    assert found["cumulative_incidence"].tolist() == [0, 0]
    assert found[["lower", "upper"]].isna().all(axis=None)


def test_incidence_is_one_without_interval_once_all_have_the_event():
    found = curve(("a", 1, 1, 1), ("a", 2, 3, 3), ("b", 1, 2, 1))
    assert found["cumulative_incidence"].tolist() == pytest.approx([0.25, 1, 0.5])
    assert found["lower"].notna().tolist() == [True, False, True]


def test_no_transition_gives_no_rows():
    empty = pd.DataFrame(columns=COLUMNS).astype(
        {"time": "Int64", "records": "Int64", "events": "Int64"}
    )
    found = kaplan_meier(empty)
    assert len(found) == 0
    assert found.columns[-5:].tolist() == [
        "at_risk", "censored", "cumulative_incidence", "lower", "upper",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_the_survival_function_of_statsmodels(seed):
    draw = np.random.default_rng(seed)
    days, events = draw.integers(0, 60, 400), draw.random(400) < 0.6
    records = pd.DataFrame({"transition": "a", "time": days, "events": events.astype(int)})
    counted = records.groupby(["transition", "time"])["events"].agg(["size", "sum"]).reset_index()
    counted.columns = COLUMNS
    found = kaplan_meier(counted.astype({"records": "Int64", "events": "Int64"}))
    other = SurvfuncRight(days.astype(float), events)
    at = found[found["events"] > 0]
    assert at["time"].tolist() == other.surv_times.tolist()
    assert at["at_risk"].tolist() == other.n_risk.tolist()
    assert at["cumulative_incidence"].to_numpy() == pytest.approx(1 - other.surv_prob)
    inner = other.surv_prob > 0
    survival, error = other.surv_prob[inner], other.surv_prob_se[inner]
    # Greenwood's error of the logarithm of the survival, in the log-log form.
    width = NormalDist().inv_cdf(0.975) * error / (survival * np.abs(np.log(survival)))
    assert at["lower"].to_numpy()[inner] == pytest.approx(1 - survival ** np.exp(-width))
    assert at["upper"].to_numpy()[inner] == pytest.approx(1 - survival ** np.exp(width))
    assert at["lower"].isna().tolist() == (~inner).tolist()


def test_curves_at_points_keep_their_estimates_and_their_sums():
    """The points 0, 10 and 20 of times 3, 5, 12, 19 and 40."""
    rows = [("a", 3, 4, 3), ("a", 5, 1, 0), ("a", 12, 2, 2), ("a", 19, 2, 1), ("a", 40, 5, 0)]
    whole = curve(*rows)
    whole["people"] = whole["records"]
    found = at_points(whole, [10, 20, 50])
    assert found["time"].tolist() == [0, 10, 20, 40]
    assert found["events"].tolist() == [0, 3, 3, 0]
    assert found["censored"].tolist() == [0, 2, 1, 5]
    assert found["records"].tolist() == found["people"].tolist() == [0, 5, 4, 5]
    assert found["at_risk"].tolist() == [14, 9, 5, 5]
    for name in ("cumulative_incidence", "lower", "upper"):
        at = whole.set_index("time")[name]
        assert found[name].tolist()[1:] == [at[5], at[19], at[40]]
    assert found["cumulative_incidence"][0] == 0
    assert found[["lower", "upper"]].iloc[0].isna().all()


def test_a_point_that_is_a_time_includes_it():
    whole = curve(("a", 0, 2, 2), ("a", 10, 3, 1), ("b", 4, 1, 1)).assign(people=1)
    found = at_points(whole, [10])
    assert found[["transition", "time", "events", "at_risk"]].to_numpy().tolist() == [
        ["a", 0, 2, 5], ["a", 10, 1, 3], ["b", 0, 0, 1], ["b", 4, 1, 1],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "last", "points"),
    [
        (3, 0, [0]),
        (5, 4, [0, 1, 2, 3, 4]),
        (4, 10_000, [0, 1, 100, 10_000]),
        (4, 99_999, [0, 1, 320, 99_999]),  # the last point is not after the last time
    ],
)
def test_points_grow_by_a_constant_factor(number, last, points):
    assert growing_points(number, last) == points
