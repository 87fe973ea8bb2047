"""Maps of areas, and the space-time matrix as a picture.

An area with nobody in it is white and hatched, never the lightest colour: empty and few are
different findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from socare_spark.report.classes import quantile_classes
from socare_spark.report.style import (
    DIVERGING,
    DIVERGING_SAYS,
    EMPTY,
    HAIRLINE,
    INK,
    QUIET,
    SEQUENTIAL,
    SEQUENTIAL_SAYS,
    STYLE,
    headline,
    new_figure,
    save,
    small_print,
)

_HATCH = "////"
_NOTHING = "#E8E8E8"
_BAR_METRES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


@dataclass(frozen=True)
class AreaMap:
    """What a map shows.

    Attributes:
        title: In a few words.
        subtitle: What exactly is counted.
        source: Where the figures come from.
        shapes: The areas, in EPSG:27700.
        outline: The city's edge, or None.
    """

    title: str
    subtitle: str
    source: str
    shapes: Sequence[BaseGeometry]
    outline: BaseGeometry | None = None


def draw_density(area_map: AreaMap, values: NDArray[np.float64], unit: str, path: Path) -> Path:
    """Draws areas shaded by a value in classes of about equally many areas.

    Args:
        area_map: Title, source and shapes.
        values: One for each shape; 0 means nobody.
        unit: What the legend calls the values.
        path: Where the PNG goes.
    """
    classes = quantile_classes(values)
    colours = _sequence(len(classes) if classes else 0)
    empty = ~(values > 0)
    fills = np.full(len(values), EMPTY, dtype=object)
    if classes:
        fills[~empty] = np.asarray(colours, dtype=object)[classes.of(values[~empty])]
    entries: list[Patch] = [
        _swatch(colour, f"{label} ({number})")
        for colour, label, number in (
            zip(
                colours,
                classes.labels,
                np.bincount(classes.of(values[~empty]), minlength=len(classes)),
                strict=True,
            )
            if classes
            else ()
        )
    ]
    if empty.any():
        entries.append(_swatch(EMPTY, f"nobody ({int(empty.sum())})", _HATCH))
    look = _Look(fills, empty, entries, f"{unit} (areas)", SEQUENTIAL_SAYS)
    return _draw(area_map, look, path)


def draw_hotspots(
    area_map: AreaMap,
    z: NDArray[np.float64],
    p: NDArray[np.float64],
    significance: float,
    path: Path,
) -> Path:
    """Draws where an area and its neighbours have significantly many or few.

    Args:
        area_map: Title, source and shapes.
        z: Gi* of each area; NaN where it is not defined.
        p: Its adjusted p.
        significance: What p must be below; a fifth of it is the stronger class.
        path: Where the PNG goes.
    """
    strong = significance / 5
    shades = colormaps[DIVERGING]
    kinds = (
        ("many", strong, z > 0, to_hex(shades(0.92))),
        ("many", significance, z > 0, to_hex(shades(0.74))),
        ("few", significance, z < 0, to_hex(shades(0.28))),
        ("few", strong, z < 0, to_hex(shades(0.08))),
    )
    fills = np.full(len(z), _NOTHING, dtype=object)
    entries: list[Patch] = []
    taken = np.isnan(z)
    untested = taken.copy()
    numbers: dict[str, int] = {}
    for _, limit, side, colour in sorted(kinds, key=lambda kind: kind[1]):
        here = ~taken & side & (p < limit)
        fills[here], numbers[colour] = colour, int(here.sum())
        taken |= here
    for word, limit, _, colour in kinds[:2]:
        entries.append(_swatch(colour, f"{word}, p < {limit:g} ({numbers[colour]})"))
    entries.append(_swatch(_NOTHING, f"not unusual ({int((~taken).sum())})"))
    for word, limit, _, colour in kinds[2:]:
        entries.append(_swatch(colour, f"{word}, p < {limit:g} ({numbers[colour]})"))
    fills[untested] = EMPTY
    if untested.any():
        entries.append(_swatch(EMPTY, f"not tested ({int(untested.sum())})", _HATCH))
    look = _Look(fills, untested, entries, "Area and neighbours have (areas)", DIVERGING_SAYS)
    return _draw(area_map, look, path)


@dataclass(frozen=True)
class _Look:
    """How the areas of a map look: fill and hatching of each, legend and its title, scale."""

    fills: NDArray[np.object_]
    hatched: NDArray[np.bool_]
    entries: Sequence[Patch]
    legend: str
    scale: str


def _draw(area_map: AreaMap, look: _Look, path: Path) -> Path:
    with rc_context(STYLE):
        figure = new_figure(7.6, 7.6)
        axes = figure.add_axes((0.02, 0.075, 0.72, 0.84))
        for marked, hatch in ((False, None), (True, _HATCH)):
            chosen = np.flatnonzero(look.hatched == marked)
            axes.add_collection(
                PathCollection(
                    [_path_of(area_map.shapes[int(i)]) for i in chosen],
                    facecolors=list(look.fills[chosen]),
                    edgecolors=HAIRLINE if marked else "white",
                    linewidths=0.4,
                    hatch=hatch,
                )
            )
        if area_map.outline is not None:
            axes.add_collection(
                PathCollection(
                    [_path_of(area_map.outline)], facecolors="none", edgecolors=INK, linewidths=0.9
                )
            )
        axes.set_aspect("equal")
        axes.margins(0.01)
        axes.autoscale_view()
        axes.set_axis_off()
        _scale_bar(figure, axes)
        figure.legend(
            handles=list(look.entries), title=look.legend, loc="upper left",
            bbox_to_anchor=(0.735, 0.88), alignment="left", title_fontsize=8,
            handlelength=1.6, handleheight=1.2,
        )  # fmt: skip
        headline(figure, area_map.title, area_map.subtitle)
        small_print(figure, area_map.source, look.scale)
        return save(figure, path)


def _sequence(count: int) -> list[str]:
    """So many colours from light to dark, without the lightest end, which looks like paper."""
    places = np.linspace(0.06, 1.0, max(count, 1))
    return [to_hex(colormaps[SEQUENTIAL](place)) for place in places]


def _swatch(colour: str, label: str, hatch: str | None = None) -> Patch:
    return Patch(facecolor=colour, edgecolor=HAIRLINE, hatch=hatch, label=label, linewidth=0.6)


def _path_of(geometry: BaseGeometry) -> Outline:
    """Polygons with their holes as one outline."""
    rings = [
        ring
        for polygon in getattr(geometry, "geoms", [geometry])
        for ring in (polygon.exterior, *polygon.interiors)
    ]
    return Outline.make_compound_path(
        *(Outline(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings)
    )


def _scale_bar(figure: Figure, axes: Axes) -> None:
    """A bar of round length, about a fifth of the map's width, below the legend."""
    west, east = axes.get_xlim()
    length = max((m for m in _BAR_METRES if m <= (east - west) / 5), default=_BAR_METRES[0])
    axes.apply_aspect()  # settles where the axes lie once their aspect is kept
    inverse = figure.transFigure.inverted()
    ends = inverse.transform(axes.transData.transform([[west, 0.0], [west + length, 0.0]]))
    left, width = 0.75, float(ends[1, 0] - ends[0, 0])
    figure.add_artist(Line2D([left, left + width], [0.14, 0.14], color=INK, linewidth=2))
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length} m"
    figure.text(left + width / 2, 0.146, text, ha="center", va="bottom", fontsize=8)


