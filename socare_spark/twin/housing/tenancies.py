"""Tenancies of council homes, and the crosswalk from the housing system's tenants to the people of
the case system.

Guarantee: tenants have identifiers of another system, whose numbers are also those of other people
in the case system. Some tenants are registered twice, some people stand twice in the case system;
some tenants are not in the crosswalk, some are not known to the case system at all.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from socare_spark.twin.csv_writer import csv_cells
from socare_spark.twin.csv_writer.extract import Extract, Layout, Met, yearly_rows
from socare_spark.twin.draws import EPOCH, Bools, Draws, Floats, Ints, day, scaled, years
from socare_spark.twin.population.universe import Universe

TENANTS = 78_000
# Of the tenants: known to the case system too; registered twice; with a second tenancy.
KNOWN_SHARE, TWICE_SHARE, SECOND_SHARE = 0.7, 0.04, 0.2
# That part of each cohort rents so many times as often as others.
CARED_FOR, CARED_FOR_RENT = 0.2, 2.5
# Of the identifiers of tenants whom the case system knows: in the crosswalk; joined to a second
# person besides; new since the copy before; joined to somebody else in the copy before.
LINKED_SHARE, HELD_TWICE_SHARE, NEW_SHARE, WITHDRAWN_SHARE = 0.82, 0.015, 0.06, 0.012
TENURES = {
    "Secure": 61, "Introductory": 14, "Assured": 9, "Flexible": 8,
    "Temporary accommodation, nightly charged": 6, "Demoted": 2,
}  # fmt: skip
FIRST_DAY, LAST_DAY = day(1988), day(2019, 12, 31)
FIRST_YEAR, LAST_YEAR = 2014, 2019
SHORTEST, MEAN_LENGTH = 120, 8 * 365.25
COPIES = ("2019-08-12", "2020-02-25")
COLUMNS = ("TENANCY_ID", "TENANT_ID", "TENANCY_START", "TENANCY_END", "TENURE", "POSTCODE")
CROSSWALK = "crosswalk_tenants"
FIRST_IDENTIFIER, FIRST_TENANT = 3_000_000, 211_000
SERVICE = "housing"


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
        """Returns which tenancies run beyond the last extract."""
        return self.end > LAST_DAY


@dataclass(frozen=True)
class Crosswalk:
    """Pairs of a person of the universe and a position in the tenants' identifiers.

    `held` has bit c set where copy c holds the pair.
    """

    tenants: Tenants
    person: Ints
    tenant: Ints
    held: npt.NDArray[np.uint8]

    @property
    def newest(self) -> tuple[Ints, Ints]:
        """Returns the pairs of the last copy."""
        rows = np.flatnonzero(self.held >> (len(COPIES) - 1) & 1)
        return self.person[rows], self.tenant[rows]


def tenants(universe: Universe, draws: Draws, scale: float) -> Tenants:
    """Draws who rents a home: grown-ups of the universe, and others."""
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
    """Returns the weights of drawing people: the first of each cohort, from whom social care takes,
    rent from the council the more often.
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


def crosswalk(universe: Universe, draws: Draws, rented: Tenants) -> Crosswalk:
    """Draws the pairs of the copies; what the last one holds is right but for people held twice."""
    own = draws.scoped("crosswalk")
    index = np.arange(len(rented.number))
    known = rented.person < universe.size
    linked = index[known & (own.uniform("linked", index) < LINKED_SHARE)]
    twice = linked[own.uniform("held twice", linked) < HELD_TWICE_SHARE]
    wrong = linked[own.uniform("withdrawn", linked) < WITHDRAWN_SHARE]
    other, stranger = (
        (own.bits(purpose, rows) % np.uint64(universe.size)).astype(np.int64)
        for purpose, rows in (("other", twice), ("stranger", wrong))
    )
    person = np.concatenate([rented.person[linked], other, stranger])
    tenant = np.concatenate([linked, twice, wrong])
    held = np.where(own.uniform("new", tenant) < NEW_SHARE, 0b10, 0b11)
    held[len(linked) + len(twice) :] = 0b01
    # The same pair drawn again is the same pair, and the first draw of it holds.
    _, once = np.unique(tenant * universe.size + person, return_index=True)
    return Crosswalk(rented, person[once], tenant[once], held[once].astype(np.uint8))


