"""Finds the people in `restricted/people` who still have records."""

from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from socare_spark.ingest.ledger import PEOPLE
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import Zone


def people_with_records(spark: SparkSession, lake: Lake) -> DataFrame | None:
    """The rows of PEOPLE whose person has a record.

    Records are the rows of all restricted tables with a column `person`, superseded rows included.

    Returns:
        The rows; None if all people have a record or the table does not exist.
    """
    if not lake.exists(PEOPLE):
        return None
    people = lake.read(spark, PEOPLE)
    names = [name for name in lake.tables(Zone.RESTRICTED) if name != PEOPLE.path]
    tables = [lake.read(spark, name) for name in names]
    persons_by_table = [table.select("person") for table in tables if "person" in table.columns]
    if not persons_by_table:
        return None if people.isEmpty() else people.limit(0)
    persons = reduce(DataFrame.unionByName, persons_by_table)
    if people.join(persons, "person", "left_anti").isEmpty():
        return None
    return people.join(persons, "person", "left_semi")
