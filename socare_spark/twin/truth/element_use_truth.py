"""The use of elements in the costed agreements: people, times, lengths and cost.

Everything is counted over the twin's own columns. Periods are those from FIRST_YEAR to LAST_YEAR;
None means all values of a dimension, in which people and agreements count once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from socare_spark.twin.agreements.agreement_records import Agreements, weekly_pence
from socare_spark.twin.agreements.agreement_spells import spells_of
from socare_spark.twin.agreements.compared_contracts import CONTRACT_A, CONTRACT_B
from socare_spark.twin.agreements.day_care import ANOMALOUS, providers
from socare_spark.twin.agreements.enablement import CLIENTS, THRESHOLD_DAYS
from socare_spark.twin.agreements.respite import ELEMENT as RESPITE
from socare_spark.twin.agreements.service_elements import element_of, elements
from socare_spark.twin.counting import distinct, open_in
from socare_spark.twin.draws import Bools, Draws, Ints, day
from socare_spark.twin.population.universe import Universe
from socare_spark.twin.vocabulary import vocabulary

FIRST_YEAR, LAST_YEAR = 2010, 2015
YEARS = list(range(FIRST_YEAR, LAST_YEAR + 1))
QUARTERS = [f"{year}Q{quarter}" for year in YEARS for quarter in (1, 2, 3, 4)]
COMPARED = ("2010Q1", "2015Q1")
CONCENTRATED = (CONTRACT_A, CONTRACT_B, "OAIHSENB")
PROGRAMMES = {"transport": "TRAN", "day_care": "DAYC", "enablement": "ENAB"}
REGIONS = {
    "Northern": ("B16", "B18", "B19", "B20", "B21"),
    "Eastern": ("B9", "B10", "B25", "B26", "B33"),
    "Southern": ("B13", "B14", "B30", "B31"),
}


def use_truth(universe: Universe, agreements: Agreements, own: Draws) -> dict[str, Any]:
    """The figures of B2, B3, B4, B8, B9 and B10; `own` are the draws of the cells' values."""
    return {
        **_quarters(agreements),
        "element_concentration": _concentration(universe, agreements),
        "regions": _regions(universe, agreements),
        "element_cost_by_year": _programmes(universe, agreements, own),
        "provision_split": _split(universe, agreements),
        "threshold_use": _threshold(universe, agreements, own),
    }


def _edges(starts_a_year: Sequence[int]) -> list[int]:
    """The first days of the periods that start in these months, and the day after all."""
    return [day(y, m) for y in YEARS for m in starts_a_year] + [day(LAST_YEAR + 1)]


def _years(agreements: Agreements, rows: Ints) -> tuple[Ints, Ints]:
    """(position in rows, year) for each year in which an agreement is open, and once for all years,
    which come last.
    """
    start, end = agreements.start[rows], agreements.end[rows]
    row, year = open_in(start, end, _edges([1]))
    all_row, all_years = open_in(start, end, [day(FIRST_YEAR), day(LAST_YEAR + 1)])
    return np.concatenate([row, all_row]), np.concatenate([year, all_years + len(YEARS)])


def _quarters(agreements: Agreements) -> dict[str, Any]:
    rows = np.flatnonzero(agreements.element == element_of(RESPITE))
    row, quarter = open_in(agreements.start[rows], agreements.end[rows], _edges([1, 4, 7, 10]))
    person = agreements.person[rows][row]
    people = distinct(person, quarter, len(QUARTERS)).tolist()
    a, b = (np.unique(person[quarter == QUARTERS.index(q)]) for q in COMPARED)
    both = len(np.intersect1d(a, b))
    between = {
        "element": RESPITE, "quarter_a": COMPARED[0], "quarter_b": COMPARED[1],
        "people_a": len(a), "people_b": len(b), "people_both": both,
        "only_a": len(a) - both, "only_b": len(b) - both,
    }  # fmt: skip
    return {
        "users_by_quarter": [[RESPITE, q, n] for q, n in zip(QUARTERS, people, strict=True)],
        "users_between_quarters": [between],
    }


def _concentration(universe: Universe, agreements: Agreements) -> list[list[Any]]:
    """[district, element, its records, all records of the district], of agreements that start in
    the years.
    """
    names = universe.city.districts["district"].tolist()
    begun = (agreements.start >= day(FIRST_YEAR)) & (agreements.start < day(LAST_YEAR + 1))
    district = universe.district(agreements.person)
    here = begun & (district >= 0)
    whole = np.bincount(district[here], minlength=len(names))
    found = []
    for code in CONCENTRATED:
        own = here & (agreements.element == element_of(code))
        counts = np.bincount(district[own], minlength=len(names))
        found += [[names[i], code, int(counts[i]), int(whole[i])] for i in np.flatnonzero(counts)]
    return found


def _regions(universe: Universe, agreements: Agreements) -> list[dict[str, Any]]:
    """People and records of each region by the home's district, whenever they start."""
    names = universe.city.districts["district"].tolist()
    district = universe.district(agreements.person)
    found = []
    for region, its in REGIONS.items():
        here = np.isin(district, [names.index(name) for name in its])
        people = len(np.unique(agreements.person[here]))
        found.append({"region": region, "people": people, "records": int(here.sum())})
    return found


