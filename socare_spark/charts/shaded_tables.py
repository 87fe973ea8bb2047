"""Heat maps of areas and years, in blocks side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter
from numpy.typing import NDArray

from socare_spark.charts.style import (
    EMPTY,
    INK,
    QUIET,
    STYLE,
    headline,
    new_figure,
    save,
    small_print,
)

MARKS = {"high": "\N{BLACK UP-POINTING TRIANGLE}", "low": "\N{BLACK DOWN-POINTING TRIANGLE}"}
NOTHING = "\N{MIDDLE DOT}"
_CELL, _LINE, _GAP = 0.3, 0.17, 0.16  # inches
_LEFT, _RIGHT, _HEAD, _FOOT = 0.55, 0.25, 1.15, 0.95


@dataclass(frozen=True)
class Block:
    """One matrix.

    Attributes:
        title: Title above the matrix.
        columns: Labels of the columns.
        shades: Value of each cell for its colour; NaN is empty.
        texts: Text of each cell.
        flags: `high`, `low` or None for each cell.
    """

    title: str
    columns: Sequence[str]
    shades: NDArray[np.float64]
    texts: NDArray[np.object_]
    flags: NDArray[np.object_]


@dataclass(frozen=True)
class Matrices:
    """A figure of matrices with the same rows.

    Attributes:
        title: A few words.
        subtitle: Definition of the figures.
        source: Source of the figures.
        rows: Labels of the rows.
        blocks: The matrices.
        colours: Name of the colour map.
        norm: Mapping from values to colours.
        scale: Description of the colours for the small print.
        legend: Name of the values.
        ticks: Format of the values at the colour bar.
        marks: Meaning of the marks `high` and `low`; empty for no marks.
    """

    title: str
    subtitle: str
    source: str
    rows: Sequence[str]
    blocks: Sequence[Block]
    colours: str
    norm: Normalize
    scale: str
    legend: str
    ticks: Formatter
    marks: tuple[str, str] | tuple[()] = ()


def draw_matrices(matrices: Matrices, path: Path) -> Path:
    """Draws all blocks side by side with one colour scale."""
    widths = [len(block.columns) * _CELL for block in matrices.blocks]
    width = max(7.0, _LEFT + sum(widths) + _GAP * (len(widths) - 1) + _RIGHT)
    depth = len(matrices.rows) * _LINE
    height = _HEAD + depth + _FOOT
    with rc_context(STYLE):
        figure = new_figure(width, height)
        left = _LEFT
        for place, (block, wide) in enumerate(zip(matrices.blocks, widths, strict=True)):
            axes = figure.add_axes((left / width, _FOOT / height, wide / width, depth / height))
            _block(axes, block, matrices)
            if place == 0:
                axes.set_yticks(np.arange(len(matrices.rows)) + 0.5, matrices.rows)
            else:
                axes.set_yticks([])
            left += wide + _GAP
        _legend(figure, matrices)
        headline(figure, matrices.title, matrices.subtitle)
        small_print(figure, matrices.source, matrices.scale)
        return save(figure, path)


def _block(axes: Axes, block: Block, matrices: Matrices) -> None:
    rows, columns = block.shades.shape
    shades = colormaps[matrices.colours].with_extremes(bad=EMPTY)
    axes.pcolormesh(
        np.ma.masked_invalid(block.shades), cmap=shades, norm=matrices.norm, edgecolors="white",
        linewidth=0.5,
    )  # fmt: skip
    fills = shades(matrices.norm(np.nan_to_num(block.shades)))
    # Relative luminance: text on dark colours is white.
    dark = (fills[..., :3] @ (0.299, 0.587, 0.114) < 0.5) & ~np.isnan(block.shades)
    for row, column in np.ndindex(rows, columns):
        ink = "white" if dark[row, column] else INK
        middle: dict[str, Any] = {"ha": "center", "va": "center", "color": ink, "clip_on": False}
        text = str(block.texts[row, column])
        axes.text(column + 0.46, row + 0.5, text, fontsize=5.5, **middle)
        mark = MARKS.get(str(block.flags[row, column]))
        if mark and matrices.marks:
            axes.text(column + 0.87, row + 0.52, mark, fontsize=4.5, **middle)
    axes.set_ylim(rows, 0)
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(columns) + 0.5, block.columns)
    axes.tick_params(length=0, labelsize=6.5, pad=2)
    axes.set_title(block.title, loc="left", fontsize=8, fontweight="bold", color=INK, pad=14)
    for side in axes.spines.values():
        side.set_visible(False)


def _legend(figure: Figure, matrices: Matrices) -> None:
    width, height = figure.get_size_inches()
    bar = figure.add_axes((_LEFT / width, 0.62 / height, 1.9 / width, 0.09 / height))
    figure.colorbar(
        ScalarMappable(matrices.norm, matrices.colours), cax=bar, orientation="horizontal",
        format=matrices.ticks,
    )  # fmt: skip
    bar.tick_params(labelsize=6.5, length=2, pad=1)
    bar.set_title(matrices.legend, loc="left", fontsize=7, color=QUIET, pad=2)
    words = [
        f"{MARKS[side]} {meaning}"
        for side, meaning in zip(("high", "low"), matrices.marks, strict=False)
    ]
    figure.text(
        (_LEFT + 2.2) / width, 0.61 / height, "   ".join([*words, f"{NOTHING} none"]), fontsize=7.5,
        color=INK,
    )  # fmt: skip


def natural(code: str) -> tuple[str, int, str]:
    """Sort key of a code that orders B2 before B10."""
    letters = code.rstrip("0123456789")
    rest = code[len(letters) :]
    return letters, int(rest or 0), code
