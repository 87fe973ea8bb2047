"""Counts of the rows of all services: by area, and by the set of services that know a person."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.rows import pooled
from socare_spark.analyses.cross_service.settings import Service
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_column, count_people, number_of_records
from socare_spark.places.reference_tables import CODE, LAYER

_PLACE_BITS = 32
_SERVICE = ColumnSpec("service", "string", "Service, as conf/analyses/cross_service.yaml names it.")
_SERVICES = ColumnSpec(
    "services",
    "string",
    "Exactly the services that know the person, in the order of the configuration, joined by '+', "
    "as 'social_care+housing'.",
)

REQUESTS_BY_AREA = cell_table(
    "requests_by_area",
    "Records of a service in an area and a month, by what they are of; records whose postcode has "
    "no area are in unlinkable.",
    [
        _SERVICE,
        LAYER,
        CODE,
        ColumnSpec(
            "month", "string", "Month of the record's day, as '2019-02'; null without a day."
        ),
        ColumnSpec(
            "category",
            "string",
            "What the record is of, as recorded; '(others)' are all but a service's most used, if "
            "the configuration limits their number; null where the record has none.",
        ),
    ],
    source="Thesis 6.5 and 7.2 (E4)",
    grows=True,
)
CROSS_SERVICE_PEOPLE = cell_table(
    "cross_service_people",
    "People known to exactly these services. Identifiers are one person by the same scheme or "
    "through a crosswalk; one that no crosswalk holds is a person of its own, and its records are "
    "in unlinkable.",
    [_SERVICES],
    source="Thesis 6.5 and 7.2 (E5)",
)
CROSS_SERVICE_PLACES = cell_table(
    "cross_service_places",
    "People known to exactly these services, by the area where the newest record that has a place "
    "finds them, of whatever service; records are all those of the people, wherever they were.",
    [
        LAYER,
        ColumnSpec(
            "code",
            "string",
            "Code of the area within its layer; null for people of whom no record has a place.",
        ),
        _SERVICES,
    ],
    source="Thesis 6.5 and 7.2 (E5)",
)
UNLINKABLE = cell_table(
    "unlinkable",
    "Records of a service that cannot be linked, by why; one record may lack both a person and a "
    "place, and then counts under either reason.",
    [
        _SERVICE,
        ColumnSpec(
            "reason",
            "string",
            "no_person (no identifier, or a placeholder); not_in_crosswalk (an identifier of "
            "another scheme that no crosswalk holds); no_postcode; unlocated (the reference has no "
            "place for the postcode); outside_city (in no area of the layers).",
        ),
    ],
    source="Thesis 6.5 and 7.2 (E5)",
)


def requests_by_area(
    rows: DataFrame,
    places: DataFrame,
    services: Sequence[Service],
    kept: Mapping[int, Sequence[str]],
) -> DataFrame:
    """Counts records by service, area, month and category.

    Args:
        rows: service (position), person, place, day, category; COUNT if a row can represent several
            records.
        places: Result of `places_of`.
        services: All services in order.
        kept: Result of `kept_categories`.

    Returns:
        One row per service, area, month and category. Columns as in REQUESTS_BY_AREA.
    """
    located = rows.where(F.col("place").isNotNull()).select(
        "service",
        "place",
        F.trunc("day", "month").alias("month"),
        pooled(kept).alias("category"),
        "person",
        *count_column(rows),
    )
    joined = located.join(places, "place")
    at = joined.select(*located.columns, F.inline(F.array(*_areas(places))))
    counted = count_people(
        at.where(F.col("code").isNotNull()), ["service", "layer", "code", "month", "category"]
    )
    # Names and months are formatted after counting, because there are fewer cells than records.
    names = F.array(*[F.lit(service.name) for service in services])
    return counted.withColumns(
        {
            "service": F.get(names, F.col("service")),
            "month": F.date_format("month", "yyyy-MM"),
        }
    )


def _areas(places: DataFrame) -> list[Column]:
    """The area of a place in each layer, as structs of `layer` and `code`."""
    return [
        F.struct(F.lit(name.removeprefix("at_")).alias("layer"), F.col(name).alias("code"))
        for name in places.columns
        if name.startswith("at_")
    ]


def known_people(rows: DataFrame) -> DataFrame:
    """Summarises the records of each person.

    Args:
        rows: service (position), person, place, day; COUNT if a row can represent several records.

    Returns:
        One row per person: person, known (one bit per service), records, place (of the newest
        record with a place; of records of one day the last postcode).
    """
    # Day and place are packed in one number, so that a hash aggregate computes the maximum.
    day = F.coalesce(F.unix_date("day"), F.lit(-(1 << 30))).cast("bigint")
    when = F.shiftleft(day, _PLACE_BITS) + F.col("place")
    bit = F.call_function("shiftleft", F.lit(1).cast("bigint"), F.col("service"))
    people = (
        rows.where(F.col("person").isNotNull())
        .groupBy("person")
        .agg(
            F.bit_or(bit).alias("known"),
            F.sum(number_of_records(rows)).alias("records"),
            F.max(when).alias("_newest"),
        )
    )
    place = F.col("_newest").bitwiseAND(F.lit((1 << _PLACE_BITS) - 1)).cast("int")
    return people.select("person", "known", "records", place.alias("place"))


def count_homes(people: DataFrame, places: DataFrame | None) -> DataFrame:
    """Counts people by area and by the set of services that know them.

    Args:
        people: Result of `known_people`.
        places: Result of `places_of`; None if the lake has no areas of postcodes.

    Returns:
        One row per `layer`, `code` and `known`, with the measures of `count_people`. The null layer
        counts all people.
    """
    no_text = F.lit(None).cast("string")
    everywhere = [F.struct(no_text.alias("layer"), no_text.alias("code"))]
    if places is not None:
        people = people.join(places, "place", "left")
        everywhere += _areas(places)
    at = people.select("person", "known", "records", F.inline(F.array(*everywhere)))
    return count_people(at, ["layer", "code", "known"], records="records")


def cross_service_people(homes: pd.DataFrame, services: Sequence[Service]) -> pd.DataFrame:
    """Rows of CROSS_SERVICE_PEOPLE.

    Args:
        homes: Result of `count_homes`.
        services: All services in order.
    """
    return _with_services(homes[homes["layer"].isna()], services)


def cross_service_places(homes: pd.DataFrame, services: Sequence[Service]) -> pd.DataFrame:
    """Rows of CROSS_SERVICE_PLACES.

    Args:
        homes: Result of `count_homes`.
        services: All services in order.
    """
    return _with_services(homes[homes["layer"].notna()], services)


def count_unlinkable(rows: DataFrame) -> DataFrame:
    """Counts records that cannot be linked to a person or an area.

    Args:
        rows: service (position), person, unlinked, unplaced; COUNT if a row can represent several
            records.

    Returns:
        One row per `service` and `reason`, with the measures of `count_people`.
    """
    reasons = F.array_compact(F.array("unlinked", "unplaced"))
    by_reason = rows.select(
        "service", "person", *count_column(rows), F.explode(reasons).alias("reason")
    )
    return count_people(by_reason, ["service", "reason"])


def unlinkable(counted: pd.DataFrame, services: Sequence[Service]) -> pd.DataFrame:
    """Rows of UNLINKABLE.

    Args:
        counted: Result of `count_unlinkable`.
        services: All services in order.
    """
    names = [service.name for service in services]
    return counted.assign(service=[names[position] for position in counted["service"]])


def combination(known: int, services: Iterable[Service]) -> str:
    """Names of services from their bits, in order, joined by `+`."""
    return "+".join(service.name for i, service in enumerate(services) if known >> i & 1)


def _with_services(homes: pd.DataFrame, services: Sequence[Service]) -> pd.DataFrame:
    return homes.assign(services=[combination(known, services) for known in homes["known"]])
