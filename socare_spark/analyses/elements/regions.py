"""Regions of interest: people with agreements, relative to the population, by year (B4).

An agreement counts in each calendar year in which it is open on at least one day. Its cost in a
year is the cost of its days in that year. Source: thesis 4.2.4, Table 11, figures 30-32;
docs/definitions.md, section 6.4.
"""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.analyses.elements.settings import Region, Regions
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.periods import Period, open_in, with_total, years
from socare_spark.measures.person_counts import count_people

NOT_RECORDED = "not recorded"
_DIMS = ["region", "year", "age_band", "ethnicity"]

REGION_PROFILE = cell_table(
    "region_profile",
    "People of a region of interest with an agreement that is open in a year. People are distinct "
    "in each row, so rows do not add up to the row of all.",
    [
        ColumnSpec(
            "region", "string", "Postcode districts under one name, as in the configuration."
        ),
        ColumnSpec(
            "year",
            "int",
            "Calendar year in which agreements are open; null means all years, in which an "
            "agreement counts once.",
        ),
        ColumnSpec(
            "age_band",
            "string",
            "Age in completed years at the agreement's start, `unknown` in no band; null means "
            "all ages.",
        ),
        ColumnSpec(
            "ethnicity",
            "string",
            f"Ethnic class as written, `{NOT_RECORDED}` where a record has none; null means all.",
        ),
    ],
    [
        ColumnSpec(
            "population",
            "bigint",
            "People of all ages and classes who live in the region, by the configuration.",
        ),
        ColumnSpec(
            "per_1000", "double", "People for each 1,000 of population; null without a population."
        ),
    ],
    source="Thesis 4.2.4, Table 11 and figures 30-32; docs/definitions.md, section 6.4",
)


def districts_of_regions(spark: SparkSession, regions: Mapping[str, Region]) -> DataFrame:
    """One row per region and district: region, district, population (of the region)."""
    rows = {
        (name, district, region.population)
        for name, region in regions.items()
        for district in region.districts
    }
    schema = "region string, district string, population bigint"
    return spark.createDataFrame(sorted(rows, key=str), schema)


def years_open(records: DataFrame, wanted: Regions) -> list[Period]:
    """Calendar years in which agreements are open, within the limits of the configuration.

    Args:
        records: start, end (last day, not null).
        wanted: First and last year, if limited.

    Returns:
        The years; empty if there is no agreement.
    """
    row = records.agg(F.min(F.year("start")), F.max(F.year("end"))).collect()[0]
    first, last = wanted.first_year or row[0], wanted.last_year or row[1]
    return [] if first is None or last is None else years(first, last)


def region_profile(
    records: DataFrame, districts: DataFrame, periods: list[Period], ethnicity: str
) -> DataFrame:
    """Counts people with an open agreement by region, year, age band and ethnic class.

    Args:
        records: person, district, start, end (last day, not null), weekly_cost, age_band and the
            column of the ethnic class.
        districts: Result of `districts_of_regions`.
        periods: Result of `years_open`.
        ethnicity: Column of the ethnic class.

    Returns:
        One row per region, year, age band and ethnic class, with totals. Columns as in
        REGION_PROFILE.
    """
    located = records.join(F.broadcast(districts), "district").select(
        "region",
        "person",
        "age_band",
        F.coalesce(F.col(ethnicity), F.lit(NOT_RECORDED)).alias("ethnicity"),
        "weekly_cost",
        "start",
        "end",
    )
    # The total of all years is a separate period, in which an agreement is one record.
    rows = open_in(located, with_total(periods), "year int")
    counted = count_people(rows, _DIMS, cost="cost", totals=["age_band", "ethnicity"])
    population = districts.select("region", "population").distinct()
    return counted.join(F.broadcast(population), "region").select(
        "*",
        F.try_divide(F.col("people") * F.lit(1000.0), F.col("population")).alias("per_1000"),
    )
