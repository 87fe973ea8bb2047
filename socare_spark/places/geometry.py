"""Geometry that several steps need, as Sedona expressions; everything is in EPSG:27700."""

from pyspark.sql import Column
from pyspark.sql import functions as F

GRID = "EPSG:27700"


def union_of(geometry: str) -> Column:
    """Aggregate: the union of a column of polygons, the same to the last bit in any order of rows.

    Noding rounds, so the order of a union shows in the last digits of a coordinate; sorting first
    keeps a table equal however the work was cut.
    """
    in_order = f"array_sort(collect_list(ST_AsBinary({geometry})))"
    return F.expr(f"ST_Union(transform({in_order}, x -> ST_GeomFromWKB(x)))")


def polygons_of(geometry: str) -> str:
    """SQL: what has an area in a geometry; points and lines that an overlay left are dropped."""
    return f"ST_CollectionExtract({geometry}, 3)"


def area_km2(geometry: str) -> Column:
    """Square kilometres of a geometry in EPSG:27700."""
    return F.expr(f"ST_Area({geometry})") / F.lit(1e6)
