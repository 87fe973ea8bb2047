"""One map per year in one figure, with the same areas and the same classes."""

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
    NOBODY,
    NOT_KNOWN,
    AreaStyle,
    State,
    add_areas,
    add_edge,
    outlines,
    scale_bar,
    shaded,
)
from socare_spark.charts.style import (
    INK,
    SEQUENTIAL_SCALE,
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
    """The content of a figure of maps.

    Attributes:
        title: A few words.
        subtitle: Definition of the figures.
        source: Source of the figures.
        shapes: The areas, in EPSG:27700.
        names: Title of each map.
        values: One row per map, one column per shape; NaN means that it is missing.
        outline: The city's edge, or None.
        middle: Area in the middle of the maps, or None to show all areas.
        reach: Distance in metres from the centre of `middle` to the edge of the maps.
        zero: Style of areas with 0.
        missing: Style of areas without a value.
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
    zero: State = NOBODY
    missing: State = NOT_KNOWN


def draw_frames(frames: Frames, unit: str, path: Path) -> Path:
    """Draws the maps in rows, with one legend.

    Classes are computed from all areas and maps, including areas that `middle` and `reach` cut off,
    so that figures of one layer can be compared.

    Args:
        frames: The figure's content.
        unit: Unit of the values in the legend.
        path: Path of the PNG.
    """
    number = len(frames.names)
    across = min(_ACROSS, number)
    down = ceil(number / across)
    west, south, east, north = _bounds(frames)
    high = _WIDE * (north - south) / (east - west)
    width = across * _WIDE + _LEGEND + 0.3
    height = down * (high + _NAME) + _TOP + _FOOT
    area_style = shaded(
        frames.values.ravel(), counted=False, zero=frames.zero, missing=frames.missing
    )
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
            frame_slice = slice(place * len(drawn), (place + 1) * len(drawn))
            _frame(
                axes,
                frames,
                drawn,
                AreaStyle(area_style.fills[frame_slice], area_style.hatches[frame_slice], ()),
            )
            axes.set(xlim=(west, east), ylim=(south, north))
            axes.set_title(frames.names[place], fontsize=9, color=INK, pad=3)
        scale_bar(figure, axes, 1 - (_LEGEND - 0.1) / width, 0.55 / height)
        _legend(figure, area_style, unit)
        headline(figure, frames.title, frames.subtitle)
        small_print(figure, frames.source, f"{SEQUENTIAL_SCALE}; the same in every frame")
        return save(figure, path)


def _bounds(frames: Frames) -> tuple[float, float, float, float]:
    """West, south, east and north of the visible part of each map."""
    if frames.middle is not None:
        x, y = frames.middle.centroid.x, frames.middle.centroid.y
        return x - frames.reach, y - frames.reach, x + frames.reach, y + frames.reach
    west, south, east, north = total_bounds(list(frames.shapes)).tolist()
    margin = 0.01 * (east - west)
    return west - margin, south - margin, east + margin, north + margin


def _frame(axes: Axes, frames: Frames, drawn: Sequence[Outline], area_style: AreaStyle) -> None:
    edge = None if frames.outline is None else outlines([frames.outline])[0]
    add_areas(axes, drawn, area_style, edge)
    if frames.middle is not None:
        middle = outlines([frames.middle])[0]
        # A white border makes the ink visible on the darkest shade.
        add_edge(axes, middle, "white", 3.6)
        add_edge(axes, middle, width=1.6)


def _legend(figure: Figure, area_style: AreaStyle, unit: str) -> None:
    width, height = figure.get_size_inches()
    figure.legend(
        handles=list(area_style.entries), title=unit, loc="upper left",
        bbox_to_anchor=(1 - (_LEGEND + 0.05) / width, 1 - _TOP / height), alignment="left",
        title_fontsize=8, handlelength=1.6, handleheight=1.2,
    )  # fmt: skip