def tenancies_extract(universe: Universe, draws: Draws, records: Tenancies) -> Extract:
    """Returns the tenancies ready to be written, each in the file of the year it ended in; those
    that run are in the last.
    """
    own = draws.scoped("tenancies cells")
    rented = records.tenants
    tenure = csv_cells.Texts(list(TENURES))
    postcode = csv_cells.Texts(universe.city.postcodes.text.tolist())
    periods = tuple(str(y) for y in range(FIRST_YEAR, LAST_YEAR + 1))
    file_year = np.where(records.open, LAST_YEAR, years(records.end))

    def home(rows: Ints) -> Ints:
        return universe.postcode(rented.person[records.tenant[rows]], records.start[rows])

    def render(rows: Ints, period: str) -> dict[str, pa.Array]:
        end = np.where(records.open[rows], csv_cells.NO_DAY, records.end[rows])
        return {
            "TENANCY_ID": csv_cells.numbers(FIRST_IDENTIFIER + rows),
            "TENANT_ID": csv_cells.numbers(rented.number[records.tenant[rows]]),
            "TENANCY_START": csv_cells.dates(records.start[rows]),
            "TENANCY_END": csv_cells.dates(end),
            "TENURE": tenure.take(own.choose("tenure", rows, list(TENURES.values()))),
            "POSTCODE": postcode.take(home(rows)),
        }

    def met(_nameless: Ints) -> Met:
        rows = np.arange(len(records.tenant))
        return Met(SERVICE, universe.size + records.tenant, home(rows), records.start)

    return Extract(
        dataset="tenancies",
        layout=Layout(
            "TENANCY_ID",
            ("TENANCY_ID", "TENANCY_START", "TENURE"),
            start="TENANCY_START",
            end="TENANCY_END",
            person="TENANT_ID",
            birth_before_start=False,
        ),
        periods=periods,
        as_of={p: day(int(p), 12, 31) for p in periods},
        columns_of={p: COLUMNS for p in periods},
        size=len(records.tenant),
        rows_of=yearly_rows(file_year),
        render=render,
        starts=lambda rows: records.start[rows],
        spare_identifier=FIRST_IDENTIFIER + 60_000_000,
        marginals=lambda: _counts(records.tenant),
        met=met,
    )


def crosswalk_extract(universe: Universe, pairs: Crosswalk) -> Extract:
    """Returns the two copies of the crosswalk ready to be written."""

    def render(rows: Ints, period: str) -> dict[str, pa.Array]:
        return {
            "PERID": csv_cells.numbers(universe.perid(pairs.person[rows])),
            "TENANT_ID": csv_cells.numbers(pairs.tenants.number[pairs.tenant[rows]]),
        }

    def rows_of(copy: str) -> Ints:
        return np.flatnonzero(pairs.held >> COPIES.index(copy) & 1)

    every = np.concatenate([rows_of(copy) for copy in COPIES])
    return Extract(
        dataset=CROSSWALK,
        layout=Layout("TENANT_ID", ("TENANT_ID",), start="", birth_before_start=False),
        periods=COPIES,
        as_of={c: (date.fromisoformat(c) - EPOCH).days for c in COPIES},
        columns_of={c: ("PERID", "TENANT_ID") for c in COPIES},
        size=len(pairs.person),
        rows_of=rows_of,
        render=render,
        starts=lambda rows: np.zeros(len(rows), dtype=np.int64),
        spare_identifier=90_000_000,
        yearly=False,
        marginals=lambda: _counts(pairs.person[every]),
    )


def _counts(who: Ints) -> dict[str, Any]:
    return {"records": len(who), "people": len(np.unique(who))}
