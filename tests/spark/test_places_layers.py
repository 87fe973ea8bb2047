"""Layers from four formats, and one sentence for each way in which a file can be wrong."""

import json

import geopandas as gpd
import pytest
import shapely
from shapely import box

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.places.layers import read_layers
from socare_spark.places.settings import FileLayer

SQUARES = gpd.GeoDataFrame(
    {"id": ["A", "B"], "label": ["one", "two"]},
    geometry=[box(400000, 300000, 401000, 301000), box(401000, 300000, 402000, 301000)],
    crs="EPSG:27700",
)


def _write(folder, name, frame=SQUARES):
    path = folder / name
    if name.endswith(".parquet"):
        frame.to_parquet(path)
    elif name.endswith(".gpkg"):
        frame.to_file(path, layer="areas")
    elif name.endswith(".geojson"):
        frame.to_crs("EPSG:4326").to_file(path, driver="GeoJSON")
    else:
        frame.to_file(path)
    return name


def _layer(file, **more):
    return FileLayer.model_validate(
        {"kind": "file", "file": file, "code": "id", "name": "label", **more}
    )


def _read(spark, folder, **layers):
    found = read_layers(spark, folder, layers)
    rows = found.areas.selectExpr("layer", "code", "name", "ST_AsBinary(geometry) AS wkb").collect()
    return {
        (r["layer"], r["code"]): (r["name"], shapely.from_wkb(bytes(r["wkb"]))) for r in rows
    }, found.mended


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.parquet", "a.shp"])
def test_every_format_gives_the_same_areas(spark, tmp_path, name):
    found, mended = _read(spark, tmp_path, w=_layer(_write(tmp_path, name)))
    assert {key: label for key, (label, _) in found.items()} == {
        ("w", "A"): "one",
        ("w", "B"): "two",
    }
    for code, square in zip("AB", SQUARES.geometry, strict=True):
        # Six decimals of a degree are about a decimetre.
        assert shapely.hausdorff_distance(found["w", code][1], square) < 0.2
    assert mended == {"w": 0}


def test_several_layers_of_one_file_in_one_pass(spark, tmp_path):
    _write(tmp_path, "a.gpkg")
    SQUARES.head(1).to_file(tmp_path / "a.gpkg", layer="other")
    found, _ = _read(
        spark,
        tmp_path,
        w=_layer("a.gpkg", table="areas"),
        x=_layer("a.gpkg", table="other", name=None),
    )
    assert sorted(found) == [("w", "A"), ("w", "B"), ("x", "A")]
    assert found["x", "A"][0] == "A"  # no name column: the code


def test_a_filter_keeps_what_begins_so(spark, tmp_path):
    keep = {"column": "label", "starts_with": ["tw"]}
    found, _ = _read(spark, tmp_path, w=_layer(_write(tmp_path, "a.gpkg"), keep=keep))
    assert list(found) == [("w", "B")]


def test_features_of_one_code_are_one_area(spark, tmp_path):
    name = _write(tmp_path, "a.gpkg", SQUARES.assign(id="A"))
    found, _ = _read(spark, tmp_path, w=_layer(name))
    assert found["w", "A"][1].area == pytest.approx(2_000_000)


def test_an_invalid_polygon_is_mended_and_counted(spark, tmp_path):
    bow = shapely.Polygon([(400000, 300000), (401000, 301000), (401000, 300000), (400000, 301000)])
    name = _write(tmp_path, "a.gpkg", SQUARES.set_geometry([bow, SQUARES.geometry[1]]))
    found, mended = _read(spark, tmp_path, w=_layer(name))
    assert mended == {"w": 1}
    assert found["w", "A"][1].is_valid
    assert found["w", "A"][1].area == pytest.approx(500_000)


@pytest.mark.parametrize(
    ("layer", "error", "says"),
    [
        ({"file": "none.gpkg"}, DataError, "no file none.gpkg"),
        ({"table": "wards"}, ConfigurationError, "has no layer wards; it has areas"),
        ({"code": "WardCode"}, ConfigurationError, "no column WardCode; it has fid, id, label"),
        ({"crs": "EPSG:4326"}, DataError, "in EPSG:4326 is not in Great Britain"),
        (
            {"file": "a.geojson", "crs": "EPSG:27700"},
            DataError,
            "in EPSG:27700 is not in Great Britain",
        ),
        ({"keep": {"column": "id", "starts_with": ["Z"]}}, DataError, "'keep' lets through"),
        ({"file": "notes.gpkg"}, DataError, "not readable as a GeoPackage"),
        ({"file": "notes.geojson"}, DataError, "not a GeoJSON FeatureCollection"),
        ({"file": "plain.parquet"}, DataError, "without GeoParquet's metadata"),
        ({"file": "notes.txt"}, ConfigurationError, "not told by its name"),
        ({"file": "points.gpkg"}, DataError, "points or lines where polygons are wanted"),
        ({"file": "nocode.gpkg"}, DataError, "1 of 2 features have no value in column id"),
    ],
)
def test_a_mistake_is_one_sentence(spark, tmp_path, layer, error, says):
    for name in ("a.gpkg", "a.geojson"):
        _write(tmp_path, name)
    for name in ("notes.gpkg", "notes.txt"):
        (tmp_path / name).write_text("not what its name says")
    (tmp_path / "notes.geojson").write_text(json.dumps({"type": "Feature"}))
    SQUARES.drop(columns="geometry").to_parquet(tmp_path / "plain.parquet")
    _write(tmp_path, "points.gpkg", SQUARES.set_geometry(SQUARES.centroid))
    _write(tmp_path, "nocode.gpkg", SQUARES.assign(id=["A", None]))
    with pytest.raises(error, match=says) as caught:
        _read(spark, tmp_path, w=_layer(**{"file": "a.gpkg", **layer}))
    assert str(caught.value).startswith("Layer w: ")
