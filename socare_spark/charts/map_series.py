"""One map for each year, side by side in one picture: the same areas, the same shades."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from shapely import total_bounds
from shapely.geometry.base import BaseGeometry

from socare_spark.charts.area_style import (
    AreaStyle,
    add_areas,
    add_edge,
    outlines,
    scale_bar,
    shaded,
)
from socare_spark.charts.style import (
    INK,
    SEQUENTIAL_SAYS,
    STYLE,
    headline,
    new_figure,
    save,
    small_print,
)

_ACROSS = 4  # frames side by side
_WIDE = 2.5  # inches of a frame
_LEGEND, _TOP, _FOOT, _NAME = 1.7, 0.7, 0.45, 0.22


@dataclass(frozen=True)
class Frames:
    """What a picture of several maps shows.

    Attributes:
        title: In a few words.
        subtitle: What exactly is counted.
        source: Where the figures come from.
        shapes: The areas, in EPSG:27700.
        names: What stands above each frame.
        values: One row a frame, one column a shape; 0 means nobody.
        outline: The city's edge, or None.
        middle: The area whose surroundings are shown, or None for all.
        reach: How many metres the frames reach from its middle.
    """

    title: str
    subtitle: str
    source: str
    shapes: Sequence[BaseGeometry]
    names: Sequence[str]
    values: NDArray[np.float64]
    outline: BaseGeometry | None = None
    middle: BaseGeometry | None = None
    reach: float = 0.0


def draw_frames(frames: Frames, unit: str, path: Path) -> Path:
    """Draws the frames in rows; one legend holds for all of them.

    Shades are of all areas and frames, also of those that the surroundings of an area cut off, so
    that pictures of one layer can be compared.

    Args:
        frames: What is shown.
        unit: What the legend calls the values.
        path: Where the PNG goes.
    """
    number = len(frames.names)
    across = min(_ACROSS, number)
    down = ceil(number / across)
    west, south, east, north = _bounds(frames)
    high = _WIDE * (north - south) / (east - west)
    width = across * _WIDE + _LEGEND + 0.3
    height = down * (high + _NAME) + _TOP + _FOOT
    look = shaded(frames.values.ravel(), counted=False)
    drawn = outlines(frames.shapes)
    with rc_context(STYLE):
        figure = new_figure(width, height)
        for place in range(number):
            row, column = divmod(place, across)
            bottom = height - _TOP - (row + 1) * (high + _NAME)
            axes = figure.add_axes(
                (
                    (0.15 + column * _WIDE) / width,
                    bottom / height,
                    (_WIDE - 0.1) / width,
                    high / height,
                )
            )
            own = slice(place * len(drawn), (place + 1) * len(drawn))
            _frame(axes, frames, drawn, AreaStyle(look.fills[own], look.hatched[own], ()))
            axes.set(xlim=(west, east), ylim=(south, north))
            axes.set_title(frames.names[place], fontsize=9, color=INK, pad=3)
        scale_bar(figure, axes, 1 - (_LEGEND - 0.1) / width, 0.55 / height)
        _legend(figure, look, unit)
        headline(figure, frames.title, frames.subtitle)
        small_print(figure, frames.source, f"{SEQUENTIAL_SAYS}; the same in every frame")
        return save(figure, path)


def _bounds(frames: Frames) -> tuple[float, float, float, float]:
    """West, south, east and north of what a frame shows."""
    if frames.middle is not None:
        x, y = frames.middle.centroid.x, frames.middle.centroid.y
        return x - frames.reach, y - frames.reach, x + frames.reach, y + frames.reach
    west, south, east, north = total_bounds(list(frames.shapes)).tolist()
    margin = 0.01 * (east - west)
    return west - margin, south - margin, east + margin, north + margin


def _frame(axes: Axes, frames: Frames, drawn: Sequence[Outline], look: AreaStyle) -> None:
    edge = None if frames.outline is None else outlines([frames.outline])[0]
    add_areas(axes, drawn, look, edge)
    if frames.middle is not None:
        middle = outlines([frames.middle])[0]
        # White about the ink, so that it shows on the darkest shade too.
        add_edge(axes, middle, "white", 3.6)
        add_edge(axes, middle, width=1.6)


def _legend(figure: Figure, look: AreaStyle, unit: str) -> None:
    width, height = figure.get_size_inches()
    figure.legend(
        handles=list(look.entries), title=unit, loc="upper left",
        bbox_to_anchor=(1 - (_LEGEND + 0.05) / width, 1 - _TOP / height), alignment="left",
        title_fontsize=8, handlelength=1.6, handleheight=1.2,
    )  # fmt: skip
