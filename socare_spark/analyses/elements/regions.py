"""Regions of interest: people with agreements, relative to the population, by year (B4).

An agreement counts in each calendar year in which it is open on at least one day. Its cost in a
year is the cost of its days in that year. Source: thesis 4.2.4, Table 11, figures 30-32;
docs/definitions.md, section 6.4.
"""

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.elements.settings import Region, Regions
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import ratio
from socare_spark.measures.periods import open_in_years
from socare_spark.measures.person_counts import by_person, count_people

NOT_RECORDED = "not recorded"
ETHNICITY = "ethnicity"
_DIMS = ["region", "year", "age_band", ETHNICITY]

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


def count_regions(records: DataFrame, regions: Regions) -> DataFrame:
    """Counts people with an open agreement by region, year, age band and ethnic class.

    Args:
        records: `person`, `district`, `start`, `end` (last day, not null), `weekly_cost`,
            `age_band` and `ethnicity` (ethnic class).
        regions: The regions and the limits of the years.

    Returns:
        One row per region, year, age band and ethnic class, with totals: these dimensions and the
        measures of `count_people`.
    """
    located = records.select(
        F.explode(_regions_of(F.col("district"), regions)).alias("region"),
        "person",
        "age_band",
        F.coalesce(ETHNICITY, F.lit(NOT_RECORDED)).alias(ETHNICITY),
        "weekly_cost",
        "start",
        "end",
    )
    # The rows of a person stay in one partition, so the rows of years and totals are not shuffled.
    # The total of all years is a separate period, in which an agreement is one record.
    rows = open_in_years(by_person(located), regions.first_year, regions.last_year)
    return count_people(rows, _DIMS, cost="cost", totals=["age_band", ETHNICITY])


def _regions_of(district: Column, regions: Regions) -> Column:
    """Array of the regions that contain a district; regions may overlap."""
    names = [F.when(district.isin(*x.districts), F.lit(name)) for name, x in regions.of.items()]
    return F.array_compact(F.array(*names))


def region_profile(counted: pd.DataFrame, regions: Mapping[str, Region]) -> pd.DataFrame:
    """Computes people relative to the population.

    Args:
        counted: Result of `count_regions`.
        regions: Name -> region.

    Returns:
        The rows with the population of the region. Columns as in REGION_PROFILE.
    """
    population = counted["region"].map({name: each.population for name, each in regions.items()})
    people = counted["people"].astype("float64")
    return counted.assign(
        population=population.astype("Int64"), per_1000=ratio(people * 1000, population)
    )
