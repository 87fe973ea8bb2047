"""Reader of agreements for the `use` analysis: element, person, dates, cost and district."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.districts import districts_of
from socare_spark.analyses.element_codes import canonical_code, read_canonical_codes
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.use.settings import UseSettings
from socare_spark.analysis import Context
from socare_spark.places.population import chosen_population
from socare_spark.places.reference_tables import POPULATION
from socare_spark.postcodes import district_of


def read_records(context: Context, dataset: str, until: date) -> DataFrame:
    """Reads the agreements of a dataset.

    Returns:
        One row per agreement: `element` (corrected), `person`, `start`, `end` (the last day),
        `weekly_cost` (pounds), `district` (of the postcode). Agreements that end before they start,
        or start after `until`, are left out.
    """
    return (
        context.read(restricted(dataset))
        .select(
            canonical_code(F.col("element"), read_canonical_codes(context.conf)).alias("element"),
            "person",
            F.col("agreement_start").alias("start"),
            F.least("agreement_end", F.lit(until)).alias("end"),
            "weekly_cost",
            district_of(F.col("postcode")).alias("district"),
        )
        .where("end >= start")
    )


def read_districts(context: Context, layer: str, records: DataFrame) -> list[str]:
    """Reads the city's postcode districts; without the layer, all districts in the records."""
    districts = districts_of(context, layer)
    if districts is None:
        districts = records.select("district").where("district IS NOT NULL").distinct()
    return sorted(row[0] for row in districts.collect())


def in_districts(records: DataFrame, districts: Sequence[str]) -> DataFrame:
    """Sets districts outside the city to null."""
    return records.withColumn(
        "district", F.when(F.col("district").isin(*districts), F.col("district"))
    )


def read_population(context: Context, settings: UseSettings) -> DataFrame | None:
    """Reads the population of all ages.

    Returns:
        One row per district: district, population. None if the lake has no population.
    """
    if not context.lake.exists(POPULATION):
        return None
    of_layer = context.read(POPULATION).where(
        (F.col("layer") == settings.layer) & F.col("age_band").isNull()
    )
    chosen = chosen_population(of_layer, settings.threshold.population_year)
    return chosen.select(F.col("code").alias("district"), "population")
