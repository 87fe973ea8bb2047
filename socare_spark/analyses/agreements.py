"""Agreements as the analyses of provision see them: who, when, where, at what age and what cost."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import reduce
from pathlib import Path

from pydantic import RootModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.vocabulary import mended, read_mended
from socare_spark.contracts.load import read_model
from socare_spark.errors import ConfigurationError
from socare_spark.job import Context
from socare_spark.lake.tables import Zone
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.money import cost_of_days, days_open

VOCABULARY = "vocabulary/age_bands.yaml"


class AgeBands(RootModel[dict[str, tuple[Band, ...]]]):
    """Named sets of age bands, as `conf/vocabulary/age_bands.yaml` has them."""


def read_bands(conf: Path, name: str) -> tuple[Band, ...]:
    """One named set of age bands.

    Raises:
        ConfigurationError: the vocabulary has no set of this name.
    """
    sets: Mapping[str, tuple[Band, ...]] = read_model(conf / VOCABULARY, AgeBands).root
    if name not in sets:
        raise ConfigurationError(
            f"{VOCABULARY} has no set of age bands called '{name}'; it has {', '.join(sets)}."
        )
    return sets[name]


def restricted(dataset: str) -> str:
    """The table of a dataset."""
    return f"{Zone.RESTRICTED}/{dataset}"


def read_agreements(context: Context, datasets: Iterable[str]) -> DataFrame:
    """The records of some agreement datasets together.

    Returns:
        `dataset`, `person`, `age` (at the start), `year` (of the start), `postcode`, `service` (in
        upper case), `element` (mended), `cost` (weekly cost / 7 x days from the start to the end,
        or to the run's as-of date while open).
    """
    spellings = read_mended(context.conf)
    frames = [
        _slim(context.read(restricted(d)), d, last_day(context, d), spellings)
        for d in dict.fromkeys(datasets)
    ]
    return reduce(DataFrame.unionByName, frames)


def last_day(context: Context, dataset: str) -> date:
    """The day to which open agreements run: the as-of date, or the newest extract's."""
    if context.as_of is not None:
        return context.as_of
    newest: date | None = (
        context.read(restricted(dataset)).agg(F.max("extract").alias("newest")).collect()[0][0]
    )
    return newest or date.min


def with_band(records: DataFrame, bands: Sequence[Band]) -> DataFrame:
    """The records with `age_band`, of the age at the start; `unknown` where it is in no band."""
    return records.withColumn("age_band", band_of(F.col("age"), bands))


def aged(records: DataFrame, bands: Sequence[Band], label: str | None, file: str) -> DataFrame:
    """The records of one age band; None means all ages.

    Args:
        records: `age` besides anything else.
        bands: The set of age bands.
        label: The one wanted.
        file: The configuration that names it.

    Raises:
        ConfigurationError: the set has no band of this name.
    """
    if label is None:
        return records
    labels = [band.label for band in bands]
    if label not in labels:
        raise ConfigurationError(
            f"{file} names the age band '{label}'; its set has {', '.join(labels)}, and `all`."
        )
    return with_band(records, bands).where(F.col("age_band") == label)


def _slim(frame: DataFrame, dataset: str, until: date, spellings: Mapping[str, str]) -> DataFrame:
    start, end = F.col("agreement_start"), F.col("agreement_end")
    return frame.select(
        F.lit(dataset).alias("dataset"),
        "person",
        F.col("age_at_start").alias("age"),
        F.year(start).alias("year"),
        "postcode",
        F.upper(F.trim("service")).alias("service"),
        mended(F.col("element"), spellings).alias("element"),
        cost_of_days(F.col("weekly_cost"), days_open(start, end, start, F.lit(until))).alias(
            "cost"
        ),
    )
