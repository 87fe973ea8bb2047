"""People that a stage brings: each once, and never two under one token."""

from datetime import date
from types import SimpleNamespace

import pytest

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.project import Project, Scheme
from socare_spark.ingest.ledger import PEOPLE
from socare_spark.ingest.people import CollisionError, register_people
from socare_spark.ingest.pseudonym import Keyring
from socare_spark.lake.lake import Lake

PROJECT = Project(council="c", project="p", key_id="k1", schemes={"s": Scheme()})
RING = Keyring(bytes(range(32)), PROJECT)
ONE, TWO, THREE = (bytes([n] * 32) for n in (1, 2, 3))


NOTE = {"run_id": "r"}


@pytest.fixture(params=[True, False], ids=["few", "many"])
def stage(spark, request):
    """Makes a stage of rows, to be entered by the driver or by tasks."""

    def made(*rows):
        types = "person bigint, _digest binary, _file int, extract date"
        frame = spark.createDataFrame(list(rows), types)
        field = {"name": "PERID", "socare": {"pseudonymise": "s", "as": "person"}}
        contract = Contract.model_validate(
            {
                "name": "visits",
                "schema": {"primaryKey": [], "fields": [field]},
                "socare": {"files": "(?P<period>.*)"},
            }
        )

        def valid_staged_rows(indices):
            return frame.where(frame["_file"].isin(indices))

        def valid_rows_arrow(indices, *columns):
            return valid_staged_rows(indices).select(*columns).toArrow()

        return SimpleNamespace(
            frame=frame,
            contract=contract,
            valid_staged_rows=valid_staged_rows,
            valid_rows_arrow=valid_rows_arrow,
            fits_on_driver=lambda _: request.param,
        )

    return made


def found(lake):
    rows = lake.to_dicts(PEOPLE, order="person")
    return [(r["person"], r["digest"], r["scheme"], r["first_seen"]) for r in rows]


def test_person_is_registered_once_with_the_earliest_day(stage, tmp_path):
    lake, early, late = Lake(tmp_path), date(2014, 12, 31), date(2015, 12, 31)
    one = stage((1, ONE, 0, late), (1, ONE, 0, early), (None, None, 0, early))
    other = stage((1, ONE, 0, late), (2, TWO, 0, late), (3, THREE, 1, late))
    register_people(lake, [(one, [0]), (other, [0])], RING, NOTE)
    assert found(lake) == [(1, ONE, "s", early), (2, TWO, "s", late)]
    assert lake.to_dicts(PEOPLE, "key_id")[0] == {"key_id": "k1"}


def test_known_person_keeps_the_first_day(stage, tmp_path):
    lake, early, late = Lake(tmp_path), date(2014, 12, 31), date(2015, 12, 31)
    register_people(lake, [(stage((1, ONE, 0, early)), [0])], RING, NOTE)
    register_people(lake, [(stage((1, ONE, 0, late), (2, TWO, 0, late)), [0])], RING, NOTE)
    assert found(lake) == [(1, ONE, "s", early), (2, TWO, "s", late)]


def test_two_people_of_one_token_are_found(stage, tmp_path):
    day = date(2015, 12, 31)
    both, other = stage((1, ONE, 0, day), (1, TWO, 0, day)), stage((1, TWO, 0, day))
    with pytest.raises(CollisionError, match="1 token collides"):
        register_people(Lake(tmp_path / "a"), [(both, [0])], RING, NOTE)
    lake = Lake(tmp_path / "b")
    register_people(lake, [(stage((1, ONE, 0, day)), [0])], RING, NOTE)
    with pytest.raises(CollisionError, match="1 token collides"):
        register_people(lake, [(other, [0])], RING, NOTE)
