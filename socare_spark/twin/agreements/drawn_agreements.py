"""Draws agreements: their people, starts and lengths."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from socare_spark.twin.agreements.agreement_records import (
    Laid,
    joined_ends,
    lengths,
)
from socare_spark.twin.agreements.service_elements import elements
from socare_spark.twin.draws import Calendar, Draws, Floats, Ints, apportion, birthday, day
from socare_spark.twin.population.universe import Universe

FIRST_END, LAST_END = day(2001), day(2015, 12, 31)
# Shares of the start years. 2009-2015 hold over 80 %, no six years do; a few agreements began
# before the window.
YEARS = {
    1998: 0.05, 1999: 0.08, 2000: 0.15, 2001: 1.0, 2002: 1.2, 2003: 1.5, 2004: 1.8, 2005: 2.2,
    2006: 2.6, 2007: 3.0, 2008: 3.4, 2009: 11.0, 2010: 12.0, 2011: 13.0, 2012: 13.2, 2013: 12.4,
    2014: 11.6, 2015: 10.4,
}  # fmt: skip
# Transport is used less from year to year (figure 36).
TRANSPORT_YEARS = YEARS | {
    2008: 5.0, 2009: 18.0, 2010: 14.8, 2011: 12.4, 2012: 11.0, 2013: 10.0, 2014: 9.2, 2015: 8.4,
}  # fmt: skip
# Who is in the agreement series: the first part of each cohort.
POOL_SHARES = {"children": 0.085, "young": 0.14, "adults": 0.075, "older": 0.17}
# In place of a district, where a record may be of anybody.
ANYWHERE = -9


@dataclass(frozen=True)
class Wanted:
    """Element and district of each record of an age band; the district may be ANYWHERE."""

    element: Ints
    district: Ints

    @classmethod
    def anywhere(cls, records: int, weights: Floats) -> "Wanted":
        """A number of records with elements by weight and no district."""
        element = np.repeat(np.arange(len(weights)), apportion(records, weights))
        return cls(element, np.full(records, ANYWHERE))

    @classmethod
    def together(cls, parts: Sequence["Wanted"]) -> "Wanted":
        """The records of several parts one after the other."""
        return cls(
            np.concatenate([p.element for p in parts]), np.concatenate([p.district for p in parts])
        )


def agreement_pool(universe: Universe) -> Ints:
    """The people who may be in the closed series and in the one with cost."""
    return np.concatenate([universe.cohorts[c].part(0, share) for c, share in POOL_SHARES.items()])


def drawn_agreements(
    universe: Universe,
    own: Draws,
    age_bands: Sequence[tuple[str, int, int]],
    wanted: Sequence[Wanted],
) -> Laid:
    """Draws people and dates for the records that each age band must hold."""
    usual, falling = Calendar(YEARS), Calendar(TRANSPORT_YEARS)
    transport = np.array([e.service == "TRAN" for e in elements()])
    pool = agreement_pool(universe)
    born = universe.born(pool)
    parts = []
    offset = 0
    for (_, low_age, high_age), records in zip(age_bands, wanted, strict=True):
        index = offset + np.arange(len(records.element))
        offset += len(index)
        low = np.maximum(birthday(born, low_age), day(min(YEARS)))
        high = np.minimum(birthday(born, high_age), LAST_END + 1)
        taker = _choose_people(
            universe,
            own,
            pool,
            low=low,
            high=high,
            calendar=usual,
            element=records.element,
            district=records.district,
            index=index,
        )
        u, span = own.uniform("start", index), (low[taker], high[taker])
        start = np.where(transport[records.element], falling.draw(u, *span), usual.draw(u, *span))
        end = _ends(own, records.element, start, index)
        parts.append(Laid(pool[taker], records.element, start, end))
    drawn = Laid.together(parts)
    drawn = drawn.take(np.argsort(drawn.start, kind="stable"))
    end = joined_ends(
        own, drawn.person, drawn.element, start=drawn.start, end=drawn.end, first_end=FIRST_END
    )
    return replace(drawn, end=end)


def _choose_people(
    universe: Universe,
    own: Draws,
    pool: Ints,
    *,
    low: Ints,
    high: Ints,
    calendar: Calendar,
    element: Ints,
    district: Ints,
    index: Ints,
) -> Ints:
    """A position in the pool for each record.

    Each element is used by an arc of the people, so that a person comes back for the same elements.
    People weigh by their need and by how much of the calendar they spend in the band.
    """
    mass = np.where(high > low, calendar.mass(high) - calendar.mass(np.minimum(low, high)), 0.0)
    weight = np.where(mass > 1e-4, mass * universe.weight(pool), 0.0)
    home = universe.district(pool)
    taker = np.empty(len(element), dtype=np.int64)
    within = own.uniform("taker", index)
    arc_start = own.uniform("arc", element)
    free = district == ANYWHERE
    shuffled = own.generator("circle").permutation(len(pool))
    taker[free] = _on_circle(shuffled, weight, np.mod(arc_start[free] + 0.22 * within[free], 1.0))
    # The contracts' districts are exact, so only people whose postcode has a place take part there.
    weight = np.where(universe.settled(pool), weight, 0.0)
    by_home = shuffled[np.argsort(home[shuffled], kind="stable")]
    edges = np.searchsorted(home[by_home], np.unique(district[~free]))
    for place, first in zip(np.unique(district[~free]), edges, strict=True):
        here = district == place
        members = by_home[first : np.searchsorted(home[by_home], place, side="right")]
        if not len(members) or not weight[members].any():
            members = shuffled
        taker[here] = _on_circle(members, weight, np.mod(arc_start[here] + 0.6 * within[here], 1.0))
    return taker


def _on_circle(members: Ints, weight: Floats, u: Floats) -> Ints:
    """The member at each position u of a circle on which members take room by weight."""
    edges = np.cumsum(weight[members])
    place = np.minimum(np.searchsorted(edges, u * edges[-1], side="right"), len(members) - 1)
    chosen: Ints = members[place]
    return chosen


def _ends(own: Draws, element: Ints, start: Ints, index: Ints) -> Ints:
    """Draws ends; an end after the extract is drawn again, before the extract."""
    end = np.maximum(start + lengths(own, element, index), FIRST_END)
    shorter = start + np.floor(own.uniform("shorter", index) * (LAST_END - start + 1)).astype(
        np.int64
    )
    ends: Ints = np.where(end > LAST_END, np.maximum(shorter, FIRST_END), end)
    return ends
