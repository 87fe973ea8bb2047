"""Matrix of movements: from activities (rows) to activities (columns)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator

from socare_spark.charts.labels import distinct_labels
from socare_spark.charts.style import (
    EMPTY,
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

_CELL, _ROW = 0.42, 0.24  # inches of a cell
_LEFT, _RIGHT, _HEAD, _FOOT, _LINE = 2.3, 0.75, 2.35, 0.95, 0.16
_NAME = 30  # characters of a label
_OTHERS = ""  # no activity has this name


@dataclass(frozen=True)
class FromTo:
    """The texts and limits of a chart.

    Attributes:
        title: Title of the flow.
        many: Name of several movements, such as `items`.
        source: Source of the figures.
        activities: Largest number of activities; the movements of others are added up.
        pooled: Number of movements in the pool of rare pairs, whose activities are not known.
    """

    title: str
    many: str
    source: str
    activities: int
    pooled: int = 0


def draw_from_to(edges: pd.DataFrame, balance: pd.DataFrame, matrix: FromTo, path: Path) -> Path:
    """Draws the movements of the activities with the most departures and arrivals.

    Args:
        edges: from_activity, to_activity, transitions; without the pool of rare pairs.
        balance: activity, records, departures, arrivals, within, net; at least one row.
        matrix: Texts and limits.
        path: Path of the PNG.
    """
    ordered = balance.sort_values(["records", "activity"], ascending=[False, True])
    names = ordered["activity"].head(matrix.activities).tolist()
    counts = _counts(edges, names, more=len(ordered) > len(names))
    labels = [name or "all others" for name in distinct_labels(list(counts.index), _NAME)]
    net = dict(zip(balance["activity"], balance["net"].astype(int), strict=True))
    size = len(counts)
    width = max(_LEFT + size * _CELL + _RIGHT, 7.5)
    note = _note(matrix, len(names), len(ordered), edges, width)
    foot = _FOOT + _LINE * note.count("\n")
    height = _HEAD + size * _ROW + foot
    with rc_context(STYLE):
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (_LEFT / width, foot / height, size * _CELL / width, size * _ROW / height)
        )
        values = counts.to_numpy(dtype=float)
        norm = LogNorm(1, max(2.0, float(values.max())))
        shades = colormaps[SEQUENTIAL].with_extremes(bad=EMPTY)
        axes.pcolormesh(
            np.ma.masked_equal(values, 0), cmap=shades, norm=norm, edgecolors="white", linewidth=0.6
        )
        _cells(axes, values, norm)
        _sides(axes, counts, labels, net)
        bar = figure.add_axes((_LEFT / width, (foot - 0.3) / height, 1.9 / width, 0.09 / height))
        figure.colorbar(
            ScalarMappable(norm, SEQUENTIAL), cax=bar, orientation="horizontal",
            format="{x:,.0f}", ticks=LogLocator(10),
        )  # fmt: skip
        bar.minorticks_off()
        bar.tick_params(labelsize=6.5, length=2, pad=1)
        headline(
            figure,
            matrix.title,
            f"Number of {matrix.many} from (rows) to (columns); net: arrivals less departures",
        )
        small_print(figure, matrix.source, note)
        return save(figure, path)


def _counts(edges: pd.DataFrame, names: list[str], *, more: bool) -> pd.DataFrame:
    """Movements between the named activities and all others, as a square table."""
    order = [*names, *([_OTHERS] if more else [])]
    known = set(names)
    ends = {
        key: edges[f"{key}_activity"].map(lambda name: name if name in known else _OTHERS)
        for key in ("from", "to")
    }
    counted = edges.assign(**ends).pivot_table(
        index="from", columns="to", values="transitions", aggfunc="sum", fill_value=0
    )
    return counted.reindex(index=order, columns=order, fill_value=0).astype(int)


def _note(matrix: FromTo, shown: int, activities: int, edges: pd.DataFrame, width: float) -> str:
    none = "none, or a pooled pair" if matrix.pooled else "none"
    texts = [f"{SEQUENTIAL_SCALE}, logarithmic; \N{MIDDLE DOT} {none}."]
    if shown < activities:
        texts.append(f"The {shown} of {activities} with most {matrix.many}; the rest together.")
    if matrix.pooled:
        total = int(edges["transitions"].sum()) + matrix.pooled
        texts.append(
            f"{matrix.pooled:,} of {total:,} {matrix.many} are of rare pairs that the table pools; "
            "they are in net, not in the cells."
        )
    return "\n".join(wrap(" ".join(texts), int(19 * (width - 0.4))))


def _cells(axes: Axes, values: np.ndarray, norm: LogNorm) -> None:
    for row, column in np.ndindex(*values.shape):
        number = values[row, column]
        colour = "white" if number and float(norm(number)) > 0.5 else INK
        text = f"{number:,.0f}" if number else "\N{MIDDLE DOT}"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=6, color=colour)


def _sides(axes: Axes, counts: pd.DataFrame, labels: list[str], net: Mapping[str, int]) -> None:
    size = len(counts)
    axes.set_xticks(np.arange(size) + 0.5, labels, rotation=60, ha="left", rotation_mode="anchor")
    axes.set_yticks(np.arange(size) + 0.5, labels)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=7, labelcolor=INK)
    axes.set_ylim(size, 0)
    for row, name in enumerate(counts.index):
        if name in net:
            axes.text(
                size + 1.3, row + 0.5, f"{net[name]:+,}", ha="right", va="center", fontsize=6.5,
                color=QUIET,
            )  # fmt: skip
    axes.text(size + 1.3, -0.3, "net", ha="right", va="bottom", fontsize=7, color=QUIET)
    for side in axes.spines.values():
        side.set_visible(False)
