"""Counts over compact columns, by which the truth is told: records and people of groups."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from socare_spark.twin.draws import EPOCH, Ints
from socare_spark.twin.population.universe import Universe


def spread(columns: Sequence[Ints], labels: Sequence[Sequence[Any] | None]) -> list[list[Any]]:
    """Returns [label, ..., records] for each combination that occurs, in the order of the
    positions.
    """
    grid = np.column_stack(columns)
    found, counts = np.unique(grid, axis=0, return_counts=True)
    return [
        [*(v if names is None else names[v] for v, names in zip(row, labels, strict=True)), n]
        for row, n in zip(found.tolist(), counts.tolist(), strict=True)
    ]


def iso(day_number: int) -> str:
    """Returns a day number as an ISO date."""
    return (EPOCH + timedelta(days=day_number)).isoformat()


def distinct(person: Ints, group: Ints, groups: int) -> Ints:
    """Returns the number of distinct people in each group."""
    pairs = np.unique(group.astype(np.int64) * (person.max(initial=0) + 1) + person)
    return np.bincount(pairs // (person.max(initial=0) + 1), minlength=groups)


def open_in(start: Ints, end: Ints, edges: Sequence[int]) -> tuple[Ints, Ints]:
    """Returns (row, period) for each period in which a row is open; the last day counts.

    Period i is from edges[i] to the day before edges[i + 1].
    """
    first = np.maximum(np.searchsorted(edges, start, side="right") - 1, 0)
    last = np.minimum(np.searchsorted(edges, end, side="right") - 1, len(edges) - 2)
    number = np.maximum(last - first + 1, 0)
    row = np.repeat(np.arange(len(number)), number)
    period = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number) + first[row]
    return row, period


def places_truth(
    universe: Universe, person: Ints, code: Ints, band: Ints, names: Sequence[str]
) -> dict[str, Any]:
    """Returns records and distinct people by area of each layer, in all and by age band, for
    located postcodes.

    Layout: layer -> [code, age band or null, people, records]. Records whose postcode is not
    located are counted by why.
    """
    city = universe.city
    postcodes = city.postcodes
    status = np.where(code >= 0, postcodes.status[np.maximum(code, 0)], "no postcode")
    here = status == "located"
    person, at, band = person[here], code[here], band[here]
    districts = city.districts["district"].to_numpy()
    sectors, sector_at = np.unique(
        postcodes.district[at] * 10 + postcodes.sector[at], return_inverse=True
    )
    seats, seat_of = np.unique(
        city.wards["constituency_code"].to_numpy(dtype=str), return_inverse=True
    )
    layers = {
        "city": (np.array(["E08000025"]), np.zeros(len(at), dtype=np.int64)),
        "constituency": (seats, seat_of[postcodes.ward[at]]),
        "ward": (city.wards["ward_code"].to_numpy(), postcodes.ward[at]),
        "district": (districts, postcodes.district[at]),
        "sector": (
            np.array([f"{districts[s // 10]} {s % 10}" for s in sectors.tolist()]),
            sector_at,
        ),
    }
    truth: dict[str, Any] = {
        layer: _by_band(person, area, band, areas, names) for layer, (areas, area) in layers.items()
    }
    reasons, counts = np.unique(status.astype(str), return_counts=True)
    truth["records_by_status"] = dict(zip(reasons.tolist(), counts.tolist(), strict=True))
    return truth


def _by_band(
    person: Ints, area: Ints, band: Ints, areas: np.ndarray, names: Sequence[str]
) -> list[list[Any]]:
    rows = []
    for label, chosen in [
        (None, np.ones(len(person), dtype=bool)),
        *((n, band == b) for b, n in enumerate(names)),
    ]:
        people = distinct(person[chosen], area[chosen], len(areas))
        records = np.bincount(area[chosen], minlength=len(areas))
        rows += [
            [str(code), label, p, r]
            for code, p, r in zip(areas, people.tolist(), records.tolist(), strict=True)
            if r
        ]
    return rows
