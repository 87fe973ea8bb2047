"""Reader of agreements for the `use` analysis, and their periods as text."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.districts import district_column, with_district
from socare_spark.analyses.element_codes import canonical_code
from socare_spark.analyses.extracts import current_rows
from socare_spark.analyses.use.settings import Settings, UseSettings
from socare_spark.inputs import Inputs
from socare_spark.measures.periods import Period, open_in
from socare_spark.places.population import chosen_population
from socare_spark.places.reference_tables import POPULATION

_ALL_YEARS = "all years"


def read_records(inputs: Inputs, settings: Settings, until: date) -> DataFrame:
    """Reads the agreements.

    Returns:
        One row per agreement: `element` (corrected), `person`, `start`, `end` (the last day),
        `weekly_cost` (pounds), `district` (of the postcode). Agreements that end before they start,
        or start after `until`, are left out.
    """
    use = settings.use
    read = current_rows(inputs, use.dataset)
    rows = with_district(inputs, read, use.dataset, use.roles.place, use.layer)
    records = rows.select(
        canonical_code(F.col("element"), settings.corrections).alias("element"),
        "person",
        F.col("agreement_start").alias("start"),
        F.least("agreement_end", F.lit(until)).alias("end"),
        "weekly_cost",
        district_column(rows).alias("district"),
    )
    return records.where("end >= start")


def in_districts(records: DataFrame, districts: Sequence[str] | None) -> DataFrame:
    """Sets districts outside the city to null; without a list all districts are kept."""
    if districts is None:
        return records
    district = F.col("district")
    return records.withColumn("district", F.when(district.isin(*districts), district))


def in_periods(records: DataFrame, periods: Iterable[Period]) -> DataFrame:
    """Repeats records for each period in which they are open, with its label as text.

    Args:
        records: `start`, `end`, `weekly_cost` and other columns.
        periods: Periods with different labels. A period in the list twice counts once.

    Returns:
        As in `periods.open_in`, with the label `period`.
    """
    texts = [replace(period, label=_text(period)) for period in dict.fromkeys(periods)]
    return open_in(records, texts, "period string")


def is_of(periods: Iterable[Period]) -> Column:
    """Condition that a row of `in_periods` is of one of some periods."""
    return F.col("period").isin(*map(_text, periods))


def year_of_row() -> Column:
    """Year of a row of `in_periods`; null for the total of all years."""
    return F.nullif(F.col("period"), F.lit(_ALL_YEARS))


def _text(period: Period) -> str:
    return _ALL_YEARS if period.label is None else str(period.label)


def read_population(inputs: Inputs, settings: UseSettings) -> pd.DataFrame | None:
    """Reads the population of all ages.

    Returns:
        One row per district: `district`, `population`. None if the lake has no population.
    """
    if not inputs.exists(POPULATION):
        return None
    population = inputs.to_pandas(POPULATION)
    of_layer = population[(population["layer"] == settings.layer) & population["age_band"].isna()]
    chosen = chosen_population(of_layer, settings.threshold.population_year)
    return chosen.rename(columns={"code": "district"})[["district", "population"]]
