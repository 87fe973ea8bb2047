"""Histograms of people by a number, such as the number of agreements, for each group."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

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

_WIDE, _HIGH = 2.5, 1.75  # inches of a panel


@dataclass(frozen=True)
class Histograms:
    """The content of a figure of histograms.

    Attributes:
        title: A few words.
        subtitle: Definition of the figures.
        source: Source of the figures.
        rows: Kind -> its label; one row of panels per kind.
        columns: Group -> title of its panels.
        up_to: Number of the last bar, which includes all larger numbers.
    """

    title: str
    subtitle: str
    source: str
    rows: dict[str, str]
    columns: dict[str, str]
    up_to: int


def draw_histograms(histograms: Histograms, people: pd.DataFrame, path: Path) -> Path:
    """Draws a panel for each kind and group. Panels have different scales, as groups do.

    Args:
        histograms: Texts and groups of the figure.
        people: Columns `kind`, `group`, `number`, `people`.
        path: Path of the PNG.
    """
    across, down = len(histograms.columns), len(histograms.rows)
    width, height = max(across * _WIDE + 0.5, 6.0), down * (_HIGH + 0.65) + 1.25
    with rc_context(STYLE):
        figure = new_figure(width, height)
        for row, (kind, label) in enumerate(histograms.rows.items()):
            for column, (group, heading) in enumerate(histograms.columns.items()):
                group_people = people[(people["kind"] == kind) & (people["group"] == group)]
                bottom = height - 0.95 - row * (_HIGH + 0.65) - _HIGH
                axes = figure.add_axes(
                    (
                        (0.6 + column * _WIDE) / width,
                        bottom / height,
                        (_WIDE - 0.55) / width,
                        _HIGH / height,
                    )
                )
                _bars(axes, binned(group_people, histograms.up_to), CATEGORIES[row])
                axes.set_xlabel(label, fontsize=7.5)
                if row == 0:
                    axes.set_title(heading, fontsize=9, color=INK, loc="left", pad=4)
        headline(figure, histograms.title, histograms.subtitle)
        small_print(
            figure,
            histograms.source,
            "Bars: people; above, their share where it is one per cent or more. The last bar is "
            f"{histograms.up_to} and more. Each panel has a scale of its own.",
        )
        return save(figure, path)


def binned(people: pd.DataFrame, up_to: int) -> np.ndarray:
    """Counts people by number, in bins 1, 2, … up to `up_to` or more.

    Args:
        people: Columns `number`, `people`.
        up_to: Number of the last bin, which includes all larger numbers.
    """
    bins = np.minimum(people["number"].to_numpy(int), up_to) - 1
    return np.bincount(bins, people["people"].to_numpy(float), minlength=up_to)


def _bars(axes: Axes, heights: np.ndarray, colour: str) -> None:
    places = np.arange(len(heights)) + 1
    axes.bar(places, heights, width=0.85, color=colour, zorder=2)
    total = heights.sum()
    for place, height in zip(places.tolist(), heights.tolist(), strict=True):
        if height >= total / 100 > 0:
            axes.annotate(
                f"{height / total:.0%}", (place, height), (0, 1), textcoords="offset points",
                ha="center", va="bottom", fontsize=5, color=QUIET,
            )  # fmt: skip
    named = [n for n in places.tolist()[:-1:2] if n < len(heights) - 1]
    axes.set_xticks([*named, len(heights)], [*map(str, named), f"{len(heights)}+"])
    axes.set_ylim(0, max(1.0, heights.max() * 1.1))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(length=0, labelsize=6.5)
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_axisbelow(True)
    if not total:
        axes.text(0.5, 0.5, "nobody", transform=axes.transAxes, ha="center", color=QUIET)
