"""The `cross_service` analysis: records of all services by area, and people by services.

Services are declared in `conf/`. Their records are converted to one schema, and all tables are
computed from it. People are counted by the set of services that know them; no table has persons.
Source: thesis 6.5 and 7.2; docs/definitions.md, section 11.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.counts import (
    CROSS_SERVICE_PEOPLE,
    CROSS_SERVICE_PLACES,
    REQUESTS_BY_AREA,
    UNLINKABLE,
    cross_service_people,
    cross_service_places,
    known_people,
    requests_by_area,
    unlinkable,
)
from socare_spark.analyses.cross_service.links import linked, links_of, number_of, pairs_of
from socare_spark.analyses.cross_service.pictures import draw
from socare_spark.analyses.cross_service.rows import newest, placed, places_of, service_rows
from socare_spark.analyses.cross_service.settings import (
    SETTINGS,
    Declared,
    read_declared,
    read_settings,
)
from socare_spark.analyses.vocabulary import warn_unknown_codes
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.errors import MissingInputError
from socare_spark.lake.table import TableSpec
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS


def tables(context: Context) -> Mapping[TableSpec, DataFrame]:
    """Builds all tables from one read of each dataset.

    Raises:
        MissingInputError: the lake has no records of any service.
    """
    declared = read_declared(context.conf)
    context.run.warnings.extend(declared.unknown)
    settings = declared.settings
    available = [
        source
        for source in declared.sources
        if _is_available(context, source.records.table, "its records")
    ]
    if not available:
        raise MissingInputError(
            "cross_service needs records of a service, and the lake has none of those in "
            f"{SETTINGS}. Run ingest first."
        )
    links = _links(context, declared)
    frames = [
        service_rows(
            newest(context.read(source.records.table), source.snapshots),
            source,
            number_of(source.scheme, declared.schemes),
        )
        for source in available
    ]
    places = _places(context, settings.layers)
    records = reduce(DataFrame.unionByName, frames)
    rows = placed(linked(records, links), places).persist()
    people = known_people(rows).persist()
    without_areas = {
        CROSS_SERVICE_PEOPLE: cross_service_people(people, settings.services),
        UNLINKABLE: unlinkable(rows, settings.services),
    }
    if places is None:
        for table in (REQUESTS_BY_AREA, CROSS_SERVICE_PLACES):
            context.mark_unavailable(table, f"a layer of {SETTINGS} in {POSTCODE_AREAS.path}")
        return without_areas
    return without_areas | {
        REQUESTS_BY_AREA: requests_by_area(rows, places, settings.services),
        CROSS_SERVICE_PLACES: cross_service_places(people, places, settings.services),
    }


def _is_available(context: Context, table: str, contents: str) -> bool:
    """Whether the lake has a table. Warns if it does not."""
    if context.lake.exists(table):
        return True
    context.run.warnings.append(
        f"{SETTINGS} names {table}, which the lake does not have; {contents} are left out."
    )
    return False


def _links(context: Context, declared: Declared) -> DataFrame | None:
    """Person of each identifier in the available crosswalks; None without a crosswalk."""
    pairs = [
        pairs_of(newest(context.read(c.table), c.snapshots), c, declared.schemes)
        for c in declared.crosswalks
        if _is_available(context, c.table, "its links")
    ]
    if not pairs:
        return None
    links = links_of(pairs).persist()
    most = links.groupBy("person").count().agg(F.max("count")).first()
    allowed = declared.settings.most_identifiers
    if most is not None and (most[0] or 0) > allowed:
        context.run.warnings.append(
            f"The crosswalks join {most[0]} identifiers to one person; most_identifiers in "
            f"{SETTINGS} is {allowed}. Check the crosswalks for a placeholder identifier."
        )
    return links


def _places(context: Context, layers: Sequence[str]) -> DataFrame | None:
    if not context.lake.exists(POSTCODE_AREAS):
        return None
    areas = context.read(POSTCODE_AREAS)
    present = {row[0] for row in areas.select("layer").distinct().collect()}
    available = [layer for layer in layers if layer in present]
    warn_unknown_codes(
        context,
        f"{SETTINGS} names the layer",
        layers,
        present,
        f"{POSTCODE_AREAS.path} does not have",
    )
    return places_of(areas, available).persist() if available else None


_WRITES = (REQUESTS_BY_AREA, CROSS_SERVICE_PEOPLE, CROSS_SERVICE_PLACES, UNLINKABLE)


def _needs(context: Context) -> list[Need]:
    """Columns in the configuration. Of records only the column of the snapshot is required."""
    declared = read_declared(context.conf)
    needs = []
    for source in declared.sources:
        records = source.records
        types = {
            records.person: "bigint",
            records.postcode: "string",
            records.date: "date",
            records.category: "string",
        }
        needs += [Need(records.table, c, t, without=_WRITES) for c, t in types.items() if c]
        if source.snapshots:
            needs.append(Need(records.table, source.snapshots, "date", _WRITES))
    for crosswalk in declared.crosswalks:
        needs += [Need(crosswalk.table, c, "bigint", _WRITES) for c in crosswalk.columns]
        if crosswalk.snapshots:
            needs.append(Need(crosswalk.table, crosswalk.snapshots, "date", _WRITES))
    return needs


ANALYSIS = Analysis(
    name="cross_service",
    description="Counts records of all services by area and month, and people known to several.",
    reads=lambda _: [],
    optional=lambda context: [
        *read_settings(context.conf).tables,
        POSTCODE_AREAS.path,
        AREAS.path,
    ],
    writes=_WRITES,
    needs=_needs,
    tables=tables,
    draw=draw,
)
