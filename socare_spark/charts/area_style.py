"""Elements of maps: outlines of areas, shades, legend entries and the scale bar.

Areas with nobody, areas whose figure is not known, and areas to which it does not apply look
different from each other and from areas with few people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from socare_spark.charts.map_classes import quantile_classes
from socare_spark.charts.style import EMPTY, HAIRLINE, INK, SEQUENTIAL

_BAR_METRES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


@dataclass(frozen=True)
class State:
    """Style of the areas without a positive value, for one reason.

    Attributes:
        label: Entry of the legend.
        fill: Colour.
        hatch: Hatching; empty for none.
    """

    label: str
    fill: str = EMPTY
    hatch: str = ""


NOBODY = State("nobody", hatch="////")
# No class of a scale has this colour or these marks.
NOT_KNOWN = State("not known", "#F2E9E1", "...")
NOT_APPLICABLE = State("not applicable", hatch="xxx")


@dataclass(frozen=True)
class AreaStyle:
    """Colours and hatching of areas.

    Attributes:
        fills: Colour of each area.
        hatches: Hatching of each area; empty for none.
        entries: Entries of the legend.
    """

    fills: NDArray[np.object_]
    hatches: NDArray[np.object_]
    entries: Sequence[Patch]


def shaded(
    values: NDArray[np.float64],
    *,
    counted: bool = True,
    zero: State = NOBODY,
    missing: State = NOT_KNOWN,
) -> AreaStyle:
    """Shades areas by a value, in classes of about equally many areas.

    Args:
        values: One value per area; 0 or less means empty, NaN means that it is missing.
        counted: Whether the legend has the number of areas in each class.
        zero: Style of areas with 0.
        missing: Style of areas without a value.
    """
    classes = quantile_classes(values)
    colours = _sequence(len(classes)) if classes else []
    empty = ~(values > 0)
    fills = np.full(len(values), EMPTY, dtype=object)
    hatches = np.full(len(values), "", dtype=object)
    entries = []
    if classes:
        of = classes.of(values[~empty])
        fills[~empty] = np.asarray(colours, dtype=object)[of]
        numbers = np.bincount(of, minlength=len(classes)).tolist()
        entries = [
            swatch(colour, f"{label} ({number})" if counted else label)
            for colour, label, number in zip(colours, classes.labels, numbers, strict=True)
        ]
    for state, areas in ((zero, empty & ~np.isnan(values)), (missing, np.isnan(values))):
        fills[areas], hatches[areas] = state.fill, state.hatch
        if areas.any():
            label = f"{state.label} ({int(areas.sum())})" if counted else state.label
            entries.append(swatch(state.fill, label, state.hatch))
    return AreaStyle(fills, hatches, entries)


def _sequence(count: int) -> list[str]:
    """A number of colours from light to dark, without the lightest, which resembles white."""
    places = np.linspace(0.06, 1.0, max(count, 1))
    return [to_hex(colormaps[SEQUENTIAL](place)) for place in places]


def swatch(colour: str, label: str, hatch: str | None = None) -> Patch:
    """An entry of a legend."""
    return Patch(
        facecolor=colour, edgecolor=HAIRLINE, hatch=hatch or None, label=label, linewidth=0.6
    )


def outlines(shapes: Sequence[BaseGeometry]) -> list[Outline]:
    """Outlines of polygons and their holes, one per geometry."""
    return [_outline(shape) for shape in shapes]


def _outline(geometry: BaseGeometry) -> Outline:
    rings = [
        ring
        for polygon in getattr(geometry, "geoms", [geometry])
        for ring in (polygon.exterior, *polygon.interiors)
    ]
    return Outline.make_compound_path(
        *(Outline(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings)
    )


def add_areas(
    axes: Axes, drawn: Sequence[Outline], area_style: AreaStyle, edge: Outline | None
) -> None:
    """Adds areas and the city's edge to axes with equal scales and no frame.

    Args:
        axes: Axes of the map.
        drawn: Result of `outlines`.
        area_style: Style of the areas, in the same order.
        edge: The city's edge, or None.
    """
    for hatch in sorted({"", *area_style.hatches}):
        chosen = np.flatnonzero(area_style.hatches == hatch)
        axes.add_collection(
            PathCollection(
                [drawn[int(i)] for i in chosen],
                facecolors=list(area_style.fills[chosen]),
                edgecolors=HAIRLINE if hatch else "white",
                linewidths=0.4,
                hatch=hatch or None,
            )
        )
    if edge is not None:
        add_edge(axes, edge)
    axes.set_aspect("equal")
    axes.margins(0.01)
    axes.autoscale_view()
    axes.set_axis_off()


def add_edge(axes: Axes, edge: Outline, colour: str = INK, width: float = 0.9) -> None:
    """Draws an outline."""
    axes.add_collection(
        PathCollection([edge], facecolors="none", edgecolors=colour, linewidths=width)
    )


def scale_bar(figure: Figure, axes: Axes, left: float, bottom: float) -> None:
    """Adds a bar of round length, at most a fifth of the map's width.

    Args:
        figure: The figure.
        axes: Axes of the map.
        left: Left end of the bar, as a fraction of the figure's width.
        bottom: Height of the bar, as a fraction of the figure's height.
    """
    west, east = axes.get_xlim()
    length = max((m for m in _BAR_METRES if m <= (east - west) / 5), default=_BAR_METRES[0])
    axes.apply_aspect()  # fixes the position of the axes for their aspect
    inverse = figure.transFigure.inverted()
    ends = inverse.transform(axes.transData.transform([[west, 0.0], [west + length, 0.0]]))
    width = float(ends[1, 0] - ends[0, 0])
    figure.add_artist(Line2D([left, left + width], [bottom, bottom], color=INK, linewidth=2))
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length} m"
    up = 0.045 / figure.get_figheight()
    figure.text(left + width / 2, bottom + up, text, ha="center", va="bottom", fontsize=8)
