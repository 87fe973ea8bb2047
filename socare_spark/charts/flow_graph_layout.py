"""What a picture of a flow shows, and in which order: arrows, boxes from top to bottom.

Stages stand in their declared order. Activities of a log stand by their level: the heights at which
arrows, weighted by how often they are taken, come nearest to leading one step down (R. MacKay,
S. Johnson, B. Sansom: How directed is a directed network?, 2020).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

START, END = "▶", "■"


@dataclass(frozen=True)
class Drawn:
    """What a picture shows.

    Attributes:
        title: Title of the flow.
        edges: from_activity, to_activity, transitions, median_days.
        ends: kind, activity, people.
        people: People by activity.
        names: Names by activity, where they differ from it.
        order: Activities in order; empty lets the edges order them.
        smallest_share: Edges below this share of all transitions are left out.
        source: What the small print names as source.
    """

    title: str
    edges: pd.DataFrame
    ends: pd.DataFrame
    people: Mapping[str, int]
    names: Mapping[str, str]
    order: Sequence[str]
    smallest_share: float
    source: str = "working/flow_edges, working/flow_starts_ends"


@dataclass(frozen=True)
class Arrow:
    """An arrow between boxes; `days` is None where it begins or ends a case."""

    tail: str
    head: str
    times: int
    days: float | None

    @property
    def label(self) -> str:
        """How often, and after how long at the median."""
        return f"{self.times:,}" if self.days is None else f"{self.times:,} · {duration(self.days)}"


def duration(days: float) -> str:
    """Days in the unit a reader thinks in: `0 d`, `2.5 h`, `12 d`."""
    if 0 < days < 1 / 24:
        return f"{days * 1440:.2g} min"
    if 0 < days < 1:
        return f"{days * 24:.2g} h"
    return f"{days:.1f} d" if days < 100 and days % 1 else f"{days:.0f} d"


def arrows(drawn: Drawn) -> list[Arrow]:
    """All arrows of a graph, those of cases' starts and ends too, most taken first."""
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


def in_order(found: Sequence[Arrow], order: Sequence[str]) -> list[str]:
    """The boxes from top to bottom: as declared, otherwise by level."""
    met = touched(found)
    inner = sorted(met - {START, END})
    if order:
        return [START, *(name for name in order if name in met), END]
    level = levels(found, [START, *inner, END])
    return [START, *sorted(inner, key=lambda name: (level[name], name)), END]


def levels(found: Sequence[Arrow], names: Sequence[str]) -> dict[str, float]:
    """Heights that make arrows lead one step down, as near as least squares can."""
    place = {name: at for at, name in enumerate(names)}
    size = len(names)
    pull, rise = np.zeros((size, size)), np.zeros(size)
    for arrow in found:
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


def kept(found: Sequence[Arrow], smallest_share: float) -> list[Arrow]:
    """The arrows taken often enough to be drawn: of all transitions, or of all cases."""
    transitions = sum(a.times for a in found if a.days is not None)
    cases = sum(a.times for a in found if a.tail == START)
    return [
        a for a in found if a.times >= smallest_share * (cases if a.days is None else transitions)
    ]


def touched(some: Sequence[Arrow]) -> set[str]:
    """The boxes at either end of some arrows."""
    return {a.tail for a in some} | {a.head for a in some}
