"""The job `places`: reference postcodes, areas, where each postcode lies, and population.

It writes nothing where the files it reads, the configuration and the code are those of the tables
that stand.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.analysis import Context, Job
from socare_spark.config import read_model
from socare_spark.errors import ConfigurationError, DataError, MissingInputError
from socare_spark.lake.checkpoint import checkpointed
from socare_spark.lake.pool import worker_pool
from socare_spark.lake.table import TableSpec
from socare_spark.lake.transaction import atomic_commits
from socare_spark.places.assignment import assign_areas
from socare_spark.places.boundaries import Boundaries, read_boundaries
from socare_spark.places.derived_areas import (
    dissolved,
    placed_by_square,
    placed_by_text,
    reach_of,
    sector_grounds,
    squares,
    voronoi_cells,
)
from socare_spark.places.geometry import area_km2, union_of
from socare_spark.places.population import read_population
from socare_spark.places.postcodes import read_postcodes
from socare_spark.places.reference_tables import (
    AREAS,
    POPULATION,
    POSTCODE_AREAS,
    POSTCODES,
    REFERENCE,
)
from socare_spark.places.settings import (
    DissolvedLayer,
    FileLayer,
    GridLayer,
    PlacesSettings,
    PostcodeLayer,
)
from socare_spark.places.source_files import all_files, available_sources, sha256

CONFIGURATION = "places.yaml"
_NAME = "places"
_WHERE_FROM = (
    "Look whether both are of the same part of the country, and whether their coordinate system "
    "and the order of their axes are right."
)


@dataclass(frozen=True)
class Places:
    """All that the job finds.

    Attributes:
        tables: A frame for each table of `REFERENCE`; they share cached frames.
        repaired: Layer -> features whose geometry was invalid and was made valid.
        warnings: Sentences on what is unusual in the sources.
    """

    tables: Mapping[TableSpec, DataFrame]
    repaired: Mapping[str, int]
    warnings: Sequence[str] = ()


def find_places(spark: SparkSession, landing: Path, settings: PlacesSettings) -> Places:
    """Reads the reference sources and finds where each postcode lies in each layer.

    Args:
        spark: The session.
        landing: Folder that the settings' files are relative to.
        settings: What to read and build.

    Raises:
        DataError: a file is missing or is not what it should be.
        ConfigurationError: the settings name what a file does not have.
    """
    postcodes = checkpointed(read_postcodes(spark, landing, settings.postcodes))
    _checked(postcodes, settings)
    drawn, read = _read_file_layers(spark, landing, settings)
    by_join = checkpointed(
        assign_areas(postcodes, drawn, settings.file_layers, settings.nearest_metres)
    )
    _require_postcodes_inside(postcodes, by_join, settings)
    located = checkpointed(_with_city(postcodes, by_join, settings.bounds))
    built = _derive_layers(settings, located, _bounds(settings, drawn, located))
    areas = reduce(DataFrame.unionByName, [drawn, *(areas for areas, _ in built)])
    where = reduce(DataFrame.unionByName, [by_join, *(rows for _, rows in built)])
    shaped = areas.select(
        "layer",
        "code",
        "name",
        area_km2("geometry").alias("area_km2"),
        F.expr("ST_AsBinary(geometry)").alias("geometry"),
    )
    tables = {
        POSTCODES: postcodes,
        AREAS: shaped,
        POSTCODE_AREAS: checkpointed(where),
        POPULATION: read_population(spark, landing, settings.population),
    }
    return Places(tables, read.repaired, read.warnings)


def _checked(postcodes: DataFrame, settings: PlacesSettings) -> None:
    """Refuses postcode sources that gave nothing at all."""
    if postcodes.isEmpty():
        names = ", ".join(source.name for source in settings.postcodes)
        raise DataError(
            f"No postcode was found in {names}: see the 'layout' of each in {CONFIGURATION}."
        )


def _require_postcodes_inside(
    postcodes: DataFrame, by_join: DataFrame, settings: PlacesSettings
) -> None:
    """Refuses a layer that holds no postcode, and a source of which no layer holds a postcode.

    Raises:
        DataError: of a layer or a source.
    """
    located = postcodes.where(F.col("easting").isNotNull()).count()
    if not located:
        raise DataError(
            f"None of {postcodes.count()} postcodes has coordinates: see 'layout' and 'columns' of "
            f"the postcode sources in {CONFIGURATION}. Coordinates are metres of the National Grid."
        )
    if not settings.file_layers:
        return
    inside = by_join.where(F.col("code").isNotNull())
    held = {row["layer"] for row in inside.select("layer").distinct().collect()}
    for name, layer in settings.layers.items():
        if isinstance(layer, FileLayer) and name not in held:
            raise DataError(
                f"Layer {name}: {layer.file} has none of {located} located postcodes in its areas. "
                f"{_WHERE_FROM}"
            )
    sources = (
        postcodes.where(F.col("easting").isNotNull())
        .join(inside.select("postcode", F.lit(True).alias("_in")).distinct(), "postcode", "left")
        .groupBy("source")
        .agg(F.count(F.lit(1)).alias("n"), F.count("_in").alias("inside"))
        .collect()
    )
    for row in sources:
        if not row["inside"]:
            raise DataError(
                f"Postcode source {row['source']}: none of the {row['n']} located postcodes that "
                f"it places is in an area of any layer. {_WHERE_FROM}"
            )


def _read_file_layers(
    spark: SparkSession, landing: Path, settings: PlacesSettings
) -> tuple[DataFrame, Boundaries]:
    """Layers from files, and what is dissolved from them."""
    files = {n: x for n, x in settings.layers.items() if isinstance(x, FileLayer)}
    if not files:
        none = "string(NULL) AS layer, string(NULL) AS code, string(NULL) AS name"
        empty = spark.sql(f"SELECT {none}, ST_Point(0.0, 0.0) AS geometry WHERE false")
        return empty, Boundaries(empty, {})
    read = read_boundaries(spark, landing, files)
    given = read.areas
    whole = [
        given.where(F.col("layer") == layer.layer)
        .agg(union_of("geometry").alias("geometry"))
        .select(F.lit(name).alias("layer"), F.lit(layer.code).alias("code"),
                F.lit(layer.name).alias("name"), "geometry")
        for name, layer in settings.layers.items()
        if isinstance(layer, DissolvedLayer)
    ]  # fmt: skip
    return checkpointed(reduce(DataFrame.unionByName, [given, *whole])), read


def _with_city(postcodes: DataFrame, by_join: DataFrame, bounds: str | None) -> DataFrame:
    """The postcodes with `in_city`: placed in the layer that bounds the city, or located at all."""
    if bounds is None:
        return postcodes.withColumn("in_city", F.col("easting").isNotNull())
    city = by_join.where((F.col("layer") == bounds) & F.col("code").isNotNull()).select("postcode")
    return postcodes.join(city.withColumn("_in", F.lit(True)), "postcode", "left").select(
        *postcodes.columns, F.coalesce("_in", F.lit(False)).alias("in_city")
    )


def _bounds(settings: PlacesSettings, drawn: DataFrame, located: DataFrame) -> DataFrame:
    """The ground that built layers share out, as one row `bounds`."""
    if settings.bounds is None:
        return checkpointed(reach_of(located.where("in_city"), settings.reach_metres))
    city = drawn.where(F.col("layer") == settings.bounds)
    return checkpointed(city.agg(union_of("geometry").alias("bounds")))


def _derive_layers(
    settings: PlacesSettings, located: DataFrame, bounds: DataFrame
) -> list[tuple[DataFrame, DataFrame]]:
    """Areas and places of each layer that is built: from postcodes, or as a grid."""
    sites = located.where("in_city").select("easting", "northing", "sector", "district")
    made = []
    if any(isinstance(layer, PostcodeLayer) for layer in settings.layers.values()):
        cells = checkpointed(voronoi_cells(sites, bounds))
        grounds = checkpointed(sector_grounds(cells))
    for name, layer in settings.layers.items():
        if isinstance(layer, PostcodeLayer):
            areas = checkpointed(dissolved(grounds, layer.level, name, bounds))
            made.append((areas, placed_by_text(located, areas, cells, layer.level, name)))
        elif isinstance(layer, GridLayer):
            areas = squares(sites, bounds, layer.metres, name)
            made.append((areas, placed_by_square(located, layer.metres, name)))
    return made


def _run(context: Context) -> None:
    landing = _landing(context)
    settings = _settings(context, landing)
    for path in all_files(landing, settings):
        context.run.files_read[path.relative_to(landing).as_posix()] = sha256(path)
    fingerprint = _fingerprint(context)
    commits = [context.lake.last_commit(table) for table in REFERENCE]
    if all(c is not None and c.metadata.get("fingerprint") == fingerprint for c in commits):
        context.progress.say(f"{_NAME}: up to date")
        context.run.up_to_date = True
        for table, commit in zip(REFERENCE, commits, strict=True):
            if commit is not None:
                context.run.outputs[table.path] = {"version": commit.version, "rows": commit.rows}
        return
    with context.progress.step(f"{_NAME}: postcodes, areas and the spatial join"):
        places = find_places(context.spark, landing, settings)
    with context.progress.step(f"{_NAME}: tables", of=len(REFERENCE)) as step:

        def write(item: tuple[TableSpec, DataFrame]) -> None:
            table, frame = item
            # Of pieces that are too small or too large, one after another, tasks make even ones.
            laid_out = frame.hint("rebalance") if table.grows else frame.coalesce(1)
            context.write(table, laid_out, fingerprint)
            step.advance()

        # What later jobs read must be of one run: areas, and the places of postcodes in them.
        with (
            atomic_commits(context.spark, context.lake, [table.path for table in REFERENCE]),
            worker_pool(len(REFERENCE)) as pool,
        ):
            list(pool.map(write, places.tables.items()))
    _report(context, places)
    context.spark.catalog.clearCache()


def _report(context: Context, places: Places) -> None:
    """Notes how many postcodes each rule placed, and what had to be mended."""
    by_rule = places.tables[POSTCODE_AREAS].groupBy("layer", "rule").count().collect()
    for row in sorted(by_rule, key=lambda row: (row["layer"], row["rule"])):
        context.run.counts[f"{_NAME}.{row['layer']}.{row['rule']}"] = row["count"]
    context.run.warnings.extend(places.warnings)
    for layer, count in places.repaired.items():
        context.run.counts[f"{_NAME}.{layer}.mended"] = count
        if count:
            context.run.warnings.append(
                f"Layer {layer}: {count} areas had invalid geometry and were mended."
            )


def _settings(context: Context, landing: Path) -> PlacesSettings:
    """The settings, without sources that have no file; a source that the lake knows must have it.

    Raises:
        DataError: a source has no file any more.
        LackingError: no source of postcodes, or no layer, has its files.
    """
    every = read_model(context.conf / CONFIGURATION, PlacesSettings)
    settings, left_out = available_sources(landing, every)
    known = _noted_fingerprint(context, every) if left_out else set()
    for what, why in left_out.items():
        if what in known:
            raise DataError(why)
    if not settings.postcodes or not settings.layers:
        raise MissingInputError(f"places has nothing to place. {next(iter(left_out.values()))}")
    context.run.warnings.extend(f"{what} is left out. {why}" for what, why in left_out.items())
    return settings


def _noted_fingerprint(context: Context, every: PlacesSettings) -> set[str]:
    """Sources that were read before, as `available_sources` names them."""
    if not all(context.lake.exists(table) for table in REFERENCE):
        return set()
    layers, postcodes, people = (
        context.lake.to_pandas(table, column)[column].unique()
        for table, column in ((AREAS, "layer"), (POSTCODES, "source"), (POPULATION, "layer"))
    )
    names = {f"layer {name}" for name in layers} | {f"postcodes {name}" for name in postcodes}
    # A population does not say where it is from; of several sources any may have been left out.
    if len(people) and len(every.population) == 1:
        names.add(f"population {every.population[0].files[0]}")
    return names


def _fingerprint(context: Context) -> str:
    parts = [_NAME, context.run.code, context.run.configuration, context.run.files_read]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _landing(context: Context) -> Path:
    if context.landing is None:
        raise ConfigurationError("places needs --landing: the folder that holds the extracts.")
    return context.landing


def _plan(context: Context) -> Sequence[str]:
    landing = _landing(context)
    settings = _settings(context, landing)
    reads = [f"reads  {path.relative_to(landing)}" for path in all_files(landing, settings)]
    return [*reads, *(f"writes {table.path}" for table in REFERENCE)]


JOB = Job(
    _NAME,
    "Reads postcodes, areas and population, and finds in which area of each layer a postcode lies.",
    _run,
    _plan,
    REFERENCE,
)
