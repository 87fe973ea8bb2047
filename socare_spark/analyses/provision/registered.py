"""A5: services registered by year, and number of elements per person.

Source: thesis 3.13.5, figures 21-25. These tables count a whole dataset, independent of areas.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.exclusions import OUTSIDE_YEARS
from socare_spark.analyses.provision.dense_window import AGE_BAND
from socare_spark.analyses.provision.distribution import NO_ELEMENT
from socare_spark.analyses.provision.matrix import YEAR
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

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


def flag_other_years(records: DataFrame, years: range) -> DataFrame:
    """Adds `reason`: `outside_years` for a record that starts in another year, otherwise null.

    Args:
        records: `year` and other columns.
        years: Consecutive years that count.
    """
    outside = ~F.coalesce(F.col("year").between(years[0], years[-1]), F.lit(False))
    return records.withColumn("reason", F.when(outside, OUTSIDE_YEARS))


def registered_services(started: DataFrame) -> DataFrame:
    """Counts agreements by year, age band and service.

    Args:
        started: Result of `flag_other_years`, with `age_band`, `service`, `person`, `cost`.

    Returns:
        One row per year, age band and service, with totals. Columns as in REGISTERED_SERVICES.
    """
    kept = started.where("reason IS NULL")
    return count_people(kept, ["year", "age_band", "service"], cost="cost", totals=["age_band"])


def with_person(records: DataFrame) -> DataFrame:
    """Adds `reason`: `no_person` or `no_element` if one is null, otherwise null.

    Args:
        records: `person`, `element` and other columns.
    """
    reason = F.when(F.col("person").isNull(), NO_PERSON)
    return records.withColumn("reason", reason.when(F.col("element").isNull(), NO_ELEMENT))


def elements_per_person(records: DataFrame) -> DataFrame:
    """Counts people by their number of elements.

    Args:
        records: Result of `with_person`, with `age_band`, `cost`.

    Returns:
        One row per kind, age band and number of elements. Columns as in ELEMENTS_PER_PERSON.
    """
    kept = records.where("reason IS NULL").select(
        "person", F.explode(F.array("age_band", F.lit(None))).alias("age_band"), "element", "cost"
    )
    by_element = kept.groupBy("person", "age_band", "element").agg(
        F.count(F.lit(1)).alias("records"), F.sum("cost").alias("cost")
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
