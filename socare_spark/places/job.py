"""The job `places`: reference postcodes, areas, the area of each postcode, and population.

It writes nothing if the files, the configuration and the code are unchanged since the last run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.analysis import Context, Job
from socare_spark.config import read_model
from socare_spark.contracts.contract import read_contracts
from socare_spark.contracts.place_columns import PLACE
from socare_spark.errors import ConfigurationError, DataError, MissingInputError
from socare_spark.freshness import are_fresh, fingerprint_of, record_existing
from socare_spark.lake.checkpoint import checkpointed
from socare_spark.lake.pool import worker_pool
from socare_spark.lake.table import TableSpec
from socare_spark.lake.transaction import atomic_commits
from socare_spark.places.assignment import UNLOCATED, assign_areas
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
from socare_spark.places.recorded_places import (
    PLACE_AREAS,
    areas_of,
    distinct_places,
    with_place,
)
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
from socare_spark.places.source_check import check_files, place_faults
from socare_spark.places.source_files import all_files, available_sources
from socare_spark.plurals import agreeing, counted
from socare_spark.storage.landing import Landing
from socare_spark.storage.local_files import sha256_of

CONFIGURATION = "places.yaml"
_NAME = "places"
_CHECK_COORDINATES = (
    "Check that postcodes and layers cover the same part of the country, and that their coordinate "
    "system and the order of their axes are right."
)


@dataclass(frozen=True)
class Places:
    """The results of the job.

    Attributes:
        tables: A frame for each table of `REFERENCE`; they share cached frames.
        repaired: Layer -> number of features with invalid geometry that was repaired.
        warnings: Warnings about the sources.
    """

    tables: Mapping[TableSpec, DataFrame]
    repaired: Mapping[str, int]
    warnings: Sequence[str] = ()


def find_places(spark: SparkSession, landing: Landing, settings: PlacesSettings) -> Places:
    """Reads the reference sources and assigns each postcode to an area of each layer.

    Args:
        spark: The session.
        landing: Folder of the files in the settings.
        settings: Sources to read and layers to build.

    Raises:
        DataError: a file is missing or cannot be used.
        ConfigurationError: a column or layer of the settings is not in its file.
    """
    postcodes = checkpointed(read_postcodes(spark, landing, settings.postcodes))
    _require_postcodes(postcodes, settings)
    file_areas, read = _read_file_layers(spark, landing, settings)
    by_join = checkpointed(
        assign_areas(postcodes, file_areas, settings.file_layers, settings.nearest_metres)
    )
    _require_postcodes_inside(postcodes, by_join, settings)
    located = checkpointed(_with_city(postcodes, by_join, settings.bounds))
    derived = _derive_layers(settings, located, _bounds(settings, file_areas, located))
    areas = reduce(DataFrame.unionByName, [file_areas, *(areas for areas, _ in derived)])
    assigned = reduce(DataFrame.unionByName, [by_join, *(rows for _, rows in derived)])
    areas_with_wkb = areas.select(
        "layer",
        "code",
        "name",
        area_km2("geometry").alias("area_km2"),
        F.expr("ST_AsBinary(geometry)").alias("geometry"),
    )
    tables = {
        POSTCODES: postcodes,
        AREAS: areas_with_wkb,
        POSTCODE_AREAS: checkpointed(assigned),
        POPULATION: read_population(spark, landing, settings.population),
    }
    return Places(tables, read.repaired, read.warnings)


def _require_postcodes(postcodes: DataFrame, settings: PlacesSettings) -> None:
    """Raises a `DataError` if no source has a postcode."""
    if postcodes.isEmpty():
        names = ", ".join(source.name for source in settings.postcodes)
        raise DataError(
            f"The postcode sources {names} have no postcode. Check the 'layout' of each in "
            f"{CONFIGURATION}."
        )


def _require_postcodes_inside(
    postcodes: DataFrame, by_join: DataFrame, settings: PlacesSettings
) -> None:
    """Refuses layers without postcodes, and postcode sources outside all layers.

    Raises:
        DataError: no postcode has coordinates, a layer contains none of them, or no layer contains
            a postcode of a source.
    """
    located = postcodes.where(F.col("easting").isNotNull()).count()
    if not located:
        raise DataError(
            f"None of {postcodes.count()} postcodes has coordinates. Check 'layout' and 'columns' "
            f"of the postcode sources in {CONFIGURATION}. Coordinates are metres of the National "
            "Grid."
        )
    if not settings.file_layers:
        return
    inside = by_join.where(F.col("code").isNotNull())
    layers_with_postcodes = {row["layer"] for row in inside.select("layer").distinct().collect()}
    for name, layer in settings.layers.items():
        if isinstance(layer, FileLayer) and name not in layers_with_postcodes:
            raise DataError(
                f"Layer {name}: {layer.file} contains none of {located} located postcodes. "
                f"{_CHECK_COORDINATES}"
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
                f"Postcode source {row['source']}: none of its {row['n']} located postcodes is in "
                f"an area of any layer. {_CHECK_COORDINATES}"
            )


def _read_file_layers(
    spark: SparkSession, landing: Landing, settings: PlacesSettings
) -> tuple[DataFrame, Boundaries]:
    """Areas of the layers from files and of the layers dissolved from them."""
    files = {n: x for n, x in settings.layers.items() if isinstance(x, FileLayer)}
    if not files:
        none = "string(NULL) AS layer, string(NULL) AS code, string(NULL) AS name"
        empty = spark.sql(f"SELECT {none}, ST_Point(0.0, 0.0) AS geometry WHERE false")
        return empty, Boundaries(empty, {})
    read = read_boundaries(spark, landing.folder, files)
    dissolved_areas = [
        read.areas.where(F.col("layer") == layer.layer)
        .agg(union_of("geometry").alias("geometry"))
        .select(F.lit(name).alias("layer"), F.lit(layer.code).alias("code"),
                F.lit(layer.name).alias("name"), "geometry")
        for name, layer in settings.layers.items()
        if isinstance(layer, DissolvedLayer)
    ]  # fmt: skip
    return checkpointed(reduce(DataFrame.unionByName, [read.areas, *dissolved_areas])), read


def _with_city(postcodes: DataFrame, by_join: DataFrame, bounds: str | None) -> DataFrame:
    """Adds `in_city`: in an area of the layer `bounds`; without such a layer, has coordinates."""
    if bounds is None:
        return postcodes.withColumn("in_city", F.col("easting").isNotNull())
    city = by_join.where((F.col("layer") == bounds) & F.col("code").isNotNull()).select("postcode")
    return postcodes.join(city.withColumn("_in", F.lit(True)), "postcode", "left").select(
        *postcodes.columns, F.coalesce("_in", F.lit(False)).alias("in_city")
    )


def _bounds(settings: PlacesSettings, file_areas: DataFrame, located: DataFrame) -> DataFrame:
    """Geometry to which derived layers are cut, as one row `bounds`."""
    if settings.bounds is None:
        return checkpointed(reach_of(located.where("in_city"), settings.reach_metres))
    city = file_areas.where(F.col("layer") == settings.bounds)
    return checkpointed(city.agg(union_of("geometry").alias("bounds")))


def _derive_layers(
    settings: PlacesSettings, located: DataFrame, bounds: DataFrame
) -> list[tuple[DataFrame, DataFrame]]:
    """Areas, and the area of each postcode, for each layer derived from postcodes or the grid."""
    sites = located.where("in_city").select("easting", "northing", "sector", "district")
    derived = []
    if any(isinstance(layer, PostcodeLayer) for layer in settings.layers.values()):
        cells = checkpointed(voronoi_cells(sites, bounds))
        grounds = checkpointed(sector_grounds(cells))
    for name, layer in settings.layers.items():
        if isinstance(layer, PostcodeLayer):
            areas = checkpointed(dissolved(grounds, layer.level, name, bounds))
            derived.append((areas, placed_by_text(located, areas, cells, layer.level, name)))
        elif isinstance(layer, GridLayer):
            areas = squares(sites, bounds, layer.metres, name)
            derived.append((areas, placed_by_square(located, layer.metres, name)))
    return derived


def _run(context: Context) -> None:
    landing = _landing(context)
    settings = _settings(context, landing)
    for path in all_files(landing.folder, settings):
        context.run.files_read[path.relative_to(landing.folder).as_posix()] = sha256_of(path)
    recorded = _recorded(context)
    written = (
        (*REFERENCE, PLACE_AREAS) if recorded or context.lake.exists(PLACE_AREAS) else REFERENCE
    )
    fingerprint = fingerprint_of(context.run, context.run.files_read, recorded)
    if are_fresh(context.lake, written, fingerprint):
        context.progress.say(f"{_NAME}: up to date")
        record_existing(context.run, context.lake, written)
        return
    with context.progress.step(f"{_NAME}: postcodes, areas and the spatial join"):
        places = find_places(context.spark, landing, settings)
        tables = dict(places.tables)
        if PLACE_AREAS in written:
            tables[PLACE_AREAS] = _place_areas(context, settings, places, recorded)
    with context.progress.step(f"{_NAME}: tables", of=len(tables)) as step:

        def write(item: tuple[TableSpec, DataFrame]) -> None:
            table, frame = item
            # Rebalancing gives files of even size.
            context.write(table, frame.hint("rebalance"), fingerprint)
            step.advance()

        # Later jobs join these tables, so all of them must come from one run.
        with (
            atomic_commits(context.spark, context.lake, [table.path for table in tables]),
            worker_pool(len(REFERENCE)) as pool,
        ):
            list(pool.map(write, tables.items()))
    _report(context, places)
    if PLACE_AREAS in tables:
        _report_recorded(context, tables[PLACE_AREAS])
    context.spark.catalog.clearCache()


def _recorded(context: Context) -> list[tuple[str, int]]:
    """The tables whose records give their place, with the versions that this run reads."""
    has_contracts = any((context.conf / "datasets").glob("*.yaml"))
    contracts = with_place(read_contracts(context.conf) if has_contracts else [])
    for contract in contracts:
        for fault in place_faults(contract):
            raise ConfigurationError(f"conf/datasets/{contract.name}.yaml: {fault}")
    names = [c.table for c in contracts if context.lake.exists(c.table)]
    return [(name, context.inputs.pin(name)) for name in names]


def _place_areas(
    context: Context,
    settings: PlacesSettings,
    places: Places,
    recorded: Sequence[tuple[str, int]],
) -> DataFrame:
    """Assigns each place of the records to an area of each layer."""
    frames = [context.inputs.read(name) for name, _ in recorded]
    areas = places.tables[AREAS].withColumn("geometry", F.expr("ST_GeomFromWKB(geometry)"))
    found = distinct_places(context.spark, frames)
    layers = [*settings.layers]
    return checkpointed(areas_of(found, areas, layers, settings.nearest_metres))


def _report_recorded(context: Context, areas: DataFrame) -> None:
    """Records the number of places by rule, and warns about places that are in no area."""
    by_rule = areas.groupBy("layer", "rule").count().collect()
    for row in sorted(by_rule, key=lambda row: (row["layer"], row["rule"])):
        context.run.counts[f"{_NAME}.recorded.{row['layer']}.{row['rule']}"] = row["count"]
    nowhere = areas.groupBy(PLACE).agg(
        F.bool_and(F.col("code").isNull()).alias("nowhere"),
        F.bool_and(F.col("rule") == UNLOCATED).alias("unlocated"),
    )
    places, outside, unlocated = nowhere.agg(
        F.count(F.lit(1)),
        F.count_if(F.col("nowhere") & ~F.col("unlocated")),
        F.count_if("unlocated"),
    ).collect()[0]
    if unlocated:
        context.run.warnings.append(
            f"{unlocated} of {counted(places, 'place')} in the records "
            f"{agreeing(unlocated, 'has', 'have')} an area code that no layer has, "
            "or coordinates that are not valid in their system: compare 'layer' and 'crs' of "
            "socare.place in the contract with places.yaml."
        )
    if outside:
        context.run.warnings.append(
            f"{outside} of {counted(places, 'place')} in the records "
            f"{agreeing(outside, 'is', 'are')} in no area of any layer: check the "
            "order of x and y and 'crs' of socare.place in the contract."
        )


def _report(context: Context, places: Places) -> None:
    """Records the number of postcodes by rule, repaired geometry and warnings."""
    by_rule = places.tables[POSTCODE_AREAS].groupBy("layer", "rule").count().collect()
    for row in sorted(by_rule, key=lambda row: (row["layer"], row["rule"])):
        context.run.counts[f"{_NAME}.{row['layer']}.{row['rule']}"] = row["count"]
    context.run.warnings.extend(places.warnings)
    for layer, count in places.repaired.items():
        context.run.counts[f"{_NAME}.{layer}.mended"] = count
        if count:
            context.run.warnings.append(
                f"Layer {layer}: invalid geometry of {counted(count, 'feature')} was repaired."
            )


def _settings(context: Context, landing: Landing) -> PlacesSettings:
    """The settings, without the sources whose files are missing.

    Raises:
        DataError: the files of a source that was read before are missing.
        MissingInputError: no source of postcodes, or no layer, has its files.
    """
    configured = read_model(context.conf / CONFIGURATION, PlacesSettings)
    settings, left_out = available_sources(landing.folder, configured)
    read_before = _sources_read_before(context, configured) if left_out else set()
    for source, reason in left_out.items():
        if source in read_before:
            raise DataError(reason)
    if not settings.postcodes or not settings.layers:
        reason = next(iter(left_out.values()))
        raise MissingInputError(f"places needs a source of postcodes and a layer. {reason}")
    context.run.warnings.extend(
        f"{source} is left out. {reason}" for source, reason in left_out.items()
    )
    return settings


def _sources_read_before(context: Context, configured: PlacesSettings) -> set[str]:
    """Sources in the tables of the lake, with the keys of `available_sources`."""
    if not all(context.lake.exists(table) for table in REFERENCE):
        return set()
    layers, postcodes, people = (
        context.lake.to_pandas(table, column)[column].unique()
        for table, column in ((AREAS, "layer"), (POSTCODES, "source"), (POPULATION, "layer"))
    )
    names = {f"layer {name}" for name in layers} | {f"postcodes {name}" for name in postcodes}
    # The population table has no column of sources, so only a single source is identified.
    if len(people) and len(configured.population) == 1:
        names.add(f"population {configured.population[0].files[0]}")
    return names


def _landing(context: Context) -> Landing:
    if context.landing is None:
        raise ConfigurationError(
            "places needs the folder of the extracts. Give it with --landing FOLDER."
        )
    return context.landing


def _plan(context: Context) -> Sequence[str]:
    landing = _landing(context)
    settings = _settings(context, landing)
    check_files(context.spark, landing, settings)
    reads = [
        f"reads  {path.relative_to(landing.folder)}" for path in all_files(landing.folder, settings)
    ]
    recorded = [f"reads  {name}" for name, _ in _recorded(context)]
    written = [*REFERENCE, *([PLACE_AREAS] if recorded else [])]
    return [*reads, *recorded, *(f"writes {table.path}" for table in written)]


JOB = Job(
    _NAME,
    "Reads postcodes, areas and population, and assigns each postcode to an area of each layer.",
    _run,
    _plan,
    (*REFERENCE, PLACE_AREAS),
)
