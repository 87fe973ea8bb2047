"""Charts of people in one stage of a flow only: assessments, durations, outcomes and areas."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
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
from socare_spark.contracts.nouns import Noun

_MOST_OFTEN = 10  # more assessments than this share a bar
_LABELLED_SHARE = 0.2  # smaller bars have no space for a label
_MARKED_DAYS = (7, 30)
_LONGEST = 180  # days on the axis
_LINE = 0.17  # inches for an area


@dataclass(frozen=True)
class SingleStagePicture:
    """The content of a figure.

    Attributes:
        stage: Name of the stage.
        rows: Rows of one flow: measure, value (null where it is not known), outcome_category,
            people.
        source: Source of the figures.
        noun: Name of the records of the stage.
        cases: Name of several cases, such as `people`.
    """

    stage: str
    rows: pd.DataFrame
    source: str
    noun: Noun
    cases: str = "people"

    def of(self, measure: str) -> pd.DataFrame:
        """The rows of one measure."""
        return self.rows[self.rows["measure"] == measure]


def draw_single_stage(picture: SingleStagePicture, path: Path) -> Path:
    """Draws the number of assessments, and the outcome and duration of single assessments.

    Args:
        picture: The content; at least one row has the measure `assessments`.
        path: Path of the PNG.
    """
    often, ended = picture.of("assessments"), picture.of("outcome_category")
    people, once = int(often["people"].sum()), int(ended["people"].sum())
    with rc_context(STYLE):
        figure = new_figure(12, 4.6)
        left, middle, right = (
            figure.add_axes((x, 0.2, width, 0.56))
            for x, width in ((0.02, 0.29), (0.46, 0.19), (0.72, 0.26))
        )
        _often(left, often)
        _titled(left, f"{picture.cases.capitalize()} by number of {picture.noun.many}")
        _ended(middle, ended)
        _titled(middle, f"How the one {picture.noun.one} ended")
        _lasted(right, picture.of("length_days"))
        headline(
            figure,
            f"{picture.cases.capitalize()} in {picture.stage} and in no other stage",
            f"{people:,} {picture.cases}; {once:,} of them have one {picture.noun.one}, whose end "
            "and length are shown",
        )
        small_print(figure, picture.source)
        return save(figure, path)


def _often(axes: Axes, rows: pd.DataFrame) -> None:
    times = rows["value"].astype(int)
    counts = rows["people"].groupby(times.clip(upper=_MOST_OFTEN + 1)).sum()
    total = int(counts.sum())
    last = int(counts.index.max())
    counts = counts.reindex(range(1, last + 1), fill_value=0)
    axes.bar(counts.index, counts, width=0.8, color=CATEGORIES[0])
    for place, people in counts.items():
        share = f"\n{people / total:.1%}" if people / total > _LABELLED_SHARE else ""
        axes.annotate(
            f"{people:,}{share}", (place, people), (0, 2), textcoords="offset points",
            ha="center", fontsize=6.5,
        )  # fmt: skip
    labels = [str(n) if n <= _MOST_OFTEN else f"> {_MOST_OFTEN}" for n in counts.index]
    axes.set_xticks(counts.index, labels)
    axes.set_ylim(0, 1.12 * counts.max())
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _ended(axes: Axes, rows: pd.DataFrame) -> None:
    rows = rows.sort_values(["people", "value"], ascending=[False, True])
    people = rows["people"].to_numpy(dtype=float)
    lines = np.arange(len(rows))
    axes.barh(lines, people, height=0.7, color=CATEGORIES[0])
    for line, number in zip(lines.tolist(), people.tolist(), strict=True):
        axes.annotate(
            f"{number:,.0f}  {number / people.sum():.1%}", (number, line), (3, 0),
            textcoords="offset points", va="center", fontsize=7,
        )  # fmt: skip
    axes.set_yticks(lines, [str(value) for value in rows["value"]], fontsize=7.5, color=INK)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.6 * max(people.max(initial=0), 1)), xticks=[])
    axes.spines[["left", "bottom"]].set_visible(False)


def _lasted(axes: Axes, rows: pd.DataFrame) -> None:
    """Draws the share of people whose assessment ended by a day, without unknown durations."""
    timed = rows[rows["value"].notna()]
    ended = timed["people"].groupby(timed["value"].astype(int)).sum().sort_index()
    unknown = int(rows["people"].sum() - ended.sum())
    note = f"; of {unknown:,} it is not known" if unknown else ""
    _titled(axes, f"Share ended by day{note}")
    longest = min(max(int(ended.index.max()) if len(ended) else 0, 30), _LONGEST)
    share = ended.cumsum() / max(ended.sum(), 1)
    axes.step([*share.index, longest], [*share, share.max()], where="post", color=CATEGORIES[0])
    for day in _MARKED_DAYS:
        by_then = float(share[share.index <= day].max()) if (share.index <= day).any() else 0.0
        axes.plot(day, by_then, "o", color=CATEGORIES[5], markersize=5, zorder=3)
        axes.annotate(
            f"{by_then:.1%} within {day} days", (day, by_then), (7, -4), va="top",
            textcoords="offset points", fontsize=7.5, color=INK,
        )  # fmt: skip
    axes.set(xlim=(0, longest), ylim=(0, 1.02))
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel("Days from first to last day", fontsize=8, color=QUIET)
    axes.grid(color=HAIRLINE, linewidth=0.4)


def _titled(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold", color=INK, pad=10)
    axes.tick_params(length=0, labelsize=7.5)


def draw_single_stage_areas(
    picture: SingleStagePicture,
    layer: str,
    names: Mapping[str, str],
    path: Path,
) -> Path:
    """Draws the outcomes of single assessments by area.

    Areas are ordered by the share of the most frequent category.

    Args:
        picture: The content; at least one row has the layer as its measure.
        layer: Layer of areas.
        names: Code -> name of the area.
        path: Path of the PNG.
    """
    area_rows = picture.of(layer)
    placed = area_rows.assign(area=area_rows["value"].map(lambda code: names.get(code, code)))
    placed["area"] = placed["area"].fillna("not located")
    counts = placed.pivot_table(
        index="area", columns="outcome_category", values="people", aggfunc="sum", fill_value=0
    )
    order = sorted(counts.columns, key=lambda name: (-counts[name].sum(), name))
    counts = counts[order]
    shares = counts.div(counts.sum(axis=1), axis=0)
    shares = shares.iloc[np.lexsort((shares.index, -shares.iloc[:, 0]))]
    depth = len(shares) * _LINE
    height = depth + 1.85
    with rc_context(STYLE):
        figure = new_figure(8.6, height)
        axes = figure.add_axes((0.27, 0.6 / height, 0.64, depth / height))
        _stacked(axes, shares, counts.sum(axis=1), picture.cases)
        figure.legend(
            handles=[
                Patch(color=colour, label=name)
                for colour, name in zip(cycle(CATEGORIES), order, strict=False)
            ],
            loc="upper left", ncols=min(len(order), 5),
            bbox_to_anchor=(0.01, 1 - 0.55 / height), handlelength=1,
        )  # fmt: skip
        headline(
            figure,
            f"{picture.cases.capitalize()} in {picture.stage} alone: how it ended, by {layer}",
            f"Of {picture.cases} with one {picture.noun.one}, by the {layer} of their home; "
            f"ordered by the share of {order[0]}",
        )
        small_print(figure, picture.source)
        return save(figure, path)


def _stacked(axes: Axes, shares: pd.DataFrame, people: pd.Series, cases: str) -> None:
    lines = np.arange(len(shares))
    begin = np.zeros(len(shares))
    for colour, name in zip(cycle(CATEGORIES), shares.columns, strict=False):
        axes.barh(lines, shares[name], left=begin, height=0.82, color=colour)
        begin = begin + shares[name].to_numpy()
    for line, area in enumerate(shares.index):
        axes.annotate(
            f"{people[area]:,}", (1.09, line), xycoords=("axes fraction", "data"), ha="right",
            va="center", fontsize=6.5, color=QUIET,
        )  # fmt: skip
    axes.annotate(
        cases, (1.09, -1.1), xycoords=("axes fraction", "data"), ha="right", va="center",
        fontsize=6.5, color=QUIET, annotation_clip=False,
    )  # fmt: skip
    labels = [shorten(str(area), 34, placeholder="…") for area in shares.index]
    axes.set_yticks(lines, labels, fontsize=6.5, color=INK)
    axes.set(ylim=(len(shares) - 0.4, -0.6), xlim=(0, 1))
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.tick_params(axis="x", labeltop=True, labelbottom=False, labelsize=7.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
