"""Density and hot spots: who is counted where, and Gi* against that of Sedona."""

import pandas as pd
import pytest
from frames import counts_of, rows_of
from sedona.spark.stats.hotspot_detection.getis_ord import g_local
from sedona.spark.stats.weighting import add_binary_distance_band_column

from socare_spark.analyses.provision import density
from socare_spark.measures.bands import Band
from socare_spark.measures.hotspots import gi_star, neighbours

RECORDS = "person bigint, age int, year int, postcode string, cost decimal(20,2)"
PLACES = "postcode string, layer string, code string, rule string"
BANDS = [
    Band.model_validate({"label": "0-11", "from": 0, "to": 11}),
    Band.model_validate({"label": "11+", "from": 11}),
]


@pytest.fixture
def placed(spark):
    records = [
        (1, 10, 2010, "B1 1AA", None),
        (1, 12, 2012, "B1 1AA", None),
        (2, 40, 2010, "B1 1AB", None),  # in the city, in a gap between wards
        (3, 40, 2010, "WS1 1AA", None),
        (4, 40, 2010, "B1 9ZZ", None),  # terminated: no place
        (5, 40, 2010, "B9 9ZZ", None),  # in no reference
        (6, 40, 2010, None, None),
        (7, 40, 1999, "B1 1AA", None),
    ]
    places = [
        ("B1 1AA", "city", "C", "inside"),
        ("B1 1AA", "ward", "W1", "inside"),
        ("B1 1AB", "city", "C", "inside"),
        ("B1 1AB", "ward", None, "outside"),
        ("WS1 1AA", "city", None, "outside"),
        ("WS1 1AA", "ward", None, "outside"),
        ("B1 9ZZ", "city", None, "unlocated"),
        ("B1 9ZZ", "ward", None, "unlocated"),
    ]
    return density.with_place(
        spark.createDataFrame(records, RECORDS), spark.createDataFrame(places, PLACES)
    )


def _reasons(placed, layers, first_year, last_year):
    reason = density.left_out_of_areas(layers, first_year, last_year)
    return sorted(map(tuple, placed.select("person", "year", reason).collect()), key=str)


def _counts(placed, grouping):
    """Counts of the records from 2001 in the city and its wards."""
    layers = ["city", "ward"]
    where = density.left_out_of_areas(layers, 2001, None).isNull()
    made = grouping(where)
    return counts_of(density.by_area(placed, layers), made, cost="cost")[made.table]


def test_excluded_records_have_the_first_applicable_reason(placed):
    reasons = _reasons(placed, ["city", "ward"], 2001, None)
    assert [(person, reason) for person, _, reason in reasons if reason] == [
        (3, "outside_city"),
        (4, "unlocated"),
        (5, "unlocated"),
        (6, "no_postcode"),
        (7, "outside_years"),
    ]


def test_records_are_restricted_to_the_layers_and_years_of_a_table(placed):
    reasons = _reasons(placed, ["ward"], None, 2010)
    assert [row for row in reasons if row[0] in (1, 2, 7)] == [
        (1, 2010, None),
        (1, 2012, "outside_years"),
        (2, 2010, "outside_city"),  # in the city, but in none of the layers that count
        (7, 1999, None),
    ]
    wards = density.by_area(placed, ["ward"]).select("person", "layer", "code").collect()
    assert sorted(wards) == 2 * [(1, "ward", "W1")] + [(7, "ward", "W1")]


def test_every_area_has_every_band_for_each_km2_and_1000(placed):
    areas = pd.DataFrame(
        [("city", "C", 2.0), ("ward", "W1", 0.5), ("ward", "W2", 1.5)],
        columns=["layer", "code", "area_km2"],
    )
    population = pd.DataFrame(
        [("ward", "W1", None, 500), ("ward", "W2", None, 0), ("ward", "W1", "0-11", 100)],
        columns=["layer", "code", "age_band", "population"],
    )
    counted = _counts(placed, lambda where: density.density_grouping(BANDS, where))
    labels = density.bands_of(counted, BANDS)
    found = density.per_area(counted, areas, population, "age_band", labels)
    assert rows_of(
        found, "layer", "code", "age_band", "people", "records", "people_per_km2", "people_per_1000"
    ) == [
        ("city", "C", "0-11", 1, 1, 0.5, None),
        ("city", "C", "11+", 2, 2, 1.0, None),
        ("city", "C", None, 2, 3, 1.0, None),
        ("ward", "W1", "0-11", 1, 1, 2.0, 10.0),
        ("ward", "W1", "11+", 1, 1, 2.0, None),
        ("ward", "W1", None, 1, 2, 2.0, 2.0),
        ("ward", "W2", "0-11", 0, 0, 0.0, None),
        ("ward", "W2", "11+", 0, 0, 0.0, None),
        ("ward", "W2", None, 0, 0, 0.0, None),  # nobody of nobody is not a share
    ]


def test_every_area_has_every_year_and_a_person_counts_in_the_years_they_start(placed):
    areas = pd.DataFrame(
        [("city", "C", 2.0), ("ward", "W1", 0.5)], columns=["layer", "code", "area_km2"]
    )
    population = pd.DataFrame(
        [("ward", "W1", 2010, 500)], columns=["layer", "code", "year", "population"]
    )
    counted = _counts(placed, density.series_grouping)
    found = density.per_area(counted, areas, population, "year", range(2010, 2013))
    assert rows_of(
        found, "layer", "code", "year", "people", "records", "people_per_km2", "people_per_1000"
    ) == [
        ("city", "C", 2010, 2, 2, 1.0, None),
        ("city", "C", 2011, 0, 0, 0.0, None),
        ("city", "C", 2012, 1, 1, 0.5, None),
        ("ward", "W1", 2010, 1, 1, 2.0, 2.0),
        ("ward", "W1", 2011, 0, 0, 0.0, None),
        ("ward", "W1", 2012, 1, 1, 2.0, None),
    ]


def test_gi_star_is_sedonas(spark):
    values = [0, 0, 1, 7, 9, 0, 2, 1, 8, 8, 0, 0, 0, 3, 2, 1, 0, 0, 0, 0, 5, 0, 0, 1, 0]
    points = [
        (f"{i:03d}", float(value), f"POINT({1000 * (i % 5)} {1000 * (i // 5)})")
        for i, value in enumerate(values)
    ]
    frame = spark.createDataFrame(points, "code string, value double, wkt string")
    placed = frame.selectExpr("code", "value", "ST_GeomFromWKT(wkt) AS geometry")
    weighed = add_binary_distance_band_column(placed, 1500.0, include_self=True)
    sedona = g_local(weighed, "value", star=True).select("code", "Z").toPandas().sort_values("code")
    areas = frame.selectExpr(
        "'grid' AS layer", "code", "'all' AS series", "value",
        "ST_AsBinary(ST_GeomFromWKT(wkt)) AS geometry",
    ).toPandas()  # fmt: skip
    found = gi_star(areas, neighbours(areas, {"grid": 1500.0})).sort_values("code")
    assert found["gi_z"].to_numpy() == pytest.approx(sedona["Z"].to_numpy(float), rel=1e-9)
