"""Enablement at home, meant for six weeks: its people, their spells and their agreements.

Guarantee: at any scale one in five of the people with enablement from 2010 on has more than 42 days
of it on end (thesis 4.4.3), as near as whole people allow; no two spells of a person touch.
"""

from dataclasses import dataclass

import numpy as np

from socare_spark.twin.agreements.agreement_records import Laid
from socare_spark.twin.agreements.drawn_agreements import LAST_END, YEARS, agreement_pool
from socare_spark.twin.agreements.service_elements import element_of
from socare_spark.twin.draws import Bools, Calendar, Draws, Ints, birthday, day, scaled
from socare_spark.twin.population.universe import Universe, near_normal

THRESHOLD_DAYS = 42
SHARE_OVER = 0.2
MANAGED_FROM = 2010


@dataclass(frozen=True)
class Client:
    """The people who receive an element from 2010 on: their number, their ages, and the share of
    them beyond the threshold. The one without a share brings all together to SHARE_OVER.
    """

    element: str
    people: int
    ages: tuple[int, int]
    share_over: float | None


CLIENTS = (
    Client("LDIHSENB", 430, (17, 64), 0.31),
    Client("PDIHSENB", 690, (18, 68), 0.23),
    Client("OAIHSENB", 3_900, (65, 90), None),
)
EARLIER = {y: w for y, w in YEARS.items() if 2001 <= y < MANAGED_FROM}
LATER = {y: w for y, w in YEARS.items() if y >= MANAGED_FROM}
# Days of a spell: within the threshold by median and spread, beyond it by their mean and at most.
MEDIAN, SPREAD, MEAN_BEYOND, MOST_BEYOND = 31, 0.5, 148.0, 500
_LONGEST = THRESHOLD_DAYS + 1 + MOST_BEYOND
# Days that a person who comes of age has at least before the series ends.
ROOM = 100
# How many people have a further spell, and after how many days.
AGAIN, MOST_SPELLS, MEAN_APART = 0.2, 4, 210.0
# Of the agreements of a spell, how many last into the next; of the spells, how many have one more
# agreement inside.
OVERLAPPING, NESTED = 0.35, 0.05
# How far districts differ in going beyond the threshold.
DISTRICT_SPREAD = 0.25


@dataclass(frozen=True)
class Group:
    """People who receive an element; `over` marks those beyond the threshold."""

    person: Ints
    client: Ints
    over: Bools


@dataclass(frozen=True)
class Spells:
    """Uninterrupted use of an element, a row per spell."""

    person: Ints
    client: Ints
    start: Ints
    days: Ints


def enablement_agreements(universe: Universe, draws: Draws, scale: float) -> Laid:
    """Lays out the agreements of all spells: of people who begin before 2010, and of the others.

    A person whose spell lasts into 2010 counts among the people from then on, so fewer others are
    drawn.
    """
    pool = agreement_pool(universe)
    pool = pool[universe.settled(pool)]
    own = draws.scoped("earlier enablement")
    person, client = _people(universe, own, pool, EARLIER, scale)
    over = _over(universe, own, person, client, np.zeros((2, len(CLIENTS)), dtype=np.int64))
    earlier = _spells(universe, own, Group(person, client, over), EARLIER)
    laid = [_agreements(own, earlier)]
    own = draws.scoped("enablement")
    person, client = _people(universe, own, np.setdiff1d(pool, person), LATER, scale)
    over = _over(universe, own, person, client, _lasting(earlier))
    laid.append(_agreements(own, _spells(universe, own, Group(person, client, over), LATER)))
    return Laid.together(laid)


def _people(
    universe: Universe, own: Draws, pool: Ints, years: dict[int, float], scale: float
) -> tuple[Ints, Ints]:
    """Different people for each element, by their need and the time they are of age."""
    born, calendar = universe.born(pool), Calendar(years)
    share = sum(years.values()) / sum(LATER.values())
    free = np.ones(len(pool), dtype=bool)
    found = []
    for client in CLIENTS:
        low, high = (birthday(born, age) for age in client.ages)
        time = calendar.mass(np.minimum(high - _LONGEST, LAST_END - ROOM)) - calendar.mass(low)
        able = np.flatnonzero(free & (time > 1e-3))
        rank = own.exponential("taken", pool[able], 1.0) / (
            time[able] * universe.weight(pool[able])
        )
        taken = able[np.argsort(rank, kind="stable")[: scaled(round(client.people * share), scale)]]
        free[taken] = False
        found.append(pool[taken])
    return np.concatenate(found), np.repeat(np.arange(len(CLIENTS)), [len(p) for p in found])


