"""Matrix of the outcomes of assessments by team."""

from pathlib import Path
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

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
from socare_spark.contracts.nouns import Noun

_ROW, _COLUMN, _LEFT = 0.42, 1.05, 1.7  # inches


def draw_outcomes(rows: pd.DataFrame, title: str, source: str, path: Path, noun: Noun) -> Path:
    """Draws the records of each outcome and team, shaded by their share of the team's records.

    Args:
        rows: Columns outcome_category, team_category, records; at least one row.
        title: Title of the flow.
        source: Source of the figures.
        path: Path of the PNG.
        noun: Name of the records.
    """
    counts = rows.pivot_table(
        index="outcome_category", columns="team_category", values="records", aggfunc="sum",
        fill_value=0,
    )  # fmt: skip
    counts = counts.loc[
        counts.sum(axis=1).sort_values(ascending=False, kind="stable").index,
        counts.sum().sort_values(ascending=False, kind="stable").index,
    ]
    lines, columns = counts.shape
    width = max(_LEFT + (columns + 1) * _COLUMN, 7.5)
    height = lines * _ROW + 2.1
    with rc_context(STYLE):
        figure = new_figure(width, height)
        axes = figure.add_axes(
            (_LEFT / width, 0.75 / height, columns * _COLUMN / width, lines * _ROW / height)
        )
        shares = counts.to_numpy(dtype=float) / np.maximum(counts.sum().to_numpy(), 1)
        norm = Normalize(0, max(float(shares.max()), 0.01))
        shades = colormaps[SEQUENTIAL].with_extremes(bad=EMPTY)
        axes.pcolormesh(
            np.ma.masked_equal(shares, 0), cmap=shades, norm=norm, edgecolors="white", linewidth=0.8
        )
        _cells(axes, counts.to_numpy(), shares, norm)
        _sides(axes, counts)
        bar = figure.add_axes((_LEFT / width, 0.55 / height, 1.8 / width, 0.09 / height))
        figure.colorbar(
            ScalarMappable(norm, SEQUENTIAL), cax=bar, orientation="horizontal", format="{x:.0%}"
        )
        bar.tick_params(labelsize=6.5, length=2, pad=1)
        headline(
            figure,
            f"{title}: how it ended, and which team",
            f"{noun.title} by category of outcome (rows) and of team (columns), with their share "
            "of the column",
        )
        small_print(figure, source, f"{SEQUENTIAL_SCALE}; by the share of the team's {noun.many}")
        return save(figure, path)


def _cells(axes: Axes, counts: np.ndarray, shares: np.ndarray, norm: Normalize) -> None:
    for line, column in np.ndindex(*counts.shape):
        number, share = counts[line, column], shares[line, column]
        colour = "white" if number and float(norm(share)) > 0.4 else INK
        text = f"{number:,}\n{share:.1%}" if number else "\N{MIDDLE DOT}"
        axes.text(
            column + 0.5, line + 0.5, text, ha="center", va="center", fontsize=7, color=colour
        )  # fmt: skip


def _sides(axes: Axes, counts: pd.DataFrame) -> None:
    lines, columns = counts.shape
    teams = [
        "\n".join([*wrap(str(team), 16), f"{number:,}"]) for team, number in counts.sum().items()
    ]
    axes.set_xticks(np.arange(columns) + 0.5, teams, fontsize=7.5, color=INK)
    axes.set_yticks(np.arange(lines) + 0.5, list(counts.index), fontsize=8, color=INK)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_ylim(lines, 0)
    for line, number in enumerate(counts.sum(axis=1)):
        axes.text(columns + 0.12, line + 0.5, f"{number:,}", va="center", fontsize=7.5, color=QUIET)
    for spine in axes.spines.values():
        spine.set_visible(False)
