"""Layers from four formats, and one sentence for each way in which a file can be wrong."""

import json

import geopandas as gpd
import pytest
import shapely
from shapely import box

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.places.boundaries import read_boundaries
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
    found = read_boundaries(spark, folder, layers)
    rows = found.areas.selectExpr("layer", "code", "name", "ST_AsBinary(geometry) AS wkb").collect()
    return {
        (r["layer"], r["code"]): (r["name"], shapely.from_wkb(bytes(r["wkb"]))) for r in rows
    }, found.repaired


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


def test_filter_keeps_features_by_prefix(spark, tmp_path):
    keep = {"column": "label", "starts_with": ["tw"]}
    found, _ = _read(spark, tmp_path, w=_layer(_write(tmp_path, "a.gpkg"), keep=keep))
    assert list(found) == [("w", "B")]


def test_features_of_one_code_are_one_area(spark, tmp_path):
    name = _write(tmp_path, "a.gpkg", SQUARES.assign(id="A"))
    found, _ = _read(spark, tmp_path, w=_layer(name))
    assert found["w", "A"][1].area == pytest.approx(2_000_000)


def test_invalid_polygon_is_repaired_and_counted(spark, tmp_path):
    bow = shapely.Polygon([(400000, 300000), (401000, 301000), (401000, 300000), (400000, 301000)])
    name = _write(tmp_path, "a.gpkg", SQUARES.set_geometry([bow, SQUARES.geometry[1]]))
    found, mended = _read(spark, tmp_path, w=_layer(name))
    assert mended == {"w": 1}
    assert found["w", "A"][1].is_valid
    assert found["w", "A"][1].area == pytest.approx(500_000)


@pytest.mark.parametrize(
    ("layer", "error", "says"),
    [
        ({"file": "none.gpkg"}, DataError, "No file none.gpkg"),
        ({"table": "wards"}, ConfigurationError, "has no layer wards; it has areas"),
        ({"code": "WardCode"}, ConfigurationError, "no column WardCode; it has id, label"),
        ({"crs": "EPSG:4326"}, ConfigurationError, "states that it is in EPSG:27700"),
        (
            {"file": "a.geojson", "crs": "EPSG:27700"},
            ConfigurationError,
            "states that it is in EPSG:4326",
        ),
        ({"keep": {"column": "id", "starts_with": ["Z"]}}, DataError, "passes the filter 'keep'"),
        ({"file": "notes.gpkg"}, DataError, "not readable as a GeoPackage"),
        ({"file": "notes.geojson"}, ConfigurationError, "have no value in column|no column id"),
        ({"file": "plain.parquet"}, DataError, "without GeoParquet's metadata"),
        ({"file": "notes.txt"}, ConfigurationError, "cannot infer the format"),
        ({"file": "points.gpkg"}, DataError, "points or lines instead of polygons"),
        ({"file": "nocode.gpkg"}, DataError, "1 of 2 features has no value in column id"),
    ],
)
def test_wrong_layer_is_reported_with_its_cause(spark, tmp_path, layer, error, says):
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


SQUARE = {
    "type": "Polygon",
    "coordinates": [[[-2, 52], [-1.9, 52], [-1.9, 52.1], [-2, 52.1], [-2, 52]]],
}
OPEN = {"type": "Polygon", "coordinates": [SQUARE["coordinates"][0][:-1]]}
SWAPPED = {"type": "Polygon", "coordinates": [[[y, x] for x, y in SQUARE["coordinates"][0]]]}


