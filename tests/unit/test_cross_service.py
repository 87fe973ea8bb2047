"""Names of services in the counts of people, places and records."""

import pytest
from frames import count_frame, rows_of

from socare_spark.analyses.cross_service.counts import (
    CROSS_SERVICE_PEOPLE,
    CROSS_SERVICE_PLACES,
    UNLINKABLE,
    combination,
    cross_service_people,
    cross_service_places,
    unlinkable,
)
from socare_spark.analyses.cross_service.job import _warnings
from socare_spark.analyses.cross_service.settings import Records, Service, Settings

RECORDS = (Records(dataset="a", date="day"),)
SERVICES = [Service(name=name, records=RECORDS) for name in ("care", "homes", "sport")]
MEASURES = ("people", "records")


@pytest.fixture
def homes():
    return count_frame(
        [
            (None, None, 1, 4, 9),
            (None, None, 5, 2, 7),
            ("ward", "W1", 1, 3, 8),
            ("ward", None, 1, 1, 1),
            ("ward", "W1", 5, 2, 7),
        ],
        {"layer": object, "code": object, "known": "Int64"},
    ).assign(providers=None)


@pytest.mark.parametrize(
    ("known", "expected"), [(1, "care"), (6, "homes+sport"), (7, "care+homes+sport"), (0, "")]
)
def test_names_are_in_the_order_of_the_configuration(known, expected):
    assert combination(known, SERVICES) == expected


def test_the_last_of_many_services_is_named():
    many = [Service(name=f"s{i}", records=RECORDS) for i in range(62)]
    assert combination(1 << 61 | 1, many) == "s0+s61"


def test_people_and_places_have_their_services(homes):
    people = cross_service_people(homes, SERVICES)
    assert {*CROSS_SERVICE_PEOPLE.names} <= {*people.columns}
    assert rows_of(people, "services", *MEASURES) == [("care", 4, 9), ("care+sport", 2, 7)]
    places = cross_service_places(homes, SERVICES)
    assert {*CROSS_SERVICE_PLACES.names} <= {*places.columns}
    assert rows_of(places, "layer", "code", "services", *MEASURES) == [
        ("ward", "W1", "care", 3, 8),
        ("ward", "W1", "care+sport", 2, 7),
        ("ward", None, "care", 1, 1),
    ]


def test_records_that_cannot_be_linked_have_the_name_of_their_service():
    counted = count_frame(
        [(0, "no_person", 0, 3), (2, "no_postcode", 1, 2)], {"service": "Int64", "reason": object}
    ).assign(providers=None)
    made = unlinkable(counted, SERVICES)
    assert {*UNLINKABLE.names} <= {*made.columns}
    assert rows_of(made, "service", "reason", *MEASURES) == [
        ("care", "no_person", 0, 3), ("sport", "no_postcode", 1, 2),
    ]  # fmt: skip
    assert len(unlinkable(counted.head(0), SERVICES)) == 0


def test_unknown_layers_and_persons_with_many_identifiers_are_reported():
    settings = Settings(
        services=tuple(SERVICES), layers=("ward", "distrct"), scheme="s", most_identifiers=3
    )
    assert _warnings(settings, None, 3) == []
    assert _warnings(settings, ["district", "ward"], 4) == [
        "The crosswalks join 4 identifiers to one person; most_identifiers in "
        "analyses/cross_service.yaml is 3. Check the crosswalks for a placeholder identifier.",
        "analyses/cross_service.yaml names the layer distrct, which reference/postcode_areas does "
        "not have; the nearest are district.",
    ]
