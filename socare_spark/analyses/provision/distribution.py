"""A3: elements of service by area and year.

Source: thesis 3.13.3, figures 14-18. A record is in the area of its postcode, as in `density`.
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
    """Sets the reason of records without an element to `no_element`, if they have no other reason.

    Args:
        inside: `element`, `reason` and other columns.
    """
    missing = F.when(F.col("element").isNull(), NO_ELEMENT)
    return inside.withColumn("reason", F.coalesce("reason", missing))


def element_distribution(inside: DataFrame) -> DataFrame:
    """Counts the records of each element by area and year, and ranks the elements.

    Args:
        inside: Result of `with_element`: `areas` (array of `layer`, `code`), `element`, `year`,
            `reason` (null for a record that counts), `person`, `cost`.

    Returns:
        One row per area, element and year. Columns as in ELEMENT_DISTRIBUTION.
    """
    at = inside.where("reason IS NULL").select(
        F.explode("areas").alias("at"), "element", "year", "person", "cost"
    )
    flat = at.select("at.layer", "at.code", "element", "year", "person", "cost")
    counted = count_people(flat, ["layer", "code", "element", "year"], cost="cost")
    most = Window.partitionBy("layer", "code", "year").orderBy(F.desc("records"), "element")
    return counted.withColumn("rank", F.row_number().over(most))
