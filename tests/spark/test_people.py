"""People that a stage brings: each once, and never two under one token."""

from datetime import date
from types import SimpleNamespace

import pytest

from socare_spark.contracts.project import Project, Scheme
from socare_spark.intake.ledger import PEOPLE
from socare_spark.intake.persons import CollisionError, new_people
from socare_spark.intake.pseudonym import Keyring
from socare_spark.lake.zones import Lake

PROJECT = Project(council="c", project="p", key_id="k1", schemes={"s": Scheme()})
RING = Keyring(bytes(range(32)), PROJECT)
ONE, TWO, THREE = (bytearray([n] * 32) for n in (1, 2, 3))


def stage(spark, *rows):
    frame = spark.createDataFrame(
        list(rows), "person bigint, _digest binary, _file int, extract date"
    )
    field = SimpleNamespace(output="person", socare=SimpleNamespace(pseudonymise="s"))
    contract = SimpleNamespace(fields=[field], socare=SimpleNamespace(extract_column="extract"))

    def unbroken(wanted):
        return frame.where(frame["_file"].isin(wanted))

    return SimpleNamespace(frame=frame, contract=contract, unbroken=unbroken)


def found(frame):
    return sorted((r["person"], r["digest"], r["scheme"], r["first_seen"]) for r in frame.collect())


def test_a_person_is_there_once_from_the_first_day_on(spark, tmp_path):
    early, late = date(2014, 12, 31), date(2015, 12, 31)
    one = stage(spark, (1, ONE, 0, late), (1, ONE, 0, early), (None, None, 0, early))
    other = stage(spark, (1, ONE, 0, late), (2, TWO, 0, late), (3, THREE, 1, late))
    made = new_people(Lake(tmp_path), [(one, [0]), (other, [0])], RING)
    assert found(made) == [(1, ONE, "s", early), (2, TWO, "s", late)]


def test_who_is_known_is_not_new(spark, tmp_path):
    lake, day = Lake(tmp_path), date(2015, 12, 31)
    first = new_people(lake, [(stage(spark, (1, ONE, 0, day)), [0])], RING)
    lake.append(PEOPLE, first, {})
    rows = stage(spark, (1, ONE, 0, day), (2, TWO, 0, day))
    assert found(new_people(lake, [(rows, [0])], RING)) == [(2, TWO, "s", day)]


def test_two_people_of_one_token_are_found(spark, tmp_path):
    lake, day = Lake(tmp_path), date(2015, 12, 31)
    with pytest.raises(CollisionError, match="1 tokens"):
        new_people(lake, [(stage(spark, (1, ONE, 0, day), (1, TWO, 0, day)), [0])], RING)
    lake.append(PEOPLE, new_people(lake, [(stage(spark, (1, ONE, 0, day)), [0])], RING), {})
    with pytest.raises(CollisionError, match="1 tokens"):
        new_people(lake, [(stage(spark, (1, TWO, 0, day)), [0])], RING)
