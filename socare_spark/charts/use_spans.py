"""Charts of the use of combinations over time, and of ranks by snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from socare_spark.charts.style import (
    CATEGORIES,
    HAIRLINE,
    INK,
    QUIET,
    SEQUENTIAL,
    SEQUENTIAL_SCALE,
    STYLE,
    headline,
    new_figure,
    save,
    small_print,
)
from socare_spark.plurals import counted

_LINE = 0.15  # inches for a combination's bar
_RISEN, _FALLEN = CATEGORIES[0], CATEGORIES[5]
_SHORTEST_BAR = 12  # days; a shorter bar is not visible


@dataclass(frozen=True)
class Bars:
    """The content of a chart of combinations.

    Attributes:
        title: A few words.
        rows: Rows of `combinations`.
        source: Source in the small print.
        most: People of the most used combination of the study. All charts of a study use it for
            their shading, so that they can be compared.
    """

    title: str
    rows: pd.DataFrame
    source: str
    most: int


def draw_bars(bars: Bars, path: Path) -> Path:
    """Draws a bar per combination from first to last use, by sub-process, shaded by people.

    Args:
        bars: The content. Its rows have the columns subprocess, reason, outcome, people,
            first_used, last_used.
        path: Path of the PNG.
    """
    rows = _placed(bars.rows)
    depth = float(rows["line"].max()) + 1.5
    height = depth * _LINE + 1.9
    norm = LogNorm(1, max(10.0, 10 ** len(str(bars.most))))
    with rc_context(STYLE):
        figure = new_figure(11, height)
        axes = figure.add_axes((0.23, 0.65 / height, 0.68, depth * _LINE / height))
        _bars(axes, rows, norm)
        _frame(axes, rows, depth)
        _shading(figure, norm, height)
        headline(
            figure,
            bars.title,
            f"{counted(len(rows), 'combination')} of reason and outcome, from first to last use; "
            "people at the right",
        )
        small_print(
            figure,
            bars.source,
            f"{SEQUENTIAL_SCALE}, logarithmic, by distinct people. "
            "Bold: the most used of its sub-process.",
        )
        return save(figure, path)


def _placed(rows: pd.DataFrame) -> pd.DataFrame:
    """Adds the line of each bar, in order of first use. A heading takes two lines."""
    placed = rows.sort_values(["subprocess", "first_used", "last_used", "reason", "outcome"])
    placed = placed.reset_index(drop=True)
    headings = (placed["subprocess"] != placed["subprocess"].shift()).cumsum()
    placed["line"] = placed.index + 2 * headings
    return placed


def _bars(axes: Axes, rows: pd.DataFrame, norm: LogNorm) -> None:
    begin, end = _days(rows["first_used"]), _days(rows["last_used"])
    shades = colormaps[SEQUENTIAL](norm(rows["people"].to_numpy(dtype=float)))
    axes.barh(
        rows["line"],
        np.maximum(end + 1 - begin, _SHORTEST_BAR),
        left=begin,
        height=0.78,
        color=shades,
        edgecolor=QUIET,
        linewidth=0.25,
        zorder=2,
    )
    for people, line in zip(rows["people"].tolist(), rows["line"].tolist(), strict=True):
        axes.annotate(
            f"{people:,}",
            (1.005, line),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=6,
            color=QUIET,
        )


def _days(dates: pd.Series) -> NDArray[np.int64]:
    """Days since 1970."""
    return pd.to_datetime(dates).to_numpy("datetime64[D]").astype(np.int64)


def _frame(axes: Axes, rows: pd.DataFrame, depth: float) -> None:
    axes.set_ylim(depth, 0)
    axes.set_yticks(rows["line"], _labels(rows), fontsize=6, color=INK)
    ranked = rows.sort_values(["people", "reason", "outcome"], ascending=[False, True, True])
    names = axes.get_yticklabels()
    for place in ranked.drop_duplicates("subprocess").index:
        names[place].set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", top=True, labeltop=True, bottom=True, labelbottom=True, labelsize=8)
    years = range(min(rows["first_used"]).year, max(rows["last_used"]).year + 2)
    axes.set_xticks([(date(year, 1, 1) - date(1970, 1, 1)).days for year in years], map(str, years))
    axes.grid(axis="x", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    for name, group in rows.groupby("subprocess"):
        axes.annotate(
            f"{name} ({len(group)})",
            (-0.29, float(group["line"].min()) - 1),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            fontweight="bold",
            color=INK,
            annotation_clip=False,
        )


def _labels(rows: pd.DataFrame) -> list[str]:
    pairs = zip(rows["reason"], rows["outcome"], strict=True)
    return [shorten(f"{reason} / {outcome}", 34, placeholder="…") for reason, outcome in pairs]


def _shading(figure: Figure, norm: LogNorm, height: float) -> None:
    axes = figure.add_axes((0.66, 1 - 0.62 / height, 0.25, 0.09 / height))
    bar = figure.colorbar(ScalarMappable(norm, SEQUENTIAL), cax=axes, orientation="horizontal")
    bar.ax.xaxis.set_major_formatter("{x:,.0f}")
    bar.ax.tick_params(labelsize=6, length=2)
    bar.ax.minorticks_off()
    bar.ax.set_title("Distinct people", fontsize=7, color=QUIET, pad=2)


def draw_ranks(top: pd.DataFrame, number: int, path: Path, source: str) -> Path:
    """Draws the ranks of the most frequent descriptions in each snapshot.

    Args:
        top: Rows of `request_top`: snapshot, description, rank, records.
        number: Number of ranks per snapshot.
        path: Path of the PNG.
        source: Source in the small print.
    """
    shown = top[top["rank"] <= number].sort_values(["snapshot", "rank"])
    snapshots = sorted(shown["snapshot"].unique())
    height = number * 0.27 + 1.7
    with rc_context(STYLE):
        figure = new_figure(3.2 * len(snapshots) + 5.2, height)
        axes = figure.add_axes((0.26, 0.6 / height, 0.48, number * 0.27 / height))
        for _, moved in shown.groupby("description"):
            _line(axes, moved, snapshots)
        _names(axes, shown, snapshots)
        axes.set(ylim=(number + 0.6, 0.4), xlim=(-0.05, max(len(snapshots) - 0.95, 0.05)))
        axes.set_xticks(range(len(snapshots)), [f"{s:%d %B %Y}" for s in snapshots])
        axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
        axes.tick_params(length=0)
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        headline(
            figure,
            "What residents asked for most",
            f"The {number} most frequent service descriptions of each snapshot, by rank; "
            "records in brackets",
        )
        small_print(
            figure,
            source,
            "Blue: risen, orange: fallen, grey: where it was. A line that ends left these ranks.",
        )
        return save(figure, path)


def _line(axes: Axes, rows: pd.DataFrame, snapshots: Sequence[object]) -> None:
    at = {snapshot: place for place, snapshot in enumerate(snapshots)}
    ranks = rows["rank"].tolist()
    moved = ranks[0] - ranks[-1]
    colour = _RISEN if moved > 0 else _FALLEN if moved < 0 else HAIRLINE
    axes.add_line(
        Line2D(
            [at[s] for s in rows["snapshot"]],
            ranks,
            color=colour,
            linewidth=2.0 if moved else 1.2,
            marker="o",
            markersize=5,
            zorder=3 if moved else 2,
        )
    )


def _names(axes: Axes, shown: pd.DataFrame, snapshots: Sequence[object]) -> None:
    sides = {0: ("right", -0.03), len(snapshots) - 1: ("left", 0.03)}
    for place, (side, shift) in sides.items():
        snapshot_rows = shown[shown["snapshot"] == snapshots[place]]
        for description, rank, records in snapshot_rows[
            ["description", "rank", "records"]
        ].to_numpy():
            name = shorten(" ".join(description.split()), 42, placeholder="…")
            axes.text(
                place + shift,
                rank,
                f"{rank}. {name} ({records:,})",
                ha=side,
                va="center",
                fontsize=7.5,
                color=INK,
            )
