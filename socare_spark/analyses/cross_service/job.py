"""The `cross_service` analysis: records of all services by area, and people by services.

Services are declared in `conf/`. Their records are converted to one schema, and all tables are
computed from it. People are counted by the set of services that know them; no table has persons.
Source: thesis 6.5 and 7.2; docs/definitions.md, section 11.
"""

from collections.abc import Iterable, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.counts import (
    CROSS_SERVICE_PEOPLE,
    CROSS_SERVICE_PLACES,
    REQUESTS_BY_AREA,
    UNLINKABLE,
    count_homes,
    count_unlinkable,
    cross_service_people,
    cross_service_places,
    known_people,
    requests_by_area,
    unlinkable,
)
from socare_spark.analyses.cross_service.links import linked, links_of, number_of, pairs_of
from socare_spark.analyses.cross_service.pictures import draw
from socare_spark.analyses.cross_service.rows import (
    kept_categories,
    most_used,
    placed,
    places_of,
    service_rows,
)
from socare_spark.analyses.cross_service.settings import (
    SETTINGS,
    Declared,
    Records,
    Settings,
    Source,
    load_settings,
)
from socare_spark.analyses.extracts import current_rows, snapshot_needs
from socare_spark.analyses.roles import Tables
from socare_spark.analyses.row_counts import counted_rows
from socare_spark.analyses.vocabulary import unknown_codes
from socare_spark.analysis import Analysis, Frame, Result
from socare_spark.errors import MissingInputError
from socare_spark.inputs import Assigned, Inputs, Need
from socare_spark.lake.collect import collect
from socare_spark.lake.table import TableSpec
from socare_spark.measures.person_counts import COUNT
from socare_spark.places.recorded_places import PLACE_AREAS, areas_by_place
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS

# Names of collected frames, for messages.
_LINKS, _LAYERS, _CATEGORIES = "links of persons", "layers of postcodes", "categories of services"


def build(inputs: Inputs, declared: Declared) -> Result:
    """Builds all tables from one read of each dataset.

    Raises:
        MissingInputError: the lake has no records of any service.
    """
    settings, services = declared.settings, declared.settings.services
    available, warnings = _available(inputs, declared)
    links, missing = _links(inputs, declared)
    layers, identifiers = _layers_and_identifiers(inputs, links)
    warnings += missing + _warnings(settings, layers, identifiers)
    places = _places(inputs, [layer for layer in settings.layers if layer in (layers or ())])
    read = [_records(inputs, declared, source) for source in available]
    records = reduce(DataFrame.unionByName, [rows for rows, _ in read])
    warnings += [text for _, of_counts in read for text in of_counts]
    rows = placed(linked(records, links), places).persist()
    frames = {
        CROSS_SERVICE_PEOPLE.path: count_homes(known_people(rows), places),
        UNLINKABLE.path: count_unlinkable(rows),
    }
    if places is not None:
        frames[_CATEGORIES] = most_used(rows, services)
    counted = collect(frames)
    homes = counted[CROSS_SERVICE_PEOPLE.path]
    tables: dict[TableSpec, Frame] = {
        CROSS_SERVICE_PEOPLE: cross_service_people(homes, services),
        UNLINKABLE: unlinkable(counted[UNLINKABLE.path], services),
    }
    if places is None:
        lacking = f"a layer of {SETTINGS} in {POSTCODE_AREAS.path}"
        unavailable = dict.fromkeys((REQUESTS_BY_AREA, CROSS_SERVICE_PLACES), lacking)
        return Result(tables, unavailable, warnings)
    kept = kept_categories(counted[_CATEGORIES])
    tables[REQUESTS_BY_AREA] = requests_by_area(rows, places, services, kept)
    tables[CROSS_SERVICE_PLACES] = cross_service_places(homes, services)
    return Result(tables, warnings=warnings)


def _available(inputs: Inputs, declared: Declared) -> tuple[list[Source], list[str]]:
    """Sources in the lake, and warnings of the others.

    Raises:
        MissingInputError: the lake has no source.
    """
    available = [source for source in declared.sources if inputs.exists(source.records.table)]
    if not available:
        raise MissingInputError(
            "cross_service needs records of a service, and the lake has none of those in "
            f"{SETTINGS}. Run ingest first."
        )
    absent = [s.records.table for s in declared.sources if s not in available]
    return available, [*declared.unknown, *_left_out(absent, "its records")]


def _left_out(absent: Iterable[str], contents: str) -> list[str]:
    return [
        f"{SETTINGS} names {table}, which the lake does not have; {contents} are left out."
        for table in absent
    ]


