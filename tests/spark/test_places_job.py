"""The job `places` on a small city: its tables, a second run, and no boundaries at all."""

import geopandas as gpd
import pytest
import yaml
from rich.console import Console
from shapely import box

from socare_spark.analysis import Context
from socare_spark.errors import ConfigurationError, DataError, MissingInputError
from socare_spark.lake.lake import Lake
from socare_spark.places.job import JOB
from socare_spark.places.reference_tables import REFERENCE
from socare_spark.storage.landing import Landing
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run, configuration_digest

PLACES = {
    "postcodes": [{"name": "cp", "layout": "codepoint", "files": ["cp.csv"]}],
    "layers": {
        "ward": {"kind": "file", "file": "w.gpkg", "table": "wards", "code": "code"},
        "city": {"kind": "dissolve", "layer": "ward", "code": "C", "name": "City"},
        "sector": {"kind": "postcode", "level": "sector"},
        "district": {"kind": "postcode", "level": "district"},
        "grid": {"kind": "grid", "metres": 1000},
    },
    "bounds": "city",
    "population": [
        {
            "files": ["p.csv"],
            "layer": {"value": "ward"},
            "code": {"column": "code"},
            "year": {"value": 2020},
            "population": {"column": "n"},
        }
    ],
}
POSTCODES = {
    "B1  1AA": (400500, 300500),
    "B1  2AA": (401500, 300500),
    "B2  1AA": (401500, 300900),
    "B3  1AA": (409500, 300500),
    "B4  1AA": (0, 0),
}


@pytest.fixture
def city(spark, tmp_path):
    """Runs the job with changed settings; gives the context it ran in."""
    landing = tmp_path / "landing"
    (landing).mkdir()
    gpd.GeoDataFrame(
        {"code": ["W1", "W2"]},
        geometry=[box(400000, 300000, 401000, 301000), box(401000, 300000, 402000, 301000)],
        crs="EPSG:27700",
    ).to_file(landing / "w.gpkg", layer="wards")
    (landing / "cp.csv").write_text(
        "".join(f'"{p}",10,{e},{n}\n' for p, (e, n) in POSTCODES.items())
    )
    (landing / "p.csv").write_text("code,n\nW1,10\n")
    conf = tmp_path / "conf"
    conf.mkdir()

    def context(landing_folder=landing, **changes):
        settings = {key: value for key, value in {**PLACES, **changes}.items() if value is not None}
        (conf / "places.yaml").write_text(yaml.safe_dump(settings))
        record = Run("places", LocalStorage(tmp_path), {})
        record.configuration = configuration_digest(conf)
        quiet = Progress(Console(quiet=True))
        folder = landing_folder and Landing(landing_folder)
        return Context(spark, Lake(tmp_path / "lake"), conf, folder, None, record, quiet)

    def run(landing_folder=landing, **changes):
        used = context(landing_folder, **changes)
        JOB.run(used)
        return used

    run.landing = landing
    run.plan = lambda **changes: JOB.plan(context(**changes))
    return run


def _rows(context, table, *columns):
    return sorted(map(tuple, context.inputs.read(table).select(*columns).collect()), key=str)


def test_reference_tables_hold_areas_and_assignments(city):
    context = city()
    assert _rows(context, "reference/areas", "layer", "code", "area_km2") == [
        ("city", "C", pytest.approx(2.0)),
        ("district", "B1", pytest.approx(1.682)),
        ("district", "B2", pytest.approx(0.318)),  # by hand: the bisectors of three places
        ("grid", "SK0000", 1.0),
        ("grid", "SK0100", 1.0),
        ("sector", "B1 1", pytest.approx(0.982)),
        ("sector", "B1 2", pytest.approx(0.7)),
        ("sector", "B2 1", pytest.approx(0.318)),
        ("ward", "W1", pytest.approx(1.0)),
        ("ward", "W2", pytest.approx(1.0)),
    ]
    placed = dict(
        ((p, layer), (code, rule))
        for p, layer, code, rule in _rows(
            context, "reference/postcode_areas", "postcode", "layer", "code", "rule"
        )
    )
    assert len(placed) == 5 * 5
    assert {layer: placed["B2 1AA", layer] for layer in PLACES["layers"]} == {
        "ward": ("W2", "inside"),
        "city": ("C", "inside"),
        "sector": ("B2 1", "inside"),
        "district": ("B2", "inside"),
        "grid": ("SK0100", "inside"),
    }
    assert {placed["B3 1AA", layer] for layer in PLACES["layers"]} == {(None, "outside")}
    assert {placed["B4 1AA", layer] for layer in PLACES["layers"]} == {(None, "unlocated")}
    assert _rows(
        context, "reference/population", "layer", "code", "year", "age_band", "population"
    ) == [("ward", "W1", 2020, None, 10)]
    assert context.run.counts["places.ward.inside"] == 3
    assert set(context.run.files_read) == {"cp.csv", "w.gpkg", "p.csv"}


