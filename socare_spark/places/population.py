"""Population by area, read from the council's CSV files."""

from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.places.reference_tables import POPULATION
from socare_spark.places.settings import PopulationSource, Value
from socare_spark.places.source_files import find_files
from socare_spark.plurals import counted
from socare_spark.storage.landing import Landing
from socare_spark.storage.location import literal_path

_KEYS = ("layer", "code", "year")


def read_population(
    spark: SparkSession, landing: Landing, sources: Sequence[PopulationSource]
) -> DataFrame:
    """Reads the population by layer, code, year and age band.

    Args:
        spark: The session.
        landing: Folder of the files in the settings.
        sources: The sources. Rows with the same layer, code, year and band are added up.

    Returns:
        One row per area, year and age band. Columns as in `POPULATION`. A null band means all ages;
        a source without such rows gets them as the sum of its bands.

    Raises:
        DataError: a file is missing, or a code is empty, or a year or population is not a number.
        ConfigurationError: a column of the settings is missing in a file.
    """
    if not sources:
        return spark.createDataFrame([], POPULATION.schema)
    frames = [
        population_rows(spark, landing, path, source)
        for source in sources
        for path in find_files(landing.folder, source.files)
    ]
    rows = reduce(DataFrame.unionByName, frames)
    invalid = "year IS NULL OR population IS NULL OR population < 0 OR code IS NULL"
    invalid_count = rows.where(invalid).count()
    if invalid_count:
        raise DataError(
            f"The population files have {counted(invalid_count, 'row')} with an empty code, or "
            "with a year or population that is not a number of at least 0. Correct the rows, or "
            "the column names in places.yaml."
        )
    by_band = rows.groupBy(*_KEYS, "age_band").agg(F.sum("population").alias("population"))
    with_total = by_band.where("age_band IS NULL").select(*_KEYS)
    summed = (
        by_band.join(with_total, list(_KEYS), "left_anti")
        .groupBy(*_KEYS)
        .agg(F.sum("population").alias("population"))
        .withColumn("age_band", F.lit(None).cast("string"))
    )
    return (
        by_band.unionByName(summed)
        .withColumn("population", F.round("population"))
        .select(POPULATION.names)
    )


def population_rows(
    spark: SparkSession, landing: Landing, path: Path, source: PopulationSource
) -> DataFrame:
    """Reads one file. Columns are selected by name, so files may differ in their order.

    Raises:
        ConfigurationError: a column of the settings is missing in the file.
    """
    raw = spark.read.csv(
        literal_path(landing.uri(path)), header=True, inferSchema=False, enforceSchema=False
    )
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
    """Trimmed text of a value; null if it is empty."""
    if value is None:
        return F.lit(None).cast("string")
    if value.column is None:
        return F.lit(str(value.value))
    trimmed = F.trim(F.col(f"`{value.column}`"))
    return F.when(trimmed != "", trimmed)


def chosen_population(population: pd.DataFrame, year: int | None) -> pd.DataFrame:
    """Population of one year, or of the newest year of each area and age band.

    Args:
        population: Rows of `POPULATION`.
        year: The year; None means the newest.

    Returns:
        One row per area and age band: `layer`, `code`, `age_band`, `population`.
    """
    chosen = population if year is None else population[population["year"] == year]
    keys = ["layer", "code", "age_band"]
    newest = chosen.sort_values("year").drop_duplicates(keys, keep="last")
    return newest[[*keys, "population"]].reset_index(drop=True)


def population_by_year(
    population: pd.DataFrame, band: str | None, years: Iterable[int], year: int | None
) -> pd.DataFrame:
    """Population of one age band for each year.

    Args:
        population: Rows of `POPULATION`.
        band: The age band; None means all ages.
        years: The years of the result.
        year: Year of the estimate that is used for all years. None means the nearest estimate; of
            two equally near ones the earlier.

    Returns:
        One row per area and year: `layer`, `code`, `year`, `population`.
    """
    bands = population["age_band"]
    of_band = population[bands.isna() if band is None else bands == band]
    estimates = of_band if year is None else of_band[of_band["year"] == year]
    pairs = estimates.rename(columns={"year": "estimate"}).merge(
        pd.DataFrame({"year": list(years)}), how="cross"
    )
    pairs = pairs.assign(distance=(pairs["estimate"] - pairs["year"]).abs())
    keys = ["layer", "code", "year"]
    nearest = pairs.sort_values(["distance", "estimate"]).drop_duplicates(keys)
    return nearest[[*keys, "population"]].reset_index(drop=True)
