"""Small multiples of bars over periods: one panel per series, one text per bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes

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

_BAR, _PART, _FALL = "#B8C4CC", CATEGORIES[0], CATEGORIES[5]
_MARGIN, _ACROSS, _DOWN = 0.55, 0.45, 0.62  # inches
_HEAD, _FOOT = 1.0, 0.75


@dataclass(frozen=True)
class Panel:
    """A series of bars.

    Attributes:
        title: Name of the values.
        labels: Labels of the periods.
        values: One value per period; NaN has no bar.
        texts: Text at each bar.
        parts: Part of each value in a stronger colour; empty for no parts.
    """

    title: str
    labels: Sequence[str]
    values: Sequence[float]
    texts: Sequence[str]
    parts: Sequence[float] = ()


@dataclass(frozen=True)
class Panels:
    """A figure of panels in rows.

    Attributes:
        title: A few words.
        subtitle: Definition of the figures.
        source: Source of the figures.
        rows: Rows of panels, all of the same length.
        key: Meaning of the bars, for the small print.
    """

    title: str
    subtitle: str
    source: str
    rows: Sequence[Sequence[Panel]]
    key: str = ""


def draw_panels(panels: Panels, path: Path, *, bar: float = 0.42, height: float = 1.7) -> Path:
    """Draws all panels. Panels of a column share their periods and not their scales.

    Args:
        panels: The figure's content.
        path: Path of the PNG.
        bar: Inches from bar to bar.
        height: Height of a panel in inches.

    Returns:
        The path.
    """
    across = len(panels.rows[0])
    width = max(len(panel.labels) for row in panels.rows for panel in row) * bar
    whole_width = max(6.5, 2 * _MARGIN + across * width + (across - 1) * _ACROSS)
    whole_height = _HEAD + len(panels.rows) * (height + _DOWN) - _DOWN + _FOOT
    width = (whole_width - 2 * _MARGIN - (across - 1) * _ACROSS) / across
    with rc_context(STYLE):
        figure = new_figure(whole_width, whole_height)
        for down, row in enumerate(panels.rows):
            for right, panel in enumerate(row):
                left = _MARGIN + right * (width + _ACROSS)
                bottom = whole_height - _HEAD - height - down * (height + _DOWN)
                axes = figure.add_axes(
                    (left / whole_width, bottom / whole_height,
                     width / whole_width, height / whole_height)
                )  # fmt: skip
                _panel(axes, panel)
        headline(figure, panels.title, panels.subtitle)
        small_print(figure, panels.source, panels.key)
        return save(figure, path)


def _panel(axes: Axes, panel: Panel) -> None:
    values = np.asarray(panel.values, dtype=float)
    places = np.arange(len(values))
    falls = np.nan_to_num(values) < 0
    axes.bar(places, values, color=np.where(falls, _FALL, _BAR), width=0.78, zorder=2)
    if len(panel.parts):
        axes.bar(places, panel.parts, color=_PART, width=0.78, zorder=3)
    finite = values[np.isfinite(values)]
    top, low = max([*finite, 0.0]), min([*finite, 0.0])
    span = (top - low) or 1.0
    # Space for the texts at the ends of the bars.
    axes.set_ylim(low - (0.16 * span if low < 0 else 0), top + 0.16 * span)
    axes.set_xlim(-0.6, len(values) - 0.4)
    for place, value, text in zip(places.tolist(), values.tolist(), panel.texts, strict=True):
        below = value < 0
        axes.annotate(
            text,
            (place, 0.0 if np.isnan(value) else value),
            xytext=(0, -2 if below else 2),
            textcoords="offset points",
            ha="center",
            va="top" if below else "bottom",
            fontsize=6.5,
            linespacing=1.15,
            color=INK,
        )
    axes.set_title(panel.title, loc="left", fontsize=9, color=INK)
    axes.set_xticks(places, panel.labels, fontsize=7)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.axhline(0, color=HAIRLINE, linewidth=0.8, zorder=4)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.xaxis.set_tick_params(labelcolor=QUIET)
