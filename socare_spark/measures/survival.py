"""Survival curves of right-censored durations."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Normal quantile of a 95 % interval.
_Z = NormalDist().inv_cdf(0.975)


def kaplan_meier(counted: pd.DataFrame) -> pd.DataFrame:
    """Estimates the cumulative incidence (1 - Kaplan-Meier) of each transition.

    Args:
        counted: One row for each transition and duration: `transition`, `time`, `records` (records
            with this duration, events and censored) and `events`.

    Returns:
        The rows in order of transition and time, with `at_risk`, `censored`,
        `cumulative_incidence`, and `lower` and `upper`, the limits of the 95 % log-log interval
        (NaN if undefined).
    """
    rows = counted.sort_values(["transition", "time"], ignore_index=True)
    by_transition = rows["transition"]
    records, events = (rows[name].to_numpy(float) for name in ("records", "events"))
    so_far = rows.groupby("transition")["records"].cumsum().to_numpy(float)
    total = rows.groupby("transition")["records"].transform("sum").to_numpy(float)
    at_risk = total - so_far + records
    left = at_risk - events
    # Once all records at risk have the event, survival is 0 and its logarithm is undefined.
    none_left = pd.Series(left == 0).groupby(by_transition).cummax().to_numpy(bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = pd.Series(np.where(left > 0, np.log1p(-events / at_risk), 0.0))
        spread = pd.Series(np.where(left > 0, events / (at_risk * left), 0.0))
        log = np.where(none_left, np.nan, step.groupby(by_transition).cumsum())
        width = _Z * np.sqrt(spread.groupby(by_transition).cumsum()) / np.abs(log)
        lower, upper = (
            np.where(log < 0, 1 - np.exp(log * np.exp(sign * width)), np.nan) for sign in (-1, 1)
        )
    return rows.assign(
        at_risk=at_risk.astype(int),
        censored=(records - events).astype(int),
        cumulative_incidence=np.where(none_left, 1.0, 1 - np.exp(log)),
        lower=lower,
        upper=upper,
    )


def growing_points(number: int, last: int) -> list[int]:
    """The time 0 and times that grow from 1 to the last one by a constant factor.

    Times are rounded to whole numbers with two significant digits, and equal ones are one point.

    Args:
        number: Largest number of points, at least 2.
        last: The last time.
    """
    if last < number:
        return [*range(last + 1)]
    times = np.geomspace(1, last, number - 1).tolist()
    return sorted({0, *(min(last, round(float(f"{time:.2g}"))) for time in times)})


def at_points(curves: pd.DataFrame, points: Sequence[int]) -> pd.DataFrame:
    """Reduces curves to some points. The estimates at the points do not change.

    Args:
        curves: Result of `kaplan_meier`, with `people`.
        points: Times in ascending order. The time 0 and the last time of each transition are points
            in any case; later points are left out.

    Returns:
        One row for each transition and point. `people`, `records`, `events` and `censored` are sums
        since the point before; `at_risk` is the number of records that reach the point.
    """
    parts = [_at_points(curve, points) for _, curve in curves.groupby("transition")]
    return pd.concat(parts, ignore_index=True) if parts else curves


def _at_points(curve: pd.DataFrame, points: Sequence[int]) -> pd.DataFrame:
    times = curve["time"].to_numpy(np.int64)
    last = times[-1]
    kept = np.array(sorted({0, last, *(point for point in points if point < last)}), np.int64)
    # Number of rows up to each point, and before it.
    until, before = (np.searchsorted(times, kept, side=side) for side in ("right", "left"))

    def since_the_point_before(name: str) -> NDArray[np.int64]:
        sums = np.concatenate([[0], curve[name].to_numpy(np.int64).cumsum()])
        return np.diff(sums[until], prepend=0)

    def at_the_point(name: str, start: float) -> NDArray[np.float64]:
        return np.concatenate([[start], curve[name].to_numpy(float)])[until]

    return pd.DataFrame(
        {
            "transition": curve["transition"].iloc[0],
            "time": kept,
            **{
                name: since_the_point_before(name)
                for name in ("people", "records", "events", "censored")
            },
            "at_risk": curve["at_risk"].to_numpy(np.int64)[before],
            "cumulative_incidence": at_the_point("cumulative_incidence", 0.0),
            **{name: at_the_point(name, np.nan) for name in ("lower", "upper")},
        }
    )
