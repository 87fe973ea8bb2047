"""Day care within the council and outside it: the provider of each agreement.

Guarantee: of the agreements open from 2010 to 2015 the council itself provides 31 %, as near as
whole agreements allow (thesis 4.4.2), whether each counts once or in every year. The share differs
by client group, district and year; in two districts it is far from that of all others.
"""

import numpy as np

from socare_spark.twin.agreements.agreement_records import Laid
from socare_spark.twin.agreements.service_elements import elements
from socare_spark.twin.counting import open_in
from socare_spark.twin.draws import Draws, Floats, Ints, day, years
from socare_spark.twin.population.universe import Universe, near_normal

INTERNAL_SHARE = 0.31
FIRST_YEAR, LAST_YEAR = 2010, 2015
# Leanings towards internal provision, in logits.
GROUPS = {"CH": -0.5, "LD": 0.5, "MH": -0.2, "OA": 0.1, "PD": -0.1, "SM": -0.6}
ANOMALOUS = {"B33": 1.5, "B23": -1.5}
DISTRICT_SPREAD, PERSON_SPREAD = 0.05, 0.3
A_YEAR = 0.06


def providers() -> tuple[Ints, Ints]:
    """The internal and the external element of day care for the client group of each element; -1
    for elements that are not day care.
    """
    internal, external = (np.full(len(elements()), -1) for _ in range(2))
    care = [(i, e) for i, e in enumerate(elements()) if e.service == "DAYC"]
    for i, element in care:
        for k, other in care:
            if other.client_group == element.client_group:
                (internal if other.code[2] == "I" else external)[i] = k
    return internal, external


def with_providers(universe: Universe, draws: Draws, laid: Laid) -> Laid:
    """Draws the provider of each agreement of day care."""
    internal, external = providers()
    care = np.flatnonzero(internal[laid.element] >= 0)
    chosen = laid.take(care)
    leaning = _leaning(universe, draws.scoped("day care"), chosen)
    # As many of those open for one year, for two and so on, so that every way to count agrees.
    edges = [day(year) for year in range(FIRST_YEAR, LAST_YEAR + 2)]
    row, _ = open_in(chosen.start, chosen.end, edges)
    stratum = -2 * np.bincount(row, minlength=len(care)) - (chosen.start >= edges[0])
    within = np.zeros(len(care), dtype=bool)
    order = np.lexsort((-leaning, stratum))
    sizes = np.unique(stratum, return_counts=True)[1]
    ends = np.cumsum(sizes)
    numbers = np.diff(np.round(INTERNAL_SHARE * ends), prepend=0).astype(np.int64)
    for end, size, number in zip(ends, sizes, numbers, strict=True):
        within[order[end - size : end - size + number]] = True
    element = laid.element.copy()
    element[care] = np.where(within, internal[chosen.element], external[chosen.element])
    return Laid(laid.person, element, laid.start, laid.end)


def _leaning(universe: Universe, own: Draws, laid: Laid) -> Floats:
    """The inclination of each agreement to internal provision."""
    names = universe.city.districts["district"].tolist()
    district = own.uniform("district", np.arange(len(names) + 2))
    lean = DISTRICT_SPREAD * near_normal(district)
    for name, logit in ANOMALOUS.items():
        lean[2 + names.index(name)] = logit
    group = np.array([GROUPS.get(e.client_group, 0.0) for e in elements()])
    year = np.clip(years(laid.start), FIRST_YEAR, LAST_YEAR) - (FIRST_YEAR + LAST_YEAR) / 2
    each: Floats = (
        group[laid.element]
        + lean[2 + universe.district(laid.person)]
        + A_YEAR * year
        + PERSON_SPREAD * near_normal(own.uniform("person", laid.person))
        + near_normal(own.uniform("agreement", np.arange(len(laid.person))))
    )
    return each
