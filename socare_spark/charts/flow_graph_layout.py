"""Selection and order of the arrows and boxes of a flow chart.

Stages are in their declared order. Activities of a log are ordered by their level: the heights at
which arrows, weighted by their transitions, lead as nearly as possible one step down (R. MacKay,
S. Johnson, B. Sansom: How directed is a directed network?, 2020).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

START, END = "▶", "■"


@dataclass(frozen=True)
class Drawn:
    """The content of a flow chart.

    Attributes:
        title: Title of the flow.
        edges: Columns from_activity, to_activity, transitions, median_days.
        ends: Columns kind, activity, people.
        people: Activity -> people.
        names: Activity -> name, if it differs from the activity.
        order: Activities in order. If empty, the edges determine the order.
        smallest_share: Edges below this share of all transitions are not drawn.
        activities: Largest number of activities that are drawn; None means no limit.
        most_arrows: Largest number of arrows that are drawn; None means no limit.
        pooled: Number of transitions in the pool of rare ones, which is not among `edges`.
        cases: Name of several cases, such as `people`.
        unit: Unit of the durations of the flow; each arrow has a unit that fits.
        source: Source in the small print.
    """

    title: str
    edges: pd.DataFrame
    ends: pd.DataFrame
    people: Mapping[str, int]
    names: Mapping[str, str]
    order: Sequence[str]
    smallest_share: float
    activities: int | None = None
    most_arrows: int | None = None
    pooled: int = 0
    cases: str = "cases"
    unit: str = "days"
    source: str = "working/flow_edges, working/flow_starts_ends"


@dataclass(frozen=True)
class Arrow:
    """An arrow between boxes. `days` is None for the start or end of a case."""

    tail: str
    head: str
    times: int
    days: float | None

    @property
    def label(self) -> str:
        """Number of transitions, and median duration."""
        return f"{self.times:,}" if self.days is None else f"{self.times:,} · {duration(self.days)}"


def duration(days: float) -> str:
    """Days as text in a suitable unit: `0 d`, `5 s`, `2.5 h`, `12 d`."""
    if 0 < days < 1 / 1440:
        return f"{days * 86_400:.2g} s"
    if 0 < days < 1 / 24:
        return f"{days * 1440:.2g} min"
    if 0 < days < 1:
        return f"{days * 24:.2g} h"
    return f"{days:.1f} d" if days < 100 and days % 1 else f"{days:.0f} d"


def arrows(drawn: Drawn) -> list[Arrow]:
    """All arrows of a graph, with those of starts and ends, the most frequent first."""
    follow = [
        Arrow(tail, head, int(times), float(days))
        for tail, head, times, days in _rows(
            drawn.edges, "from_activity", "to_activity", "transitions", "median_days"
        )
    ]
    begin = [
        Arrow(START, name, int(cases), None)
        if kind == "start"
        else Arrow(name, END, int(cases), None)
        for kind, name, cases in _rows(drawn.ends, "kind", "activity", "people")
    ]
    return sorted(follow + begin, key=lambda a: (-a.times, a.tail, a.head))


def _rows(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    return frame[list(names)].itertuples(index=False, name=None)


def in_order(all_arrows: Sequence[Arrow], order: Sequence[str]) -> list[str]:
    """Names of the boxes from top to bottom: in declared order, otherwise by level."""
    connected = touched(all_arrows)
    inner = sorted(connected - {START, END})
    if order:
        return [START, *(name for name in order if name in connected), END]
    level = levels(all_arrows, [START, *inner, END])
    return [START, *sorted(inner, key=lambda name: (level[name], name)), END]


def levels(all_arrows: Sequence[Arrow], names: Sequence[str]) -> dict[str, float]:
    """Height of each box. By least squares, arrows lead as nearly as possible one step down."""
    place = {name: at for at, name in enumerate(names)}
    size = len(names)
    pull, rise = np.zeros((size, size)), np.zeros(size)
    for arrow in all_arrows:
        tail, head = place[arrow.tail], place[arrow.head]
        if tail != head:
            pull[tail, tail] += arrow.times
            pull[head, head] += arrow.times
            pull[tail, head] -= arrow.times
            pull[head, tail] -= arrow.times
            rise[head] += arrow.times
            rise[tail] -= arrow.times
    heights = np.linalg.lstsq(pull, rise, rcond=None)[0]
    return {name: round(float(heights[place[name]]), 9) for name in names}


def kept(
    all_arrows: Sequence[Arrow],
    smallest_share: float,
    activities: int | None = None,
    most_arrows: int | None = None,
) -> list[Arrow]:
    """Arrows within the limits of a chart, the most frequent first.

    Args:
        all_arrows: Result of `arrows`.
        smallest_share: Smallest share of all transitions; for starts and ends, of all cases.
        activities: Largest number of activities, those with the most transitions, starts and ends.
        most_arrows: Largest number of arrows.
    """
    transitions = sum(a.times for a in all_arrows if a.days is not None)
    cases = sum(a.times for a in all_arrows if a.tail == START)
    frequent = [
        a
        for a in all_arrows
        if a.times >= smallest_share * (cases if a.days is None else transitions)
    ]
    times: Counter[str] = Counter()
    for arrow in all_arrows:
        for name in {arrow.tail, arrow.head} - {START, END}:
            times[name] += arrow.times
    order = sorted(times, key=lambda name: (-times[name], name))
    boxes = {START, END, *order[:activities]}
    return [a for a in frequent if {a.tail, a.head} <= boxes][:most_arrows]


def touched(chosen: Sequence[Arrow]) -> set[str]:
    """Names of the boxes at the ends of some arrows."""
    return {a.tail for a in chosen} | {a.head for a in chosen}
