"""UpSet chart: the most frequent combinations of sets, as rows of dots with bars.

Source: Lex, Gehlenborg, Strobelt, Vuillemot and Pfister (2014), UpSet: Visualization of
Intersecting Sets, https://doi.org/10.1109/TVCG.2014.2346248.
"""

from collections.abc import Sequence
from pathlib import Path

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
from socare_spark.plurals import counted

_ROW, _COLUMN = 0.3, 0.36  # inches for a combination, and for a set
_BAND = "#F4F4F4"


def draw_overlaps(
    rows: pd.DataFrame, things: Sequence[str], number: int, path: Path, *, title: str, source: str
) -> Path:
    """Draws the most frequent combinations, each a row of dots and a bar.

    Args:
        rows: Columns `combination` (names joined by `+`) and `people`.
        things: Names of the sets in order.
        number: Largest number of combinations.
        path: Path of the PNG.
        title: A few words.
        source: Source of the figures.
    """
    most = rows.sort_values(["people", "combination"], ascending=[False, True])
    shown = most.head(number).reset_index(drop=True)
    held = [set(text.split("+")) for text in shown["combination"]]
    depth, dots = len(shown) * _ROW, len(things) * _COLUMN
    # Names are slanted above the dots, below title and subtitle.
    head = 0.75 + 0.05 * max(map(len, things))
    width, height = dots + 7.4, depth + head + 0.75
    with rc_context(STYLE):
        figure = new_figure(width, height)
        bottom = 0.75 / height
        left = figure.add_axes((0.4 / width, bottom, dots / width, depth / height))
        right = figure.add_axes(((dots + 0.5) / width, bottom, 6.6 / width, depth / height))
        _dots(left, held, things)
        _bars(right, shown, held, int(most["people"].sum()))
        headline(figure, title, _subtitle(len(shown), len(most)))
        colours = "Blue: known to one service alone; orange: to several."
        small_print(figure, source, colours)
        return save(figure, path)


def _subtitle(shown: int, total: int) -> str:
    total_text = counted(total, "combination")
    scope = total_text if shown == total else f"the {shown} most frequent of {total_text}"
    return f"Distinct people by exactly which services know them; {scope}"


def _dots(axes: Axes, held: Sequence[set[str]], things: Sequence[str]) -> None:
    _frame(axes, len(held))
    for row, names in enumerate(held):
        inside = [i for i, thing in enumerate(things) if thing in names]
        axes.scatter(range(len(things)), [row] * len(things), s=46, color=HAIRLINE, zorder=2)
        axes.plot([inside[0], inside[-1]], [row, row], color=INK, linewidth=2, zorder=3)
        axes.scatter(inside, [row] * len(inside), s=52, color=INK, zorder=4)
    axes.set_xlim(-0.6, len(things) - 0.4)
    labels = [thing.replace("_", " ") for thing in things]
    axes.set_xticks(range(len(things)), labels, rotation=40, ha="left", fontsize=8.5, color=INK)
    axes.tick_params(top=False, labeltop=True, bottom=False, labelbottom=False, length=0)


def _bars(axes: Axes, shown: pd.DataFrame, held: Sequence[set[str]], total: int) -> None:
    _frame(axes, len(held))
    people = shown["people"].to_numpy(dtype=float)
    several = [CATEGORIES[1] if len(names) > 1 else CATEGORIES[0] for names in held]
    axes.barh(range(len(people)), people, height=0.62, color=several, zorder=2)
    for row, number in enumerate(shown["people"].tolist()):
        text = f" {number:,}  ({number / total:.1%})"
        axes.text(number, row, text, va="center", fontsize=8, color=INK)
    axes.set_xlim(0, people.max() * 1.28)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(axis="x", labelsize=7, length=2)
    axes.grid(axis="x", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_xlabel("People", fontsize=8, color=QUIET, loc="left")


def _frame(axes: Axes, rows: int) -> None:
    """Sets rows from top to bottom, with a band behind every second row."""
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_axisbelow(True)
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color=_BAND, zorder=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
