"""People without a record in any restricted table are removed from `restricted/people`."""

from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from socare_spark.ingest.ledger import PEOPLE
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import Zone
from socare_spark.maintenance.tables import tables_of


def people_with_records(spark: SparkSession, lake: Lake) -> DataFrame | None:
    """The rows of `restricted/people` whose person has a record; None where all have one.

    Records are the rows of every restricted table with a column `person`, superseded ones included.
    """
    if not lake.exists(PEOPLE):
        return None
    people = lake.read(spark, PEOPLE)
    names = [n for n in tables_of(lake) if n.startswith(Zone.RESTRICTED) and n != PEOPLE.path]
    tables = [lake.read(spark, name) for name in names]
    known = [table.select("person") for table in tables if "person" in table.columns]
    if not known:
        return None if people.isEmpty() else people.limit(0)
    persons = reduce(DataFrame.unionByName, known)
    if people.join(persons, "person", "left_anti").isEmpty():
        return None
    return people.join(persons, "person", "left_semi")
