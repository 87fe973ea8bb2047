"""A3: elements of service by area and year.

Source: thesis 3.13.3, figures 14-18. A record is in the area of its postcode, as in `density`.
"""

from pyspark.sql import Column, DataFrame, Window
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


def left_out_of_distribution(left_out_of_areas: Column) -> Column:
    """Reason for which the distribution leaves out a record; null for a record that counts.

    Args:
        left_out_of_areas: Result of `density.left_out_of_areas`. It precedes `no_element`.
    """
    return F.coalesce(left_out_of_areas, F.when(F.col("element").isNull(), NO_ELEMENT))


def element_distribution(at: DataFrame) -> DataFrame:
    """Counts the records of each element by area and year, and ranks the elements.

    Args:
        at: Rows of `density.by_area` that count: `layer`, `code`, `element`, `year`, `person`,
            `cost`.

    Returns:
        One row per area, element and year. Columns as in ELEMENT_DISTRIBUTION.
    """
    counted = count_people(at, ["layer", "code", "element", "year"], cost="cost")
    most = Window.partitionBy("layer", "code", "year").orderBy(F.desc("records"), "element")
    return counted.withColumn("rank", F.row_number().over(most))
