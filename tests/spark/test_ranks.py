"""Ranks and running sums by several tasks are those of one window over all rows."""

from pyspark.sql import Window
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from socare_spark.measures.ranks import ranked


def test_ranks_and_sums_of_several_tasks_are_those_of_one_window(spark):
    rows = spark.range(500).select((F.col("id") % 7).alias("people"), F.hash("id").alias("name"))
    order = [F.desc("people"), F.asc("name")]
    whole = Window.orderBy(*order)
    expected = rows.select(
        "*",
        F.row_number().over(whole).alias("rank"),
        F.sum("people")
        .over(whole.rowsBetween(Window.unboundedPreceding, Window.currentRow))
        .alias("so_far"),
    )
    found = ranked(rows, order, sums="people").cache()
    assertDataFrameEqual(found.select(*expected.columns), expected, ignoreColumnType=True)
    ranges = ranked(rows, order, sums="people")._jdf.queryExecution().executedPlan().toString()
    assert "rangepartitioning(people" in ranges


def test_no_rows_have_no_ranks(spark):
    none = spark.createDataFrame([], "people bigint, name string")
    assert ranked(none, [F.asc("name")], sums="people").collect() == []