def _lasting(spells: Spells) -> Ints:
    """For each element, the number of people whose spell lasts into 2010, and of those beyond the
    threshold.
    """
    lasting = spells.start + spells.days > day(MANAGED_FROM)
    over = lasting & (spells.days > THRESHOLD_DAYS)
    return np.array(
        [np.bincount(spells.client[here], minlength=len(CLIENTS)) for here in (lasting, over)]
    )


def _over(universe: Universe, own: Draws, person: Ints, client: Ints, counted: Ints) -> Bools:
    """Marks the people beyond the threshold, so that the shares hold together with the people
    counted before.

    Districts differ, and within them people.
    """
    people = np.bincount(client, minlength=len(CLIENTS)) + counted[0]
    wanted = np.array(
        [round((c.share_over or 0) * n) for c, n in zip(CLIENTS, people, strict=True)]
    )
    rest = [c.share_over is None for c in CLIENTS].index(True)
    wanted[rest] = round(SHARE_OVER * people.sum()) - wanted.sum()
    effect = near_normal(own.uniform("district", 2 + universe.district(person)))
    score = DISTRICT_SPREAD * effect + near_normal(own.uniform("over", person))
    over = np.zeros(len(person), dtype=bool)
    for place, number in enumerate(wanted - counted[1]):
        here = np.flatnonzero(client == place)
        over[here[np.argsort(-score[here], kind="stable")[: max(number, 0)]]] = True
    return over


def _spells(universe: Universe, own: Draws, group: Group, years: dict[int, float]) -> Spells:
    """Draws a first spell for each person, and further ones within the threshold for some."""
    person, client = group.person, group.client
    born = universe.born(person)
    low, high = (birthday(born, np.array([c.ages[i] for c in CLIENTS])[client]) for i in (0, 1))
    first = np.maximum(low, day(min(years)))
    latest = np.minimum(high - _LONGEST, day(max(years) + 1))
    beyond = np.minimum(own.exponential("beyond", person, MEAN_BEYOND), MOST_BEYOND)
    days = np.where(
        group.over, THRESHOLD_DAYS + 1 + np.floor(beyond).astype(np.int64), _usual(own, 0, person)
    )
    days = np.minimum(days, LAST_END - first - ROOM // 4)
    start = Calendar(years).draw(
        own.uniform("start", person), first, np.minimum(latest, LAST_END - days + 2)
    )
    rows = [(person, client, start, days)]
    for time in range(1, MOST_SPELLS):
        apart = np.floor(own.exponential(f"apart {time}", person, MEAN_APART)).astype(np.int64)
        start, days = start + days + 1 + apart, _usual(own, time, person)
        goes_on = (own.uniform(f"again {time}", person) < AGAIN) & (start < latest)
        goes_on &= start + days - 1 <= LAST_END
        person, client, start, days, latest = (
            column[goes_on] for column in (person, client, start, days, latest)
        )
        rows.append((person, client, start, days))
    return Spells(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _usual(own: Draws, time: int, person: Ints) -> Ints:
    """Lengths within the threshold; a longer one ends after just six weeks."""
    days = MEDIAN * np.exp(SPREAD * near_normal(own.uniform(f"days {time}", person)))
    within: Ints = np.clip(np.floor(days), 1, THRESHOLD_DAYS).astype(np.int64)
    return within


def _agreements(own: Draws, spells: Spells) -> Laid:
    """Cuts spells into agreements that adjoin or overlap, and puts a few inside others."""
    index = np.arange(len(spells.days))
    u = own.uniform("agreements", index)
    over = spells.days > THRESHOLD_DAYS
    number = 1 + np.where(over, (u < 0.75).astype(int) + (u < 0.45) + (u < 0.2), u < 0.12)
    number = np.minimum(number, np.maximum(spells.days // 5, 1))
    spell = np.repeat(index, number)
    part = np.arange(len(spell)) - np.repeat(np.cumsum(number) - number, number)
    first, days, parts = spells.start[spell], spells.days[spell], number[spell]
    start = first + days * part // parts
    end = first + days * (part + 1) // parts - 1
    row = np.arange(len(spell))
    lapped = own.uniform("overlapping", row) < OVERLAPPING
    lap = np.where(lapped, 1 + np.floor(20 * own.uniform("lap", row)).astype(np.int64), 0)
    end = np.minimum(end + lap, first + days - 1)
    inside = index[(own.uniform("nested", index) < NESTED) & (spells.days >= 8)]
    spell = np.concatenate([spell, inside])
    return Laid(
        spells.person[spell],
        np.array([element_of(c.element) for c in CLIENTS])[spells.client[spell]],
        np.concatenate([start, spells.start[inside] + spells.days[inside] // 4]),
        np.concatenate([end, spells.start[inside] + spells.days[inside] // 2]),
    )
