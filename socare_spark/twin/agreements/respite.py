"""Residential respite of disabled children (CHIRDRT): the people with an open agreement by quarter.

Guarantee: at scale 1 each quarter has the people of PEOPLE, of whom BOTH are there in the first
quarters of 2010 and of 2015 (Table 10); from 2010 to 2015 their number changes by a fifth at most
from one quarter to the next, and once by a fifth (thesis 4.2.2).
"""

from dataclasses import dataclass

import numpy as np

from socare_spark.twin.agreements.agreement_records import Laid
from socare_spark.twin.agreements.drawn_agreements import agreement_pool
from socare_spark.twin.agreements.service_elements import element_of
from socare_spark.twin.draws import Bools, Draws, Ints, day, scaled
from socare_spark.twin.population.universe import Universe

ELEMENT = "CHIRDRT"
PEOPLE = {
    2001: (8, 9, 9, 10), 2002: (10, 11, 10, 12), 2003: (13, 13, 14, 13), 2004: (14, 16, 16, 17),
    2005: (19, 18, 20, 20), 2006: (22, 21, 23, 24), 2007: (25, 27, 26, 28), 2008: (30, 29, 31, 32),
    2009: (77, 84, 91, 94),
    2010: (98, 104, 111, 100), 2011: (93, 103, 112, 119), 2012: (108, 97, 105, 117),
    2013: (126, 113, 101, 95), 2014: (114, 121, 110, 99), 2015: (108, 118, 109, 103),
}  # fmt: skip
BOTH, EARLIER, LATER = 22, 2010, 2015
# Share of the people who leave in a quarter; quarters after which people leave before others, and
# within which those came who are still there five years on.
TURNOVER, LONGEST, RECENT = 0.12, 44, 8
YOUNGEST, OLDEST = 4.5, 18.0
# How one agreement follows another of the same stay: on the next day, or before the first has
# ended; a gap otherwise.
NEW_AGREEMENT, ADJOINING, OVERLAPPING = 0.4, 0.45, 0.2


@dataclass(frozen=True)
class Stays:
    """From which quarter to which people keep coming, counted from the first of PEOPLE."""

    first: Ints
    last: Ints


def respite_agreements(universe: Universe, draws: Draws, scale: float) -> Laid:
    """Lays out the agreements of the people of each quarter."""
    own = draws.scoped("respite")
    stays = _stays(own.generator("stays"), scale)
    first_days = np.array(
        [day(y, m) for y in PEOPLE for m in (1, 4, 7, 10)] + [day(max(PEOPLE) + 1)]
    )
    person = _people(universe, own, first_days[stays.first], stays.last - stays.first + 1)
    stay, start, end = _agreements(own, stays, first_days)
    return Laid(person[stay], np.full(len(stay), element_of(ELEMENT)), start, end)


def _stays(rng: np.random.Generator, scale: float) -> Stays:
    """Lets people come and go, so that each quarter has its number of people."""
    people = [scaled(n, scale, least=0) for quarters in PEOPLE.values() for n in quarters]
    earlier, later = (4 * (year - min(PEOPLE)) for year in (EARLIER, LATER))
    first = np.zeros(0, dtype=np.int64)
    last = np.zeros(0, dtype=np.int64)
    held = np.zeros(0, dtype=bool)
    here = np.zeros(0, dtype=np.int64)
    for quarter, wanted in enumerate(people):
        goes = _leavers(rng, quarter - first[here], len(here) - wanted, held[here])
        if quarter == later:
            goes |= (first[here] <= earlier) & ~held[here]
        last[here[goes]] = quarter - 1
        come = wanted - int((~goes).sum())
        here = np.concatenate([here[~goes], len(first) + np.arange(come)])
        first = np.concatenate([first, np.full(come, quarter)])
        last = np.concatenate([last, np.full(come, len(people) - 1)])
        held = np.concatenate([held, np.zeros(come, dtype=bool)])
        if quarter == earlier:
            newest = np.lexsort((rng.random(len(here)), quarter - first[here] > RECENT))
            held[here[newest[: scaled(BOTH, scale, least=0)]]] = True
        if quarter == later:
            held[:] = False
    return Stays(first, last)


def _leavers(rng: np.random.Generator, tenure: Ints, least: int, held: Bools) -> Bools:
    """Marks the people who leave: those here for longest, and others at random up to the
    turnover.
    """
    number = max(least, round(TURNOVER * len(tenure)))
    order = np.lexsort((rng.random(len(tenure)), tenure < LONGEST, held))
    goes = np.zeros(len(tenure), dtype=bool)
    goes[order[:number]] = True
    goes[held] = False
    return goes


def _people(universe: Universe, own: Draws, since: Ints, quarters: Ints) -> Ints:
    """A different child for each stay, of an age for all of it."""
    pool = agreement_pool(universe)
    born = universe.born(pool)
    order = np.argsort(born, kind="stable")
    room = np.maximum(OLDEST - YOUNGEST - quarters / 4, 0)
    age = YOUNGEST + own.uniform("age", np.arange(len(since))) * room
    wanted = since - np.floor(age * 365.25).astype(np.int64)
    by_birth = np.argsort(wanted, kind="stable")
    place = np.searchsorted(born[order], wanted[by_birth])
    count = np.arange(len(place))
    place = np.maximum.accumulate(place - count) + count
    place = np.minimum(place, len(pool) - len(place) + count)
    person = np.empty(len(since), dtype=np.int64)
    person[by_birth] = pool[order[place]]
    return person


def _agreements(own: Draws, stays: Stays, first_days: Ints) -> tuple[Ints, Ints, Ints]:
    """Cuts stays into agreements: each quarter of a stay has one open, no other quarter has.

    Returns:
        The stay, the first and the last day of each agreement.
    """
    quarters = stays.last - stays.first + 1
    stay = np.repeat(np.arange(len(quarters)), quarters)
    since = np.repeat(np.cumsum(quarters) - quarters, quarters)
    quarter = np.arange(len(stay)) - since + stays.first[stay]
    begins = own.uniform("new", np.arange(len(stay))) < NEW_AGREEMENT
    begins |= quarter == stays.first[stay]
    rows = np.flatnonzero(begins)
    stay, opened = stay[rows], quarter[rows]
    closed = quarter[np.append(rows[1:], len(quarter))[: len(rows)] - 1]
    index = np.arange(len(rows))
    opens, ends = first_days[opened], first_days[closed + 1] - 1
    end = ends - np.floor(30 * own.uniform("end", index)).astype(np.int64)
    initial = opened == stays.first[stay]
    reach = np.where(initial, 60, 26)
    start = opens + np.floor(reach * own.uniform("start", index)).astype(np.int64)
    before = np.roll(end, 1)
    follows = own.uniform("follows", index)
    overlap = 1 + np.floor(14 * own.uniform("overlap", index)).astype(np.int64)
    start = np.where(~initial & (follows < ADJOINING), before + 1, start)
    lapped = ~initial & (follows >= ADJOINING) & (follows < ADJOINING + OVERLAPPING)
    start = np.where(lapped, before + 1 - overlap, start)
    # The last agreement of a stay may end on any day of its quarter, if it began before that.
    final = (closed == stays.last[stay]) & (start < first_days[closed])
    any_day = np.floor(own.uniform("last", index) * (ends - first_days[closed] + 1)).astype(
        np.int64
    )
    return stay, start, np.where(final, first_days[closed] + any_day, end)
