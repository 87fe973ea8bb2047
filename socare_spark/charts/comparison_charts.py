"""Charts of two elements of service: by district, and by characteristics of their people."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

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

_A, _B = CATEGORIES[0], CATEGORIES[1]
_ROW = 0.2  # inches for a district, and for each of the two bars of a value
_BAR = 0.15
_GAP = 0.12


@dataclass(frozen=True)
class Pair:
    """The codes of two elements, the source of their figures, and the name of their areas."""

    a: str
    b: str
    source: str
    area: str = "postcode district"


def draw_differences(pair: Pair, rows: pd.DataFrame, path: Path) -> Path:
    """Draws both counts of each district, in order of their difference.

    Args:
        pair: The elements.
        rows: Columns district, count_a, count_b, difference, rank; at least one row.
        path: Path of the PNG.
    """
    rows = rows.sort_values("rank")
    lines = np.arange(len(rows))
    depth = len(rows) * _ROW
    height = depth + 1.75
    with rc_context(STYLE):
        figure = new_figure(8.6, height)
        axes = figure.add_axes((0.08, 0.6 / height, 0.76, depth / height))
        axes.hlines(lines, rows["count_a"], rows["count_b"], color=HAIRLINE, linewidth=2, zorder=2)
        for count, colour in (("count_a", _A), ("count_b", _B)):
            axes.scatter(rows[count], lines, s=26, color=colour, zorder=3)
        for line, difference in zip(lines.tolist(), rows["difference"].tolist(), strict=True):
            _at_side(axes, line, f"{difference:+,.0f}")
        _at_side(axes, -1.15, "difference")
        axes.set(ylim=(len(rows) - 0.4, -0.6), yticks=lines)
        axes.set_yticklabels(rows["district"], fontsize=7.5, color=INK)
        axes.set_xlim(0, 1.04 * max(1, rows[["count_a", "count_b"]].to_numpy().max()))
        _number_axis(axes)
        figure.legend(
            handles=[_dot(_A, pair.a), _dot(_B, pair.b)], loc="upper left", ncols=2,
            bbox_to_anchor=(0.07, 1 - 0.52 / height), handletextpad=0.1,
        )  # fmt: skip
        headline(
            figure,
            f"{pair.a} and {pair.b} by {pair.area}",
            f"Records of each; ordered by the difference, {pair.b} less {pair.a}",
        )
        small_print(figure, pair.source)
        return save(figure, path)


def _dot(colour: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, marker="o", markersize=6, linestyle="none", label=label)


def _at_side(axes: Axes, line: float, text: str) -> None:
    axes.annotate(
        text, (1.11, line), xycoords=("axes fraction", "data"), ha="right", va="center",
        fontsize=7, color=QUIET, annotation_clip=False,
    )  # fmt: skip


def _number_axis(axes: Axes, form: str = "{x:,.0f}") -> None:
    axes.xaxis.set_major_formatter(form)
    axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.tick_params(length=0, labelsize=7.5)
    axes.grid(axis="x", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_profiles(pair: Pair, rows: pd.DataFrame, order: Sequence[str], path: Path) -> Path:
    """Draws the share of each element's people with each value of each characteristic.

    Args:
        pair: The elements.
        rows: Columns element, characteristic, value (null where it is not recorded), people.
        order: The characteristics from top to bottom.
        path: Path of the PNG.
    """
    parts = [part for part in (_shares(pair, rows, name) for name in order) if len(part)]
    depths = [len(part) * (2 * _BAR + _GAP) for part in parts]
    height = sum(depths) + 0.5 * len(parts) + 1.6
    longest = max((float(part.to_numpy().max()) for part in parts), default=1.0)
    with rc_context(STYLE):
        figure = new_figure(8.6, height)
        top = height - 1.3
        for part, depth in zip(parts, depths, strict=True):
            axes = figure.add_axes((0.34, (top - depth) / height, 0.6, depth / height))
            _profile(axes, part, min(1.0, longest * 1.12), last=part is parts[-1])
            top -= depth + 0.5
        _key(figure, pair, height)
        headline(
            figure,
            f"Who receives {pair.a} and {pair.b}",
            "Share of the people with each value; a person with several counts for each",
        )
        small_print(figure, pair.source)
        return save(figure, path)


def _shares(pair: Pair, rows: pd.DataFrame, characteristic: str) -> pd.DataFrame:
    """Share of each element's people by value, the most frequent value of both first."""
    group = rows[rows["characteristic"] == characteristic]
    named = group.assign(value=group["value"].fillna("not recorded"))
    people = named.pivot_table(index="value", columns="element", values="people", aggfunc="sum")
    people = people.reindex(columns=[pair.a, pair.b]).fillna(0.0)
    people = people[people.sum(axis=1) > 0]
    shares = people / people.sum().replace(0, np.nan)
    shares = shares.fillna(0.0)
    both = shares.sum(axis=1)
    shares = shares.loc[sorted(shares.index, key=lambda value: (-both[value], str(value)))]
    shares.index.name = characteristic
    return shares


def _profile(axes: Axes, shares: pd.DataFrame, widest: float, *, last: bool) -> None:
    step = 2 * _BAR + _GAP
    middles = np.arange(len(shares)) * step + step / 2
    for place, (colour, column) in enumerate(zip((_A, _B), shares.columns, strict=True)):
        at = middles + (place - 0.5) * _BAR
        axes.barh(at, shares[column], height=_BAR * 0.9, color=colour, zorder=2)
        for y, share in zip(at.tolist(), shares[column].tolist(), strict=True):
            axes.text(share + widest * 0.008, y, _share_text(share), va="center", fontsize=6)
    axes.set(ylim=(len(shares) * step, 0), xlim=(0, widest))
    labels = [shorten(str(value), 48, placeholder="…") for value in shares.index]
    axes.set_yticks(middles, labels, fontsize=7.5, color=INK)
    _number_axis(axes, "{x:.0%}")
    axes.tick_params(axis="x", labeltop=False, labelbottom=last)
    title = str(shares.index.name).replace("_", " ").capitalize()
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold", color=INK, pad=4)


def _share_text(share: float) -> str:
    """A share as a percentage, in words where rounding hides whether it is 0."""
    if share == 0:
        return "none"
    return "< 0.1%" if share < 0.001 else f"{share:.1%}"


def _key(figure: Figure, pair: Pair, height: float) -> None:
    figure.legend(
        handles=[Patch(color=_A, label=pair.a), Patch(color=_B, label=pair.b)], loc="upper left",
        ncols=2, bbox_to_anchor=(0.01, 1 - 0.55 / height), handlelength=1.2,
    )  # fmt: skip
