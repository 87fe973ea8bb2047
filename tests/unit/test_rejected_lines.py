"""Reasons of refusals beside the landing folder, and names that leave no room for them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from socare_spark.ingest import job
from socare_spark.ingest.discovery import RefusedFile
from socare_spark.ingest.file_names import MAX_NAME_BYTES, unusable_name
from socare_spark.ingest.ledger import LedgerState


def refused(name):
    return RefusedFile(
        SimpleNamespace(name=name, contract=SimpleNamespace(format="csv")), "digest", "it is empty"
    )


def bring_in(landing, files, known=()):
    """The warnings of a run that refuses files and takes none."""
    context = SimpleNamespace(landing=landing, run=SimpleNamespace(warnings=[]))
    job._load_all(context, [], files, LedgerState({}, frozenset(known)), None)
    return context.run.warnings


@pytest.mark.parametrize("sign", ["x", "é"])
def test_a_name_without_room_for_its_rejected_lines_is_refused(sign):
    width = len(sign.encode())
    fits, more = sign * (MAX_NAME_BYTES // width), sign * (MAX_NAME_BYTES // width + 1)
    landing = Path("landing")
    assert unusable_name(landing, landing / "visits" / fits) == ""
    assert "bytes: rename the file" in unusable_name(landing, landing / "visits" / more)


def test_the_longest_name_has_room_for_its_rejected_lines(tmp_path):
    for ending in (".rejected.csv.partial", ".refused.txt.partial"):
        (tmp_path / f"{'x' * MAX_NAME_BYTES}{ending}").touch()


def test_a_reason_that_is_lost_is_written_again_and_others_stay(tmp_path):
    landing, files = tmp_path / "landing", [refused("a.csv"), refused("b.csv")]
    landing.mkdir()
    known = {file.key for file in files}
    assert bring_in(landing, files, known) == []
    reasons = [tmp_path / "rejected" / f"{name}.csv.refused.txt" for name in "ab"]
    assert [path.read_text() for path in reasons] == [
        "a.csv: it is empty.\n",
        "b.csv: it is empty.\n",
    ]
    before = [path.stat().st_ino for path in reasons]
    assert bring_in(landing, files, known) == []
    assert [path.stat().st_ino for path in reasons] == before


def test_a_reason_that_cannot_be_written_is_reported_and_others_are_written(tmp_path):
    landing, long = tmp_path / "landing", "x" * 250
    landing.mkdir()
    files = [refused(long), refused("b.csv")]
    (said,) = bring_in(landing, files, {file.key for file in files})
    assert said.startswith(f"{long}: the reason of its refusal was not written")
    assert [path.name for path in (tmp_path / "rejected").iterdir()] == ["b.csv.refused.txt"]
