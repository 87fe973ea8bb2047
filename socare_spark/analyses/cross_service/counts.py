"""Counts of the rows of all services: by area, and by the set of services that know a person."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.rows import pool_rare_categories
from socare_spark.analyses.cross_service.settings import Service
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people
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
    partitions=["services"],
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
    partitions=["code", "services"],
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


def requests_by_area(rows: DataFrame, places: DataFrame, services: Sequence[Service]) -> DataFrame:
    """Counts records by service, area, month and category.

    Args:
        rows: service (position), person, place, day, category.
        places: Result of `places_of`.
        services: All services in order.

    Returns:
        One row per service, area, month and category. Columns as in REQUESTS_BY_AREA.
    """
    located = pool_rare_categories(rows.where(F.col("place").isNotNull()), services).select(
        "service", "place", F.trunc("day", "month").alias("month"), "category", "person"
    )
    at = by_layer(located.join(places.drop("postcode", "unplaced"), "place"))
    counted = count_people(
        at.where(F.col("code").isNotNull()), ["service", "layer", "code", "month", "category"]
    )
    # Names and months are formatted after counting, because there are fewer cells than records.
    return counted.withColumns(
        {"service": named("service", services), "month": F.date_format("month", "yyyy-MM")}
    )


def by_layer(rows: DataFrame) -> DataFrame:
    """One row per input row and layer, with `layer` and `code` instead of columns `at_LAYER`."""
    layers = [c for c in rows.columns if c.startswith("at_")]
    areas = [
        F.struct(F.lit(c.removeprefix("at_")).alias("layer"), F.col(c).alias("code"))
        for c in layers
    ]
    return rows.select(*[c for c in rows.columns if c not in layers], F.inline(F.array(*areas)))


def known_people(rows: DataFrame) -> DataFrame:
    """Summarises the records of each person.

    Args:
        rows: service (position), person, place, day.

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
            F.count(F.lit(1)).alias("records"),
            F.max(when).alias("_newest"),
        )
    )
    place = F.col("_newest").bitwiseAND(F.lit((1 << _PLACE_BITS) - 1)).cast("int")
    return people.select("person", "known", "records", place.alias("place"))


def cross_service_people(people: DataFrame, services: Sequence[Service]) -> DataFrame:
    """Counts people by the set of services that know them.

    Args:
        people: Result of `known_people`.
        services: All services in order.

    Returns:
        One row per set of services. Columns as in CROSS_SERVICE_PEOPLE.
    """
    counted = count_people(people, ["known"], records="records")
    return counted.select("*", combination("known", services))


def cross_service_places(
    people: DataFrame, places: DataFrame, services: Sequence[Service]
) -> DataFrame:
    """Counts people by area and by the set of services that know them.

    Args:
        people: Result of `known_people`.
        places: Result of `places_of`.
        services: All services in order.

    Returns:
        One row per area and set of services. Columns as in CROSS_SERVICE_PLACES.
    """
    homes = people.join(places.drop("postcode", "unplaced"), "place", "left")
    counted = count_people(by_layer(homes), ["layer", "code", "known"], records="records")
    return counted.select("*", combination("known", services))


def unlinkable(rows: DataFrame, services: Sequence[Service]) -> DataFrame:
    """Counts records that cannot be linked to a person or an area.

    Args:
        rows: service (position), person, unlinked, unplaced.
        services: All services in order.

    Returns:
        One row per service and reason. Columns as in UNLINKABLE.
    """
    reasons = F.array_compact(F.array("unlinked", "unplaced"))
    by_reason = rows.select("service", "person", F.explode(reasons).alias("reason"))
    counted = count_people(by_reason, ["service", "reason"])
    return counted.withColumn("service", named("service", services))


def named(column: str, services: Sequence[Service]) -> Column:
    """Name of a service, from its position."""
    return F.get(F.array(*[F.lit(service.name) for service in services]), F.col(column))


def combination(column: str, services: Sequence[Service]) -> Column:
    """Column `services`: names of services from their bits, in order, joined by `+`."""
    names = [
        F.when(F.col(column).bitwiseAND(F.lit(1 << i).cast("bigint")) != 0, F.lit(service.name))
        for i, service in enumerate(services)
    ]
    return F.concat_ws("+", *names).alias("services")
