"""Chart of the directly-follows graph of a flow: boxes from top to bottom, arrows beside them.

Arrows to a later box curve to the right and arrows back to the left. No arrow crosses a box. Labels
are moved along their arrows where they would overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
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
from socare_spark.plurals import agreeing, counted

_ONWARD, _BACK, _AGAIN = CATEGORIES[0], CATEGORIES[5], QUIET
_BOX_WIDTH, _BOX_HEIGHT = 2.5, 0.46  # inches
# Inches of a row; with many boxes the rows are lower.
_ROW, _LOW_ROW, _MANY = 1.0, 0.8, 12
_TOP, _FOOT, _LABEL, _LINE = 0.5, 0.6, 1.0, 0.16
_WIDEST_LINE = 6.0
_LOOP = 0.75  # space for an arrow from a box to itself, and its label
_FARTHEST = 5.0  # inches between the boxes and an arrow
_CHARACTER, _HIGH = 0.066, 0.16  # inches of a label
# Places of a label on its arrow, from the middle outwards.
_PLACES = (0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8)


@dataclass(frozen=True)
class _Layout:
    """Places of the boxes and arrows.

    Attributes:
        row: Name of a box -> its row, from 0 at the top.
        high: Inches of a row.
        stretch: Factor of the distance between arrows and boxes.
        most: Number of transitions of the most frequent arrow.
    """

    row: Mapping[str, int]
    high: float
    stretch: float
    most: int

    def middle(self, name: str) -> float:
        """Height of the middle of a box."""
        return -(self.row[name] + 0.5) * self.high

    def bulge(self, rows: int) -> float:
        """Distance in inches between the boxes and an arrow over a number of rows."""
        return self.stretch * _bulge(rows)


def draw_graph(drawn: Drawn, path: File) -> File:
    """Draws a flow as a PNG and returns its path."""
    all_arrows = arrows(drawn)
    shown = kept(all_arrows, drawn.smallest_share, drawn.activities, drawn.most_arrows)
    boxes = [name for name in in_order(all_arrows, drawn.order) if name in touched(shown)]
    row = {name: at for at, name in enumerate(boxes)}
    over = [abs(_goes(row, arrow)) for arrow in shown]
    farthest = _bulge(max(over, default=0))
    layout = _Layout(
        row,
        _ROW if len(boxes) <= _MANY else _LOW_ROW,
        min(1.0, _FARTHEST / farthest),
        max((arrow.times for arrow in shown), default=1),
    )
    right = max([layout.bulge(_goes(row, a)) for a in shown if _goes(row, a) > 1], default=0.0)
    left = max(
        [layout.bulge(-_goes(row, a)) + _LOOP for a in shown if _goes(row, a) < 0], default=_LOOP
    )
    width = max(left + right + _BOX_WIDTH + 2 * _LABEL, 7.5)
    note = _note(drawn, all_arrows, shown, width)
    # Half of the lowest row is above the first line of the note.
    below = _LINE * note.count("\n") + (_ROW - layout.high) / 2
    height = layout.high * len(boxes) + _TOP + _FOOT + below
    with rc_context(STYLE):
        figure = new_figure(width, height)
        axes = figure.add_axes((0, 0, 1, 1))
        spare = width - (left + right + _BOX_WIDTH + 2 * _LABEL)
        middle = _LABEL + left + _BOX_WIDTH / 2 + spare / 2
        axes.set(xlim=(-middle, width - middle), ylim=(_FOOT - height + _TOP, _TOP))
        axes.axis("off")
        taken: list[_Rectangle] = []
        for arrow in shown:
            _draw_arrow(axes, layout, arrow, taken)
        for name in boxes:
            _draw_box(axes, drawn, name, layout.middle(name))
        between = "days" if drawn.unit == "days" else "time"
        headline(
            figure,
            drawn.title,
            f"What directly follows what: times taken and median {between} between. "
            "Wider arrows are taken more often.",
        )
        small_print(figure, drawn.source, note)
        return save(figure, path)


def _note(drawn: Drawn, all_arrows: Sequence[Arrow], shown: Sequence[Arrow], width: float) -> str:
    """Meaning of the colours, and what is left out, in lines that fit the width."""
    missing = [a for a in all_arrows if a not in set(shown)]
    colours = "Blue: onward, orange: back, grey: again. ▶ start and ■ end of a case."
    if not missing and not drawn.pooled:
        return f"{colours} Every transition is drawn."
    steps = sum(a.times for a in all_arrows) + drawn.pooled
    gone = touched(missing) - touched(shown)
    in_all = touched(all_arrows) - {START, END}
    frequent = kept(all_arrows, drawn.smallest_share)
    if len(shown) < len(frequent):
        left_out = (
            f"Drawn: {len(in_all - gone)} of {len(in_all)} activities and {len(shown)} of "
            f"{len(all_arrows)} arrows, the most frequent ones. Left out:"
        )
    else:
        activities = agreeing(len(gone), "activity", "activities")
        boxes = f" and {len(gone)} {activities} with nothing else" if gone else ""
        left_out = (
            f"Left out: {counted(len(missing), 'arrow')} below {drawn.smallest_share:.1%} of "
            f"all{boxes},"
        )
    pooled = f", {drawn.pooled:,} of them pooled" if drawn.pooled else ""
    times = sum(a.times for a in missing) + drawn.pooled
    text = f"{colours} {left_out} {times:,} of {counted(steps, 'step')}{pooled}."
    # About 19 characters of the small print are an inch; the last line is beside `EXACT`.
    return "\n".join(wrap(text, int(19 * (width - 0.4))))


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
    people = f"{drawn.people[name]:,} {drawn.cases}" if name in drawn.people else ""
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

    def points(self, arrow: Arrow) -> list[tuple[float, float]]:
        """The four control points."""
        out, into = (self.side * _edge(name) for name in (arrow.tail, arrow.head))
        # A cubic curve reaches three quarters of the distance to its two inner control points.
        inner = (self.outermost - (out + into) / 8) * 4 / 3
        (y0, y1) = self.ys
        return [(out, y0), (inner, y0), (inner, y1), (into, y1)]

    def path(self, arrow: Arrow) -> Path:
        return Path(self.points(arrow), [Path.MOVETO, *[Path.CURVE4] * 3])

    def at(self, arrow: Arrow, place: float) -> tuple[float, float]:
        """The point at a place between 0 (tail) and 1 (head)."""
        if place == 0.5:
            return self.outermost, sum(self.ys) / 2
        weights = [comb(3, i) * place**i * (1 - place) ** (3 - i) for i in range(4)]
        points = self.points(arrow)
        x, y = (sum(w * p[axis] for w, p in zip(weights, points, strict=True)) for axis in (0, 1))
        return x, y

    @property
    def outermost(self) -> float:
        return self.side * (_BOX_WIDTH / 2 + self.bulge)


_Rectangle = tuple[float, float, float, float]


def _draw_arrow(axes: Axes, layout: _Layout, arrow: Arrow, taken: list[_Rectangle]) -> None:
    """Draws an arrow and its label, which does not overlap the labels in `taken`."""
    down = _goes(layout.row, arrow)
    tail, head = layout.middle(arrow.tail), layout.middle(arrow.head)
    weight = 0.6 + _WIDEST_LINE * (arrow.times / layout.most) ** 0.5
    # Frequent arrows are drawn above rare ones.
    above = 1 + arrow.times / (layout.most + 1)
    if down == 1:
        ends = [(0.0, tail - _reach(arrow.tail)), (0.0, head + _reach(arrow.head))]
        _stroke(axes, Path(ends, [Path.MOVETO, Path.LINETO]), weight, _ONWARD, above)
        at = (0.08 + weight / 144, (ends[0][1] + ends[1][1]) / 2)
        _label(axes, at, arrow.label, _ONWARD, "left")
        return
    if down == 0:
        curve = _Curve(-1, (tail + 0.09, tail - 0.09), 0.28, _AGAIN)
    elif down > 1:
        curve = _Curve(1, (tail - 0.1, head + 0.1), layout.bulge(down), _ONWARD)
    else:
        curve = _Curve(-1, (tail + 0.17, head - 0.17), layout.bulge(-down) + _LOOP, _BACK)
    _stroke(axes, curve.path(arrow), weight, curve.colour, above)
    if down == 0:
        beside = curve.outermost - 0.06 - weight / 144
        _label(axes, (beside, sum(curve.ys) / 2), arrow.label, curve.colour, "right")
        taken.append(_around(beside - len(arrow.label) * _CHARACTER / 2, tail, arrow.label))
        return
    at = _free_place(curve, arrow, taken)
    taken.append(_around(*at, arrow.label))
    _label(axes, at, arrow.label, curve.colour, "center")


def _free_place(curve: _Curve, arrow: Arrow, taken: Sequence[_Rectangle]) -> tuple[float, float]:
    """The place of a label nearest to the middle of its arrow without another label."""
    places = [curve.at(arrow, place) for place in _PLACES]
    free = (at for at in places if not any(_overlap(_around(*at, arrow.label), t) for t in taken))
    return next(free, places[0])


def _around(x: float, y: float, text: str) -> _Rectangle:
    """Left, bottom, right and top of a label with its middle at a point."""
    half = len(text) * _CHARACTER / 2
    return x - half, y - _HIGH / 2, x + half, y + _HIGH / 2


def _overlap(one: _Rectangle, other: _Rectangle) -> bool:
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]


def _reach(name: str) -> float:
    """Half the height of a box, or of the mark of a start or end."""
    return 0.17 if name in (START, END) else _BOX_HEIGHT / 2 + 0.02


def _edge(name: str) -> float:
    """Half the width of a box, or of the mark of a start or end."""
    return 0.15 if name in (START, END) else _BOX_WIDTH / 2 + 0.02


def _stroke(axes: Axes, path: Path, weight: float, colour: str, above: float) -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=path,
            arrowstyle="-|>,head_length=0.42,head_width=0.2",
            mutation_scale=7 + 2 * weight,
            linewidth=weight,
            color=colour,
            capstyle="butt",
            joinstyle="miter",
            zorder=above,
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
