"""The ledger is the truth: revisions, clocks, lost tables, withdrawn files, declared periods."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from council import HEADER, KEY, Council
from studies import run_here

from socare_spark.errors import ConfigurationError, DataError
from socare_spark.ingest import ledger
from socare_spark.ingest.job import JOB
from socare_spark.lake.transaction import check_versions


@pytest.fixture
def council(spark, tmp_path):
    made = Council(spark, tmp_path)
    made.contract["socare"]["files"] = (
        r"visits/(?P<period>\d{4}(-\d{2})?)(_(?P<area>[a-z]{2,}))?(_r(?P<revision>\d))?\.csv"
    )
    return made


def row(key, note="", start="2014-03-01"):
    return f"{key},7,,{start},,,F,B1 1AA,{note},SMITH"


def warned(council):
    return " ".join(council.run.warnings)


def test_an_older_revision_never_replaces_a_newer_one(council, monkeypatch):
    council.lands("2015_r2.csv", row("a", "second"))
    council.ingests(monkeypatch)
    (council.landing / "visits/2015_r2.csv").unlink()
    council.lands("2015-12_r1.csv", row("a", "first"), row("b", "first"))
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id", "note") == [("a", "second")]
    assert "visits/2015-12_r1.csv: not loaded, revision 1 is older" in warned(council)
    assert "left the landing folder: visits/2015_r2.csv" in warned(council)
    council.lands("2015_r3.csv", row("a", "third"))
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "third")]


def test_changed_contract_needs_the_newest_revision_again(council, monkeypatch):
    council.lands("2015_r2.csv", row("a", "second"))
    council.ingests(monkeypatch)
    (council.landing / "visits/2015_r2.csv").unlink()
    council.lands("2015_r1.csv", row("a", "first"))
    council.contract["schema"]["fields"][7]["socare"] = {"drop": True}
    with pytest.raises(ConfigurationError, match="2015_r2"):
        council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "second")]


def test_ledger_order_does_not_depend_on_the_clock(council, monkeypatch):
    council.lands("2014.csv", row("a"))
    council.ingests(monkeypatch)

    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz or UTC) - timedelta(hours=2)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "datetime", Earlier)
        council.lands("2015.csv", row("a", "new"))
        council.ingests(monkeypatch)
    standing = ledger.read_ledger(council.lake).current.values()
    counts = {e.file: (e.rows_kept, e.rows_superseded) for e in standing}
    assert counts == {"visits/2014.csv": (0, 1), "visits/2015.csv": (1, 0)}
    assert {e.sequence for e in standing} == {2}


def test_a_table_that_is_lost_or_changed_stops_every_job(council, monkeypatch):
    council.lands("2014.csv", row("a"))
    council.ingests(monkeypatch)
    check_versions(council.lake)
    kept = council.root / "kept"
    shutil.move(council.lake.storage.path("restricted/visits"), kept)
    with pytest.raises(DataError, match=r"restricted/visits: version 0 expected, .* missing"):
        study(council)
    shutil.copytree(kept, council.lake.storage.path("restricted/visits"))
    check_versions(council.lake)
    rows = council.lake.read(council.spark, "restricted/visits")
    rows.write.format("delta").mode("append").save(
        str(council.lake.storage.path("restricted/visits"))
    )
    with pytest.raises(DataError, match="version 0 expected, version 1 found"):
        study(council)


def study(council):
    council.context()
    arguments = ("--landing", str(council.landing), "--conf", str(council.conf))
    return run_here(council.spark, council.root, [JOB], *arguments, "--mlflow", "off", key=KEY)


def test_lost_versions_file_needs_a_new_lake(council, monkeypatch):
    council.lands("2014.csv", row("a"))
    council.ingests(monkeypatch)
    (council.lake.storage.root / "versions.json").unlink()
    assert "create a new lake" in council.ingests(monkeypatch)


def test_spelling_of_one_period_reads_only_its_files_again(council, monkeypatch):
    council.lands("2013.csv", row("a", start="2013-01-01"))
    council.lands("2014.csv", row("b"))
    council.ingests(monkeypatch)
    (council.landing / "visits/2013.csv").unlink()
    council.contract["socare"]["spellings"] = [
        {"column": "NOTE", "also": ["REMARK"], "from": "2014", "to": "2014"}
    ]
    assert council.ingests(monkeypatch) == ""
    assert council.rows("id") == [("a",), ("b",)]
    assert council.rows("id", table="restricted/superseded/visits") == []
    (council.landing / "visits/2014.csv").unlink()
    council.contract["socare"]["spellings"][0]["also"] = ["REMARKS"]
    with pytest.raises(ConfigurationError, match=r"1 of them .*2014"):
        council.ingests(monkeypatch)


def test_file_whose_part_changes_is_read_again(council, monkeypatch):
    council.lands("2014_north.csv", row("a"))
    council.ingests(monkeypatch)
    council.contract["socare"]["files"] = r"visits/(?P<period>\d{4})(_(?P<region>[a-z]{2,}))?\.csv"
    council.ingests(monkeypatch)
    assert council.rows("id") == [("a",)]
    standing = ledger.read_ledger(council.lake).current
    assert [identity[2] for identity in standing] == ["region=north"]


def test_withdrawal_removes_a_file_and_restores_superseded_rows(council, monkeypatch):
    council.lands("2014.csv", row("a", "old"))
    council.lands("2015.csv", row("a", "new"), row("b"), row("", "bad"))
    council.ingests(monkeypatch)

    def withdraws(name):
        context = council.context()
        context.withdraw = (name,)
        JOB.run(context)

    with pytest.raises(ConfigurationError, match=r"close names are visits/2015\.csv"):
        withdraws("visits/2015")
    withdraws("visits/2015.csv")
    assert council.rows("id", "note") == [("a", "old")]
    assert council.rows("id", table="restricted/superseded/visits") == []
    assert council.rows("line", table="restricted/quarantine") == []
    assert not (council.root / "rejected/visits/2015.csv.visits.rejected.csv").exists()
    assert council.ledger()["2014.csv"][:3] == ("amended", 1, 1)
    assert council.ledger()["2015.csv"][0] == "withdrawn"
    check_versions(council.lake)
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "old")]
    assert "visits/2015.csv: not loaded, this content was withdrawn" in warned(council)
    council.lands("2015.csv", row("b", "sent again"))
    council.ingests(monkeypatch)
    assert council.rows("id", "note") == [("a", "old"), ("b", "sent again")]


def test_one_dataset_can_be_read_alone(council, monkeypatch):
    other = yaml.safe_load(yaml.safe_dump(council.contract))
    other["name"] = "calls"
    other["socare"]["files"] = r"calls/(?P<period>\d{4})\.csv"
    council.context()
    (council.conf / "datasets" / "calls.yaml").write_text(yaml.safe_dump(other))
    council.lands("2014.csv", row("a"))
    council.ingests(monkeypatch)
    council.lands("2015.csv", row("b"))
    (council.landing / "calls").mkdir()
    (council.landing / "calls" / "2015.csv").write_text(f"{HEADER}\n{row('c')}\n")

    def reads(*names):
        context = council.context()
        context.only = names
        JOB.run(context)

    with pytest.raises(
        ConfigurationError, match=r"--only call: .*call\.yaml does not exist.* calls"
    ):
        reads("call")
    reads("calls")
    assert council.rows("id", table="restricted/calls") == [("c",)]
    assert council.rows("id") == [("a",)]
    assert {*council.run.landing} == {"calls/2015.csv"}
    assert council.run.warnings == []
    reads("calls", "visits")
    assert council.rows("id") == [("a",), ("b",)]
    shutil.rmtree(council.landing / "calls")
    with pytest.raises(DataError, match=r"No file of .* belongs to calls"):
        reads("calls")
    context = council.context()
    context.only, context.withdraw = ("calls",), ("calls/2015.csv",)
    with pytest.raises(ConfigurationError, match="without --only"):
        JOB.run(context)


def test_a_file_of_two_contracts_has_an_outcome_for_each(council, monkeypatch):
    other = yaml.safe_load(yaml.safe_dump(council.contract))
    other["name"] = "calls"
    other["schema"]["fields"].append(
        {"name": "line_code", "type": "string", "socare": {"keep": "as_is"}}
    )
    council.context()
    (council.conf / "datasets" / "calls.yaml").write_text(yaml.safe_dump(other))
    council.lands("2014.csv", row("a"))
    assert "line_code" in council.ingests(monkeypatch)
    assert council.run.landing == {"visits/2014.csv": "refused (calls), read (visits)"}
