"""Survival curves of right-censored durations."""

from statistics import NormalDist

import numpy as np
import pandas as pd

# Normal quantile of a 95 % interval.
_Z = NormalDist().inv_cdf(0.975)


def kaplan_meier(counted: pd.DataFrame) -> pd.DataFrame:
    """Estimates the cumulative incidence (1 - Kaplan-Meier) of each transition.

    Args:
        counted: One row for each transition and duration: `transition`, `days`, `records` (records
            with this duration, events and censored) and `events`.

    Returns:
        The rows in order of transition and days, with `at_risk`, `censored`,
        `cumulative_incidence`, and `lower` and `upper`, the limits of the 95 % log-log interval
        (NaN if undefined).
    """
    rows = counted.sort_values(["transition", "days"], ignore_index=True)
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
