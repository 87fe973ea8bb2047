"""Density and hot spots: who is counted where, and Gi* against three other implementations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sedona.spark.stats.hotspot_detection.getis_ord import g_local
from sedona.spark.stats.weighting import add_binary_distance_band_column

from socare_spark.analyses.provision import density
from socare_spark.measures.bands import Band
from socare_spark.measures.hotspots import gi_star, neighbours
from socare_spark.places.population import chosen_population, population_by_year

RECORDS = "person bigint, age int, year int, postcode string, cost decimal(20,2)"
PLACES = "postcode string, layer string, code string, rule string"
AREAS = "layer string, code string, area_km2 double"
BANDS = [
    Band.model_validate({"label": "0-11", "from": 0, "to": 11}),
    Band.model_validate({"label": "11+", "from": 11}),
]


def _rows(frame, *columns):
    return sorted(map(tuple, frame.select(*columns).collect()), key=str)


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


@pytest.fixture
def inside(placed):
    return density.within(placed, ["city", "ward"], (2001, None))


def test_excluded_records_have_the_first_applicable_reason(inside):
    assert _rows(inside.where("reason IS NOT NULL"), "person", "reason") == [
        (3, "outside_city"),
        (4, "unlocated"),
        (5, "unlocated"),
        (6, "no_postcode"),
        (7, "outside_years"),
    ]


def test_records_are_restricted_to_the_layers_and_years_of_a_table(placed):
    wards = density.within(placed, ["ward"], (None, 2010))
    assert _rows(wards.where("person IN (1, 2, 7)"), "person", "year", "reason") == [
        (1, 2010, None),
        (1, 2012, "outside_years"),
        (2, 2010, "outside_city"),  # in the city, but in none of the layers that count
        (7, 1999, None),
    ]
    assert wards.where("reason IS NULL").first()["areas"] == [("ward", "W1")]


def test_every_area_has_every_band_for_each_km2_and_1000(spark, inside):
    areas = spark.createDataFrame(
        [("city", "C", 2.0), ("ward", "W1", 0.5), ("ward", "W2", 1.5)], AREAS
    )
    population = spark.createDataFrame(
        [("ward", "W1", None, 500), ("ward", "W2", None, 0), ("ward", "W1", "0-11", 100)],
        "layer string, code string, age_band string, population bigint",
    )
    counted = density.counted_bands(inside, BANDS)
    every = density.every_band(counted, ["0-11", "11+"])
    found = density.per_area(counted, areas, population, every)
    assert _rows(
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


def test_every_area_has_every_year_and_a_person_counts_in_the_years_they_start(spark, inside):
    areas = spark.createDataFrame([("city", "C", 2.0), ("ward", "W1", 0.5)], AREAS)
    years = spark.createDataFrame([(2010,), (2011,), (2012,)], "year int")
    population = spark.createDataFrame(
        [("ward", "W1", 2010, 500)], "layer string, code string, year int, population bigint"
    )
    counted = density.counted_areas(inside, "year")
    found = density.per_area(counted, areas, population, years)
    assert _rows(
        found, "layer", "code", "year", "people", "records", "people_per_km2", "people_per_1000"
    ) == [
        ("city", "C", 2010, 2, 2, 1.0, None),
        ("city", "C", 2011, 0, 0, 0.0, None),
        ("city", "C", 2012, 1, 1, 0.5, None),
        ("ward", "W1", 2010, 1, 1, 2.0, 2.0),
        ("ward", "W1", 2011, 0, 0, 0.0, None),
        ("ward", "W1", 2012, 1, 1, 2.0, None),
    ]


def test_an_age_in_no_band_has_a_row_of_its_own_everywhere(spark):
    counted = spark.createDataFrame([("unknown",), ("0-11",)], "age_band string")
    assert _rows(density.every_band(counted, ["0-11", "11+"]), "age_band") == [
        ("0-11",), ("11+",), ("unknown",), (None,),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (None, [(2010, 5), (2011, 5), (2012, 7), (2020, 7)]),  # 2011 is as near to both
        (2012, [(2010, 7), (2011, 7), (2012, 7), (2020, 7)]),
        (2015, []),
    ],
)
def test_population_is_of_the_nearest_year_or_the_configured_one(spark, year, expected):
    rows = [
        ("ward", "W", "0-11", 2010, 5),
        ("ward", "W", "0-11", 2012, 7),
        ("ward", "W", None, 2011, 99),
    ]
    population = spark.createDataFrame(
        rows, "layer string, code string, age_band string, year int, population bigint"
    )
    years = spark.createDataFrame([(y,) for y in (2010, 2011, 2012, 2020)], "year int")
    found = population_by_year(population, "0-11", years, year)
    assert _rows(found, "year", "population") == expected
    ages = population_by_year(population, None, years, None)
    assert _rows(ages, "year", "population") == [(y, 99) for y in (2010, 2011, 2012, 2020)]


def test_population_is_of_the_configured_year_or_the_newest(spark):
    rows = [
        ("ward", "W", None, 2011, 5),
        ("ward", "W", None, 2020, 7),
        ("ward", "V", None, 2011, 9),
    ]
    population = spark.createDataFrame(
        rows, "layer string, code string, age_band string, year int, population bigint"
    )
    assert _rows(chosen_population(population, None), "code", "population") == [
        ("V", 9),
        ("W", 7),
    ]
    assert _rows(chosen_population(population, 2011), "code", "population") == [
        ("V", 9),
        ("W", 5),
    ]


def _field(spark, values, spacing=1000, layer="grid"):
    """Squares of one kilometre in rows of five, and their values."""
    side = 5
    squares = [
        (layer, f"{i:03d}", f"POLYGON(({x} {y},{x + 9} {y},{x + 9} {y + 9},{x} {y + 9},{x} {y}))")
        for i in range(len(values))
        for x, y in [(spacing * (i % side), spacing * (i // side))]
    ]
    areas = spark.createDataFrame(squares, "layer string, code string, wkt string").selectExpr(
        "layer", "code", "ST_AsBinary(ST_GeomFromWKT(wkt)) AS geometry"
    )
    series = [(layer, f"{i:03d}", "all", float(v)) for i, v in enumerate(values)]
    return areas, spark.createDataFrame(
        series, "layer string, code string, series string, value double"
    )


def _z(spark, values, metres=1500, **more):
    areas, series = _field(spark, values, **more)
    found = gi_star(series, neighbours(areas, {more.get("layer", "grid"): metres})).toPandas()
    return found.sort_values("code")["gi_z"].to_numpy(float)


VALUES = np.array(
    [0, 0, 1, 7, 9, 0, 2, 1, 8, 8, 0, 0, 0, 3, 2, 1, 0, 0, 0, 0, 5, 0, 0, 1, 0], float
)


def test_gi_star_is_the_published_formula(spark):
    place = np.array([(i % 5, i // 5) for i in range(25)])
    weights = (np.linalg.norm(place[:, None] - place[None], axis=2) <= 1.5).astype(float)
    n, mean, deviation = len(VALUES), VALUES.mean(), VALUES.std()
    total = weights.sum(1)
    spread = deviation * np.sqrt((n * (weights**2).sum(1) - total**2) / (n - 1))
    assert _z(spark, VALUES) == pytest.approx((weights @ VALUES - mean * total) / spread, rel=1e-9)


def test_gi_star_is_sedonas(spark):
    areas, series = _field(spark, VALUES)
    points = areas.join(series, ["layer", "code"]).selectExpr(
        "code", "value", "ST_Centroid(ST_GeomFromWKB(geometry)) AS geometry"
    )
    weighed = add_binary_distance_band_column(points, 1500.0, include_self=True)
    sedona = g_local(weighed, "value", star=True).select("code", "Z").toPandas().sort_values("code")
    assert _z(spark, VALUES) == pytest.approx(sedona["Z"].to_numpy(float), rel=1e-9)


def test_gi_star_is_esdas(spark):
    esda = pytest.importorskip("esda")
    libpysal = pytest.importorskip("libpysal")
    place = [(1000 * (i % 5), 1000 * (i // 5)) for i in range(25)]
    weights = libpysal.weights.DistanceBand(place, 1500.0, binary=True, silence_warnings=True)
    other = esda.getisord.G_Local(VALUES, weights, transform="B", permutations=0, star=True)
    assert _z(spark, VALUES) == pytest.approx(np.asarray(other.Zs), rel=1e-9)


@pytest.mark.parametrize(
    ("values", "metres"),
    [
        (np.zeros(25), 1500),  # nobody anywhere
        (np.ones(25), 1500),  # the same everywhere
        (VALUES, 99_000),  # everything is a neighbour of everything
        (np.array([3.0]), 1500),  # nothing to compare with
    ],
)
def test_gi_star_is_null_without_variation(spark, values, metres):
    assert np.isnan(_z(spark, values, metres)).all()


def test_gi_star_of_an_isolated_area_is_its_own_z_score(spark):
    z = _z(spark, VALUES, metres=10)
    assert z == pytest.approx((VALUES - VALUES.mean()) / VALUES.std())


def test_neighbours_are_of_one_layer_and_the_distance_counts(spark):
    areas = _field(spark, VALUES[:3])[0].unionByName(_field(spark, VALUES[:2], layer="ward")[0])
    pairs = neighbours(areas, {"grid": 1000.0, "ward": 999.0})
    assert _rows(pairs.where("layer = 'ward'"), "code", "other") == [("000", "000"), ("001", "001")]
    assert _rows(pairs.where("layer = 'grid'"), "code", "other") == [
        ("000", "000"), ("000", "001"), ("001", "000"), ("001", "001"), ("001", "002"),
        ("002", "001"), ("002", "002"),
    ]  # fmt: skip
    plan = pairs._jdf.queryExecution().executedPlan().toString()
    assert plan.count("BroadcastIndexJoin") == 2


def test_hot_spots_of_all_years_in_one_pass_are_those_of_each(spark):
    areas, series = _field(spark, VALUES)
    other = VALUES[::-1].copy()
    other[0] += 3
    years = _field(spark, other)[1].selectExpr("layer", "code", "2011 AS year", "value")
    each = series.selectExpr("layer", "code", "2010 AS year", "value").unionByName(years)
    pairs = neighbours(areas, {"grid": 1500.0})
    shown = each.withColumnRenamed("value", "people_per_km2")
    found = density.with_hotspots(shown, pairs, "year").toPandas().sort_values("code")
    assert found.columns.tolist() == [*shown.columns, "gi_z", "gi_p_adjusted"]
    for year, values in ((2010, VALUES), (2011, other)):
        own = found[found["year"] == year]
        z = _z(spark, values)
        assert own["gi_z"].to_numpy(float) == pytest.approx(z, rel=1e-12)
        p = stats.false_discovery_control(2 * stats.norm.sf(np.abs(z)), method="bh")
        assert own["gi_p_adjusted"].to_numpy(float) == pytest.approx(p, rel=1e-12)


def test_p_is_adjusted_within_a_layer_and_a_series():
    pdf = density.with_adjusted_p(
        pd.DataFrame(
            {
                "layer": ["a", "a", "b", "a"],
                "code": ["1", "2", "1", "3"],
                "series": ["all", "all", "all", "x"],
                "gi_z": [3.0, 1.0, 2.0, np.nan],
            }
        )
    )
    p = 2 * stats.norm.sf([3.0, 1.0, 2.0])
    assert pdf["gi_p_adjusted"][:3].to_numpy() == pytest.approx([2 * p[0], p[1], p[2]])
    assert np.isnan(pdf["gi_p_adjusted"][3])
