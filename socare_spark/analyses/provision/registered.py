"""A5: services registered by year, and number of elements per person.

Source: thesis 3.13.5, figures 21-25. These tables count a whole dataset, independent of areas.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.exclusions import OUTSIDE_YEARS
from socare_spark.analyses.provision.dense_window import AGE_BAND
from socare_spark.analyses.provision.distribution import NO_ELEMENT
from socare_spark.analyses.provision.matrix import YEAR
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.person_counts import (
    Grouping,
    count_column,
    count_people,
    number_of_records,
)

NO_PERSON = "no_person"
REGISTERED_SERVICES = cell_table(
    "registered_services",
    "Agreements of one service that start in a year; a person may be in several bands.",
    (
        YEAR,
        AGE_BAND,
        ColumnSpec("service", "string", "Code of the service; null where a record has none."),
    ),
    source="Thesis 3.13.5, figures 21 and 22 (A5)",
)
ELEMENTS_PER_PERSON = cell_table(
    "elements_per_person",
    "People by number of elements, in all years; age bands have the elements of that age.",
    (
        ColumnSpec(
            "kind",
            "string",
            "`registered`: every agreement is an element; `distinct`: agreements of one code, "
            "corrected, are one.",
        ),
        AGE_BAND,
        ColumnSpec("elements", "bigint", "Elements that each of the people has."),
    ),
    source="Thesis 3.13.5, figures 23-25 (A5)",
)


def left_out_of_years(years: range) -> Column:
    """Reason `outside_years` for a record that starts in another year, otherwise null."""
    inside = F.coalesce(F.col("year").between(years[0], years[-1]), F.lit(False))
    return F.when(~inside, OUTSIDE_YEARS)


def services_grouping(bands: Sequence[Band], where: Column) -> Grouping:
    """Cells of REGISTERED_SERVICES by year, age band and service.

    Args:
        bands: The age bands.
        where: Condition of the records that count.
    """
    dims = {
        "year": F.col("year"),
        "age_band": band_of(F.col("age"), bands),
        "service": F.col("service"),
    }
    return Grouping(REGISTERED_SERVICES, dims, where, totals=("age_band",))


def left_out_of_elements() -> Column:
    """Reason `no_person` or `no_element` for a record that lacks one, otherwise null."""
    reason = F.when(F.col("person").isNull(), NO_PERSON)
    return reason.when(F.col("element").isNull(), NO_ELEMENT)


def elements_per_person(records: DataFrame) -> DataFrame:
    """Counts people by their number of elements.

    Args:
        records: Records that count: `person`, `element`, `age_band`, `cost`, COUNT if a row can
            represent several agreements.

    Returns:
        One row per kind, age band and number of elements. Columns as in ELEMENTS_PER_PERSON.
    """
    banded = records.select(
        "person",
        F.explode(F.array("age_band", F.lit(None))).alias("age_band"),
        "element",
        "cost",
        *count_column(records),
    )
    by_element = banded.groupBy("person", "age_band", "element").agg(
        F.sum(number_of_records(records)).alias("records"), F.sum("cost").alias("cost")
    )
    by_person = by_element.groupBy("person", "age_band").agg(
        F.sum("records").alias("records"),
        F.count(F.lit(1)).alias("distinct"),
        F.sum("cost").alias("cost"),
    )
    kinds = [
        F.struct(F.lit(kind).alias("kind"), F.col(number).alias("elements"))
        for kind, number in (("registered", "records"), ("distinct", "distinct"))
    ]
    numbers = by_person.select("person", "age_band", "records", "cost", F.inline(F.array(*kinds)))
    return count_people(numbers, ["kind", "age_band", "elements"], cost="cost", records="records")
