"""The children's assessments: 268 reason x outcome combinations, each with its people, records and
period of use.

Guarantee: at scale 1 each combination of facts/combinations.csv holds exactly its people and
records, the statutory visits together 22,386 people, and the dataset 63,012 people and 768,728
records (Tables 20-23).
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from socare_spark.twin.draws import (
    EPOCH,
    Bools,
    Calendar,
    Draws,
    Floats,
    Ints,
    apportion,
    day,
    scaled,
)  # fmt: skip
from socare_spark.twin.facts import FACTS
from socare_spark.twin.population.universe import Universe

PEOPLE = 63_012
FROM_CHILDREN = 50_000
VISITS, VISITED_PEOPLE = "STATLAC5", 22_386
YEARS = {
    2006: 0.2, 2007: 0.4, 2008: 0.6, 2009: 1.0, 2010: 1.4, 2011: 1.9, 2012: 3.6, 2013: 9.0,
    2014: 11.0, 2015: 11.6, 2016: 10.2, 2017: 2.6, 2018: 1.2,
}  # fmt: skip
GROWN_UP = round(19.5 * 365.25)
# Combinations with as many people as this take part in giving everybody a first record.
COVERING_PEOPLE = 1_500


@dataclass(frozen=True)
class Combinations:
    """The 268 combinations at a scale: facts as chosen, people and records as scaled."""

    facts: pd.DataFrame
    people: Ints
    records: Ints
    first: Ints
    last: Ints

    @property
    def visits(self) -> Ints:
        """The positions of the statutory visits."""
        return np.flatnonzero(self.facts["reason"] == VISITS)


@dataclass
class ChildrensAssessments:
    """Compact columns, a row per kept record, in the order of identifiers (by start)."""

    combinations: Combinations
    person: npt.NDArray[np.int32]
    combination: npt.NDArray[np.int16]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """The number of records."""
        return len(self.person)


def combinations(scale: float) -> Combinations:
    """The combinations at a scale; all 268 remain, with one person at least."""
    facts = pd.read_csv(FACTS / "combinations.csv", keep_default_na=False)
    people = np.array([scaled(n, scale) for n in facts["people"]])
    records = np.maximum(people, [scaled(n, scale) for n in facts["records"]])
    first, last = (
        np.array([(date.fromisoformat(d) - EPOCH).days for d in facts[c]])
        for c in ("first_used", "last_used")
    )
    return Combinations(facts, people, records, first, last)


def childrens_assessments(universe: Universe, draws: Draws, scale: float) -> ChildrensAssessments:
    """Draws the people of each combination, their records and the days of these."""
    own = draws.scoped("children_assessments")
    chosen = combinations(scale)
    pool = _pool(universe, scale)
    born = universe.born(pool)
    members = _members(
        chosen, pool, born, universe.weight(pool), own, visited_people=scaled(VISITED_PEOPLE, scale)
    )
    size = int(chosen.records.sum())
    person, start, end = (np.empty(size, dtype=np.int32) for _ in range(3))
    combination = np.repeat(np.arange(len(members), dtype=np.int16), chosen.records)
    calendar = Calendar(YEARS)
    offset = 0
    for c, places in enumerate(members):
        index = offset + np.arange(chosen.records[c])
        offset += len(index)
        taker = _takers(places, len(index), own, index)
        start[index], end[index] = _period(
            born[taker], (int(chosen.first[c]), int(chosen.last[c])), calendar, own, index
        )
        person[index] = pool[taker]
    order = np.argsort(start.astype(np.int16), kind="stable")
    return ChildrensAssessments(chosen, person[order], combination[order], start[order], end[order])


def _pool(universe: Universe, scale: float) -> Ints:
    """The children: most of the youngest cohort and, of the next, those who were minors in 2006."""
    count = scaled(PEOPLE, scale, least=30)
    children = universe.cohorts["children"]
    first = np.arange(
        children.first, children.first + min(children.size, round(count * FROM_CHILDREN / PEOPLE))
    )
    young = universe.cohorts["young"].part(0, 1)
    minors = young[universe.born(young) >= day(1988)]
    return np.concatenate([first, minors[: count - len(first)]])


def _members(
    chosen: Combinations, pool: Ints, born: Ints, weight: Floats, own: Draws, *, visited_people: int
) -> list[Ints]:
    """For each combination, the positions in the pool of its distinct people; everybody is in one
    at least.
    """
    everyone = np.arange(len(pool))
    by_birth = everyone[np.argsort(born + own.uniform("spread", everyone) * 900, kind="stable")]
    visits = chosen.visits
    visited_people = int(
        np.clip(visited_people, chosen.people[visits].max(), chosen.people[visits].sum())
    )
    able = _able(born, int(chosen.first[visits].min()), int(chosen.last[visits].max()))
    visited = _strongest(everyone, weight * able, own, "visited", visited_people)
    is_visited = np.zeros(len(pool), dtype=bool)
    is_visited[visited] = True
    entries = [np.empty(0, dtype=np.int64)] * len(chosen.people)
    covering = np.flatnonzero(
        (chosen.facts["people"] >= COVERING_PEOPLE) & (chosen.facts["reason"] != VISITS)
    )
    for places, parts in (
        (by_birth[is_visited[by_birth]], visits),
        (by_birth[~is_visited[by_birth]], covering),
    ):
        in_time = parts[np.argsort(chosen.first[parts] + chosen.last[parts], kind="stable")]
        cuts = np.cumsum(_within(len(places), chosen.people[in_time]))
        for c, entry in zip(in_time, np.split(places, cuts[:-1]), strict=True):
            entries[c] = entry
    members = []
    for c, entry in enumerate(entries):
        allowed = _able(born, int(chosen.first[c]), int(chosen.last[c]))
        if c in visits:
            allowed &= is_visited
        allowed[entry] = False
        missing = int(chosen.people[c]) - len(entry)
        more = _strongest(everyone, weight * allowed, own, f"members {c}", missing)
        if len(more) < missing:  # hardly anybody had the age: take others, rather than too few
            rest = np.setdiff1d(visited if c in visits else everyone, np.concatenate([entry, more]))
            more = np.concatenate([more, rest[: missing - len(more)]])
        members.append(np.concatenate([entry, more]))
    return members


def _within(total: int, limits: Ints) -> Ints:
    """Splits a total in proportion to limits without passing any of them."""
    parts = np.minimum(apportion(total, limits), limits)
    for place in np.argsort(parts - limits, kind="stable"):
        parts[place] += min(int(limits[place] - parts[place]), total - int(parts.sum()))
    return parts


def _able(born: Ints, first: int, last: int) -> Bools:
    """Marks the minors at some time in a period of use, with a few weeks to spare."""
    return (born < last - 40) & (born + GROWN_UP > first + 40)


def _strongest(everyone: Ints, weight: Floats, own: Draws, purpose: str, count: int) -> Ints:
    """Draws `count` distinct people with chances by weight (Efraimidis and Spirakis), none of
    weight 0.
    """
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    candidates = everyone
    if count * 60 < len(everyone):
        candidates = np.unique(
            np.floor(own.uniform(f"{purpose} some", np.arange(count * 50)) * len(everyone)).astype(
                np.int64
            )
        )
    candidates = candidates[weight[candidates] > 0]
    key = np.log(np.clip(own.uniform(purpose, candidates), 1e-300, None)) / weight[candidates]
    if len(candidates) > count:
        candidates = candidates[np.argpartition(-key, count)[:count]]
    return np.sort(candidates)


def _takers(places: Ints, records: int, own: Draws, index: Ints) -> Ints:
    """Gives each member one record and shares the rest unevenly, so that a few people have many."""
    extra = index[len(places) :]
    shuffled = places[np.argsort(own.uniform("order", places), kind="stable")]
    more = shuffled[np.floor(own.uniform("extra", extra) ** 2 * len(places)).astype(np.int64)]
    return np.concatenate([places, more])[:records]


def _period(
    born: Ints, used: tuple[int, int], calendar: Calendar, own: Draws, index: Ints
) -> tuple[Ints, Ints]:
    """Draws start and end within the period of use; the first record opens it and another closes
    it.
    """
    first, last = used
    low = np.clip(born, first, last)
    high = np.clip(born + GROWN_UP, low + 1, last + 1)
    start = calendar.draw(own.uniform("start", index), low, high)
    length = np.floor(own.exponential("length", index, 11.0)).astype(np.int64)
    end = np.minimum(start + length, last)
    if len(index) > 1:
        opens, closes = int(np.argmin(born)), int(np.argmax(born))
        closes = closes if closes != opens else (opens + 1) % len(index)
        start[opens], end[opens] = first, min(first + int(length[opens]), last)
        start[closes], end[closes] = max(last - int(length[closes]), first), last
    return start, end
