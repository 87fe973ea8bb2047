"""Hot spots: the local statistic Gi* of Getis and Ord, with binary weights within a distance.

Sedona's `g_local` gives the same Z (a test compares them). It handles one variable of one layer at
a time, runs an action and copies the neighbours' rows for each, and its P is one-sided. Here one
plan computes all layers and age bands. All areas of a layer are included, also those with a value
of 0.

Source: Ord, J. K. and Getis, A. (1995), Local spatial autocorrelation statistics, Geographical
Analysis 27(4), formula (14).
"""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_NEIGHBOURS = "layer string, code string, other string"


def neighbours(areas: DataFrame, metres: Mapping[str, float]) -> DataFrame:
    """Finds pairs of areas of one layer whose centroids are within the layer's distance.

    Args:
        areas: `layer`, `code`, `geometry` (WKB in EPSG:27700).
        metres: Layer -> distance in metres; a layer without an entry has no pairs.

    Returns:
        One row for each ordered pair: `layer`, `code`, `other`. An area is its own neighbour (the
        star form).
    """
    if not metres:
        return areas.sparkSession.createDataFrame([], _NEIGHBOURS)
    centre = F.expr("ST_Centroid(ST_GeomFromWKB(geometry))")
    pairs = []
    for layer, distance in metres.items():
        # One join for each layer: an equality condition on the layer would disable the index.
        layer_areas = areas.where(F.col("layer") == layer)
        left = layer_areas.select("layer", "code", centre.alias("here"))
        right = layer_areas.select(F.col("code").alias("other"), centre.alias("there"))
        is_near = F.expr(f"ST_Distance(here, there) <= {float(distance)!r}")
        pairs.append(left.join(F.broadcast(right), is_near).select("layer", "code", "other"))
    return reduce(DataFrame.unionByName, pairs)


def gi_star(values: DataFrame, pairs: DataFrame) -> DataFrame:
    """Computes Gi* of each area as a standard normal deviate.

    Args:
        values: `layer`, `code`, `series` (identifies one variable), `value`. Each area of a layer
            has a row in each series.
        pairs: Pairs of areas as returned by `neighbours`.

    Returns:
        One row for each area and series: `layer`, `code`, `series`, `gi_z`. `gi_z` is null if all
        areas are neighbours of each other. A series without variance has no rows.
    """
    totals = values.groupBy("layer", "series").agg(
        F.count(F.lit(1)).alias("n"),
        F.avg("value").alias("mean"),
        F.stddev_pop("value").alias("deviation"),
    )
    local = (
        pairs.join(values.withColumnRenamed("code", "other"), ["layer", "other"])
        .groupBy("layer", "code", "series")
        .agg(F.sum("value").alias("nearby"), F.count(F.lit(1)).cast("double").alias("weight"))
    )
    spread = F.col("deviation") * F.sqrt(
        (F.col("n") * F.col("weight") - F.col("weight") * F.col("weight")) / (F.col("n") - 1)
    )
    excess = F.col("nearby") - F.col("mean") * F.col("weight")
    # With one area n - 1 is 0, so Gi* is not defined.
    defined = totals.where((F.col("n") > 1) & (F.col("deviation") > 0))
    return local.join(F.broadcast(defined), ["layer", "series"]).select(
        "layer", "code", "series", F.try_divide(excess, spread).alias("gi_z")
    )
