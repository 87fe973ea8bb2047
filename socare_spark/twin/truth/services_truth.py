"""The figures of people and places known to several services.

Identifiers are of one person where the newest copy of the crosswalk joins them, directly or through
others.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from socare_spark.twin.counting import spread
from socare_spark.twin.csv_writer.extract import Met
from socare_spark.twin.draws import Bools, Ints, years
from socare_spark.twin.housing.crosswalk import Crosswalk
from socare_spark.twin.population.universe import Universe

REASONS = {"terminated": "unlocated", "unplaced": "unlocated", "outside": "outside_city"}


def services_truth(universe: Universe, met: Sequence[Met], pairs: Crosswalk) -> dict[str, Any]:
    """People by the exact set of services that know them, in all and by area of their newest place,
    records that cannot be linked, and records by area.

    Args:
        universe: Gives the places.
        met: All records; those of one service may come in several parts.
        pairs: The crosswalk; its tenants are numbered after the universe's people.
    """
    services = list(dict.fromkeys(m.service for m in met))
    people, tenants = pairs.newest
    size = universe.size + len(pairs.tenants.number)
    joined = coo_array((np.ones(len(people)), (people, universe.size + tenants)), (size, size))
    linked = np.arange(size) < universe.size
    linked[universe.size + tenants] = True
    person = connected_components(joined, directed=False)[1].astype(np.int64)
    return {
        "services": services,
        **_people(universe, met, services, person),
        "unlinkable": _unlinkable(universe, met, linked),
        "by_ward": _by_ward(universe, met),
    }


def _status(universe: Universe, home: Ints) -> np.ndarray:
    return np.where(home >= 0, universe.city.postcodes.status[np.maximum(home, 0)], "none")


def _people(
    universe: Universe, met: Sequence[Met], services: Sequence[str], person: Ints
) -> dict[str, Any]:
    """[services, people, records] and layer -> [code, services, people, records]."""
    codes = universe.city.postcodes
    size = int(person.max()) + 1
    mask, records = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    newest = np.full(size, -1)
    # On one day the last postcode by its text counts.
    by_text = np.argsort(codes.text.astype(str), kind="stable")
    rank = np.argsort(by_text)
    for one in met:
        known = one.who >= 0
        who = person[one.who[known]]
        records += np.bincount(who, minlength=size)
        mask[who] |= 1 << services.index(one.service)
        here = known & (_status(universe, one.home) == "located")
        when = one.day[here] * len(rank) + rank[one.home[here]]
        np.maximum.at(newest, person[one.who[here]], when)
    met_at_all = mask > 0
    mask, records, newest = mask[met_at_all], records[met_at_all], newest[met_at_all]
    home = np.where(newest >= 0, by_text[newest % len(rank)], -1)
    names = [
        "+".join(s for i, s in enumerate(services) if m >> i & 1) for m in range(mask.max() + 1)
    ]
    areas = {
        "ward": (codes.ward, universe.city.wards["ward_code"].tolist()),
        "district": (codes.district, universe.city.districts["district"].tolist()),
    }
    everywhere = _combined(np.zeros(len(mask), dtype=np.int64), mask, records)
    return {
        "people": [[names[m], n, r] for _, m, n, r in everywhere],
        "places": {
            layer: [
                [None if a < 0 else labels[a], names[m], n, r]
                for a, m, n, r in _combined(np.where(home >= 0, at[home], -1), mask, records)
            ]
            for layer, (at, labels) in areas.items()
        },
    }


def _combined(area: Ints, mask: Ints, records: Ints) -> list[tuple[int, int, int, int]]:
    """Area, services, people and records of each combination that occurs."""
    cells, of = np.unique(np.column_stack([area, mask]), axis=0, return_inverse=True)
    people = np.bincount(of.ravel())
    total = np.bincount(of.ravel(), weights=records).astype(np.int64)
    return [(*cell, n, r) for cell, n, r in zip(cells.tolist(), people.tolist(), total.tolist(),
                                                strict=True)]  # fmt: skip


def _unlinkable(universe: Universe, met: Sequence[Met], linked: Bools) -> list[list[Any]]:
    """[service, reason, records]."""
    found: dict[tuple[str, str], int] = {}
    for one in met:
        status = _status(universe, one.home)
        counts = {
            "no_person": int((one.who < 0).sum()),
            "not_in_crosswalk": int((~linked[one.who[one.who >= 0]]).sum()),
            "no_postcode": int((status == "none").sum()),
        }
        for kind, reason in REASONS.items():
            counts[reason] = counts.get(reason, 0) + int((status == kind).sum())
        for reason, number in counts.items():
            found[one.service, reason] = found.get((one.service, reason), 0) + number
    return [[service, reason, n] for (service, reason), n in sorted(found.items()) if n]


def _by_ward(universe: Universe, met: Sequence[Met]) -> list[list[Any]]:
    """[service, ward, year, records] of located records."""
    services = list(dict.fromkeys(m.service for m in met))
    service = np.concatenate([np.full(len(m.who), services.index(m.service)) for m in met])
    home, year = np.concatenate([m.home for m in met]), years(np.concatenate([m.day for m in met]))
    here = _status(universe, home) == "located"
    ward = universe.city.postcodes.ward[home[here]]
    labels = [services, universe.city.wards["ward_code"].tolist(), None]
    return spread([service[here], ward, year[here]], labels)
