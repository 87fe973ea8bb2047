"""Reference postcodes: read from Code-Point Open and the ONS Postcode Directory, each once.

Both have no place for some postcodes, written as (0, 0) or left empty; those are kept without
coordinates. The first source in the configured order that knows a postcode gives its row.
"""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from socare_spark.errors import ConfigurationError
from socare_spark.places.files import matching
from socare_spark.places.settings import PostcodeSource
from socare_spark.places.tables import POSTCODES

_SHAPE = r"^([A-Z]{1,2}[0-9][0-9A-Z]?)([0-9][A-Z]{2})$"
# Columns of Code-Point Open by position: postcode, quality, easting, northing, ...
_CODEPOINT = {"postcode": "_c0", "easting": "_c2", "northing": "_c3"}


def normalised(postcode: Column) -> Column:
    """A unit postcode as 'B1 1AA' from any spacing and case; null where it has no such shape."""
    bare = F.regexp_replace(F.upper(postcode), r"\s", "")
    return F.when(bare.rlike(_SHAPE), F.regexp_replace(bare, _SHAPE, "$1 $2"))


def district_of(postcode: Column) -> Column:
    """The district of a normalised postcode, as 'B21'."""
    return F.substring_index(postcode, " ", 1)


def sector_of(postcode: Column) -> Column:
    """The sector of a normalised postcode, as 'B21 8'."""
    return F.regexp_extract(postcode, r"^(\S+ \d)", 1)


def read_postcodes(
    spark: SparkSession, landing: Path, sources: Sequence[PostcodeSource]
) -> DataFrame:
    """All reference postcodes.

    Args:
        spark: The session.
        landing: Folder that the sources' files are relative to.
        sources: In order of precedence.

    Returns:
        The columns of `POSTCODES`, each postcode once.

    Raises:
        DataError: a file is not there.
        ConfigurationError: a file lacks a column.
    """
    frames = [
        _read(spark, landing, source).withColumn("_order", F.lit(order))
        for order, source in enumerate(sources)
    ]
    every = reduce(DataFrame.unionByName, frames)
    # Ties within one source are broken by place, so that the order of files does not matter.
    first = Window.partitionBy("postcode").orderBy(
        "_order", F.asc_nulls_last("easting"), F.asc_nulls_last("northing")
    )
    return (
        every.where(F.col("postcode").isNotNull())
        .withColumn("_rank", F.row_number().over(first))
        .where(F.col("_rank") == 1)
        .select(
            "postcode",
            district_of(F.col("postcode")).alias("district"),
            sector_of(F.col("postcode")).alias("sector"),
            "easting",
            "northing",
            "source",
        )
        .select(POSTCODES.names)
    )


def _read(spark: SparkSession, landing: Path, source: PostcodeSource) -> DataFrame:
    paths = [str(path) for path in matching(landing, source.files)]
    named = source.layout == "onspd"
    raw = spark.read.csv(
        paths, header=named, inferSchema=False, enforceSchema=False, mode="PERMISSIVE"
    )
    columns = source.header if named else _CODEPOINT
    absent = [name for name in columns.values() if name not in raw.columns]
    if absent:
        raise ConfigurationError(
            f"Postcode source {source.name} lacks column {', '.join(absent)}: its layout is not "
            f"{source.layout}, or 'columns' in places.yaml must say how the file spells it."
        )
    east, north = (_metres(F.col(f"`{columns[axis]}`")) for axis in ("easting", "northing"))
    placed = (east > 0) & (north > 0)
    return raw.select(
        normalised(F.col(f"`{columns['postcode']}`")).alias("postcode"),
        F.when(placed, east).alias("easting"),
        F.when(placed, north).alias("northing"),
        F.lit(source.name).alias("source"),
    )


def _metres(text: Column) -> Column:
    """Whole metres from '406649' or '406649.0'; null from anything else."""
    return F.round(F.trim(text).try_cast("double")).try_cast("int")
