"""Services side by side: who is one person, where, and what cannot be told, recounted apart."""

import random
from collections import Counter, defaultdict
from datetime import date, timedelta

import duckdb
import pandas as pd
import pytest
from frames import rows_of
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service import rows as numbering
from socare_spark.analyses.cross_service.counts import (
    count_homes,
    count_unlinkable,
    cross_service_people,
    cross_service_places,
    known_people,
    requests_by_area,
    unlinkable,
)
from socare_spark.analyses.cross_service.links import linked, links_of, pairs_of
from socare_spark.analyses.cross_service.rows import (
    POOLED,
    kept_categories,
    most_used,
    placed,
    places_of,
    service_rows,
)
from socare_spark.analyses.cross_service.settings import Crosswalk, Records, Service, Source
from socare_spark.lake.collect import collect

SCHEMES = {"case": 0, "pass": 1, "tenant": 2}
SERVICES = [
    Service(name="care", records=(Records(dataset="a", date="day"),)),
    Service(name="homes", records=(Records(dataset="b", date="day"),), categories=2),
    Service(name="sport", records=(Records(dataset="c", date="day"),)),
]
# Service -> number of its scheme.
SCHEME_OF = {0: 0, 1: 2, 2: 1}
ROWS = "service int, scheme bigint, token bigint, postcode string, day date, category string"
AREAS = [
    *[
        (f"B1 1A{c}", "ward", w, "inside")
        for c, w in zip("ABCD", ["W1", "W1", "W2", "W3"], strict=True)
    ],
    *[(f"B1 1A{c}", "district", "B1", "inside") for c in "ABC"],
    ("B1 1AD", "district", None, "outside"),  # in a ward, in no district
    *[("B9 9ZZ", layer, None, "outside") for layer in ("ward", "district")],
    *[("B1 9ZZ", layer, None, "unlocated") for layer in ("ward", "district")],
    ("B1 1AA", "grid", "SP00", "inside"),  # of a layer that is not wanted
]
POSTCODES = ["B1 1AA", "B1 1AB", "B1 1AC", "B1 1AD", "B9 9ZZ", "B1 9ZZ", "B7 7XX", None]
LAYERS = ["ward", "district"]


@pytest.fixture(scope="module")
def records():
    """Random records; every number is an identifier of each scheme."""
    draw = random.Random(11)
    rows = []
    for _ in range(900):
        service = draw.choices([0, 1, 2], [5, 3, 2])[0]
        rows.append(
            (
                service,
                SCHEME_OF[service],
                draw.choice([None, *range(1, 60)]),
                draw.choice(POSTCODES),
                draw.choice([None, *(date(2019, 1, 1) + timedelta(d) for d in range(0, 150, 6))]),
                draw.choice(["x", "x", "x", "y", "y", "z", "w", None]),
            )
        )
    return rows


@pytest.fixture(scope="module")
def crosswalks():
    """Pairs of scheme and token: one to several, several to one, and from one crosswalk to the
    next.
    """
    draw = random.Random(12)
    case_tenant = [((0, draw.randrange(1, 60)), (2, draw.randrange(1, 60))) for _ in range(25)]
    tenant_pass = [((2, draw.randrange(1, 60)), (1, draw.randrange(1, 60))) for _ in range(12)]
    return [case_tenant, tenant_pass]


def leader_of(crosswalks):
    """Identifier -> the set of identifiers that are one person with it."""
    sets = {}
    for a, b in (pair for pairs in crosswalks for pair in pairs):
        union = sets.get(a, frozenset([a])) | sets.get(b, frozenset([b]))
        sets.update(dict.fromkeys(union, union))
    return sets


def links(spark, crosswalks):
    frames = []
    for pairs, (one, other) in zip(crosswalks, [(0, 2), (2, 1)], strict=True):
        names = {number: name for name, number in SCHEMES.items()}
        walk = Crosswalk("w", ("l", "r"), (names[one], names[other]))
        frame = spark.createDataFrame([(a[1], b[1]) for a, b in pairs], "l bigint, r bigint")
        frames.append(pairs_of(frame, walk, SCHEMES))
    return links_of(frames)


def test_incomplete_pair_links_nobody(spark):
    pairs = [((0, 1), (2, 5)), ((0, 2), (2, 6)), ((0, None), (2, 5)), ((0, None), (2, 6)),
             ((0, 3), (2, None)), ((0, 4), (2, None))]  # fmt: skip
    found = {(r["scheme"], r["token"]): r["person"] for r in links(spark, [pairs, []]).collect()}
    assert found == {(0, 1): 1, (2, 5): 1, (0, 2): 2, (2, 6): 2}


