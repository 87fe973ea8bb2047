"""Reference postcodes from Code-Point Open and the ONS Postcode Directory.

Coordinates in other grids are transformed to the National Grid, by the country code of the row.
Both sources have postcodes without coordinates, written as (0, 0) or empty; these are kept with
null coordinates. If several sources have a postcode, the first in the configured order is used.
"""

import re
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from socare_spark.errors import ConfigurationError
from socare_spark.places.coordinate_systems import declared_code
from socare_spark.places.geometry import in_grid
from socare_spark.places.reference_tables import POSTCODES
from socare_spark.places.settings import PostcodeSource
from socare_spark.places.source_files import find_files
from socare_spark.postcode_columns import district_of, normalise_postcode, sector_of
from socare_spark.storage.landing import Landing
from socare_spark.storage.location import literal_path

# Columns of Code-Point Open by position: postcode, quality, easting, northing, ...
_CODEPOINT = {"postcode": "_c0", "easting": "_c2", "northing": "_c3"}
_CODEPOINT_COUNTRY = "_c4"
_COUNTRY = re.compile(r"ctry(\d\dcd)?", re.IGNORECASE)
# Northern Ireland, Guernsey and Jersey use other grids.
_NOT_NATIONAL_GRID = r"^(BT|GY|JE)\d"


def read_postcodes(
    spark: SparkSession, landing: Landing, sources: Sequence[PostcodeSource]
) -> DataFrame:
    """Reads the reference postcodes.

    Args:
        spark: The session.
        landing: Folder of the files in the settings.
        sources: In order of precedence.

    Returns:
        One row per postcode. Columns as in `POSTCODES`.

    Raises:
        DataError: a file is missing.
        ConfigurationError: a column is missing in a file.
    """
    frames = [
        _read(spark, landing, source).withColumn("_order", F.lit(order))
        for order, source in enumerate(sources)
    ]
    rows = reduce(DataFrame.unionByName, frames)
    # Coordinates break ties within a source, so that the order of files does not matter.
    first = Window.partitionBy("postcode").orderBy(
        "_order", F.asc_nulls_last("easting"), F.asc_nulls_last("northing")
    )
    return (
        rows.where(F.col("postcode").isNotNull())
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


def _read(spark: SparkSession, landing: Landing, source: PostcodeSource) -> DataFrame:
    files = find_files(landing.folder, source.files)
    paths = [literal_path(landing.uri(file)) for file in files]
    named = source.layout == "onspd"
    raw = spark.read.csv(
        paths, header=named, inferSchema=False, enforceSchema=False, mode="PERMISSIVE"
    )
    columns = source.header if named else _CODEPOINT
    absent = [name for name in columns.values() if name not in raw.columns]
    if absent:
        raise ConfigurationError(
            f"Postcode source {source.name} has no column {', '.join(absent)}, which layout "
            f"{source.layout} requires. Set 'layout', or the file's names under 'columns', in "
            "places.yaml."
        )
    east, north = (_metres(F.col(f"`{columns[axis]}`")) for axis in ("easting", "northing"))
    postcode = normalise_postcode(F.col(f"`{columns['postcode']}`"))
    country = _country_column(raw.columns, source)
    code = F.lit(None).cast("string") if country is None else F.trim(F.col(f"`{country}`"))
    rows = raw.select(
        postcode.alias("postcode"), east.alias("_east"), north.alias("_north"), code.alias("_code")
    )
    return rows.withColumn("_place", _place(source)).select(
        "postcode",
        *(
            F.round(F.expr(f"ST_{axis}(_place)")).cast("int").alias(name)
            for axis, name in (("X", "easting"), ("Y", "northing"))
        ),
        F.lit(source.name).alias("source"),
    )


def _country_column(columns: Sequence[str], source: PostcodeSource) -> str | None:
    """Name of the column of country codes, or None if the source has none.

    Raises:
        ConfigurationError: the declared column is missing, or several columns match.
    """
    if source.layout == "codepoint":
        return _CODEPOINT_COUNTRY if _CODEPOINT_COUNTRY in columns else None
    declared = source.columns.get("country")
    names = [c for c in columns if (_COUNTRY.fullmatch(c) if declared is None else c == declared)]
    if declared is not None and not names:
        raise ConfigurationError(
            f"Postcode source {source.name} has no column {declared}. Correct 'country' under "
            "'columns' in places.yaml."
        )
    if len(names) > 1:
        raise ConfigurationError(
            f"Postcode source {source.name} has {len(names)} country columns ({', '.join(names)}); "
            "one is allowed. Set 'country' under 'columns' in places.yaml."
        )
    return names[0] if names else None


def _place(source: PostcodeSource) -> Column:
    """Point of a row in the National Grid; null if the row has no coordinates.

    A postcode of an area with another grid gets a point only if `country_crs` has its country.
    """
    point = F.expr("ST_Point(double(_east), double(_north))")
    foreign = F.coalesce(F.col("postcode").rlike(_NOT_NATIONAL_GRID), F.lit(False))
    place = F.when(~foreign, point)
    for code, system in source.country_crs.items():
        if system is not None:
            declared_code(f"Postcode source {source.name}", system)
        transformed = F.expr(_in_grid(system))
        place = F.when(F.col("_code") == code, transformed).otherwise(place)
    return F.when((F.col("_east") > 0) & (F.col("_north") > 0), place)


def _in_grid(system: str | None) -> str:
    if system is None:
        return "ST_GeomFromText(string(NULL))"
    return in_grid("ST_Point(double(_east), double(_north))", system)


def _metres(text: Column) -> Column:
    """Whole metres from a text such as '406649' or '406649.0'; null for any other text."""
    return F.round(F.trim(text).try_cast("double")).try_cast("int")