def _feature(geometry, properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.mark.parametrize(
    ("geometry", "properties", "error", "says"),
    [
        (None, {"id": "B"}, DataError, "1 of 2 features has no geometry"),
        ({"type": "Polygon", "coordinates": []}, {"id": "B"}, DataError, "has no geometry"),
        (OPEN, {"id": "B"}, DataError, "1 of 2 features has a geometry that cannot be read"),
        (SQUARE, None, DataError, "1 of 2 features has no value in column id"),
        (SWAPPED, {"id": "B"}, DataError, "is not in the United Kingdom"),
    ],
)
def test_a_faulty_feature_is_counted(spark, tmp_path, geometry, properties, error, says):
    features = [_feature(SQUARE, {"id": "A"}), _feature(geometry, properties)]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(error, match=says):
        _read(spark, tmp_path, w=_layer("a.geojson", name=None))


def test_swapped_axes_are_named(spark, tmp_path):
    text = {"type": "FeatureCollection", "features": [_feature(SWAPPED, {"id": "A"})]}
    (tmp_path / "a.geojson").write_text(json.dumps(text))
    with pytest.raises(DataError, match="its axes are swapped"):
        _read(spark, tmp_path, w=_layer("a.geojson", name=None))


@pytest.mark.parametrize("name", ["a.gpkg", "a.parquet", "a.shp"])
def test_an_unknown_system_is_not_guessed(spark, tmp_path, name):
    _write(tmp_path, name, SQUARES.set_crs(None, allow_override=True))
    with pytest.raises(ConfigurationError, match="set crs"):
        _read(spark, tmp_path, w=_layer(name))
    found, _ = _read(spark, tmp_path, w=_layer(name, crs="EPSG:27700"))
    assert found["w", "A"][1].area == pytest.approx(1_000_000)


def test_the_system_is_read_from_the_file(spark, tmp_path):
    # East of Greenwich degrees look like small metres.
    squares = SQUARES.translate(xoff=150_000, yoff=0)
    layers = {}
    for system in (4326, 7405, 4258, 3857):
        for suffix in ("gpkg", "parquet", "shp"):
            moved = SQUARES.set_geometry(squares).to_crs(system)
            layers[f"{suffix}{system}"] = _layer(_write(tmp_path, f"a{system}.{suffix}", moved))
    found, _ = _read(spark, tmp_path, **layers)
    for name in layers:
        assert shapely.hausdorff_distance(found[name, "A"][1], squares[0]) < 3, name


def test_geopackage_table_can_have_any_name(spark, tmp_path):
    tables = ("Ward Boundaries", "wards-2020", "2020_wards", "select", "o'wards", 'q"w')
    for table in tables:
        SQUARES.to_file(tmp_path / "a.gpkg", layer=table)
    found, _ = _read(spark, tmp_path, **{t: _layer("a.gpkg", table=t) for t in tables})
    assert len(found) == 2 * len(tables)


def test_only_the_wanted_columns_are_read(spark, tmp_path):
    when = gpd.pd.to_datetime(["2020-01-01", None])
    _write(tmp_path, "a.gpkg", SQUARES.assign(when=when))
    assert len(_read(spark, tmp_path, w=_layer("a.gpkg"))[0]) == 2


@pytest.mark.parametrize("suffix", [".dbf", ".shp", ".shx"])
def test_truncated_shapefile_is_reported(spark, tmp_path, suffix):
    many = gpd.GeoDataFrame(
        {"id": [str(i) for i in range(50)], "label": "x"},
        geometry=[box(400000 + i, 300000, 400001 + i, 300001) for i in range(50)],
        crs="EPSG:27700",
    )
    _write(tmp_path, "a.shp", many)
    part = tmp_path / f"a{suffix}"
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    with pytest.raises(DataError, match=r"Layer w: a\.shp"):
        _read(spark, tmp_path, w=_layer("a.shp"))


def test_a_property_called_geometry_and_a_path_with_marks(spark, tmp_path):
    folder = tmp_path / "a!b #%25"
    folder.mkdir()
    text = {
        "type": "FeatureCollection",
        "features": [_feature(SQUARE, {"id": "A", "geometry": "x"})],
    }
    (folder / "a.geojson").write_text(json.dumps(text))
    assert len(_read(spark, folder, w=_layer("a.geojson", name=None))[0]) == 1