def _records(inputs: Inputs, declared: Declared, source: Source) -> tuple[DataFrame, list[str]]:
    """The records of a source in the common schema, and warnings about its counts."""
    records = source.records
    current = current_rows(inputs, records.dataset)
    # The records of all sources have the same columns.
    if any(other.records.count for other in declared.sources):
        current = current.withColumn(COUNT, F.col(records.count) if records.count else F.lit(1))
    rows, warnings = counted_rows(current, records.dataset, records.count)
    return service_rows(rows, source, number_of(source.scheme, declared.schemes)), warnings


def _links(inputs: Inputs, declared: Declared) -> tuple[DataFrame | None, list[str]]:
    """Person of each identifier in the available crosswalks, and warnings of the others."""
    available = [walk for walk in declared.crosswalks if inputs.exists(walk.table)]
    absent = [walk.table for walk in declared.crosswalks if walk not in available]
    pairs = [
        pairs_of(current_rows(inputs, walk.dataset), walk, declared.schemes) for walk in available
    ]
    return links_of(pairs).persist() if pairs else None, _left_out(absent, "its links")


def _layers_and_identifiers(
    inputs: Inputs, links: DataFrame | None
) -> tuple[list[str] | None, int]:
    """Layers of POSTCODE_AREAS (None without the table), and the most identifiers of one person."""
    frames = {}
    if links is not None:
        frames[_LINKS] = links.groupBy("person").count().agg(F.max("count").alias("most"))
    if inputs.exists(POSTCODE_AREAS):
        frames[_LAYERS] = inputs.read(POSTCODE_AREAS).select("layer").distinct()
    found = collect(frames)
    layers = found[_LAYERS]["layer"].to_list() if _LAYERS in found else None
    return layers, int(found[_LINKS]["most"].fillna(0).max()) if _LINKS in found else 0


def _warnings(settings: Settings, layers: Sequence[str] | None, identifiers: int) -> list[str]:
    """Warns of persons with many identifiers, and of unknown layers.

    Args:
        settings: The settings.
        layers: Layers of POSTCODE_AREAS; None if the lake does not have the table.
        identifiers: The most identifiers of one person.
    """
    warnings = []
    if identifiers > settings.most_identifiers:
        warnings.append(
            f"The crosswalks join {identifiers} identifiers to one person; most_identifiers in "
            f"{SETTINGS} is {settings.most_identifiers}. Check the crosswalks for a placeholder "
            "identifier."
        )
    if layers is None:
        return warnings
    named, lacking = f"{SETTINGS} names the layer", f"{POSTCODE_AREAS.path} does not have"
    return warnings + unknown_codes(named, settings.layers, layers, lacking)


def _places(inputs: Inputs, layers: Sequence[str]) -> DataFrame | None:
    return places_of(areas_by_place(inputs), layers).persist() if layers else None


_WRITES = (REQUESTS_BY_AREA, CROSS_SERVICE_PEOPLE, CROSS_SERVICE_PLACES, UNLINKABLE)


def _needs(inputs: Inputs, declared: Declared) -> list[Need]:
    """Columns in the configuration. Of records only the column of the snapshot is required."""
    needs: list[Need | None] = []
    for source in declared.sources:
        records = source.records
        types = {"person": "bigint", "postcode": "string", "date": "date", "category": "string"}
        needs += [_need(records, key, type_, without=_WRITES) for key, type_ in types.items()]
        needs.append(_need(records, "count", "bigint", tables=_WRITES))
        needs += snapshot_needs(inputs, records.dataset, *_WRITES)
    for crosswalk in declared.crosswalks:
        needs += [Need(crosswalk.table, c, "bigint", _WRITES) for c in crosswalk.columns]
        needs += snapshot_needs(inputs, crosswalk.dataset, *_WRITES)
    return [need for need in needs if need is not None]


def _need(
    records: Records, key: str, type_: str, tables: Tables = (), without: Tables = ()
) -> Need | None:
    """The column of a key of `records`; None if the key is null."""
    column: str | None = getattr(records, key)
    if column is None:
        return None
    assigned = Assigned(key, column, SETTINGS, f"services.records.{key}")
    return Need(records.table, column, type_, tables, without, assigned)


ANALYSIS = Analysis(
    name="cross_service",
    description="Counts records of all services by area and month, and people known to several.",
    load_settings=load_settings,
    settings_files=("analyses/cross_service.yaml",),
    reads=lambda _, __: [],
    optional=lambda _, declared: [
        *declared.settings.tables,
        POSTCODE_AREAS.path,
        PLACE_AREAS.path,
        AREAS.path,
    ],
    writes=_WRITES,
    needs=_needs,
    build=build,
    draw=draw,
)