@pytest.fixture
def places(spark):
    frame = spark.createDataFrame(AREAS, "postcode string, layer string, code string, rule string")
    return places_of(frame, LAYERS)


@pytest.fixture
def rows(spark, records, crosswalks, places):
    return placed(linked(spark.createDataFrame(records, ROWS), links(spark, crosswalks)), places)


@pytest.fixture(scope="module")
def met(records, crosswalks):
    """Records with their person as a set of identifiers, and the place, in plain Python."""
    persons = leader_of(crosswalks)
    where = {(p, layer): code for p, layer, code, _ in AREAS}
    known = {p for p, *_ in AREAS}
    found = []
    for service, scheme, token, postcode, day, category in records:
        one = (scheme, token)
        person = None if token is None else persons.get(one, frozenset([one]))
        why = (
            "no_postcode" if postcode is None
            else "unlocated" if postcode not in known or postcode == "B1 9ZZ"
            else "outside_city" if postcode == "B9 9ZZ" else None
        )  # fmt: skip
        who = (
            "no_person" if token is None
            else "not_in_crosswalk" if scheme and one not in persons else None
        )  # fmt: skip
        codes = {layer: where.get((postcode, layer)) for layer in LAYERS}
        found.append((SERVICES[service].name, person, postcode, day, category, who, why, codes))
    return found


def by_person(met):
    """Person -> services, records, and the codes of the newest place."""
    known = defaultdict(lambda: [set(), 0, None])
    for service, person, postcode, day, _, _, why, codes in met:
        if person is None:
            continue
        one = known[person]
        one[0].add(service)
        one[1] += 1
        when = (day or date.min, postcode or "", codes)
        if why is None and (one[2] is None or when[:2] > one[2][:2]):
            one[2] = when
    return known


def homes_of(rows, places):
    return collect({"homes": count_homes(known_people(rows), places)})["homes"]


def unlinkable_of(rows):
    return collect({"unlinkable": count_unlinkable(rows)})["unlinkable"]


def kept_of(rows):
    return kept_categories(collect({"most": most_used(rows, SERVICES)})["most"])


def names_of(services):
    return "+".join(s.name for s in SERVICES if s.name in services)


def test_people_by_exactly_which_services_know_them(rows, places, met):
    expected = defaultdict(lambda: (0, 0))
    for services, records, _ in by_person(met).values():
        people, total = expected[names_of(services)]
        expected[names_of(services)] = (people + 1, total + records)
    made = cross_service_people(homes_of(rows, places), SERVICES)
    assert rows_of(made, "services", "people", "records") == sorted(
        (services, *counts) for services, counts in expected.items()
    )
    assert len(expected) == 6


def test_people_by_area_of_their_newest_place(rows, places, met):
    expected = defaultdict(lambda: (0, 0))
    for services, records, newest_place in by_person(met).values():
        for layer in LAYERS:
            code = newest_place[2][layer] if newest_place else None
            people, total = expected[layer, code, names_of(services)]
            expected[layer, code, names_of(services)] = (people + 1, total + records)
    made = cross_service_places(homes_of(rows, places), SERVICES)
    found = rows_of(made, "layer", "code", "services", "people", "records")
    assert found == sorted(((*cell, *counts) for cell, counts in expected.items()), key=str)
    assert {code for _, code, *_ in found} == {"W1", "W2", "W3", "B1", None}


def test_unlinkable_records_are_counted_by_reason(rows, met):
    expected = Counter()
    for service, *_, who, why, _ in met:
        expected.update((service, reason) for reason in (who, why) if reason)
    made = unlinkable(unlinkable_of(rows), SERVICES)
    assert rows_of(made, "service", "reason", "records") == sorted(
        (*cell, records) for cell, records in expected.items()
    )
    assert {reason for _, reason in expected} == {
        "no_person", "not_in_crosswalk", "no_postcode", "unlocated", "outside_city",
    }  # fmt: skip


def by_area_and_month(flat):
    """The two most used of `homes` are told apart; of equally many the first by name."""
    return duckdb.sql(
        """WITH located AS (SELECT * FROM flat WHERE code IS NOT NULL),
        most AS (SELECT category FROM located WHERE service = 'homes' AND layer = 'ward'
            AND category IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, category LIMIT 2)
        SELECT service, layer, code, strftime(day, '%Y-%m'),
            CASE WHEN service <> 'homes' OR category IS NULL OR category IN (FROM most)
                THEN category ELSE '(others)' END AS category,
            count(DISTINCT person), count(*)
        FROM located GROUP BY ALL"""
    ).fetchall()


