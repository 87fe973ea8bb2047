"""The postcode districts of the city."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analysis import Context
from socare_spark.places.reference_tables import AREAS


def districts_of(context: Context, layer: str) -> DataFrame | None:
    """Reads the city's postcode districts.

    Returns:
        One row per district: `code`. None if the lake has no such layer of areas.
    """
    if not context.lake.exists(AREAS):
        return None
    districts = context.read(AREAS).where(F.col("layer") == layer).select("code")
    return None if districts.isEmpty() else districts
