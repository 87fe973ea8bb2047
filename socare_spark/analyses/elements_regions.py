"""Regions of interest: who has agreements there, for the people who live there, by year (B4).

An agreement is in every calendar year in which it is open on some day, and costs in each what its
days of that year cost. Source: thesis 4.2.4, Table 11, figures 30-32; domain reference, section 5.
"""

from collections.abc import Mapping

from pyspark.sql import Column as Value
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.analyses.elements_settings import Region, Regions
from socare_spark.lake.tables import Column, working
from socare_spark.measures.cells import cells
from socare_spark.measures.money import cost_of_days, days_open

NOT_RECORDED = "not recorded"
_DIMS = ["region", "year", "age_band", "ethnicity"]

REGION_PROFILE = working(
    "region_profile",
    "People of a region of interest with an agreement that is open in a year. People are distinct "
    "in each row, so rows do not add up to the row of all.",
    [
        Column("region", "string", "Postcode districts under one name, as the configuration says."),
        Column(
            "year",
            "int",
            "Calendar year in which agreements are open; null means all years, in which an "
            "agreement counts once and costs what it costs in its years together.",
        ),
        Column(
            "age_band",
            "string",
            "Age in completed years at the agreement's start, `unknown` without one; null means "
            "all ages.",
        ),
        Column(
            "ethnicity",
            "string",
            f"Ethnic class as written, `{NOT_RECORDED}` where a record has none; null means all.",
        ),
    ],
    [
        Column(
            "population",
            "bigint",
            "People of all ages and classes who live in the region, by the configuration.",
        ),
        Column(
            "per_1000", "double", "People for each 1,000 of population; null without a population."
        ),
    ],
    source="Thesis 4.2.4, Table 11 and figures 30-32; domain reference, section 5, B4",
)


def districts_of_regions(spark: SparkSession, regions: Mapping[str, Region]) -> DataFrame:
    """The districts of all regions: region, district, population; each pair once."""
    rows = {
        (name, district, region.population)
        for name, region in regions.items()
        for district in region.districts
    }
    schema = "region string, district string, population bigint"
    return spark.createDataFrame(sorted(rows, key=str), schema)


def region_profile(records: DataFrame, districts: DataFrame, wanted: Regions) -> DataFrame:
    """The columns of REGION_PROFILE.

    Args:
        records: person, district, start, end (last day, known), weekly_cost, age_band and the
            column of the ethnic class.
        districts: Result of `districts_of_regions`.
        wanted: Years, and the column of the ethnic class.
    """
    located = records.join(F.broadcast(districts), "district").select(
        "region",
        "person",
        "age_band",
        F.coalesce(F.col(wanted.ethnicity), F.lit(NOT_RECORDED)).alias("ethnicity"),
        "weekly_cost",
        "start",
        "end",
        *_years(wanted),
    )
    rows = located.where("start <= end AND first_year <= last_year").select(
        "region", "person", "age_band", "ethnicity", F.inline(_costs())
    )
    # The year's total stands in the rows already: an agreement is one record in it.
    counted = cells(rows, _DIMS, cost="cost", totals=["age_band", "ethnicity"])
    population = districts.select("region", "population").distinct()
    return counted.join(F.broadcast(population), "region").select(
        "*",
        F.try_divide(F.col("people") * F.lit(1000.0), F.col("population")).alias("per_1000"),
    )


def _years(wanted: Regions) -> list[Value]:
    """First and last calendar year in which an agreement counts."""
    first, last = F.year("start"), F.year("end")
    if wanted.first_year is not None:
        first = F.greatest(first, F.lit(wanted.first_year))
    if wanted.last_year is not None:
        last = F.least(last, F.lit(wanted.last_year))
    return [first.alias("first_year"), last.alias("last_year")]


def _costs() -> Value:
    """The years of an agreement and what each costs, then null and what they cost together."""

    def of_year(year: Value) -> Value:
        first, last = F.make_date(year, F.lit(1), F.lit(1)), F.make_date(year, F.lit(12), F.lit(31))
        days = days_open(F.col("start"), F.col("end"), first, last)
        return F.struct(year.alias("year"), cost_of_days(F.col("weekly_cost"), days).alias("cost"))

    each = F.transform(F.sequence("first_year", "last_year"), of_year)
    nothing = F.lit(0).cast("decimal(20,2)")
    whole = F.aggregate(
        each, nothing, lambda so_far, one: (so_far + one["cost"]).cast("decimal(20,2)")
    )
    all_years = F.struct(F.lit(None).cast("int").alias("year"), whole.alias("cost"))
    return F.concat(each, F.array(all_years))