def draw_matrix(matrix: pd.DataFrame, trends: pd.Series, source: str, path: Path) -> Path:
    """Draws the space-time matrix: districts down, years across, agreements as number and shade.

    Args:
        matrix: Columns `district`, `year`, `records`, `flag`; every combination once.
        trends: District -> `improving`, `challenging` or `steady`.
        source: Where the figures come from.
        path: Where the PNG goes.
    """
    counts = matrix.pivot(index="district", columns="year", values="records")
    order = sorted(counts.index, key=_natural)
    counts = counts.loc[order]
    flags = (
        matrix.pivot(index="district", columns="year", values="flag").loc[order].to_numpy(object)
    )
    values = counts.to_numpy(float)
    rows, columns = values.shape
    height = rows * 0.2 + 1.75
    with rc_context(STYLE):
        figure = new_figure(max(6.5, columns * 0.52 + 2.2), height)
        axes = figure.add_axes((0.07, 0.8 / height, 0.72, (rows * 0.2) / height))
        # A square root, so that small districts still show their years.
        norm = PowerNorm(0.5, 0, max(1.0, float(values.max())))
        shades = colormaps[SEQUENTIAL].with_extremes(bad=EMPTY)
        axes.pcolormesh(
            np.ma.masked_equal(values, 0), cmap=shades, norm=norm, edgecolors="white", linewidth=0.6
        )
        _numbers(axes, values, flags, norm)
        _sides(axes, counts, [str(trends.get(district, "steady")) for district in order])
        _matrix_legend(figure, norm)
        headline(
            figure,
            "Agreements by postcode district and year of start",
            "Marked cells differ from what district and year let expect; p adjusted for all cells",
        )
        small_print(figure, source, SEQUENTIAL_SAYS + "; by the square root of the number")
        return save(figure, path)