def test_only_a_changed_file_writes_a_new_version(city):
    first = city()
    versions = {table: first.lake.version(table) for table in REFERENCE}
    again = city()
    assert {table: again.lake.version(table) for table in REFERENCE} == versions
    assert again.run.outputs == first.run.outputs
    with (city.landing / "cp.csv").open("a") as file:
        file.write('"B1  1AB",10,400600,300500\n')
    changed = city()
    assert changed.lake.version("reference/postcodes") == versions[REFERENCE[0]] + 1
    assert changed.run.counts["places.ward.inside"] == 4


def test_without_any_boundary_areas_are_built_from_postcodes(city):
    layers = {name: PLACES["layers"][name] for name in ("sector", "district", "grid")}
    context = city(layers=layers, bounds=None, population=[], reach_metres=200)
    found = _rows(context, "reference/areas", "layer", "code", "area_km2")
    assert [row[:2] for row in found] == [
        ("district", "B1"), ("district", "B2"), ("district", "B3"),
        ("grid", "SK0000"), ("grid", "SK0100"), ("grid", "SK0101"), ("grid", "SK0900"),
        ("sector", "B1 1"), ("sector", "B1 2"), ("sector", "B2 1"), ("sector", "B3 1"),
    ]  # fmt: skip
    # A disc of 200 m round a postcode of its own.
    assert dict((code, area) for _, code, area in found)["B3 1"] == pytest.approx(0.1256, abs=0.001)


def test_places_needs_the_landing_folder(city):
    with pytest.raises(ConfigurationError, match="--landing"):
        city(landing_folder=None)


def test_source_that_never_existed_is_left_out_with_a_warning(city):
    (city.landing / "w.gpkg").unlink()
    (city.landing / "p.csv").unlink()
    context = city()
    layers = {layer for (layer,) in _rows(context, "reference/areas", "layer")}
    assert layers == {"sector", "district", "grid"}
    assert _rows(context, "reference/population", "code") == []
    left_out = {warning.partition(" is left out")[0] for warning in context.run.warnings}
    assert left_out == {"layer ward", "layer city", "population p.csv"}


@pytest.mark.parametrize("file", ["w.gpkg", "p.csv", "cp.csv"])
def test_source_used_by_an_earlier_run_is_required(city, file):
    city()
    (city.landing / file).unlink()
    with pytest.raises(DataError, match=file):
        city()


def test_without_postcodes_there_is_nothing_to_place(city):
    (city.landing / "cp.csv").unlink()
    with pytest.raises(MissingInputError, match=r"cp\.csv"):
        city()


def test_dry_run_lists_all_columns_and_tables_that_files_do_not_have(city):
    layers = {"ward": {**PLACES["layers"]["ward"], "table": "zones"}}
    layers["old"] = {**PLACES["layers"]["ward"], "code": "CODE"}
    population = [{**PLACES["population"][0], "population": {"column": "people"}}]
    with pytest.raises(ConfigurationError) as error:
        city.plan(layers=layers, bounds=None, population=population)
    faults = error.value.faults
    assert len(faults) == 3
    assert "has no column CODE" in faults[0]
    assert "has no layer zones" in faults[1]
    assert "has no column people" in faults[2]
    assert len(city.plan()) == 3 + len(REFERENCE)
