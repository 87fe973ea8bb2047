"""Rows of the density that need no records: all bands, all areas, and rates."""

import pandas as pd
import pytest
from frames import count_frame, rows_of

from socare_spark.analyses.provision import density
from socare_spark.measures.bands import Band

BANDS = [
    Band.model_validate({"label": "0-11", "from": 0, "to": 11}),
    Band.model_validate({"label": "11+", "from": 11}),
]
DIMS = {"layer": object, "code": object, "age_band": object}
AREAS = pd.DataFrame(
    [("ward", "W1", 0.5), ("ward", "W2", 1.5)], columns=["layer", "code", "area_km2"]
)


def test_an_age_in_no_band_has_a_row_of_its_own_everywhere():
    rows = [("ward", "W1", band, 1, 1) for band in ("unknown", "0-11", None)]
    assert density.bands_of(count_frame(rows, DIMS), BANDS) == ["0-11", "11+", "unknown", None]
    assert density.bands_of(count_frame([], DIMS), BANDS) == ["0-11", "11+", None]
    assert density.bands_of(count_frame([], DIMS), BANDS * 2) == ["0-11", "11+", None]


@pytest.mark.parametrize("with_rows", [True, False])
def test_without_a_population_there_are_no_rates_of_people(with_rows):
    counted = count_frame([("ward", "W1", "0-11", 2, 3)] if with_rows else [], DIMS)
    population = pd.DataFrame(columns=[*DIMS, "population"]).astype({"population": "Int64"})
    found = density.per_area(counted, AREAS, population, "age_band", ["0-11", None])
    names = ("code", "age_band", "people", "people_per_km2", "people_per_1000", "cost")
    people = 2 if with_rows else 0
    assert rows_of(found, *names) == [
        ("W1", "0-11", people, people / 0.5, None, None),
        ("W1", None, 0, 0.0, None, None),
        ("W2", "0-11", 0, 0.0, None, None),
        ("W2", None, 0, 0.0, None, None),
    ]


def test_counts_of_an_area_that_has_no_boundary_are_left_out():
    counted = count_frame([("ward", "W9", None, 2, 3)], DIMS)
    population = pd.DataFrame([("ward", "W9", None, 5)], columns=[*DIMS, "population"])
    found = density.per_area(counted, AREAS, population, "age_band", [None])
    assert rows_of(found, "code", "people") == [("W1", 0), ("W2", 0)]
