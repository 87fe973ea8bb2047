"""Pictures of maps: what they must say, and the same bytes for the same data."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pictures import texts_of
from PIL import Image

from socare_spark.charts import area_maps, style
from socare_spark.charts.area_maps import AreaMap, draw_density, draw_hotspots, draw_matrix
from socare_spark.charts.area_style import NOBODY, NOT_APPLICABLE, NOT_KNOWN, State, shaded
from socare_spark.charts.spatial_files import write_geojson, write_geoparquet

SQUARES = [shapely.box(1000 * i, 0, 1000 * i + 1000, 1000) for i in range(4)]
MAP = AreaMap("A title", "what it shows", "a source", SQUARES, shapely.union_all(SQUARES))


@pytest.fixture
def said(monkeypatch):
    """Every text of the figures that are saved."""
    return texts_of(monkeypatch, area_maps)


def _says_what_every_picture_must(texts):
    assert style.EXACT in texts
    assert "Source: a source" in texts
    assert any(text.startswith("Colour scale: ") for text in texts)


def test_density_map_has_its_own_class_for_empty_areas(tmp_path, said):
    path = draw_density(MAP, np.array([0, 1, 2, 9]), "People", tmp_path / "a.png")
    _says_what_every_picture_must(said)
    assert "nobody (1)" in said
    assert "People (areas)" in said
    with Image.open(path) as picture:
        assert not {"Software", "Creation Time"} & set(picture.info)


def test_the_same_data_give_the_same_bytes(tmp_path):
    first = draw_density(MAP, np.array([0, 1, 2, 9]), "People", tmp_path / "a.png").read_bytes()
    assert (
        draw_density(MAP, np.array([0, 1, 2, 9]), "People", tmp_path / "b.png").read_bytes()
        == first
    )


def test_map_without_people_is_drawn(tmp_path, said):
    draw_density(MAP, np.zeros(4), "People", tmp_path / "a.png")
    assert "nobody (4)" in said


def test_nobody_unknown_and_not_applicable_look_different(tmp_path, said):
    values = np.array([0, np.nan, 2, 9])
    missing = State("age not known", NOT_KNOWN.fill, NOT_KNOWN.hatch)
    draw_density(MAP, values, "People", tmp_path / "a.png", missing=missing)
    assert {"nobody (1)", "age not known (1)"} <= set(said)
    states = (NOBODY, NOT_KNOWN, NOT_APPLICABLE)
    assert (
        len({(state.fill, state.hatch) for state in states}) == len({s.hatch for s in states}) == 3
    )
    style_of = shaded(values)
    assert style_of.hatches.tolist() == [NOBODY.hatch, NOT_KNOWN.hatch, "", ""]
    assert style_of.fills[0] != style_of.fills[1]


def test_hot_spot_legend_shows_direction_and_significance(tmp_path, said):
    z, p = np.array([4.0, 2.5, -3.0, np.nan]), np.array([0.001, 0.03, 0.2, np.nan])
    draw_hotspots(MAP, z, p, 0.05, tmp_path / "a.png")
    _says_what_every_picture_must(said)
    assert {"many, p < 0.01 (1)", "many, p < 0.05 (1)", "not unusual (1)", "not tested (1)"} <= set(
        said
    )


def test_matrix_marks_flagged_cells(tmp_path, said):
    rows = [
        ("B10", 2001, 0, None),
        ("B10", 2002, 5, "high"),
        ("B2", 2001, 3, "low"),
        ("B2", 2002, 1, None),
    ]
    matrix = pd.DataFrame(rows, columns=["district", "year", "records", "flag"])
    draw_matrix(
        matrix, pd.Series({"B2": "improving"}), "Passes by ward", "a source", tmp_path / "m.png"
    )
    assert "Passes by ward" in said
    _says_what_every_picture_must(said)
    assert said.index("B2") < said.index("B10")  # as people count
    assert "\N{BLACK UP-POINTING TRIANGLE}" in said
    assert "\N{BLACK DOWN-POINTING TRIANGLE}" in said
    assert "\N{SOUTH EAST ARROW} improving" in said


def test_geojson_is_one_collection_that_says_it_is_exact(tmp_path):
    square = shapely.box(-1.9, 52.4, -1.8, 52.5).reverse()
    rows = pd.DataFrame({"code": ["A"], "people_all": [3], "gi_z_all": [np.nan]})
    path = write_geojson(rows, pd.Series([shapely.to_wkb(square)]), "x", tmp_path / "x.geojson")
    data = json.loads(path.read_text())
    assert data["type"] == "FeatureCollection"
    assert data["note"] == style.EXACT
    assert data["features"][0]["properties"] == {"code": "A", "people_all": 3, "gi_z_all": None}
    ring = shapely.geometry.shape(data["features"][0]["geometry"]).exterior
    assert ring.is_ccw  # RFC 7946
    assert min(x for x, _ in ring.coords) == -1.9


def test_geoparquet_knows_its_system(tmp_path):
    rows = pd.DataFrame({"code": ["A"], "people_all": [3]})
    wkb = pd.Series([shapely.to_wkb(SQUARES[0])])
    path = write_geoparquet(rows, wkb, tmp_path / "x.parquet")
    back = gpd.read_parquet(path)
    assert back.crs.to_epsg() == 27700
    assert back.geometry.iloc[0].equals(SQUARES[0])
    assert write_geoparquet(rows, wkb, tmp_path / "y.parquet").read_bytes() == path.read_bytes()
