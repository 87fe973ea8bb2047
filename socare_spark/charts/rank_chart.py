"""The most used elements by year: the first few as lines, more of them as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from socare_spark.charts.style import (
    CATEGORIES,
    EMPTY,
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

_ROW, _COLUMN = 0.2, 0.48  # inches of a cell of the table
_LINES = 1.7  # inches of the lines' height
_NAMES, _ALL, _FOOT, _HEAD, _BETWEEN = 2.5, 1.2, 0.8, 0.7, 0.42
_ENTRY, _ENTRIES = 0.19, 3  # inches of a line of the legend, and its entries
_OTHERS = "others"
_MARKERS = "osD^vPX*"


@dataclass(frozen=True)
class Ranking:
    """The texts and sizes of a chart of ranks.

    Attributes:
        title: A few words.
        subtitle: Definition of the figures.
        source: Source of the figures.
        years: Columns of the table.
        lines: Number of names drawn as lines.
        rows: Number of names in the table. The rest are added up as `others`.
    """

    title: str
    subtitle: str
    source: str
    years: Sequence[int]
    lines: int
    rows: int


def draw_ranking(ranking: Ranking, records: pd.DataFrame, path: Path) -> Path:
    """Draws records by name and year, the names with most records first.

    Args:
        ranking: Texts and sizes.
        records: Columns `name`, `year`, `records`.
        path: Path of the PNG.
    """
    table = ranked(records, ranking.years, ranking.rows)
    lines = table.drop(index=_OTHERS, errors="ignore").head(ranking.lines)
    across, deep = len(ranking.years) * _COLUMN, len(table) * _ROW
    width = max(_NAMES + across + _ALL, 7.0)
    head = _HEAD + _ENTRY * ceil(len(lines) / _ENTRIES)
    height = head + _LINES + _BETWEEN + deep + _FOOT
    with rc_context(STYLE):
        figure = new_figure(width, height)
        places = (_NAMES / width, across / width)
        above = figure.add_axes(
            (places[0], (_FOOT + deep + _BETWEEN) / height, places[1], _LINES / height)
        )
        below = figure.add_axes((places[0], _FOOT / height, places[1], deep / height))
        _draw_lines(above, lines)
        norm = PowerNorm(0.5, 0, max(1.0, float(table.to_numpy().max())))
        _draw_table(below, table, norm, ranking.lines)
        _shading(figure, norm)
        headline(figure, ranking.title, ranking.subtitle)
        small_print(
            figure, ranking.source, f"{SEQUENTIAL_SCALE}, by the square root of the records"
        )
        return save(figure, path)


def ranked(records: pd.DataFrame, years: Sequence[int], rows: int) -> pd.DataFrame:
    """Pivots records: one row per name, one column per year.

    Names are in descending order of their records; equal ones in order of the name. Further names
    are added up in a row `others`.

    Args:
        records: Columns `name`, `year`, `records`.
        years: The columns, including years without records.
        rows: Number of names.
    """
    table = records.pivot_table(index="name", columns="year", values="records", aggfunc="sum")
    table = table.reindex(columns=list(years)).fillna(0)
    totals = table.sum(axis=1).sort_index()
    table = table.loc[totals.sort_values(ascending=False, kind="stable").index]
    first, rest = table.head(rows), table.iloc[rows:]
    if rest.empty:
        return first
    others = rest.sum().to_frame().T.set_axis([_OTHERS])
    return pd.concat([first, others]).rename_axis("name")


def _draw_lines(axes: Axes, lines: pd.DataFrame) -> None:
    middle = np.arange(lines.shape[1]) + 0.5
    for place, (name, values) in enumerate(lines.iterrows()):
        axes.plot(
            middle,
            values.to_numpy(float),
            color=CATEGORIES[place],
            marker=_MARKERS[place],
            markersize=4,
            linewidth=1.6,
            label=_short(str(name)),
            clip_on=False,
            zorder=3,
        )
    axes.set(xlim=(0, lines.shape[1]), ylim=(0, max(1.0, lines.to_numpy().max() * 1.08)))
    axes.set_xticks(middle, [])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(length=0, labelsize=7.5)
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.4)
    axes.set_ylabel("Records", fontsize=7.5)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=_ENTRIES, borderpad=0,
        columnspacing=1.4, handletextpad=0.5,
    )  # fmt: skip


def _draw_table(axes: Axes, table: pd.DataFrame, norm: PowerNorm, lines: int) -> None:
    values = table.to_numpy(float)
    shades = colormaps[SEQUENTIAL].with_extremes(bad=EMPTY)
    axes.pcolormesh(
        np.ma.masked_equal(values, 0), cmap=shades, norm=norm, edgecolors="white", linewidth=0.6
    )
    rows, columns = values.shape
    axes.set_xticks(np.arange(columns) + 0.5, [str(year) for year in table.columns])
    axes.set_yticks(np.arange(rows) + 0.5, [_short(str(name)) for name in table.index])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=7.5)
    axes.set_ylim(rows, 0)
    for side in axes.spines.values():
        side.set_visible(False)
    _numbers(axes, values, norm)
    named = [label for label in axes.get_yticklabels() if label.get_text() != _OTHERS]
    for label, colour in zip(named[:lines], CATEGORIES, strict=False):
        label.set(color=colour, fontweight="bold")


def _numbers(axes: Axes, values: NDArray[np.float64], norm: PowerNorm) -> None:
    for row, column in np.ndindex(*values.shape):
        value = values[row, column]
        colour = "white" if value > 0 and float(norm(value)) > 0.5 else INK
        text = f"{value:,.0f}" if value else "\N{MIDDLE DOT}"
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=6.5, color=colour
        )
    end = values.shape[1] + 0.95
    for row, total in enumerate(values.sum(axis=1).tolist()):
        axes.text(end, row + 0.5, f"{total:,.0f}", ha="right", va="center", fontsize=7)
    axes.text(end, -0.3, "all", ha="right", va="bottom", fontsize=7.5, color=QUIET)


def _shading(figure: Figure, norm: PowerNorm) -> None:
    width, height = figure.get_size_inches()
    bar = figure.add_axes((_NAMES / width, 0.6 / height, 1.8 / width, 0.09 / height))
    figure.colorbar(ScalarMappable(norm, SEQUENTIAL), cax=bar, orientation="horizontal")
    bar.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    bar.xaxis.set_major_formatter("{x:,.0f}")
    bar.tick_params(labelsize=6.5, length=2, pad=1)
    figure.text((_NAMES + 1.95) / width, 0.6 / height, "Records; \N{MIDDLE DOT} none", fontsize=7.5)


def _short(name: str) -> str:
    return shorten(name, 36, placeholder="…")
