"""Cumulative incidence of the next stage by time, with the number of cases at risk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from numpy.typing import NDArray

from socare_spark.charts.labels import distinct_labels
from socare_spark.charts.style import (
    CATEGORIES,
    HAIRLINE,
    INK,
    QUIET,
    STYLE,
    headline,
    new_figure,
    save,
    small_print,
)

_DRAWN = 6  # curves; more cannot be distinguished
_TICKS = {
    "days": (0, 1, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1095, 1460, 1825, 2555, 3650),
    "hours": (0, 1, 3, 6, 12, 24, 48, 72, 168, 336, 720, 1440, 2160, 4320, 8760, 17520, 26280),
    "minutes": (
        0, 1, 5, 15, 30, 60, 120, 240, 480, 1440, 2880, 4320, 10080, 20160, 43200, 86400, 129600,
        259200, 525600, 1051200,
    ),
    "seconds": (
        0, 1, 5, 15, 30, 60, 120, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 604800,
        2592000, 7776000, 31536000,
    ),
}  # fmt: skip
_APART, _CHARACTER = 0.05, 0.0095  # of the axis: between ticks, and a character of their labels
# Inches: a line of the table and of the key, the curves, the head and the foot.
_LINE, _KEY, _CURVES, _TOP, _FOOT = 0.2, 0.15, 3.3, 0.85, 1.15


@dataclass(frozen=True)
class Waiting:
    """The texts of a chart.

    Attributes:
        title: Title of the flow.
        source: Source of the figures.
        unit: Unit of the times: `days`, `hours`, `minutes` or `seconds`.
        cases: Name of several cases, such as `people`.
        at_points: Whether the rows are some points of the curves, and not all times.
    """

    title: str
    source: str
    unit: str = "days"
    cases: str = "people"
    at_points: bool = False


def draw_waiting(rows: pd.DataFrame, waiting: Waiting, path: Path) -> Path:
    """Draws a curve with 95 % limits for each of the most frequent transitions.

    Args:
        rows: Rows of one flow, at least one: transition, time, at_risk, events,
            cumulative_incidence, lower, upper (null where there is no limit).
        waiting: Texts of the chart.
        path: Path of the PNG.
    """
    begun = rows.groupby("transition")["at_risk"].max()
    came = rows.groupby("transition")["events"].sum()
    order = sorted(begun.index, key=lambda name: (-came[name], -begun[name], name))
    drawn = [name for name in order[:_DRAWN] if came[name]] or order[:1]
    drawn.sort(key=lambda name: (-begun[name], name))
    curves = {name: rows[rows["transition"] == name].sort_values("time") for name in drawn}
    last = max(*(float(curve["time"].max()) for curve in curves.values()), 1.0)
    table, key = len(drawn) * _LINE, len(drawn) * _KEY
    height = _TOP + key + _CURVES + table + _FOOT
    with rc_context(STYLE):
        figure = new_figure(9.2, height)
        axes = figure.add_axes((0.2, (_FOOT + table) / height, 0.76, _CURVES / height))
        labels = distinct_labels(drawn, 80)
        for colour, name, label in zip(CATEGORIES, drawn, labels, strict=False):
            text = f"{label}: {came[name]:,} of {begun[name]:,} {waiting.cases}"
            _curve(axes, curves[name], colour, text, waiting)
        ticks = _frame(axes, last, _ticks(curves, last, waiting), waiting.unit)
        short_labels = distinct_labels(drawn, 24)
        for line, (colour, name) in enumerate(zip(CATEGORIES, drawn, strict=False)):
            _followed(axes, curves[name], ticks, -0.68 - line * _LINE)
            axes.annotate(
                short_labels[line], (-0.24, (-0.68 - line * _LINE) / _CURVES),
                xycoords="axes fraction", fontsize=7, color=colour, va="center",
            )  # fmt: skip
        axes.annotate(
            "Still waiting", (-0.24, -0.47 / _CURVES), xycoords="axes fraction", fontsize=7.5,
            color=QUIET, fontweight="bold", va="center",
        )  # fmt: skip
        figure.legend(
            loc="upper left", bbox_to_anchor=(0.19, 1 - 0.56 / height), labelspacing=0.35
        )  # fmt: skip
        by = "day" if waiting.unit == "days" else "time"
        who = "who" if waiting.cases == "people" else "that"
        headline(
            figure,
            f"{waiting.title}: how long until the next stage",
            f"Share of {waiting.cases} {who} came to it by the {by}, with 95 % limits; others are "
            "followed to the last day that is known",
        )
        small_print(figure, waiting.source, _left_out(order, drawn, waiting))
        return save(figure, path)


def _root(days: NDArray[np.float64]) -> NDArray[np.float64]:
    root: NDArray[np.float64] = np.sqrt(np.maximum(days, 0.0))
    return root


def _left_out(order: Sequence[str], drawn: Sequence[str], waiting: Waiting) -> str:
    texts = [f"{waiting.unit.capitalize()} on a square-root scale."]
    if waiting.at_points:
        texts.append("Straight lines join the points of the table.")
    if len(order) > len(drawn):
        number = len(drawn)
        texts.append(f"The {number} transitions that most {waiting.cases} made, of {len(order)}.")
    return " ".join(texts)


def _curve(axes: Axes, curve_rows: pd.DataFrame, colour: str, label: str, waiting: Waiting) -> None:
    times = np.concatenate([[0.0], curve_rows["time"].to_numpy(dtype=float)])

    def from_nothing(column: str) -> NDArray[np.float64]:
        return np.concatenate([[0.0], curve_rows[column].to_numpy(dtype=float)])

    share = from_nothing("cumulative_incidence")
    # There is no band where a limit is null: before the first event and after the last.
    lower, upper = (np.where(np.isnan(v), share, v) for v in map(from_nothing, ("lower", "upper")))
    line: dict[str, Any] = {"color": colour, "linewidth": 1.6, "label": label, "zorder": 3}
    band: dict[str, Any] = {"color": colour, "alpha": 0.22, "linewidth": 0}
    if waiting.at_points:
        axes.plot(times, share, **line)
        axes.fill_between(times, lower, upper, **band)
    else:
        axes.step(times, share, where="post", **line)
        axes.fill_between(times, lower, upper, step="post", **band)


def _ticks(curves: Mapping[str, pd.DataFrame], last: float, waiting: Waiting) -> list[int]:
    """Times at which the table can have the number at risk of every curve, without near ones."""
    candidates: Sequence[int] = _TICKS[waiting.unit]
    if waiting.at_points:
        times = [set(curve["time"].astype(int)) for curve in curves.values()]
        candidates = [
            time
            for time in sorted(set.union(*times))
            if all(time in points for points in times if max(points) >= time)
        ]
    ticks: list[int] = []
    for tick in candidates:
        apart = np.sqrt(tick / last) - np.sqrt(ticks[-1] / last) if ticks else 1.0
        if tick <= last and apart >= max(_APART, _CHARACTER * (len(f"{tick:,}") + 1)):
            ticks.append(tick)
    return ticks


def _frame(axes: Axes, last: float, ticks: list[int], unit: str) -> list[int]:
    axes.set_xscale("function", functions=(_root, np.square))
    axes.set(xlim=(0, last), ylim=(0, 1))
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.tick_params(length=0, labelsize=8)
    label = f"{unit.capitalize()} since the first time in the stage before"
    axes.set_xlabel(label, fontsize=8, color=QUIET)
    axes.grid(color=HAIRLINE, linewidth=0.4)
    axes.set_axisbelow(True)
    return ticks


def _followed(axes: Axes, curve_rows: pd.DataFrame, ticks: Sequence[int], inches: float) -> None:
    """Adds a line of the table below the times: number of cases at risk at each tick."""
    times, risk = curve_rows["time"].to_numpy(), curve_rows["at_risk"].to_numpy()
    y = inches / _CURVES
    for tick in ticks:
        place = int(np.searchsorted(times, tick))
        number = int(risk[place]) if place < len(risk) else 0
        axes.annotate(
            f"{number:,}", (tick, y), xycoords=("data", "axes fraction"), ha="center", va="center",
            fontsize=7, color=INK, annotation_clip=False,
        )  # fmt: skip
