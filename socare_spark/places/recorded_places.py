"""Areas of the places that records give by an area code or by coordinates.

A contract with `socare.place` writes the column `place`: the layer and the code of an area, or a
coordinate system and coordinates. This module assigns each such place to an area of each layer, as
the job assigns each postcode. Coordinates can be those of a home, so the table is restricted.
"""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.place_columns import PLACE
from socare_spark.inputs import Inputs
from socare_spark.lake.checkpoint import checkpointed
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.places.assignment import INSIDE, OUTSIDE, UNLOCATED, assign_areas, each_of
from socare_spark.places.coordinate_systems import in_degrees
from socare_spark.places.geometry import in_grid
from socare_spark.places.reference_tables import LAYER, POSTCODE_AREAS

# An area is in another one that covers this share of it, because boundaries are simplified.
_COVERED = 0.99
_COORDINATES = r"^([A-Z]+:[0-9]+) (-?[0-9.]+) (-?[0-9.]+)$"

PLACE_AREAS = TableSpec(
    Zone.RESTRICTED,
    "place_areas",
    "Area of a recorded place in a layer: one row for every place and layer.",
    (ColumnSpec(PLACE, "string", "Area code, or coordinates, as in the records."), LAYER),
    (
        ColumnSpec("code", "string", "Its area; null where the rule is outside or unlocated."),
        ColumnSpec(
            "rule",
            "string",
            "inside (of an area: 99% of it); boundary; nearest; outside (of an area: in no area, "
            "or in several); unlocated (no such code, or no valid coordinates).",
        ),
    ),
    source="Contracts with socare.place",
    grows=True,
)


def with_place(contracts: Sequence[Contract]) -> list[Contract]:
    """The contracts whose records give their place."""
    return [contract for contract in contracts if contract.socare.place is not None]


def areas_by_place(inputs: Inputs) -> DataFrame:
    """Areas of postcodes and of recorded places: `postcode` (or place), `layer`, `code`, `rule`."""
    areas = inputs.read(POSTCODE_AREAS)
    if not inputs.exists(PLACE_AREAS):
        return areas
    recorded = inputs.read(PLACE_AREAS).withColumnRenamed(PLACE, "postcode")
    return areas.unionByName(recorded)


def areas_of(
    places: DataFrame, areas: DataFrame, layers: Sequence[str], nearest_metres: float
) -> DataFrame:
    """Assigns each place to an area of each layer.

    Args:
        places: `place`, each once.
        areas: `layer`, `code`, `geometry` (EPSG:27700).
        layers: The layers.
        nearest_metres: As in `assign_areas`.

    Returns:
        One row per place and layer. Columns as in PLACE_AREAS.
    """
    is_point = F.col(PLACE).rlike(_COORDINATES)
    points = _points(places.where(is_point)).withColumnRenamed(PLACE, "postcode")
    by_coordinates = assign_areas(checkpointed(points), areas, layers, nearest_metres)
    by_code = _areas_of_codes(places.where(~is_point), areas, layers)
    return by_coordinates.withColumnRenamed("postcode", PLACE).unionByName(by_code)


def _points(places: DataFrame) -> DataFrame:
    """Metres of the National Grid: `place`, `easting`, `northing`; null if they are not valid."""
    parts = [F.regexp_extract(PLACE, _COORDINATES, i) for i in (1, 2, 3)]
    system, x, y = (
        part.alias(name) for part, name in zip(parts, ("_crs", "_x", "_y"), strict=True)
    )
    split = places.select(PLACE, system, x, y)
    systems = [row[0] for row in split.select("_crs").distinct().collect()]
    point = F.expr("ST_GeomFromText(string(NULL))")
    for name in systems:
        moved = F.expr(in_grid("ST_Point(double(_x), double(_y))", name))
        is_valid = F.expr("abs(_x) <= 180 AND abs(_y) <= 90") if in_degrees(name) else F.lit(True)
        point = F.when((F.col("_crs") == name) & is_valid, moved).otherwise(point)
    located = split.withColumn("_point", point)
    return located.select(
        PLACE,
        _finite("ST_X(_point)").alias("easting"),
        _finite("ST_Y(_point)").alias("northing"),
    )


def _finite(coordinate: str) -> Column:
    value = F.expr(coordinate)
    return F.when(~F.isnan(value) & (F.abs(value) < float("inf")), value)


def _areas_of_codes(places: DataFrame, areas: DataFrame, layers: Sequence[str]) -> DataFrame:
    """Areas of the places that are areas themselves. Columns as in PLACE_AREAS."""
    own = places.select(
        PLACE,
        F.substring_index(PLACE, " ", 1).alias("_layer"),
        F.expr(f"substring({PLACE}, instr({PLACE}, ' ') + 1)").alias("_code"),
    )
    known = areas.select(
        F.col("layer").alias("_layer"), F.upper("code").alias("_code"),
        F.col("code").alias("_own"), F.col("geometry").alias("_ground"),
    )  # fmt: skip
    found = checkpointed(own.join(known, ["_layer", "_code"], "left"))
    overlaps = F.expr("ST_Intersects(geometry, _ground)")
    ground = (
        found.where(F.col("_ground").isNotNull()).select("_layer", "_own", "_ground").distinct()
    )
    share = F.expr("ST_Area(ST_Intersection(geometry, _ground)) / ST_Area(_ground)")
    covering = (
        ground.join(F.broadcast(areas), overlaps)
        .where((F.col("layer") != F.col("_layer")) & (share >= _COVERED))
        .groupBy("_layer", "_own", "layer")
        .agg(F.min("code").alias("code"))
    )
    all_rows = found.select(
        PLACE, "_layer", "_own",
        each_of(layers).alias("layer"),
    )  # fmt: skip
    joined = all_rows.join(covering, ["_layer", "_own", "layer"], "left")
    code = F.when(F.col("layer") == F.col("_layer"), F.col("_own")).otherwise(F.col("code"))
    rule = F.when(F.col("_own").isNull(), UNLOCATED).when(code.isNull(), OUTSIDE).otherwise(INSIDE)
    return joined.select(PLACE, "layer", code.alias("code"), rule.alias("rule"))


def distinct_places(spark: SparkSession, frames: Sequence[DataFrame]) -> DataFrame:
    """The places of some restricted tables, each once: `place`."""
    none = spark.sql(f"SELECT string(NULL) AS {PLACE} WHERE false")
    places = [frame.select(PLACE) for frame in frames]
    return reduce(DataFrame.unionByName, places, none).dropna().distinct()
