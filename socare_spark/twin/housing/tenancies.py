"""Tenancies of council homes.

Guarantee: tenants have identifiers of another system, whose numbers are also those of other people
in the case system. Some tenants are registered twice, some are not known to the case system at all.
"""

from dataclasses import dataclass

import numpy as np

from socare_spark.twin.draws import Bools, Draws, Floats, Ints, day, scaled
from socare_spark.twin.population.universe import Universe

TENANTS = 78_000
# Of the tenants: known to the case system too; registered twice; with a second tenancy.
KNOWN_SHARE, TWICE_SHARE, SECOND_SHARE = 0.7, 0.04, 0.2
# The part of each cohort that rents more often than others, and how many times as often.
CARED_FOR, CARED_FOR_RENT = 0.2, 2.5
FIRST_DAY, LAST_DAY = day(1988), day(2019, 12, 31)
FIRST_YEAR, LAST_YEAR = 2014, 2019
SHORTEST, MEAN_LENGTH = 120, 8 * 365.25
FIRST_TENANT = 211_000


@dataclass(frozen=True)
class Tenants:
    """The housing system's identifiers: number and person of each.

    A person at a position beyond the universe is not known to the case system.
    """

    number: Ints
    person: Ints


@dataclass(frozen=True)
class Tenancies:
    """A row a tenancy, by start; `tenant` is a position in the identifiers."""

    tenants: Tenants
    tenant: Ints
    start: Ints
    end: Ints

    @property
    def open(self) -> Bools:
        """Marks the tenancies that run beyond the last extract."""
        return self.end > LAST_DAY


def tenants(universe: Universe, draws: Draws, scale: float) -> Tenants:
    """Draws the tenants: grown-ups of the universe, and others."""
    own = draws.scoped("tenants")
    size = scaled(TENANTS, scale)
    grown_up = np.arange(universe.cohorts["young"].first, universe.size)
    apart = np.log1p(-own.uniform("known", grown_up)) / _inclination(universe, grown_up)
    known = grown_up[np.argsort(-apart, kind="stable")][: round(KNOWN_SHARE * size)]
    others = universe.size + np.arange(size - len(known))
    people = np.concatenate([known, others])
    people = np.concatenate([people, people[own.uniform("twice", people) < TWICE_SHARE]])
    people = people[np.argsort(own.uniform("order", np.arange(len(people))), kind="stable")]
    index = np.arange(len(people))
    number = FIRST_TENANT + 3 * index + (own.bits("number", index) % np.uint64(3)).astype(np.int64)
    return Tenants(number, people)


def _inclination(universe: Universe, person: Ints) -> Floats:
    """The weights of drawing people: higher for the first part of each cohort, the part that social
    care takes its people from.
    """
    weight = np.ones(len(person))
    for cohort in universe.cohorts.values():
        weight[np.isin(person, cohort.part(0, CARED_FOR))] = CARED_FOR_RENT
    return weight


def tenancies(draws: Draws, rented: Tenants) -> Tenancies:
    """Draws one tenancy for each identifier, and for some another that follows it."""
    own = draws.scoped("tenancies")
    index = np.arange(len(rented.number))
    first = FIRST_DAY + np.floor(
        own.uniform("start", index) ** 0.6 * (LAST_DAY - 60 - FIRST_DAY)
    ).astype(np.int64)
    last = first + _length(own, "first", index)
    # The extracts hold what still ran in their first year.
    early = last < day(FIRST_YEAR)
    within = day(FIRST_YEAR) + np.floor(own.uniform("within", index) * 2_000).astype(np.int64)
    last = np.where(early, within, last)
    moved = np.flatnonzero((own.uniform("second", index) < SECOND_SHARE) & (last < LAST_DAY - 90))
    second = last[moved] + 1 + np.floor(own.uniform("gap", moved) * 60).astype(np.int64)
    tenant = np.concatenate([index, moved])
    start = np.concatenate([first, second])
    end = np.concatenate([last, second + _length(own, "second", moved)])
    order = np.argsort(start, kind="stable")
    return Tenancies(rented, tenant[order], start[order], end[order])


def _length(own: Draws, purpose: str, index: Ints) -> Ints:
    length: Floats = own.exponential(f"{purpose} length", index, MEAN_LENGTH)
    return SHORTEST + np.floor(length).astype(np.int64)
