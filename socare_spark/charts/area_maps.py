"""Density and hot spot maps of areas, and the chart of the space-time matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from socare_spark.charts.area_style import (
    NOBODY,
    NOT_APPLICABLE,
    NOT_KNOWN,
    AreaStyle,
    State,
    add_areas,
    outlines,
    scale_bar,
    shaded,
    swatch,
)
from socare_spark.charts.shaded_tables import natural
from socare_spark.charts.style import (
    DIVERGING,
    DIVERGING_SCALE,
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

_NOTHING = "#E8E8E8"


@dataclass(frozen=True)
class AreaMap:
    """The texts and shapes of a map.

    Attributes:
        title: A few words.
        subtitle: Definition of the figures.
        source: Source of the figures.
        shapes: The areas, in EPSG:27700.
        outline: The city's edge, or None.
    """

    title: str
    subtitle: str
    source: str
    shapes: Sequence[BaseGeometry]
    outline: BaseGeometry | None = None


def draw_density(
    area_map: AreaMap,
    values: NDArray[np.float64],
    unit: str,
    path: Path,
    *,
    zero: State = NOBODY,
    missing: State = NOT_KNOWN,
) -> Path:
    """Draws areas shaded by a value, in classes of about equally many areas.

    Args:
        area_map: Title, source and shapes.
        values: One value per shape; NaN means that it is missing.
        unit: Unit of the values in the legend.
        path: Path of the PNG.
        zero: Style of areas with 0.
        missing: Style of areas without a value.

    Returns:
        The path.
    """
    area_style = shaded(np.asarray(values, dtype=float), zero=zero, missing=missing)
    return _draw(area_map, area_style, f"{unit} (areas)", SEQUENTIAL_SCALE, path)


def draw_hotspots(
    area_map: AreaMap,
    z: NDArray[np.float64],
    p: NDArray[np.float64],
    significance: float,
    path: Path,
) -> Path:
    """Draws hot and cold spots: areas that have, with their neighbours, significantly many or few.

    Args:
        area_map: Title, source and shapes.
        z: Gi* of each area; NaN where it is not defined.
        p: Adjusted p of each area.
        significance: Upper limit of p. A fifth of it limits the stronger class.
        path: Path of the PNG.

    Returns:
        The path.
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
    classified = np.isnan(z)
    untested = classified.copy()
    numbers: dict[str, int] = {}
    for _, limit, side, colour in sorted(kinds, key=lambda kind: kind[1]):
        significant = ~classified & side & (p < limit)
        fills[significant], numbers[colour] = colour, int(significant.sum())
        classified |= significant
    for word, limit, _, colour in kinds[:2]:
        entries.append(swatch(colour, f"{word}, p < {limit:g} ({numbers[colour]})"))
    entries.append(swatch(_NOTHING, f"not unusual ({int((~classified).sum())})"))
    for word, limit, _, colour in kinds[2:]:
        entries.append(swatch(colour, f"{word}, p < {limit:g} ({numbers[colour]})"))
    hatches = np.full(len(z), "", dtype=object)
    fills[untested], hatches[untested] = NOT_APPLICABLE.fill, NOT_APPLICABLE.hatch
    if untested.any():
        label = f"not tested ({int(untested.sum())})"
        entries.append(swatch(NOT_APPLICABLE.fill, label, NOT_APPLICABLE.hatch))
    area_style = AreaStyle(fills, hatches, entries)
    return _draw(area_map, area_style, "Area and neighbours have (areas)", DIVERGING_SCALE, path)


def _draw(area_map: AreaMap, area_style: AreaStyle, legend: str, scale: str, path: Path) -> Path:
    with rc_context(STYLE):
        figure = new_figure(7.6, 7.6)
        axes = figure.add_axes((0.02, 0.075, 0.72, 0.84))
        edge = None if area_map.outline is None else outlines([area_map.outline])[0]
        add_areas(axes, outlines(area_map.shapes), area_style, edge)
        scale_bar(figure, axes, 0.75, 0.14)
        figure.legend(
            handles=list(area_style.entries), title=legend, loc="upper left",
            bbox_to_anchor=(0.735, 0.88), alignment="left", title_fontsize=8,
            handlelength=1.6, handleheight=1.2,
        )  # fmt: skip
        headline(figure, area_map.title, area_map.subtitle)
        small_print(figure, area_map.source, scale)
        return save(figure, path)


def draw_matrix(
    matrix: pd.DataFrame, trends: pd.Series, title: str, source: str, path: Path
) -> Path:
    """Draws the space-time matrix: districts down, years across, records as number and shade.

    Args:
        matrix: Columns `district`, `year`, `records`, `flag`; one row per district and year.
        trends: District -> `improving`, `challenging` or `steady`.
        title: Title of the figure.
        source: Source of the figures.
        path: Path of the PNG.

    Returns:
        The path.
    """
    counts = matrix.pivot(index="district", columns="year", values="records")
    order = sorted(counts.index, key=natural)
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
        # On a square-root scale differences between years are visible in small districts too.
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
            title,
            "Marked cells differ from what district and year let expect; p adjusted for all cells",
        )
        small_print(figure, source, SEQUENTIAL_SCALE + "; by the square root of the number")
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
