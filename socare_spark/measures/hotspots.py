"""Hot spots: the local statistic Gi* of Getis and Ord, with binary weights within a distance.

Sedona's `g_local` gives the same Z (a test compares them), but for one variable of one layer at a
time, with an action and a copy of the neighbours' rows for each, and its P is of one side. Here all
layers and all age bands are one plan, and every area of a layer takes part, also one with nobody.

Source: Ord, J. K. and Getis, A. (1995), Local spatial autocorrelation statistics, Geographical
Analysis 27(4), formula (14).
"""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_NEIGHBOURS = "layer string, code string, other string"


def neighbours(areas: DataFrame, metres: Mapping[str, float]) -> DataFrame:
    """Pairs of areas of one layer whose centroids lie within the layer's distance.

    Args:
        areas: `layer`, `code`, `geometry` (WKB in EPSG:27700).
        metres: Layer -> distance; a layer that is not here has no pairs.

    Returns:
        `layer`, `code`, `other`; an area is its own neighbour (the star form).
    """
    if not metres:
        return areas.sparkSession.createDataFrame([], _NEIGHBOURS)
    centre = F.expr("ST_Centroid(ST_GeomFromWKB(geometry))")
    pairs = []
    for layer, distance in metres.items():
        # One join a layer: an equality of layers beside the distance would turn the index off.
        one = areas.where(F.col("layer") == layer)
        left = one.select("layer", "code", centre.alias("here"))
        right = one.select(F.col("code").alias("other"), centre.alias("there"))
        near = F.expr(f"ST_Distance(here, there) <= {float(distance)!r}")
        pairs.append(left.join(F.broadcast(right), near).select("layer", "code", "other"))
    return reduce(DataFrame.unionByName, pairs)


def gi_star(values: DataFrame, pairs: DataFrame) -> DataFrame:
    """Gi* of every area, as a standard normal deviate.

    Args:
        values: `layer`, `code`, `series` (what is one variable), `value`; every area of a layer has
            a row in every series.
        pairs: Of `neighbours`.

    Returns:
        `layer`, `code`, `series`, `gi_z`; null where all values are equal, or where everything is
        a neighbour of everything.
    """
    whole = values.groupBy("layer", "series").agg(
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
    above = F.col("nearby") - F.col("mean") * F.col("weight")
    # A layer of one area has nothing to compare with: n - 1 is 0.
    known = whole.where((F.col("n") > 1) & (F.col("deviation") > 0))
    return local.join(F.broadcast(known), ["layer", "series"]).select(
        "layer", "code", "series", F.try_divide(above, spread).alias("gi_z")
    )
