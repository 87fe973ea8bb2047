"""Chart of combinations that come into use, or go out of use, in the same window."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.patches import Patch
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

_SINGLE = "#999999"
_COLOURS = {"start": CATEGORIES[0], "end": CATEGORIES[5]}
_DAYS = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}
_NARROWEST = 14  # days; a narrower bar is not visible


@dataclass(frozen=True)
class Turnover:
    """Number of combinations that start and end in each window.

    Attributes:
        rows: Columns kind (`start`, `end`), period (date), combinations, block (null if the window
            has no block of the kind).
        window: Calendar period of a window, such as `month`.
        least: Smallest number of combinations in a block.
        source: Source in the small print.
    """

    rows: pd.DataFrame
    window: str
    least: int
    source: str


def draw_turnover(turnover: Turnover, path: Path) -> Path:
    """Draws a bar per window, starts upwards and ends downwards, with blocks in colour.

    Args:
        turnover: The content; at least one row.
        path: Path of the PNG.
    """
    with rc_context(STYLE):
        figure = new_figure(11, 5.2)
        axes = figure.add_axes((0.07, 0.14, 0.91, 0.66))
        for kind, direction in (("start", 1), ("end", -1)):
            kind_rows = turnover.rows[turnover.rows["kind"] == kind]
            width = max(_DAYS[turnover.window], _NARROWEST)
            _bars(axes, kind_rows.sort_values("period"), direction, width, _COLOURS[kind])
        _frame(axes, turnover.rows)
        axes.legend(handles=_legend(), loc="lower right", bbox_to_anchor=(1, 1.02), ncols=3)
        headline(
            figure,
            "Combinations that come and go together",
            f"First uses upwards, last uses downwards, by {turnover.window}; a block holds "
            f"{turnover.least} or more",
        )
        small_print(
            figure,
            turnover.source,
            "Where the records begin or end themselves, starts and ends make no block.",
        )
        return save(figure, path)


def _bars(axes: Axes, rows: pd.DataFrame, direction: int, width: int, colour: str) -> None:
    begin = [day.toordinal() for day in rows["period"]]
    numbers, blocks = rows["combinations"].tolist(), rows["block"].tolist()
    axes.bar(
        begin,
        [direction * number for number in numbers],
        width=width,
        align="edge",
        color=[_SINGLE if pd.isna(block) else colour for block in blocks],
        zorder=2,
    )
    for day, number, block in zip(begin, numbers, blocks, strict=True):
        if pd.isna(block):
            continue
        axes.annotate(
            f"{number}",
            (day + width / 2, direction * number),
            xytext=(0, direction * 2),
            textcoords="offset points",
            ha="center",
            va="bottom" if direction > 0 else "top",
            fontsize=7,
            color=INK,
        )


def _frame(axes: Axes, rows: pd.DataFrame) -> None:
    highest = rows.groupby("kind")["combinations"].max().to_dict()
    whole = sum(highest.values())
    room = 0.08 * whole  # space for a label
    axes.set_ylim(-highest.get("end", 0) - room, highest.get("start", 0) + room)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_ylabel("Combinations")
    years = range(min(rows["period"]).year, max(rows["period"]).year + 2)
    axes.set_xticks([date(year, 1, 1).toordinal() for year in years], map(str, years))
    axes.axhline(0, color=QUIET, linewidth=0.8, zorder=3)
    axes.grid(axis="x", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_axisbelow(True)


def _legend() -> list[Patch]:
    return [
        Patch(color=_COLOURS["start"], label="Block that starts"),
        Patch(color=_COLOURS["end"], label="Block that ends"),
        Patch(color=_SINGLE, label="No block"),
    ]
