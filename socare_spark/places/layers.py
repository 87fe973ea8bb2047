"""Areas that somebody drew: read from GeoPackage, GeoJSON, GeoParquet or shapefile into EPSG:27700.

A file is looked at before Spark reads it, so that a wrong name, column or coordinate system is one
sentence and not a Java trace; the geometry itself is read, mended and transformed by Sedona.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq
from pyarrow.lib import ArrowInvalid
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from sedona.spark.sql.types import GeometryType

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.places.geometry import GRID, polygons_of, union_of
from socare_spark.places.settings import FileLayer
from socare_spark.places.settle import settled

_DEGREES = ("EPSG:4326", "EPSG:4258")
# What the National Grid covers, in metres; what Great Britain covers, in degrees.
_METRES_RANGE = (0.0, 0.0, 700_000.0, 1_300_000.0)
_DEGREES_RANGE = (-9.5, 49.0, 2.5, 61.5)
_FORMATS = {
    ".gpkg": "geopackage",
    ".geojson": "geojson",
    ".json": "geojson",
    ".parquet": "geoparquet",
    ".shp": "shapefile",
}


@dataclass(frozen=True)
class Raw:
    """A layer as its file has it: all columns, one of them a geometry, and the file's own CRS."""

    frame: DataFrame
    crs: str | None


@dataclass(frozen=True)
class Drawn:
    """Layers read together.

    Attributes:
        areas: layer, code, name, geometry in EPSG:27700; one row a code.
        mended: Layer -> features whose geometry was invalid and was made valid.
    """

    areas: DataFrame
    mended: Mapping[str, int]


def read_layers(spark: SparkSession, landing: Path, layers: Mapping[str, FileLayer]) -> Drawn:
    """Reads, checks, mends and transforms the layers that come from files.

    Returns:
        One row for each area: `layer`, `code`, `name`, `geometry` (EPSG:27700, polygons). Features
        that share a code are one area.

    Raises:
        ConfigurationError: a layer, column or coordinate system is not as the settings say.
        DataError: a file is not what its format says, or its features cannot be used.
    """
    chosen = {name: _chosen(spark, landing, name, layer) for name, layer in layers.items()}
    crs = {name: system for name, (_, system) in chosen.items()}
    raw = settled(reduce(DataFrame.unionByName, [frame for frame, _ in chosen.values()]))
    mended = _checked(raw, layers, crs)
    return Drawn(_in_grid(raw, crs), mended)


def _chosen(
    spark: SparkSession, landing: Path, name: str, layer: FileLayer
) -> tuple[DataFrame, str]:
    """The features of a layer that are kept, as layer, code, name, geometry; and their CRS."""
    path = landing / layer.file
    kind = layer.format or _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise ConfigurationError(
            f"Layer {name}: the format of {layer.file} is not told by its name; set 'format' to "
            "one of geopackage, geojson, geoparquet, shapefile."
        )
    if not path.exists():
        raise DataError(f"Layer {name}: no file {layer.file} in {landing}.")
    raw = _READERS[kind](spark, path, name, layer)
    wanted = [layer.code, layer.name or layer.code, *([layer.keep.column] if layer.keep else [])]
    has = [f.name for f in raw.frame.schema.fields if not isinstance(f.dataType, GeometryType)]
    absent = [column for column in wanted if column not in has]
    if absent:
        raise ConfigurationError(
            f"Layer {name}: {layer.file} has no column {', '.join(dict.fromkeys(absent))}; it has "
            f"{', '.join(has)}."
        )
    frame = raw.frame
    if layer.keep:
        kept = F.col(f"`{layer.keep.column}`").cast("string")
        begins = [kept.startswith(text) for text in layer.keep.starts_with]
        frame = frame.where(reduce(or_, begins))
    geometry = _geometry_of(frame.schema)
    if geometry is None:
        raise DataError(f"Layer {name}: {layer.file} holds no geometry that can be read.")
    return (
        frame.select(
            F.lit(name).alias("layer"),
            F.col(f"`{layer.code}`").cast("string").alias("code"),
            F.coalesce(
                *(F.nullif(F.trim(_text(c)), F.lit("")) for c in (layer.name, layer.code) if c)
            ).alias("name"),
            F.col(f"`{geometry}`").alias("geometry"),
        ),
        layer.crs or raw.crs or GRID,
    )


def _text(column: str) -> Column:
    return F.col(f"`{column}`").cast("string")


def _geometry_of(schema: StructType) -> str | None:
    return next((f.name for f in schema.fields if isinstance(f.dataType, GeometryType)), None)


def _checked(
    raw: DataFrame, layers: Mapping[str, FileLayer], crs: Mapping[str, str]
) -> dict[str, int]:
    """Refuses what cannot be an area; returns how many invalid geometries each layer has."""
    box = "ST_Envelope_Aggr(geometry)"
    rows = raw.groupBy("layer").agg(
        F.count(F.lit(1)).alias("n"),
        F.count_if(F.expr("code IS NULL OR trim(code) = ''")).alias("no_code"),
        F.count_if(F.expr("geometry IS NULL OR ST_IsEmpty(geometry)")).alias("no_shape"),
        F.count_if(F.expr("ST_Dimension(geometry) < 2")).alias("no_area"),
        F.count_if(F.expr("NOT ST_IsValid(geometry)")).alias("invalid"),
        F.expr(f"ST_XMin({box})").alias("west"),
        F.expr(f"ST_YMin({box})").alias("south"),
        F.expr(f"ST_XMax({box})").alias("east"),
        F.expr(f"ST_YMax({box})").alias("north"),
    )
    found = {row["layer"]: row for row in rows.collect()}
    for name, layer in layers.items():
        row = found.get(name)
        if row is None:
            which = "no feature that 'keep' lets through" if layer.keep else "no feature"
            raise DataError(f"Layer {name}: {layer.file} holds {which}.")
        for key, fault in (
            ("no_code", f"no value in column {layer.code}"),
            ("no_shape", "no geometry"),
            ("no_area", "points or lines where polygons are wanted"),
        ):
            if row[key]:
                raise DataError(f"Layer {name}: {row[key]} of {row['n']} features have {fault}.")
        _within(name, layer, crs[name], (row["west"], row["south"], row["east"], row["north"]))
    return {name: int(row["invalid"]) for name, row in found.items()}


