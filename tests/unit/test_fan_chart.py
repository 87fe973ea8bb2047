"""Fans of forecasts are drawn whatever the series, and the same for the same data."""

import numpy as np
import pandas as pd

from socare_spark.charts.fan_chart import Fan, draw_fans

PERIODS = [str(one) for one in pd.period_range("2010Q1", periods=12, freq="Q")]


def rows(counted, expected, begin=0, incomplete=0):
    values = np.arange(10.0, 10 + counted)
    nothing = np.full(counted - incomplete, np.nan)
    ahead = np.arange(expected + incomplete) + 20.0
    complete = [*[True] * (counted - incomplete), *[False] * incomplete, *[None] * expected]
    lines = {"actual": np.append(values, np.full(expected, np.nan))}
    for name, shift in (
        ("forecast", 0), ("lower_80", -2), ("upper_80", 2), ("lower_95", -4), ("upper_95", 4),
    ):  # fmt: skip
        lines[name] = np.append(nothing, ahead + shift)
    periods = PERIODS[begin : begin + counted + expected]
    return pd.DataFrame({"period": periods, "complete": complete, **lines})


def test_every_series_is_drawn(tmp_path):
    fans = [
        Fan("A, people", "ETS, MASE 0.80", rows(8, 4)),
        Fan("A $\\frac$ description\nof two lines, records", "too short to forecast", rows(3, 0)),
        Fan("B, cost", "straight trend", rows(5, 4, begin=2)),
        Fan("C, people", "too short to forecast", rows(1, 0, begin=9)),
    ]
    one = draw_fans(fans, tmp_path / "one.png", "a table").read_bytes()
    assert draw_fans(fans, tmp_path / "two.png", "a table").read_bytes() == one
    fewer = draw_fans(fans[:3], tmp_path / "fewer.png", "a table").read_bytes()
    assert fewer != one
    assert draw_fans(fans[1:2], tmp_path / "short.png", "a table").is_file()
    late = [Fan("A, people", "ETS, MASE 0.80", rows(8, 4, incomplete=2)), *fans[1:]]
    assert draw_fans(late, tmp_path / "late.png", "a table").read_bytes() != one
