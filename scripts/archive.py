"""Loads the classes of a job for the class-data archive that scripts/setup makes.

Reads text, converts, joins, groups, ranks, joins points with areas, writes Delta twice, reads it
back, and passes rows through Arrow. The script also tests the environment.
"""

import tempfile
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F


def _extract(spark: SparkSession, folder: Path) -> DataFrame:
    """A small extract, read and typed in the same way as in ingest."""
    rows = "".join(f'{i},2016-01-{i % 28 + 1:02d},"a, b",{i}.50\n' for i in range(200))
    (folder / "extract.csv").write_text("id,start,text,cost\n" + rows, "utf-8")
    strings = "id STRING, start STRING, text STRING, cost STRING"
    text = spark.read.csv(str(folder / "extract.csv"), schema=strings, header=True)
    return text.select(
        F.sha2(F.encode("id", "UTF-8"), 256).alias("digest"),
        F.expr("try_cast(id AS BIGINT)").alias("person"),
        F.expr("CAST(try_to_timestamp(start, 'yyyy-MM-dd') AS DATE)").alias("start"),
        F.expr("try_cast(cost AS DECIMAL(12, 2))").alias("cost"),
    )


def _placed(spark: SparkSession) -> DataFrame:
    """Points in areas, with the spatial join of the job places."""
    points = spark.range(100).select("id", F.expr("ST_Point(id + 0.5D, 5D) AS point"))
    areas = spark.range(10).select(
        F.col("id").alias("area"),
        F.expr("ST_PolygonFromEnvelope(id * 10D, 0D, id * 10D + 10D, 10D) AS shape"),
    )
    return points.join(F.broadcast(areas), F.expr("ST_Covers(shape, point)"))


def _grouped(rows: DataFrame) -> DataFrame:
    """Rows grouped by person and then by day, with a rank."""
    person = rows.groupBy("start", "person").agg(
        F.sum("cost").alias("cost"), F.count("*").alias("n")
    )
    return (
        person.groupBy("start")
        .agg(F.count("*").alias("people"), F.sum("n").alias("records"), F.max("cost").alias("cost"))
        .withColumn("rank", F.row_number().over(Window.orderBy(F.desc("people"), "start")))
    )


def main() -> None:
    """Runs every step once."""
    spark = SparkSession.builder.appName("archive").getOrCreate()
    with tempfile.TemporaryDirectory() as name:
        table = str(Path(name) / "table")
        rows = _extract(spark, Path(name))
        rows.write.format("delta").save(table)
        rows.write.format("delta").mode("overwrite").save(table)
        read = spark.read.format("delta").load(table)
        if read.count() != rows.count():
            raise SystemExit("Delta returned a different number of rows.")
        _grouped(read).toPandas()
        spark.read.parquet(*read.inputFiles()).toArrow()
        if _placed(spark).count() != spark.range(100).count():
            raise SystemExit("Sedona returned a different number of points.")
    spark.stop()


if __name__ == "__main__":
    main()