def _numbers(
    axes: Axes, values: NDArray[np.float64], flags: NDArray[np.object_], norm: PowerNorm
) -> None:
    marks = {"high": "\N{BLACK UP-POINTING TRIANGLE}", "low": "\N{BLACK DOWN-POINTING TRIANGLE}"}
    for row, column in np.ndindex(*values.shape):
        value, flag = values[row, column], str(flags[row, column])
        dark = value > 0 and float(norm(value)) > 0.5
        colour = "white" if dark else INK
        text = f"{value:,.0f}" if value else "\N{MIDDLE DOT}"
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=6.5, color=colour
        )
        if flag in marks:
            axes.text(
                column + 0.86, row + 0.5, marks[flag], ha="center", va="center", fontsize=5,
                color=colour,
            )  # fmt: skip


def _sides(axes: Axes, counts: pd.DataFrame, trends: Sequence[str]) -> None:
    arrows = {
        "challenging": "\N{NORTH EAST ARROW} challenging",
        "improving": "\N{SOUTH EAST ARROW} improving",
    }
    rows, columns = counts.shape
    axes.set_xticks(np.arange(columns) + 0.5, [str(year) for year in counts.columns])
    axes.set_yticks(np.arange(rows) + 0.5, list(counts.index), fontsize=7.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=7.5)
    axes.set_ylim(rows, 0)
    for side in axes.spines.values():
        side.set_visible(False)
    for row, (total, trend) in enumerate(zip(counts.sum(axis=1), trends, strict=True)):
        axes.text(columns + 0.95, row + 0.5, f"{total:,.0f}", ha="right", va="center", fontsize=7)
        axes.text(
            columns + 1.15, row + 0.5, arrows.get(trend, ""), va="center", fontsize=7, color=QUIET
        )
    axes.text(columns + 0.95, -0.3, "all", ha="right", va="bottom", fontsize=7.5, color=QUIET)
    axes.text(columns + 1.15, -0.3, "trend", va="bottom", fontsize=7.5, color=QUIET)


def _matrix_legend(figure: Figure, norm: PowerNorm) -> None:
    height = figure.get_figheight()
    bar = figure.add_axes((0.07, 0.6 / height, 0.25, 0.09 / height))
    figure.colorbar(ScalarMappable(norm, SEQUENTIAL), cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=6.5, length=2, pad=1)
    figure.text(
        0.35, 0.58 / height,
        "\N{BLACK UP-POINTING TRIANGLE} unusually many   "
        "\N{BLACK DOWN-POINTING TRIANGLE} unusually few   \N{MIDDLE DOT} none",
        fontsize=7.5, color=INK,
    )  # fmt: skip


def _natural(code: str) -> tuple[str, int, str]:
    """Sorts B2 before B10."""
    letters = code.rstrip("0123456789")
    rest = code[len(letters) :]
    return letters, int(rest or 0), code
