"""A3: which elements of service the people of an area have, year by year.

Source: thesis 3.13.3, figures 14-18. A record is in an area when the place of its postcode is, as
in `density`.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.provision.matrix import YEAR
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people
from socare_spark.places.reference_tables import CODE, LAYER

NO_ELEMENT = "no_element"
ELEMENT_DISTRIBUTION = cell_table(
    "element_distribution",
    "Agreements of one element that start in a year, of people of the age band of the "
    "configuration (0-11 in the thesis) who live in an area.",
    (LAYER, CODE, ColumnSpec("element", "string", "Code of the service element, corrected."), YEAR),
    (
        ColumnSpec(
            "rank",
            "bigint",
            "1 has most records of the area and year; equal ones rank by element.",
        ),
    ),
    source="Thesis 3.13.3, figures 14-18 (A3)",
    grows=True,
)


def with_element(inside: DataFrame) -> DataFrame:
    """The records, of which those without an element are left out for that reason, if no other.

    Args:
        inside: `element` and `reason` besides anything else.
    """
    missing = F.when(F.col("element").isNull(), NO_ELEMENT)
    return inside.withColumn("reason", F.coalesce("reason", missing))


def element_distribution(inside: DataFrame) -> DataFrame:
    """The columns of ELEMENT_DISTRIBUTION.

    Args:
        inside: Of `with_element`: `areas` (array of `layer`, `code`), `element`, `year`, `reason`
            (null: it counts), `person`, `cost`.
    """
    at = inside.where("reason IS NULL").select(
        F.explode("areas").alias("at"), "element", "year", "person", "cost"
    )
    flat = at.select("at.layer", "at.code", "element", "year", "person", "cost")
    counted = count_people(flat, ["layer", "code", "element", "year"], cost="cost")
    most = Window.partitionBy("layer", "code", "year").orderBy(F.desc("records"), "element")
    return counted.withColumn("rank", F.row_number().over(most))
