"""Chart of the directly-follows graph of a flow: boxes from top to bottom, arrows beside them.

Arrows to a later box curve to the right and arrows back to the left. No arrow crosses a box, and
labels do not overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from textwrap import shorten, wrap
from typing import Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from socare_spark.charts.flow_graph_layout import (
    END,
    START,
    Arrow,
    Drawn,
    arrows,
    in_order,
    kept,
    touched,
)
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

_ONWARD, _BACK, _AGAIN = CATEGORIES[0], CATEGORIES[5], QUIET
_ROW, _BOX_WIDTH, _BOX_HEIGHT = 1.0, 2.5, 0.46  # inches
_TOP, _FOOT, _LABEL = 0.5, 0.6, 1.0
_WIDEST_LINE = 6.0
_LOOP = 0.75  # space for an arrow from a box to itself, and its label


def draw_graph(drawn: Drawn, path: File) -> File:
    """Draws a flow as a PNG and returns its path."""
    all_arrows = arrows(drawn)
    shown = kept(all_arrows, drawn.smallest_share)
    boxes = [name for name in in_order(all_arrows, drawn.order) if name in touched(shown)]
    row = {name: at for at, name in enumerate(boxes)}
    right = max(
        [_bulge(row[a.head] - row[a.tail]) for a in shown if _goes(row, a) > 1], default=0.0
    )
    left = max([_bulge(-_goes(row, a)) + _LOOP for a in shown if _goes(row, a) < 0], default=_LOOP)
    width = max(left + right + _BOX_WIDTH + 2 * _LABEL, 7.5)
    height = _ROW * len(boxes) + _TOP + _FOOT
    with rc_context(STYLE):
        figure = new_figure(width, height)
        axes = figure.add_axes((0, 0, 1, 1))
        spare = width - (left + right + _BOX_WIDTH + 2 * _LABEL)
        middle = _LABEL + left + _BOX_WIDTH / 2 + spare / 2
        axes.set(xlim=(-middle, width - middle), ylim=(_FOOT - height + _TOP, _TOP))
        axes.axis("off")
        for arrow in reversed(shown):
            _draw_arrow(axes, row, arrow, max(a.times for a in shown))
        for name in boxes:
            _draw_box(axes, drawn, name, -(row[name] + 0.5) * _ROW)
        headline(
            figure,
            drawn.title,
            "What directly follows what: times taken and median days between. "
            "Wider arrows are taken more often.",
        )
        small_print(figure, drawn.source, _left_out(drawn, all_arrows, shown))
        return save(figure, path)


def _left_out(drawn: Drawn, all_arrows: Sequence[Arrow], shown: Sequence[Arrow]) -> str:
    missing = [a for a in all_arrows if a not in set(shown)]
    colours = "Blue: onward, orange: back, grey: again. ▶ start and ■ end of a case."
    if not missing:
        return f"{colours} Every transition is drawn."
    gone = touched(missing) - touched(shown)
    boxes = f" and {len(gone)} activities with nothing else" if gone else ""
    return (
        f"{colours} Left out: {len(missing)} arrows below {drawn.smallest_share:.1%} of all"
        f"{boxes}, {sum(a.times for a in missing):,} of {sum(a.times for a in all_arrows):,} steps."
    )


def _goes(row: Mapping[str, int], arrow: Arrow) -> int:
    """Number of rows from the tail of an arrow down to its head; negative for an arrow back."""
    return row[arrow.head] - row[arrow.tail]


def _bulge(rows: int) -> float:
    """Distance in inches between the boxes and an arrow over a number of rows."""
    return float(0.35 + 0.6 * rows**0.85)


def _draw_box(axes: Axes, drawn: Drawn, name: str, y: float) -> None:
    if name in (START, END):
        axes.text(0, y, name, ha="center", va="center", fontsize=20, color=INK)
        return
    axes.add_patch(
        FancyBboxPatch(
            (-_BOX_WIDTH / 2, y - _BOX_HEIGHT / 2),
            _BOX_WIDTH,
            _BOX_HEIGHT,
            boxstyle="round,pad=0.02,rounding_size=0.08",
            facecolor="#F3F6F9",
            edgecolor=HAIRLINE,
            zorder=3,
        )
    )
    full = f"{name} · {drawn.names[name]}" if name in drawn.names else name
    lines = wrap(shorten(full, 64, placeholder="…"), 34)
    people = f"{drawn.people[name]:,} cases" if name in drawn.people else ""
    text = "\n".join(lines)
    size = 9 if len(lines) == 1 else 7.5
    axes.text(0, y + 0.08, text, ha="center", va="center", fontsize=size, color=INK, zorder=4)
    axes.text(0, y - 0.15, people, ha="center", va="center", fontsize=7, color=QUIET, zorder=4)


@dataclass(frozen=True)
class _Curve:
    """Curve of an arrow beside the boxes; its outermost point is `bulge` inches from them."""

    side: int
    ys: tuple[float, float]
    bulge: float
    colour: str

    def path(self, arrow: Arrow) -> Path:
        out, into = (self.side * _edge(name) for name in (arrow.tail, arrow.head))
        # A cubic curve reaches three quarters of the distance to its two inner control points.
        inner = (self.outermost - (out + into) / 8) * 4 / 3
        (y0, y1) = self.ys
        points = [(out, y0), (inner, y0), (inner, y1), (into, y1)]
        return Path(points, [Path.MOVETO, *[Path.CURVE4] * 3])

    @property
    def outermost(self) -> float:
        return self.side * (_BOX_WIDTH / 2 + self.bulge)


def _draw_arrow(axes: Axes, row: Mapping[str, int], arrow: Arrow, most: int) -> None:
    down = _goes(row, arrow)
    tail, head = -(row[arrow.tail] + 0.5) * _ROW, -(row[arrow.head] + 0.5) * _ROW
    weight = 0.6 + _WIDEST_LINE * (arrow.times / most) ** 0.5
    if down == 1:
        ends = [(0.0, tail - _reach(arrow.tail)), (0.0, head + _reach(arrow.head))]
        _stroke(axes, Path(ends, [Path.MOVETO, Path.LINETO]), weight, _ONWARD)
        at = (0.08 + weight / 144, (ends[0][1] + ends[1][1]) / 2)
        _label(axes, at, arrow.label, _ONWARD, "left")
        return
    if down == 0:
        curve = _Curve(-1, (tail + 0.09, tail - 0.09), 0.28, _AGAIN)
    elif down > 1:
        curve = _Curve(1, (tail - 0.1, head + 0.1), _bulge(down), _ONWARD)
    else:
        curve = _Curve(-1, (tail + 0.17, head - 0.17), _bulge(-down) + _LOOP, _BACK)
    _stroke(axes, curve.path(arrow), weight, curve.colour)
    middle = sum(curve.ys) / 2
    if down == 0:
        beside = curve.outermost - 0.06 - weight / 144
        _label(axes, (beside, middle), arrow.label, curve.colour, "right")
    else:
        _label(axes, (curve.outermost, middle), arrow.label, curve.colour, "center")


def _reach(name: str) -> float:
    """Half the height of a box, or of the mark of a start or end."""
    return 0.17 if name in (START, END) else _BOX_HEIGHT / 2 + 0.02


def _edge(name: str) -> float:
    """Half the width of a box, or of the mark of a start or end."""
    return 0.15 if name in (START, END) else _BOX_WIDTH / 2 + 0.02


def _stroke(axes: Axes, path: Path, weight: float, colour: str) -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=path,
            arrowstyle="-|>,head_length=0.42,head_width=0.2",
            mutation_scale=7 + 2 * weight,
            linewidth=weight,
            color=colour,
            capstyle="butt",
            joinstyle="miter",
            zorder=1,
        )
    )


def _label(
    axes: Axes,
    at: tuple[float, float],
    text: str,
    colour: str,
    side: Literal["left", "center", "right"],
) -> None:
    patch = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    axes.text(*at, text, ha=side, va="center", fontsize=7.5, color=colour, zorder=5, bbox=patch)
