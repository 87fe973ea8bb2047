"""What scripts/setup runs to learn which classes a job loads, for the class-data archive.

A job in small: read text, convert, join, group, rank, place points in an area, write Delta twice,
read it back, pass through Arrow. That the environment works is known when this has run.
"""

import tempfile
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F


def _extract(spark: SparkSession, folder: Path) -> DataFrame:
    """A small extract, read as ingest reads one."""
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
    """Points in areas, by the spatial join that places uses."""
    points = spark.range(100).select("id", F.expr("ST_Point(id + 0.5D, 5D) AS point"))
    areas = spark.range(10).select(
        F.col("id").alias("area"),
        F.expr("ST_PolygonFromEnvelope(id * 10D, 0D, id * 10D + 10D, 10D) AS shape"),
    )
    return points.join(F.broadcast(areas), F.expr("ST_Covers(shape, point)"))


def _grouped(rows: DataFrame) -> DataFrame:
    """Grouped in two steps and ranked, as cells are."""
    person = rows.groupBy("start", "person").agg(
        F.sum("cost").alias("cost"), F.count("*").alias("n")
    )
    return (
        person.groupBy("start")
        .agg(F.count("*").alias("people"), F.sum("n").alias("records"), F.max("cost").alias("cost"))
        .withColumn("rank", F.row_number().over(Window.orderBy(F.desc("people"), "start")))
    )


def main() -> None:
    """Runs the job in small."""
    spark = SparkSession.builder.appName("archive").getOrCreate()
    with tempfile.TemporaryDirectory() as name:
        table = str(Path(name) / "table")
        rows = _extract(spark, Path(name))
        rows.write.format("delta").save(table)
        rows.write.format("delta").mode("overwrite").save(table)
        read = spark.read.format("delta").load(table)
        if read.count() != rows.count():
            raise SystemExit("Delta gave back other rows than it was given.")
        _grouped(read).toPandas()
        if _placed(spark).count() != spark.range(100).count():
            raise SystemExit("Sedona placed other points than it was given.")
    spark.stop()


if __name__ == "__main__":
    main()
