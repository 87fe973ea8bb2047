"""Reasons of refusals beside the landing folder, and names that leave no room for them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from socare_spark.contracts.contract import Contract
from socare_spark.ingest import job
from socare_spark.ingest.discovery import RefusedFile, discover_files, inspect_file
from socare_spark.ingest.file_names import max_name_bytes, unusable_name
from socare_spark.ingest.ledger import LedgerState
from socare_spark.ingest.ledger_entries import _files_to_quarantine
from socare_spark.ingest.rejected_lines import remove_rejected, write_rejected
from socare_spark.storage.landing import Landing


def refused(name, dataset="visits", reason="it is empty"):
    landed = SimpleNamespace(name=name, contract=SimpleNamespace(name=dataset))
    return RefusedFile(landed, "digest", reason)


def bring_in(landing, files, known=()):
    """The warnings of a run that refuses files and takes none."""
    context = SimpleNamespace(landing=Landing(landing), run=SimpleNamespace(warnings=[]))
    job._load_all(context, [], files, LedgerState({}, frozenset(known)), None)
    return context.run.warnings


@pytest.mark.parametrize("sign", ["x", "é"])
def test_a_name_without_room_for_its_rejected_lines_is_refused(sign):
    most = max_name_bytes("visits") // len(sign.encode())
    fits, more = sign * most, sign * (most + 1)
    landing = Path("landing")
    assert unusable_name(landing, landing / "visits" / fits, "visits") == ""
    assert "bytes: rename the file" in unusable_name(landing, landing / "visits" / more, "visits")


def test_the_longest_name_has_room_for_its_rejected_lines(tmp_path):
    for ending in (".rejected.csv.partial", ".refused.txt.partial"):
        (tmp_path / f"{'x' * max_name_bytes('visits')}.visits{ending}").touch()


def test_a_reason_that_is_lost_is_written_again_and_others_stay(tmp_path):
    landing, files = tmp_path / "landing", [refused("a.csv"), refused("b.csv")]
    landing.mkdir()
    known = {file.key for file in files}
    assert bring_in(landing, files, known) == []
    reasons = [tmp_path / "rejected" / f"{name}.csv.visits.refused.txt" for name in "ab"]
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
    assert [path.name for path in (tmp_path / "rejected").iterdir()] == ["b.csv.visits.refused.txt"]
    # The folder exists from now on.
    assert bring_in(landing, files, {file.key for file in files}) == [said]


def test_contracts_that_read_one_file_have_their_own_reasons(tmp_path):
    landing, files = (
        tmp_path / "landing",
        [refused("a.csv"), refused("a.csv", "homes", "no header")],
    )
    landing.mkdir()
    assert bring_in(landing, files, {file.key for file in files}) == []
    texts = {path.name: path.read_text() for path in (tmp_path / "rejected").iterdir()}
    assert texts == {
        "a.csv.visits.refused.txt": "a.csv: it is empty.\n",
        "a.csv.homes.refused.txt": "a.csv: no header.\n",
    }


@pytest.fixture
def two_contracts(tmp_path):
    """A file whose first line one contract rejects, and whose second line another one."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "2015.csv").write_text("A\nx\ny\n")
    for line, name in enumerate(("visits", "homes"), start=1):
        declared = Contract.model_validate({
            "name": name,
            "schema": {"primaryKey": "none", "fields": [{"name": "A", "socare": {"drop": True}},
                {"name": "B", "socare": {"keep": "as_is", "optional": True}}]},
            "socare": {"files": r"(?P<period>\d+)\.csv"},
        })  # fmt: skip
        (landed,), *_ = discover_files(tmp_path / "landing", declared)
        file = inspect_file(landed, tmp_path)
        write_rejected(Landing(tmp_path / "landing"), file, [(line, (1,))], [("type", "A")])
    return Landing(tmp_path / "landing")


def test_contracts_that_read_one_file_have_their_own_rejected_lines(two_contracts):
    folder = two_contracts.rejected.path()
    of_visits, of_homes = (folder / f"2015.csv.{n}.rejected.csv" for n in ("visits", "homes"))
    assert of_visits.read_text() == "line,reasons,A\n1,type:A,x\n"
    assert of_homes.read_text() == "line,reasons,A\n2,type:A,y\n"
    remove_rejected(two_contracts, "2015.csv", "visits")
    assert [*folder.iterdir()] == [of_homes]


def test_rejected_lines_of_an_earlier_version_go(two_contracts):
    earlier = two_contracts.rejected.path() / "2015.csv.rejected.csv"
    earlier.write_text("line,reasons,A\n")
    remove_rejected(two_contracts, "2015.csv", "visits")
    assert not earlier.exists()


def test_a_file_that_is_already_refused_for_one_contract_is_new_for_another():
    of_visits, of_homes = refused("a.csv"), refused("a.csv", "homes")
    known = LedgerState({}, frozenset({of_visits.key}))
    assert [file.key in known.refused for file in (of_visits, of_homes)] == [True, False]
    files = [SimpleNamespace(landed=of_visits.landed)]
    staged = SimpleNamespace(contract=of_visits.landed.contract, files=files)
    judged = SimpleNamespace(staged=staged, refused={0: "it is empty"}, accepted=[])
    assert _files_to_quarantine(judged, [of_visits]) == [0]
    assert _files_to_quarantine(judged, [of_homes]) == []


def test_a_message_names_the_contracts_that_refuse_one_file(tmp_path):
    refusals = [refused("a.csv"), refused("a.csv", "homes"), refused("b.csv")]
    message = job._refusal_message(Landing(tmp_path / "landing"), refusals)
    assert message.startswith("2 files were refused")
    lines = [line.strip() for line in message.splitlines()[1:]]
    assert lines == [
        "a.csv (visits): it is empty.", "a.csv (homes): it is empty.", "b.csv: it is empty.",
    ]  # fmt: skip
