"""Events of OpenLineage name jobs and tables, and a failure does not end a run."""

import json
import os

import pytest
from rich.console import Console

from socare_spark.lake.lake import Lake
from socare_spark.storage.landing import Landing
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.lineage import Lineage, event_id
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch):
    # The client copies its address to other variables.
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE")]:
        monkeypatch.delenv(name)


@pytest.fixture
def console():
    return Console(record=True, width=200, quiet=False)


@pytest.fixture
def ended_run(tmp_path):
    run = Run("use", LocalStorage(tmp_path / "lake"), {}, run_id="20240101T000000-00000000")
    run.tables_read = {"restricted/tenancies": 3}
    run.files_read = {"tenancies/2015.csv": "digest"}
    run.outputs = {"working/users_by_quarter": {"version": 1, "rows": 2}}
    run.status = "done"
    return run


def lineage_of(tmp_path, console):
    lake, landing = Lake(tmp_path / "lake"), Landing(tmp_path / "landing")
    return Lineage(lake, landing, "socare_spark/tests", Progress(console))


def test_events_have_the_names_of_the_tables(tmp_path, monkeypatch, console, ended_run):
    pytest.importorskip("openlineage.client")
    log = tmp_path / "events.json"
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(log))
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__APPEND", "true")
    lineage = lineage_of(tmp_path, console)
    lineage.begin(ended_run)
    lineage.end(ended_run)
    start, end = (json.loads(line) for line in log.read_text().splitlines())
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert end["run"]["runId"] == start["run"]["runId"] == str(event_id(ended_run.run_id))
    assert end["job"]["namespace"] == "socare_spark/tests"
    assert end["job"]["name"] == "use"
    names = [(each["namespace"], each["name"]) for each in end["inputs"] + end["outputs"]]
    assert names == [
        ("file", f"{tmp_path}/lake/restricted/tenancies"),
        ("file", f"{tmp_path}/landing/tenancies/2015.csv"),
        ("file", f"{tmp_path}/lake/working/users_by_quarter"),
    ]
    assert console.export_text() == ""


def test_a_failure_is_one_note_without_the_address(tmp_path, monkeypatch, console, ended_run):
    pytest.importorskip("openlineage.client")
    monkeypatch.setenv("OPENLINEAGE_URL", "http://user:secret@127.0.0.1:9")
    lineage = lineage_of(tmp_path, console)
    lineage.begin(ended_run)
    ended_run.status = "failed"
    lineage.end(ended_run)
    text = console.export_text()
    assert text.count("no events of OpenLineage are sent") == 1
    assert "secret" not in text


def test_nothing_is_sent_without_a_configuration(tmp_path, console, ended_run):
    lineage = lineage_of(tmp_path, console)
    lineage.begin(ended_run)
    assert console.export_text() == ""
