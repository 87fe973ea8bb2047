"""Boundaries from GeoPackage, GeoJSON, GeoParquet and shapefile, in EPSG:27700.

The driver reads and checks each file, so that an error names the layer, the file and the number of
features. Sedona repairs, transforms and unions the geometry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.lake.checkpoint import checkpointed
from socare_spark.places.boundary_files import Features, read_features
from socare_spark.places.coordinate_systems import declared_code, misplaced
from socare_spark.places.geometry import GRID, in_grid, polygons_of, union_of
from socare_spark.places.settings import FileLayer
from socare_spark.plurals import agreeing, counted

_RAW = "layer string, code string, name string, wkb binary"


@dataclass(frozen=True)
class Boundaries:
    """The areas of all file layers.

    Attributes:
        areas: One row per layer and code: `layer`, `code`, `name`, `geometry` (EPSG:27700).
        repaired: Layer -> number of features with invalid geometry that was repaired.
        warnings: Warnings about the contents of a layer.
    """

    areas: DataFrame
    repaired: Mapping[str, int]
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class _Layer:
    """The checked features of one layer.

    Attributes:
        rows: One row per feature: code, name, wkb.
        system: EPSG code of the coordinates.
        invalid: Number of features with invalid geometry.
        warnings: Warnings about the layer.
    """

    rows: pd.DataFrame
    system: str
    invalid: int
    warnings: Sequence[str]


def read_boundaries(
    spark: SparkSession, landing: Path, layers: Mapping[str, FileLayer]
) -> Boundaries:
    """Reads, checks, repairs and transforms the layers that come from files.

    Returns:
        The areas, with one row per layer and code. Features that share a code are one area.

    Raises:
        ConfigurationError: a layer, column or coordinate system differs from the settings.
        DataError: a file is not in its format, or its features cannot be used.
    """
    read = {name: read_layer(landing, name, layer) for name, layer in layers.items()}
    frame = pd.concat(
        [layer.rows.assign(layer=name) for name, layer in read.items()], ignore_index=True
    )
    raw = spark.createDataFrame(frame[["layer", "code", "name", "wkb"]], _RAW).select(
        "layer", "code", "name", F.expr("ST_GeomFromWKB(wkb)").alias("geometry")
    )
    systems = {name: layer.system for name, layer in read.items()}
    try:
        areas = checkpointed(_in_grid(raw, systems))
    except (Py4JError, PySparkException) as error:
        others = ", ".join(f"{name} ({s})" for name, s in systems.items() if s != GRID)
        if not others:
            raise
        raise ConfigurationError(
            f"Layers {others} cannot be transformed to {GRID}: export them in {GRID}."
        ) from error
    return Boundaries(
        areas,
        {name: layer.invalid for name, layer in read.items()},
        [warning for layer in read.values() for warning in layer.warnings],
    )


def read_layer(landing: Path, name: str, layer: FileLayer) -> _Layer:
    """Reads the features of a layer that pass its filter, and checks them.

    Raises:
        ConfigurationError: a layer, column or coordinate system differs from the settings.
        DataError: the file is not in its format, or its features cannot be used.
    """
    features = read_features(landing, name, layer)
    title = f"Layer {name}: {layer.file}"
    system = _system_of(title, layer, features)
    columns, shapes = features.columns, features.shapes
    if features.unreadable:
        raise DataError(
            f"{title}: {features.unreadable} of {counted(len(shapes), 'feature')} "
            f"{agreeing(features.unreadable, 'has', 'have')} a geometry that cannot be read (for "
            "example a ring that is not closed). Export the file again."
        )
    if layer.keep:
        kept = columns[layer.keep.column].fillna("").str.startswith(layer.keep.starts_with)
        columns, shapes = columns[kept], shapes[kept.to_numpy(dtype=bool)]
    if not len(columns):
        passing = " that passes the filter 'keep'" if layer.keep else ""
        raise DataError(f"{title} has no feature{passing}.")
    code = columns[layer.code].fillna("").str.strip()
    name_text = columns[layer.name or layer.code].fillna("").str.strip()
    shapes = np.array([_polygons(shape) for shape in shapes], dtype=object)
    _refuse_faults(title, layer, code, shapes)
    fault = misplaced(shapely.bounds(shapes), system)
    if fault:
        raise DataError(
            f"{title} {fault}. Set the layer's 'crs' to the coordinate system of the file."
        )
    rows = pd.DataFrame({"code": code, "name": name_text.where(name_text != "", code)})
    rows["wkb"] = list(shapely.to_wkb(shapes))
    invalid = ~shapely.is_valid(shapes)
    return _Layer(rows, system, int(invalid.sum()), _shared_codes(title, rows))


def _system_of(title: str, layer: FileLayer, features: Features) -> str:
    """EPSG code of the layer: as stated in the file, otherwise as declared in the settings.

    Raises:
        ConfigurationError: the declared system is unknown, the file and the settings differ, or
            neither names a system.
    """
    declared = None if layer.crs is None else declared_code(title, layer.crs)
    if declared and features.stated and features.system and features.system != declared:
        raise ConfigurationError(
            f"{title} states that it is in {features.system}, but places.yaml declares "
            f"{layer.crs}. Remove 'crs' from places.yaml, or correct the file."
        )
    system = declared or features.system
    if system is None:
        raise ConfigurationError(
            f"{title} does not state a coordinate system with an EPSG code. Declare it in "
            f"places.yaml, for example: set crs: {GRID}"
        )
    return system


def _polygons(shape: object) -> object:
    """Union of the polygons of a collection; other geometries are returned unchanged."""
    if isinstance(shape, shapely.GeometryCollection) and not shape.is_empty:
        parts = [part for part in shapely.get_parts(shape) if part.geom_type.endswith("Polygon")]
        return shapely.union_all(parts) if parts else shape
    return shape


def _refuse_faults(title: str, layer: FileLayer, code: pd.Series, shapes: np.ndarray) -> None:
    """Refuses features that are not areas.

    Raises:
        DataError: a feature has no code, no geometry, or a geometry without an extent.
    """
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    polygons = np.isin(shapely.get_type_id(shapes), (3, 6))
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    size = shapely.area(np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes)))
    for faulty, fault in (
        (code == "", f"no value in column {layer.code}"),
        (empty, "no geometry"),
        (~polygons, "points or lines instead of polygons"),
        (~finite, "coordinates that are not numbers"),
        (~(size > 0), "an area of 0"),
    ):
        count = int(np.asarray(faulty).sum())
        if count:
            raise DataError(
                f"{title}: {count} of {counted(len(shapes), 'feature')} "
                f"{agreeing(count, 'has', 'have')} {fault}."
            )


def _shared_codes(title: str, rows: pd.DataFrame) -> list[str]:
    """Warns of codes whose features have different names. Such a code may be several areas."""
    names = rows.groupby("code")["name"].nunique()
    several = int((names > 1).sum())
    if not several:
        return []
    return [
        f"{title} has {counted(several, 'code')} whose features have different names. Each code "
        "becomes one area. Check that 'code' names the right column."
    ]


def _in_grid(raw: DataFrame, crs: Mapping[str, str]) -> DataFrame:
    """Valid polygons in EPSG:27700, one row per layer and code."""
    valid = F.expr(f"IF(ST_IsValid(geometry), geometry, {polygons_of('ST_MakeValid(geometry)')})")
    placed = F.col("geometry")
    for name, system in crs.items():
        if system != GRID:
            moved = F.expr(in_grid("geometry", system))
            placed = F.when(F.col("layer") == name, moved).otherwise(placed)
    return (
        raw.withColumn("geometry", valid)
        .withColumn("geometry", placed)
        .groupBy("layer", "code")
        .agg(F.min("name").alias("name"), union_of("geometry").alias("geometry"))
    )
