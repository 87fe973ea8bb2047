"""The spatial join on real postcodes and boundaries: Code-Point Open, ONS, Birmingham's wards."""

import geopandas as gpd
import pytest
import shapely
from pyspark.sql import functions as F

from socare_spark.places.job import find_places
from socare_spark.places.reference_tables import AREAS, POPULATION, POSTCODE_AREAS, POSTCODES
from socare_spark.places.settings import PlacesSettings
from socare_spark.storage.landing import Landing

GPKG = "boundaries/bsol/bsol_27700.gpkg"
BIRMINGHAM = {"column": "WardCode", "starts_with": ["E050111"]}
WARD = {"kind": "file", "code": "WardCode", "name": "Ward", "keep": BIRMINGHAM}
SETTINGS = {
    "postcodes": [
        {
            "name": "codepoint",
            "layout": "codepoint",
            "files": [f"postcodes/cpo2025/{area}.csv" for area in ("b", "ws", "wv", "dy", "cv")],
        },
        {"name": "onspd", "layout": "onspd", "files": ["postcodes/onspd_*.csv.gz"]},
    ],
    "layers": {
        "ward": {**WARD, "file": GPKG, "table": "wards_2018_bsol"},
        "ward_degrees": {**WARD, "file": "boundaries/bsol/wards_2018_bsol.geojson"},
        "city": {"kind": "dissolve", "layer": "ward", "code": "E08000025", "name": "Birmingham"},
        "district": {"kind": "postcode", "level": "district"},
        "sector": {"kind": "postcode", "level": "sector"},
        "grid": {"kind": "grid", "metres": 1000},
    },
    "bounds": "city",
    "nearest_metres": 10,
    "population": [
        {
            "files": ["population/birmingham_wards_mid2024.csv"],
            "layer": {"value": "ward"},
            "code": {"column": "ward_code"},
            "year": {"value": 2024},
            "population": {"column": "population_mid2024"},
        },
        {
            "files": ["population/ward21_pop_2011_2022_wm.csv"],
            "layer": {"value": "ward"},
            "code": {"column": "WD21CD"},
            "year": {"column": "year"},
            "age_band": {"column": "age_band"},
            "population": {"column": "count"},
        },
    ],
}


@pytest.fixture(scope="module")
def places(spark_session, public_data):
    return find_places(
        spark_session, Landing(public_data), PlacesSettings.model_validate(SETTINGS)
    ).tables


@pytest.fixture(scope="module")
def survey(spark_session, public_data):
    """What the Ordnance Survey says of its postcodes: `postcode`, `authority`, `ward`."""
    files = [str(public_data / path) for path in SETTINGS["postcodes"][0]["files"]]
    return (
        spark_session.read.csv(files)
        .select(
            F.col("_c0").alias("postcode"),
            F.col("_c8").alias("authority"),
            F.col("_c9").alias("os"),
        )
        .where("authority = 'E08000025'")
    )


def test_every_postcode_of_the_city_lies_in_one_ward(places, survey):
    ward = places[POSTCODE_AREAS].where("layer = 'ward'")
    found = survey.join(ward, "postcode")
    by_rule = {row["rule"]: row["count"] for row in found.groupBy("rule").count().collect()}
    assert by_rule == {"inside": 21_659}
    assert found.where("code = os").count() == 21_650


def test_the_same_from_degrees(places, survey):
    wide = places[POSTCODE_AREAS].where("layer IN ('ward', 'ward_degrees')")
    both = wide.groupBy("postcode").pivot("layer", ["ward", "ward_degrees"]).agg(F.first("code"))
    same = survey.join(both, "postcode").where("ward = ward_degrees").count()
    assert same >= 21_655  # six decimals of a degree move an edge by a decimetre


def test_postcodes_without_a_place(places):
    rules = places[POSTCODE_AREAS].join(places[POSTCODES], "postcode").where("layer = 'ward'")
    assert rules.where("source = 'codepoint' AND rule = 'unlocated'").count() == 137
    assert rules.where("rule = 'unlocated' AND easting IS NOT NULL").count() == 0


def test_each_postcode_once_in_each_layer(places):
    # ONS holds every postcode that the Survey has.
    assert places[POSTCODES].count() == 136_525
    assert places[POSTCODE_AREAS].count() == 136_525 * len(SETTINGS["layers"])
    assert places[POSTCODE_AREAS].select("postcode", "layer").distinct().count() == 136_525 * 6


def test_built_districts_agree_with_the_published_ones(places, public_data):
    rows = places[AREAS].where("layer = 'district'").toPandas()
    built = gpd.GeoDataFrame(
        rows[["code"]], geometry=shapely.from_wkb(rows["geometry"].map(bytes)), crs="EPSG:27700"
    )
    published = gpd.read_file(public_data / GPKG, layer="postal_districts")
    wards = gpd.read_file(public_data / GPKG, layer="wards_2018_bsol")
    city = wards[wards["WardCode"].str.startswith("E050111")].union_all()
    assert built.area.sum() == pytest.approx(city.area)
    pairs = gpd.overlay(built, published, how="intersection")
    agreed = pairs[pairs["code"] == pairs["PstlDst"]].area.sum()
    assert agreed / city.area > 0.9


def test_populations_sum_to_the_published_ones(places):
    people = places[POPULATION].where("layer = 'ward' AND age_band IS NULL")
    newest = people.where("year = 2024").agg(F.sum("population")).first()[0]
    assert newest == 1_183_618
    assert people.where("year = 2024").count() == 69
    # Twenty bands and the row for all ages, for 174 wards and twelve years.
    assert places[POPULATION].where("year < 2024").count() == 174 * 12 * 21
