"""The population that rates are computed with."""

import pandas as pd
import pytest
from frames import rows_of

from socare_spark.places.population import chosen_population, population_by_year


def population(*rows):
    columns = ["layer", "code", "age_band", "year", "population"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.astype({"year": "Int64", "population": "Int64"})


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (None, [(2010, 5), (2011, 5), (2012, 7), (2020, 7)]),  # 2011 is as near to both
        (2012, [(2010, 7), (2011, 7), (2012, 7), (2020, 7)]),
        (2015, []),
    ],
)
def test_population_is_of_the_nearest_year_or_the_configured_one(year, expected):
    given = population(
        ("ward", "W", "0-11", 2012, 7),
        ("ward", "W", "0-11", 2010, 5),
        ("ward", "W", None, 2011, 99),
    )
    years = (2010, 2011, 2012, 2020)
    found = population_by_year(given, "0-11", years, year)
    assert rows_of(found, "year", "population") == expected
    ages = population_by_year(given, None, years, None)
    assert rows_of(ages, "year", "population") == [(y, 99) for y in years]


def test_nearest_year_is_that_of_each_area():
    given = population(
        ("ward", "W", None, 2010, 5), ("ward", "V", None, 2020, 6), ("city", "W", None, 2011, 7)
    )
    found = population_by_year(given, None, [2011], None)
    assert found.columns.tolist() == ["layer", "code", "year", "population"]
    assert rows_of(found, *found.columns) == [
        ("city", "W", 2011, 7), ("ward", "V", 2011, 6), ("ward", "W", 2011, 5),
    ]  # fmt: skip


def test_population_is_of_the_configured_year_or_the_newest():
    given = population(
        ("ward", "W", None, 2020, 7), ("ward", "W", None, 2011, 5), ("ward", "V", None, 2011, 9)
    )
    assert rows_of(chosen_population(given, None), "code", "population") == [("V", 9), ("W", 7)]
    assert rows_of(chosen_population(given, 2011), "code", "population") == [("V", 9), ("W", 5)]


def test_each_band_has_its_own_newest_year():
    given = population(
        ("ward", "W", None, 2020, 7), ("ward", "W", "0-11", 2011, 2), ("ward", "W", "0-11", 2009, 1)
    )
    found = chosen_population(given, None)
    assert found.columns.tolist() == ["layer", "code", "age_band", "population"]
    assert rows_of(found, "age_band", "population") == [("0-11", 2), (None, 7)]


def test_no_population_gives_no_rows():
    assert len(chosen_population(population(), None)) == 0
    assert len(population_by_year(population(), None, [2010], None)) == 0