def test_records_by_area_and_month(rows, places, met):
    flat = pd.DataFrame(
        [
            (service, layer, codes[layer], day, category, str(sorted(person)) if person else None)
            for service, person, _, day, category, _, _, codes in met
            for layer in LAYERS
        ],
        columns=["service", "layer", "code", "day", "category", "person"],
    )
    made = requests_by_area(rows, places, SERVICES, kept_of(rows))
    names = ("service", "layer", "code", "month", "category", "people", "records")
    found = [tuple(r[n] for n in names) for r in made.collect()]
    assert sorted(found, key=str) == sorted(by_area_and_month(flat), key=str)
    assert POOLED in {r[4] for r in found if r[0] == "homes"}
    assert POOLED not in {r[4] for r in found if r[0] != "homes"}


def test_equal_numbers_of_two_schemes_are_two_people(spark):
    same = [(0, 0, 5, None, None, None), (1, 2, 5, None, None, None), (2, 1, 5, None, None, None)]
    rows = linked(spark.createDataFrame(same, ROWS), None).collect()
    assert len({r["person"] for r in rows}) == 3
    assert rows[0]["person"] == 5  # of the first scheme the token itself
    assert [r["unlinked"] for r in rows] == [None, "not_in_crosswalk", "not_in_crosswalk"]


def test_without_areas_people_can_still_be_counted(spark, records, crosswalks, met):
    rows = placed(linked(spark.createDataFrame(records, ROWS), links(spark, crosswalks)), None)
    homes = homes_of(rows, None)
    assert cross_service_people(homes, SERVICES)["people"].sum() == len(by_person(met))
    assert cross_service_places(homes, SERVICES).empty
    assert {*unlinkable_of(rows)["reason"]} == {
        "no_person", "not_in_crosswalk", "no_postcode",
    }  # fmt: skip


def test_empty_and_single_row_inputs(spark, places):
    none = placed(linked(spark.createDataFrame([], ROWS), None), places)
    homes = homes_of(none, places)
    assert cross_service_people(homes, SERVICES).empty
    assert cross_service_places(homes, SERVICES).empty
    assert kept_of(none) == {}
    assert requests_by_area(none, places, SERVICES, {}).count() == 0
    one = spark.createDataFrame([(1, 2, 8, "B1 1AC", date(2019, 2, 5), None)], ROWS)
    placed_one = placed(linked(one, None), places)
    made = requests_by_area(placed_one, places, SERVICES, kept_of(placed_one))
    (row,) = made.where("layer = 'ward'").collect()
    assert [row[n] for n in ("service", "code", "month", "category", "people", "records")] == [
        "homes", "W2", "2019-02", None, 1, 1,
    ]  # fmt: skip


def test_missing_date_is_older_than_dates_before_1970(spark, places):
    days = [(date(1960, 1, 1), "B1 1AC"), (None, "B1 1AD"), (date(1959, 1, 1), "B1 1AA")]
    rows = [(0, 0, 1, postcode, day, None) for day, postcode in days]
    people = known_people(placed(linked(spark.createDataFrame(rows, ROWS), None), places))
    (place,) = [r["place"] for r in people.collect()]
    assert places.where(f"place = {place}").first()["postcode"] == "B1 1AC"


def test_columns_missing_in_a_dataset_are_null(spark):
    frame = spark.createDataFrame([(date(2019, 1, 1), "B1 1AA")], "issued date, home string")
    records = Records(dataset="d", date="issued", postcode="home", person=None)
    made = service_rows(frame, Source(2, records, None), F.lit(0))
    assert tuple(made.first()) == (2, 0, None, "B1 1AA", date(2019, 1, 1), None)


@pytest.mark.parametrize("stem", [1, 4, 9])
def test_places_are_numbered_in_the_order_of_the_text(spark, monkeypatch, stem):
    monkeypatch.setattr(numbering, "_STEM", stem)
    texts = ["B1 1AA", "B1 1AB", "B1", "B10 1AA", "AB1 2CD", "b1 1aa", "Z", "B1 2AA", "B1 1AÄ"]
    areas = [(text, LAYERS[0], "x", "inside") for text in reversed(texts)]
    frame = spark.createDataFrame(areas, "postcode string, layer string, code string, rule string")
    found = places_of(frame, LAYERS).select("postcode", "place").collect()
    assert {r["place"]: r["postcode"] for r in found} == dict(enumerate(sorted(texts), 1))