def _programmes(universe: Universe, agreements: Agreements, own: Draws) -> list[dict[str, Any]]:
    """People, records and the sum of weekly costs in pounds of the agreements open in each year."""
    found = []
    for programme, service in PROGRAMMES.items():
        chosen = [i for i, e in enumerate(elements()) if e.service == service]
        rows = np.flatnonzero(np.isin(agreements.element, chosen))
        pence = np.maximum(weekly_pence(universe, agreements, own, rows), 0)
        row, year = open_in(agreements.start[rows], agreements.end[rows], _edges([1]))
        people = distinct(agreements.person[rows][row], year, len(YEARS))
        records = np.bincount(year, minlength=len(YEARS))
        cost = np.bincount(year, weights=pence[row], minlength=len(YEARS))
        found += [
            {
                "element_group": programme,
                "year": y,
                "weekly_cost": round(float(cost[i]) / 100, 2),
                "people": int(people[i]),
                "records": int(records[i]),
            }
            for i, y in enumerate(YEARS)
        ]
    return found


@dataclass(frozen=True)
class _Cube:
    """Agreements by one dimension, year and home district: each counts for its own values, and for
    all values, of the first and the last.

    `row` is a position among the agreements, `cell` one in `labels`.
    """

    row: Ints
    period: Ints
    cell: Ints
    labels: list[tuple[Any, ...]]

    def sums(self, values: npt.NDArray[np.generic]) -> Ints:
        """The sum of a whole number of each row, by cell."""
        sums = np.bincount(self.cell, weights=values, minlength=len(self.labels))
        return sums.astype(np.int64)

    def people(self, person: Ints, chosen: Bools) -> Ints:
        """The distinct people of the rows that are chosen, by cell."""
        return distinct(person[self.row[chosen]], self.cell[chosen], len(self.labels))


def _cube(
    universe: Universe, agreements: Agreements, rows: Ints, value: Ints, values: Sequence[str]
) -> _Cube:
    """The cube of some agreements and years; `value` of each is a position in `values`."""
    names = universe.city.districts["district"].tolist()
    row, year = _years(agreements, rows)
    own = (value[row], universe.district(agreements.person[rows])[row])
    every = (np.full(len(row), len(values)), np.full(len(row), len(names)))
    parts = []
    for first, last in product((own[0], every[0]), (own[1], every[1])):
        here = np.flatnonzero(last >= 0)
        cell = (first * (len(YEARS) + 1) + year) * (len(names) + 1) + last
        parts.append((row[here], year[here], cell[here]))
    row, year, cell = (np.concatenate(column) for column in zip(*parts, strict=True))
    labels = list(product([*values, None], [*YEARS, None], [*names, None]))
    return _Cube(row, year, cell, labels)


def _split(universe: Universe, agreements: Agreements) -> dict[str, Any]:
    """[client group, district, year, internal, external] of day care, where there is any, and the
    two anomalous districts.
    """
    words = vocabulary("elements")["client_groups"]
    internal, _ = providers()
    rows = np.flatnonzero(internal[agreements.element] >= 0)
    own = agreements.element[rows] == internal[agreements.element[rows]]
    groups = list(words)
    group = np.array([groups.index(e.client_group) for e in elements()])
    cube = _cube(universe, agreements, rows, group[agreements.element[rows]], list(words.values()))
    kinds = (cube.sums(own[cube.row]).tolist(), cube.sums(~own[cube.row]).tolist())
    return {
        "years": YEARS,
        "anomalous_districts": {d: "high" if lean > 0 else "low" for d, lean in ANOMALOUS.items()},
        "rows": [
            [name, district, year, within, without]
            for (name, year, district), within, without in zip(cube.labels, *kinds, strict=True)
            if within or without
        ],
    }


def _threshold(universe: Universe, agreements: Agreements, own: Draws) -> dict[str, Any]:
    """[element, year, district, people, people beyond the threshold, days, cost in pounds].

    A day beyond the threshold counts in the year in which it falls, once for a person and element;
    its cost is that of all agreements. Costs are rounded to the penny for each agreement and year,
    and for each agreement over all years.
    """
    codes = [c.element for c in CLIENTS]
    place = np.full(len(elements()), -1)
    place[[element_of(code) for code in codes]] = np.arange(len(codes))
    rows = np.flatnonzero(place[agreements.element] >= 0)
    cube = _cube(universe, agreements, rows, place[agreements.element[rows]], codes)
    spell = spells_of(agreements, rows)
    beyond = spell.start + THRESHOLD_DAYS
    first = np.array([*(day(y) for y in YEARS), day(FIRST_YEAR)])[cube.period]
    last = np.array([*(day(y + 1) - 1 for y in YEARS), day(LAST_YEAR + 1) - 1])[cube.period]

    def days_since(since: Ints) -> Ints:
        since = np.maximum(np.maximum(since, agreements.start[rows])[cube.row], first)
        days: Ints = np.maximum(np.minimum(agreements.end[rows][cube.row], last) + 1 - since, 0)
        return days

    days, all_days = days_since(np.maximum(beyond, spell.covered + 1)), days_since(beyond)
    pence = np.maximum(weekly_pence(universe, agreements, own, rows), 0)[cube.row]
    cost = cube.sums(np.round(pence * all_days / 7)) / 100
    person = agreements.person[rows]
    people = cube.people(person, np.ones(len(all_days), dtype=bool))
    over = cube.people(person, all_days > 0)
    numbers = zip(
        people.tolist(), over.tolist(), cube.sums(days).tolist(), cost.tolist(), strict=True
    )
    return {
        "years": YEARS,
        "threshold_days": THRESHOLD_DAYS,
        "mean_yearly_cost_over_of_these_years": round(float(cost[-1]) / len(YEARS), 2),
        "rows": [[*a, *b] for a, b in zip(cube.labels, numbers, strict=True) if b[0]],
    }
