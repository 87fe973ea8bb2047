"""Records and people by area and age band."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from socare_spark.twin.counting import distinct
from socare_spark.twin.draws import Ints
from socare_spark.twin.population.universe import Universe


def places_truth(
    universe: Universe, person: Ints, code: Ints, band: Ints, names: Sequence[str]
) -> dict[str, Any]:
    """Records and distinct people by area of each layer, in all and by age band, for located
    postcodes.

    Layout: layer -> [code, age band or null, people, records]. Records whose postcode is not
    located are counted by its status.
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
