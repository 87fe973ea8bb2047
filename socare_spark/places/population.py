"""Population by area from the CSV files a council has, in one shape."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.lake.paths import literal_path
from socare_spark.places.reference_tables import POPULATION
from socare_spark.places.settings import PopulationSource, Value
from socare_spark.places.source_files import find_files

_KEYS = ("layer", "code", "year")


def read_population(
    spark: SparkSession, landing: Path, sources: Sequence[PopulationSource]
) -> DataFrame:
    """People by layer, code, year and age band; null in the band is all ages.

    Args:
        spark: The session.
        landing: Folder that the sources' files are relative to.
        sources: Where the figures are; the same row from several files is added up.

    Returns:
        The columns of `POPULATION`.

    Raises:
        DataError: a file is not there, or has a year or population that is no number.
        ConfigurationError: a file lacks a column that the settings name.
    """
    if not sources:
        return spark.createDataFrame([], POPULATION.schema)
    frames = [
        _read(spark, path, source)
        for source in sources
        for path in find_files(landing, source.files)
    ]
    rows = reduce(DataFrame.unionByName, frames)
    bad = rows.where("year IS NULL OR population IS NULL OR population < 0 OR code IS NULL").count()
    if bad:
        raise DataError(
            f"The population files have {bad} rows whose code is empty, or whose year or "
            "population is no number: mend the rows, or the columns that places.yaml names."
        )
    given = rows.groupBy(*_KEYS, "age_band").agg(F.sum("population").alias("population"))
    with_total = given.where("age_band IS NULL").select(*_KEYS)
    summed = (
        given.join(with_total, list(_KEYS), "left_anti")
        .groupBy(*_KEYS)
        .agg(F.sum("population").alias("population"))
        .withColumn("age_band", F.lit(None).cast("string"))
    )
    return (
        given.unionByName(summed)
        .withColumn("population", F.round("population"))
        .select(POPULATION.names)
    )


def _read(spark: SparkSession, path: Path, source: PopulationSource) -> DataFrame:
    """The figures of one file; several files may have their columns in another order each."""
    raw = spark.read.csv(literal_path(path), header=True, inferSchema=False, enforceSchema=False)
    values = {
        "layer": source.layer,
        "code": source.code,
        "year": source.year,
        "age_band": source.age_band,
        "population": source.population,
    }
    absent = [v.column for v in values.values() if v and v.column and v.column not in raw.columns]
    if absent:
        raise ConfigurationError(
            f"Population file {path.name} has no column {', '.join(absent)}; it has "
            f"{', '.join(raw.columns)}."
        )
    text = {name: _text(value) for name, value in values.items()}
    return raw.select(
        text["layer"].alias("layer"),
        text["code"].alias("code"),
        text["year"].try_cast("double").try_cast("int").alias("year"),
        text["age_band"].alias("age_band"),
        text["population"].try_cast("decimal(18,3)").alias("population"),
    )


def _text(value: Value | None) -> Column:
    """The trimmed text of a value; null where it is empty."""
    if value is None:
        return F.lit(None).cast("string")
    if value.column is None:
        return F.lit(str(value.value))
    trimmed = F.trim(F.col(f"`{value.column}`"))
    return F.when(trimmed != "", trimmed)


def chosen_population(population: DataFrame, year: int | None) -> DataFrame:
    """The population of one year, or of the newest that each area has, by age band."""
    if year is not None:
        return population.where(F.col("year") == year).drop("year")
    newest = F.max(F.struct("year", "population"))["population"].alias("population")
    return population.groupBy("layer", "code", "age_band").agg(newest)


def population_by_year(
    population: DataFrame, band: str | None, years: DataFrame, year: int | None
) -> DataFrame:
    """The population of an age band in each year: the estimate nearest to it, or that of one year.

    Args:
        population: `layer`, `code`, `year`, `age_band`, `population`.
        band: The age band; None means all ages.
        years: `year`, those wanted.
        year: The one estimate that serves all years; None means the nearest, of two as near the
            earlier.

    Returns:
        `layer`, `code`, `year`, `population`.
    """
    of_band = population.where(F.col("age_band").eqNullSafe(F.lit(band)))
    known = of_band if year is None else of_band.where(F.col("year") == year)
    each = known.withColumnRenamed("year", "estimate").crossJoin(F.broadcast(years))
    away = F.struct(F.abs(F.col("estimate") - F.col("year")), F.col("estimate"))
    nearest = F.min_by("population", away).alias("population")
    return each.groupBy("layer", "code", "year").agg(nearest)
