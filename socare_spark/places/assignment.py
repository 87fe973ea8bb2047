"""The spatial join: which area of each layer a postcode lies in, and by which rule.

A located postcode lies in the areas that cover it. Where several of one layer do (it stands on
their common edge) the lowest code has it; where none does but one is within a short distance
(published edges are simplified) the nearest has it. Every postcode has one row for each layer.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.checkpoint import checkpointed

INSIDE, BOUNDARY, NEAREST = "inside", "boundary", "nearest"
OUTSIDE, UNLOCATED = "outside", "unlocated"


def points_of(postcodes: DataFrame) -> DataFrame:
    """The located postcodes as points: `postcode`, `point`."""
    return postcodes.where("easting IS NOT NULL AND northing IS NOT NULL").select(
        "postcode", F.expr("ST_Point(double(easting), double(northing))").alias("point")
    )


def covering_areas(points: DataFrame, areas: DataFrame) -> DataFrame:
    """Every area that covers a point, of all layers in one pass over an index of the areas.

    No equality stands beside the spatial predicate: with one, Spark would join by it and test
    every pair.

    Args:
        points: `postcode`, `point`.
        areas: `layer`, `code`, `geometry`.

    Returns:
        `postcode`, `layer`, `code`.
    """
    covers = F.expr("ST_Covers(geometry, point)")
    return points.join(F.broadcast(areas), covers).select("postcode", "layer", "code")


def nearest_areas(points: DataFrame, areas: DataFrame, metres: float) -> DataFrame:
    """Every area within a distance of a point: `postcode`, `layer`, `code`, `metres`."""
    near = F.expr(f"ST_DWithin(geometry, point, {float(metres)!r})")
    away = F.expr("ST_Distance(geometry, point)").alias("metres")
    return points.join(F.broadcast(areas), near).select("postcode", "layer", "code", away)


def assign_areas(
    postcodes: DataFrame, areas: DataFrame, layers: Sequence[str], nearest_metres: float
) -> DataFrame:
    """Where each postcode lies in each layer.

    Args:
        postcodes: `postcode`, `easting`, `northing`; each postcode once.
        areas: `layer`, `code`, `geometry`.
        layers: The layers that get a row for every postcode.
        nearest_metres: How far from an area a postcode in none may lie to belong to it.

    Returns:
        `postcode`, `layer`, `code`, `rule`.
    """
    points = points_of(postcodes)
    covered = checkpointed(
        covering_areas(points, areas)
        .groupBy("postcode", "layer")
        .agg(F.min("code").alias("code"), F.count(F.lit(1)).alias("areas"))
    )
    layers_each = covered.groupBy("postcode").agg(F.count(F.lit(1)).alias("n"))
    in_all = layers_each.where(F.col("n") == len(layers))
    near = (
        nearest_areas(points.join(in_all, "postcode", "left_anti"), areas, nearest_metres)
        .groupBy("postcode", "layer")
        .agg(F.min(F.struct("metres", "code"))["code"].alias("near"))
    )
    every = postcodes.select(
        "postcode",
        F.col("easting").isNotNull().alias("located"),
        F.explode(F.array(*map(F.lit, layers)).cast("array<string>")).alias("layer"),
    )
    rule = (
        F.when(~F.col("located"), UNLOCATED)
        .when(F.col("areas") > 1, BOUNDARY)
        .when(F.col("areas") == 1, INSIDE)
        .when(F.col("near").isNotNull(), NEAREST)
        .otherwise(OUTSIDE)
    )
    return (
        every.join(covered, ["postcode", "layer"], "left")
        .join(near, ["postcode", "layer"], "left")
        .select("postcode", "layer", F.coalesce("code", "near").alias("code"), rule.alias("rule"))
    )
