"""Small multiples of forecasts: one line per series, with prediction intervals as a fan."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, MaxNLocator

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

_EXPECTED, _WIDE, _NARROW = CATEGORIES[0], "#CFE3F1", "#8FBFDF"
_ACROSS = 3
_WIDTH, _HEIGHT = 3.3, 1.45  # inches of a panel
_GAP_ACROSS, _GAP_DOWN = 0.6, 0.85
_LEFT, _HEAD, _FOOT = 0.6, 1.25, 0.75


@dataclass(frozen=True)
class Fan:
    """A series with its forecast.

    Attributes:
        series: Name of the series.
        caption: Model and accuracy of the forecast.
        rows: Rows of `forecast` in order of period: period, actual, complete, forecast and limits.
    """

    series: str
    caption: str
    rows: pd.DataFrame


def draw_fans(fans: Sequence[Fan], path: Path, source: str) -> Path:
    """Draws one panel per series. Each panel has its scale, which begins at 0.

    Args:
        fans: At least one series.
        path: Path of the PNG.
        source: Source in the small print.
    """
    lines = -(-len(fans) // _ACROSS)
    width = _LEFT + _ACROSS * (_WIDTH + _GAP_ACROSS) - _GAP_ACROSS + 0.3
    height = _HEAD + lines * (_HEIGHT + _GAP_DOWN) - _GAP_DOWN + _FOOT
    periods = sorted({str(period) for fan in fans for period in fan.rows["period"]})
    with rc_context(STYLE):
        figure = new_figure(width, height)
        for place, fan in enumerate(fans):
            down, across = divmod(place, _ACROSS)
            left = _LEFT + across * (_WIDTH + _GAP_ACROSS)
            bottom = height - _HEAD - _HEIGHT - down * (_HEIGHT + _GAP_DOWN)
            axes = figure.add_axes(
                (left / width, bottom / height, _WIDTH / width, _HEIGHT / height)
            )
            _panel(axes, fan, periods)
        headline(
            figure,
            "What to expect",
            "By quarter: what was counted, and what is expected with its 80 % and 95 % intervals",
        )
        _key(figure)
        small_print(
            figure,
            source,
            "Each series has a scale of its own. MASE below 1: nearer than a year before was, on "
            "average. Held: share of earlier values inside the 80 % and the 95 % interval. Dotted: "
            "some records are missing.",
        )
        return save(figure, path)


def _panel(axes: Axes, fan: Fan, periods: Sequence[str]) -> None:
    at = {period: place for place, period in enumerate(periods)}
    places = np.array([at[period] for period in fan.rows["period"]])
    lines = {
        name: fan.rows[name].to_numpy(dtype=np.float64)
        for name in ("actual", "forecast", "lower_80", "upper_80", "lower_95", "upper_95")
    }
    # The forecast begins where complete counts end.
    whole = fan.rows["complete"].eq(True).to_numpy(dtype=bool)
    last = int(whole.sum()) - 1
    joined = {
        name: np.where(np.arange(len(places)) == last, lines["actual"], line)
        for name, line in lines.items()
    }
    for level, shade in (("95", _WIDE), ("80", _NARROW)):
        lower, upper = joined[f"lower_{level}"], joined[f"upper_{level}"]
        axes.fill_between(places, lower, upper, color=shade, linewidth=0, zorder=2)
    axes.plot(places, lines["actual"], color=QUIET, linewidth=0.9, linestyle=":", zorder=4)
    axes.plot(places[whole], lines["actual"][whole], color=INK, linewidth=1.1, zorder=4)
    if np.isfinite(lines["forecast"]).any():
        axes.plot(places, joined["forecast"], color=_EXPECTED, linewidth=1.6, zorder=3)
    axes.set_ylim(bottom=min(0.0, np.nanmin(np.stack(list(lines.values())))))
    axes.set_xlim(-0.5, len(periods) - 0.5)
    _ticks(axes, periods)
    title = shorten(" ".join(fan.series.split()), 52, placeholder="…")
    axes.set_title(title, loc="left", fontsize=8.5, color=INK, pad=15)
    axes.annotate(
        fan.caption, (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points",
        fontsize=7, color=QUIET,
    )  # fmt: skip


def _ticks(axes: Axes, periods: Sequence[str]) -> None:
    """Sets a tick at the first quarter of each year that has space for its label."""
    begins = [(place, period[:4]) for place, period in enumerate(periods) if period.endswith("Q1")]
    shown = begins[:: -(-len(begins) // 7) or 1]
    axes.set_xticks([place for place, _ in shown], [year for _, year in shown], fontsize=7)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    axes.tick_params(axis="y", labelsize=7, length=0)
    axes.tick_params(axis="x", length=2)
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.4, zorder=0)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)


def _key(figure: Figure) -> None:
    figure.legend(
        handles=[
            Line2D([], [], color=INK, linewidth=1.1, label="counted"),
            Line2D([], [], color=QUIET, linewidth=0.9, linestyle=":", label="not complete"),
            Line2D([], [], color=_EXPECTED, linewidth=1.6, label="expected"),
            Patch(color=_NARROW, label="80 % interval"),
            Patch(color=_WIDE, label="95 % interval"),
        ],
        loc="upper right",
        bbox_to_anchor=(0.98, 1 - 0.05 / figure.get_figheight()),
        ncols=2,
    )
