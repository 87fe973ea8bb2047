"""Sedona expressions that several steps use. All geometry is in EPSG:27700."""

from pyspark.sql import Column
from pyspark.sql import functions as F

GRID = "EPSG:27700"


def union_of(geometry: str) -> Column:
    """Aggregate: union of a column of polygons, independent of the order of rows.

    The union rounds coordinates, and its last digits depend on the order of the polygons. They are
    sorted first, so that the result does not depend on partitioning.
    """
    in_order = f"array_sort(collect_list(ST_AsBinary({geometry})))"
    return F.expr(f"ST_Union(transform({in_order}, x -> ST_GeomFromWKB(x)))")


def in_grid(geometry: str, system: str) -> str:
    """SQL: a geometry in EPSG:27700.

    Args:
        geometry: SQL of the geometry.
        system: EPSG or ESRI code of its coordinate system.
    """
    return geometry if system == GRID else f"ST_Transform({geometry}, '{system}', '{GRID}')"


def polygons_of(geometry: str) -> str:
    """SQL: the polygons of a geometry, without the points and lines that an overlay produces."""
    return f"ST_CollectionExtract({geometry}, 3)"


def area_km2(geometry: str) -> Column:
    """Area of a geometry in square kilometres."""
    return F.expr(f"ST_Area({geometry})") / F.lit(1e6)
