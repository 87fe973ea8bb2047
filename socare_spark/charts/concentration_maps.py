"""Concentration of elements: one map per element, shaded by the location quotient."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from shapely import total_bounds, union_all
from shapely.geometry.base import BaseGeometry

from socare_spark.charts.area_style import NOBODY, AreaStyle, add_areas, outlines, scale_bar, swatch
from socare_spark.charts.style import (
    DIVERGING,
    DIVERGING_SCALE,
    EMPTY,
    INK,
    QUIET,
    STYLE,
    headline,
    new_figure,
    save,
    small_print,
)

# Half-open classes of the location quotient, symmetrical about 1.
_LIMITS = (0.5, 0.8, 1.25, 2.0)
_NAMES = ("below 0.5", "0.5 to under 0.8", "0.8 to under 1.25", "1.25 to under 2", "2 and more")
_SHADES = (0.08, 0.28, None, 0.74, 0.92)
_AS_EVERYWHERE = "#E8E8E8"
_MOST = 5  # districts listed below a map
_ACROSS, _WIDE = 3, 3.3  # maps side by side, inches of a map
_LEGEND, _TOP, _FOOT, _NAME, _WORDS = 1.8, 0.75, 0.5, 0.25, 0.42


@dataclass(frozen=True)
class Concentrations:
    """The content of a figure.

    Attributes:
        rows: Columns district, element, share, location_quotient. A district without a row for an
            element has no records of it.
        elements: One map per element, from left to right.
        districts: Codes of the districts.
        shapes: Shapes of the districts, in EPSG:27700.
        subtitle: Definition of the figures.
        source: Source of the figures.
    """

    rows: pd.DataFrame
    elements: Sequence[str]
    districts: Sequence[str]
    shapes: Sequence[BaseGeometry]
    subtitle: str
    source: str


def draw_concentration(picture: Concentrations, path: Path) -> Path:
    """Draws the maps, with a list of the districts with the largest shares below each."""
    west, south, east, north = total_bounds(list(picture.shapes))
    high = _WIDE * (north - south) / (east - west)
    across = min(_ACROSS, len(picture.elements))
    down = ceil(len(picture.elements) / across)
    deep = high + _NAME + _WORDS
    width, height = max(across * _WIDE + _LEGEND, 8.0), down * deep + _TOP + _FOOT
    drawn, (edge,) = outlines(picture.shapes), outlines([union_all(picture.shapes)])
    with rc_context(STYLE):
        figure = new_figure(width, height)
        for place, element in enumerate(picture.elements):
            row, column = divmod(place, across)
            bottom = height - _TOP - (row + 1) * deep + _WORDS
            axes = figure.add_axes(
                (
                    (0.1 + column * _WIDE) / width,
                    bottom / height,
                    (_WIDE - 0.15) / width,
                    high / height,
                )
            )
            element_rows = picture.rows[picture.rows["element"] == element].set_index("district")
            quotients = (
                element_rows["location_quotient"]
                .reindex(list(picture.districts))
                .to_numpy(dtype=float)
            )
            add_areas(axes, drawn, _area_style(quotients), edge)
            _words(axes, element, element_rows["share"])
        scale_bar(figure, axes, 1 - (_LEGEND - 0.15) / width, 0.6 / height)
        figure.legend(
            handles=[swatch(_colour(i), name) for i, name in enumerate(_NAMES)]
            + [swatch(NOBODY.fill, "none", NOBODY.hatch)],
            title="Location quotient", loc="upper left", alignment="left", title_fontsize=8,
            bbox_to_anchor=(1 - (_LEGEND - 0.05) / width, 1 - _TOP / height),
            handlelength=1.6, handleheight=1.2,
        )  # fmt: skip
        headline(figure, "Where elements are concentrated", picture.subtitle)
        small_print(
            figure,
            picture.source,
            f"{DIVERGING_SCALE}; quotient: the element's share in the district / in all districts",
        )
        return save(figure, path)


def _colour(place: int) -> str:
    shade = _SHADES[place]
    return _AS_EVERYWHERE if shade is None else to_hex(colormaps[DIVERGING](shade))


def _area_style(quotients: NDArray[np.float64]) -> AreaStyle:
    none = ~(quotients > 0)
    fills = np.full(len(quotients), EMPTY, dtype=object)
    colours = np.array([_colour(place) for place in range(len(_NAMES))], dtype=object)
    fills[~none] = colours[np.searchsorted(_LIMITS, quotients[~none], side="right")]
    return AreaStyle(fills, np.where(none, NOBODY.hatch, "").astype(object), ())


def _words(axes: Axes, element: str, shares: pd.Series) -> None:
    """Adds the element above its map and the districts with the largest shares below it."""
    axes.set_title(element, fontsize=10, fontweight="bold", color=INK, pad=4)
    order = sorted(shares.index, key=lambda code: (-shares[code], code))[:_MOST]
    named = [f"{code} {shares[code]:.1%}" for code in order]
    lines = [", ".join(named[:3]), ", ".join(named[3:])]
    text = "Largest shares: " + ",\n".join(line for line in lines if line) if named else "nowhere"
    axes.text(
        0.5, -0.01, text, transform=axes.transAxes, ha="center", va="top", fontsize=7, color=QUIET
    )