def _within(name: str, layer: FileLayer, crs: str, box: tuple[float, float, float, float]) -> None:
    """Refuses coordinates that cannot be what their system says; other systems go unchecked."""
    limits = {GRID: _METRES_RANGE, **dict.fromkeys(_DEGREES, _DEGREES_RANGE)}.get(crs)
    if limits is None:
        return
    west, south, east, north = limits
    if west <= box[0] and south <= box[1] and box[2] <= east and box[3] <= north:
        return
    extent = ", ".join(f"{side:.6g}" for side in box)
    raise DataError(
        f"Layer {name}: {layer.file} reaches over {extent} (west, south, east, north), which in "
        f"{crs} is not in Great Britain: set the layer's 'crs' to the system the file is in."
    )


def _in_grid(raw: DataFrame, crs: Mapping[str, str]) -> DataFrame:
    """Valid polygons in EPSG:27700, one row a code."""
    valid = F.expr(f"IF(ST_IsValid(geometry), geometry, {polygons_of('ST_MakeValid(geometry)')})")
    placed = F.col("geometry")
    for name, system in crs.items():
        if system != GRID:
            moved = F.expr(f"ST_Transform(geometry, '{system}', '{GRID}')")
            placed = F.when(F.col("layer") == name, moved).otherwise(placed)
    return (
        raw.withColumn("geometry", valid)
        .withColumn("geometry", placed)
        .groupBy("layer", "code")
        .agg(F.min("name").alias("name"), union_of("geometry").alias("geometry"))
    )


@contextmanager
def _readable(name: str, layer: FileLayer, what: str) -> Iterator[None]:
    """Turns a reader's complaint about a file into a sentence."""
    try:
        yield
    except (sqlite3.DatabaseError, ArrowInvalid, AnalysisException, OSError) as error:
        raise DataError(f"Layer {name}: {layer.file} is not readable as {what}.") from error


def _geopackage(spark: SparkSession, path: Path, name: str, layer: FileLayer) -> Raw:
    with (
        _readable(name, layer, "a GeoPackage"),
        closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database,
    ):
        systems = dict(
            database.execute(
                "SELECT g.table_name, s.organization || ':' || s.organization_coordsys_id"
                " FROM gpkg_geometry_columns g JOIN gpkg_spatial_ref_sys s USING (srs_id)"
            )
        )
    table = layer.table or (next(iter(systems)) if len(systems) == 1 else None)
    if table not in systems:
        found = f"has no layer {table}" if table else "has several layers and 'table' names none"
        raise ConfigurationError(
            f"Layer {name}: {layer.file} {found}; it has {', '.join(sorted(systems))}."
        )
    if quote(str(path)) != str(path):
        raise ConfigurationError(
            f"Layer {name}: Sedona reads no GeoPackage whose path holds a blank or mark: move the "
            "landing folder, or give the layer as GeoJSON or GeoParquet."
        )
    reader = spark.read.format("geopackage").option("tableName", table)
    return Raw(reader.load(str(path)), systems[table].upper())


def _geojson(spark: SparkSession, path: Path, name: str, layer: FileLayer) -> Raw:
    with _readable(name, layer, "GeoJSON"):
        whole = spark.read.format("geojson").option("multiLine", "true").load(str(path))
    if "features" not in whole.columns:
        raise DataError(f"Layer {name}: {layer.file} is not a GeoJSON FeatureCollection.")
    feature = whole.select(F.explode("features").alias("f"))
    # RFC 7946 allows no other system; a file in another is found by the range of coordinates.
    return Raw(feature.select("f.geometry", "f.properties.*"), "EPSG:4326")


def _geoparquet(spark: SparkSession, path: Path, name: str, layer: FileLayer) -> Raw:
    with _readable(name, layer, "GeoParquet"):
        file = path if path.is_file() else next(iter(sorted(path.glob("*.parquet"))), path)
        metadata = pq.read_schema(file).metadata or {}
        geo = json.loads(metadata.get(b"geo", b"null"))
    if not geo:
        raise DataError(f"Layer {name}: {layer.file} is Parquet without GeoParquet's metadata.")
    column = geo["columns"][geo["primary_column"]]
    # Left out means longitude and latitude; null means that nobody knows.
    known = column.get("crs", {"id": {"authority": "EPSG", "code": 4326}}) or {}
    identity = known.get("id")
    crs = f"{identity['authority']}:{identity['code']}" if identity else None
    frame = spark.read.format("geoparquet").load(str(path))
    return Raw(frame, "EPSG:4326" if crs == "OGC:CRS84" else crs)


def _shapefile(spark: SparkSession, path: Path, name: str, layer: FileLayer) -> Raw:
    with _readable(name, layer, "a shapefile"):
        return Raw(spark.read.format("shapefile").load(str(path)), None)


_READERS: dict[str, Callable[[SparkSession, Path, str, FileLayer], Raw]] = {
    "geopackage": _geopackage,
    "geojson": _geojson,
    "geoparquet": _geoparquet,
    "shapefile": _shapefile,
}
