"""What an operator sees: exit codes, one sentence, no trace; signals and locks."""

import fcntl
import json
import os
import signal
import subprocess
import time

import pytest
from processes import prepared, submit, twin

slow = pytest.mark.skipif(
    os.environ.get("SOCARE_MASTERS") != "1", reason="takes minutes: set SOCARE_MASTERS=1"
)
TRACES = ("Traceback", "Exception", "at org.apache", "py4j", '{"ts"')


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    # Files of the first are refused, rows of the second are superseded.
    datasets = ("agreements_closed", "children_assessments")
    return twin(tmp_path_factory.mktemp("op") / "landing", 0.002, "files", datasets=datasets)


def said(process, *, code):
    """The operator's text: one sentence for the code, and nothing of Java or Python."""
    text = process.stdout + process.stderr
    assert process.returncode == code, text
    assert not [t for t in TRACES if t in text], text
    return text


def test_usage_errors_exit_with_2(tmp_path):
    text = said(submit("study", "--lake", tmp_path, "--jobs", "flow", "flows"), code=2)
    assert "cross_service" in text
    assert not (tmp_path / "working").exists()


def test_configuration_errors_exit_with_2(tmp_path, landing):
    text = said(
        submit("ingest", "--lake", tmp_path / "lake", "--landing", landing, "--conf", tmp_path),
        code=2,
    )
    assert "conf" in text


def test_missing_key_exits_with_4(tmp_path, landing):
    text = said(
        submit(
            "ingest",
            "--lake",
            tmp_path / "lake",
            "--landing",
            landing,
            environment={"SOCARE_KEY": ""},
        ),
        code=4,
    )
    assert "SOCARE_KEY_FILE" in text


def test_a_locked_lake(tmp_path, landing):
    with (tmp_path / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = said(submit("ingest", "--lake", tmp_path, "--landing", landing), code=5)
    assert "in use" in text


@slow
def test_a_dead_tracking_server_and_refused_files(tmp_path, landing):
    began = time.monotonic()
    process = submit(
        "ingest",
        "--lake",
        tmp_path / "lake",
        "--landing",
        landing,
        "--mlflow",
        "http://127.0.0.1:9",
    )
    text = said(process, code=3)
    assert "not mirrored to MLflow" in text
    refused = [n for n, f in truth(landing).items() if f["status"] == "refused"]
    assert refused
    assert all(name in text for name in refused)
    records = list((tmp_path / "lake/runs").glob("*/run_record.json"))
    assert json.loads(records[0].read_text())["status"] == "done with refusals"
    assert time.monotonic() - began < 300


def truth(landing):
    return json.loads((landing / "truth.json").read_text())["files"]


def test_a_dry_run_writes_nothing(tmp_path, landing):
    text = said(
        submit("ingest", "--lake", tmp_path / "lake", "--landing", landing, "--dry-run"), code=0
    )
    assert "reads  agreements_closed/agreements_closed_2015.csv (new)" in text
    assert not list((tmp_path / "lake").rglob("*.parquet"))


@pytest.mark.parametrize(
    "sign",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=slow),
        pytest.param(signal.SIGINT, marks=slow),
    ],
)
def test_a_job_that_is_ended_leaves_tables_whole(tmp_path, landing, sign):
    lake = tmp_path / "lake"
    arguments = ("--landing", landing, "--lake", lake, "--mlflow", "off")
    command, given = prepared("ingest", *arguments)
    process = subprocess.Popen(
        command,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not (lake / "restricted" / "superseded").is_dir() and time.monotonic() < deadline:
        time.sleep(0.1)
    if sign == signal.SIGTERM:
        process.send_signal(sign)
    else:
        # As a terminal does it: Java and Python get the signal alike.
        os.killpg(process.pid, sign)
    text, _ = process.communicate(timeout=120)
    assert process.returncode != 0, text
    if sign == signal.SIGINT:
        assert process.returncode == 128 + sign
        assert "Ended on request; " in text
    again = submit("ingest", *arguments)
    assert again.returncode == 3, again.stderr
    kept = {n: f["rows_kept"] for n, f in truth(landing).items() if f["status"] != "refused"}
    entries = {}
    for record in (lake / "runs").glob("*/run_record.json"):
        for entry in json.loads(record.read_text())["ledger"]:
            entries[entry["file"]] = entry["rows_kept"]
    assert {n: entries[n] for n in kept} == kept
