"""Cumulative incidence of the next stage by days, with the number of people at risk."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from numpy.typing import NDArray

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
_TICKS = (0, 1, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1095, 1460, 1825, 2555, 3650)
_APART = 0.05  # of the axis, between ticks
# Inches: a line of the table and of the key, the curves, the head and the foot.
_LINE, _KEY, _CURVES, _TOP, _FOOT = 0.2, 0.15, 3.3, 0.85, 1.15


def draw_waiting(rows: pd.DataFrame, title: str, source: str, path: Path) -> Path:
    """Draws a curve with 95 % limits for each of the most frequent transitions.

    Args:
        rows: Rows of one flow, at least one: transition, days, at_risk, events,
            cumulative_incidence, lower, upper (null where there is no limit).
        title: Title of the flow.
        source: Source of the figures.
        path: Path of the PNG.
    """
    begun = rows.groupby("transition")["at_risk"].max()
    came = rows.groupby("transition")["events"].sum()
    order = sorted(begun.index, key=lambda name: (-came[name], -begun[name], name))
    drawn = [name for name in order[:_DRAWN] if came[name]] or order[:1]
    drawn.sort(key=lambda name: (-begun[name], name))
    last = max(float(rows.loc[rows["transition"].isin(drawn), "days"].max()), 1.0)
    table, key = len(drawn) * _LINE, len(drawn) * _KEY
    height = _TOP + key + _CURVES + table + _FOOT
    with rc_context(STYLE):
        figure = new_figure(9.2, height)
        axes = figure.add_axes((0.2, (_FOOT + table) / height, 0.76, _CURVES / height))
        for colour, name in zip(CATEGORIES, drawn, strict=False):
            curve_rows = rows[rows["transition"] == name].sort_values("days")
            _curve(axes, curve_rows, colour, _named(name, came[name], begun[name]))
        ticks = _frame(axes, last)
        for line, (colour, name) in enumerate(zip(CATEGORIES, drawn, strict=False)):
            curve_rows = rows[rows["transition"] == name].sort_values("days")
            _followed(axes, curve_rows, ticks, colour, -0.68 - line * _LINE)
        axes.annotate(
            "Still waiting", (-0.24, -0.47 / _CURVES), xycoords="axes fraction", fontsize=7.5,
            color=QUIET, fontweight="bold", va="center",
        )  # fmt: skip
        figure.legend(
            loc="upper left", bbox_to_anchor=(0.19, 1 - 0.56 / height), labelspacing=0.35
        )  # fmt: skip
        headline(
            figure,
            f"{title}: how long until the next stage",
            "Share of people who came to it by the day, with 95 % limits; others are followed to "
            "the last day that is known",
        )
        small_print(figure, source, _left_out(order, drawn))
        return save(figure, path)


def _named(transition: str, came: int, begun: int) -> str:
    return f"{shorten(transition, 80, placeholder='…')}: {came:,} of {begun:,} people"


def _root(days: NDArray[np.float64]) -> NDArray[np.float64]:
    root: NDArray[np.float64] = np.sqrt(np.maximum(days, 0.0))
    return root


def _left_out(order: Sequence[str], drawn: Sequence[str]) -> str:
    days = "Days on a square-root scale."
    if len(order) == len(drawn):
        return days
    return f"{days} The {len(drawn)} transitions that most people made, of {len(order)}."


def _curve(axes: Axes, curve_rows: pd.DataFrame, colour: str, label: str) -> None:
    days = np.concatenate([[0.0], curve_rows["days"].to_numpy(dtype=float)])

    def from_nothing(column: str) -> NDArray[np.float64]:
        return np.concatenate([[0.0], curve_rows[column].to_numpy(dtype=float)])

    share = from_nothing("cumulative_incidence")
    axes.step(days, share, where="post", color=colour, linewidth=1.6, label=label, zorder=3)
    # There is no band where a limit is null: before the first event and after the last.
    lower, upper = (np.where(np.isnan(v), share, v) for v in map(from_nothing, ("lower", "upper")))
    axes.fill_between(days, lower, upper, step="post", color=colour, alpha=0.22, linewidth=0)


def _frame(axes: Axes, last: float) -> list[int]:
    axes.set_xscale("function", functions=(_root, np.square))
    axes.set(xlim=(0, last), ylim=(0, 1))
    ticks: list[int] = []
    for tick in _TICKS:
        apart = np.sqrt(tick / last) - np.sqrt(ticks[-1] / last) if ticks else 1.0
        if tick <= last and apart >= _APART:
            ticks.append(tick)
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.tick_params(length=0, labelsize=8)
    axes.set_xlabel("Days since the first time in the stage before", fontsize=8, color=QUIET)
    axes.grid(color=HAIRLINE, linewidth=0.4)
    axes.set_axisbelow(True)
    return ticks


def _followed(
    axes: Axes, curve_rows: pd.DataFrame, ticks: Sequence[int], colour: str, inches: float
) -> None:
    """Adds a line of the table below the days: number of people at risk at each tick."""
    days, risk = curve_rows["days"].to_numpy(), curve_rows["at_risk"].to_numpy()
    y = inches / _CURVES
    name = shorten(str(curve_rows["transition"].iloc[0]), 26, placeholder="…")
    axes.annotate(name, (-0.24, y), xycoords="axes fraction", fontsize=7, color=colour, va="center")
    for tick in ticks:
        place = int(np.searchsorted(days, tick))
        number = int(risk[place]) if place < len(risk) else 0
        axes.annotate(
            f"{number:,}", (tick, y), xycoords=("data", "axes fraction"), ha="center", va="center",
            fontsize=7, color=INK, annotation_clip=False,
        )  # fmt: skip
