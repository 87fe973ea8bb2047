"""Spatial join of postcodes and areas.

A located postcode belongs to the area that covers it. If several areas of a layer cover it (it is
on their common edge), it belongs to the one with the lowest code. If no area covers it, it belongs
to the nearest area within a short distance, because published boundaries are simplified. Every
postcode has one row for each layer, with the rule that assigned it.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.checkpoint import checkpointed

INSIDE, BOUNDARY, NEAREST = "inside", "boundary", "nearest"
OUTSIDE, UNLOCATED = "outside", "unlocated"


def points_of(postcodes: DataFrame) -> DataFrame:
    """Points of the postcodes that have coordinates: `postcode`, `point`."""
    return postcodes.where("easting IS NOT NULL AND northing IS NOT NULL").select(
        "postcode", F.expr("ST_Point(double(easting), double(northing))").alias("point")
    )


def covering_areas(points: DataFrame, areas: DataFrame) -> DataFrame:
    """Joins points to the areas of all layers that cover them, in one pass over a spatial index.

    The spatial predicate is the only join condition. With an equality beside it Spark would join by
    the equality and test every pair.

    Args:
        points: `postcode`, `point`.
        areas: `layer`, `code`, `geometry`.

    Returns:
        One row per point and covering area: `postcode`, `layer`, `code`.
    """
    covers = F.expr("ST_Covers(geometry, point)")
    return points.join(F.broadcast(areas), covers).select("postcode", "layer", "code")


def nearest_areas(points: DataFrame, areas: DataFrame, metres: float) -> DataFrame:
    """One row per point and area within a distance: `postcode`, `layer`, `code`, `metres`."""
    near = F.expr(f"ST_DWithin(geometry, point, {float(metres)!r})")
    distance = F.expr("ST_Distance(geometry, point)").alias("metres")
    return points.join(F.broadcast(areas), near).select("postcode", "layer", "code", distance)


def each_of(layers: Sequence[str]) -> Column:
    """One row for each layer."""
    return F.explode(F.array(*map(F.lit, layers)).cast("array<string>"))


def assign_areas(
    postcodes: DataFrame, areas: DataFrame, layers: Sequence[str], nearest_metres: float
) -> DataFrame:
    """Assigns each postcode to an area of each layer.

    Args:
        postcodes: `postcode`, `easting`, `northing`; each postcode once.
        areas: `layer`, `code`, `geometry`.
        layers: Layers that get a row for every postcode.
        nearest_metres: Largest distance in metres between an area and a postcode outside all areas
            that is assigned to it.

    Returns:
        One row per postcode and layer: `postcode`, `layer`, `code`, `rule`. `code` is null where
        the rule is `outside` or `unlocated`.
    """
    points = points_of(postcodes)
    covered = checkpointed(
        covering_areas(points, areas)
        .groupBy("postcode", "layer")
        .agg(F.min("code").alias("code"), F.count(F.lit(1)).alias("areas"))
    )
    layer_counts = covered.groupBy("postcode").agg(F.count(F.lit(1)).alias("n"))
    covered_in_all = layer_counts.where(F.col("n") == len(layers))
    near = (
        nearest_areas(points.join(covered_in_all, "postcode", "left_anti"), areas, nearest_metres)
        .groupBy("postcode", "layer")
        .agg(F.min(F.struct("metres", "code"))["code"].alias("near"))
    )
    all_rows = postcodes.select(
        "postcode",
        F.col("easting").isNotNull().alias("located"),
        each_of(layers).alias("layer"),
    )
    rule = (
        F.when(~F.col("located"), UNLOCATED)
        .when(F.col("areas") > 1, BOUNDARY)
        .when(F.col("areas") == 1, INSIDE)
        .when(F.col("near").isNotNull(), NEAREST)
        .otherwise(OUTSIDE)
    )
    return (
        all_rows.join(covered, ["postcode", "layer"], "left")
        .join(near, ["postcode", "layer"], "left")
        .select("postcode", "layer", F.coalesce("code", "near").alias("code"), rule.alias("rule"))
    )
