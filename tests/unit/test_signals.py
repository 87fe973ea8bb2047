"""A signal ends a job with its record closed; a panic of a library is a fault of the disk."""

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from socare_spark import cli
from socare_spark.analysis import Job
from socare_spark.errors import ExitCode
from socare_spark.lake.pool import worker_pool

CONF = Path(__file__).parents[2] / "conf"


def runs(tmp_path, work, monkeypatch, context=None):
    """Runs a job without a session; returns its ending and the status of its record."""
    (tmp_path / "conf").mkdir()
    if context is None:
        # The session of other tests in this process must not end with the job.
        monkeypatch.setattr(cli, "_stop_spark", lambda: None)
    else:
        monkeypatch.setattr(cli.SparkContext, "_active_spark_context", context)
    session = SimpleNamespace(stop=lambda: None, sparkContext=SimpleNamespace(master="local[2]"))
    monkeypatch.setattr(cli, "open_session", lambda *_: session)
    monkeypatch.setattr(cli, "local_folders", lambda: [tmp_path])
    job = Job("works", "Works.", work, lambda _: [], ())
    arguments = ["--lake", str(tmp_path / "lake"), "--conf", str(tmp_path / "conf")]
    try:
        ending = cli.main(job, [*arguments, "--mlflow", "off"])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    (record,) = (tmp_path / "lake" / "runs").glob("*/run_record.json")
    return ending, json.loads(record.read_text())["status"]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_job_in_one_sentence(tmp_path, sign, monkeypatch, capsys):
    ending = runs(tmp_path, lambda _: os.kill(os.getpid(), sign), monkeypatch)
    assert ending == (128 + sign, "interrupted")
    said = capsys.readouterr().err
    assert "Ended on request; every table is at its last commit." in said
    assert "Traceback" not in said


def test_failed_undo_does_not_report_consistent_tables(tmp_path, monkeypatch, capsys):
    def breaks_off(context):
        (context.lake.storage.root / "unfinished.json").write_text("{}")
        raise RuntimeError("an undo failed")

    assert runs(tmp_path, breaks_off, monkeypatch) == (ExitCode.FAULT, "failed")
    assert "last commit" not in capsys.readouterr().err


def test_panic_of_the_storage_library_is_an_infrastructure_error(tmp_path, monkeypatch, capsys):
    class PanicException(BaseException):
        pass

    def panics(_):
        raise PanicException("No space left on device")

    assert runs(tmp_path, panics, monkeypatch) == (ExitCode.INFRASTRUCTURE, "failed")
    assert "Traceback" not in capsys.readouterr().err


def test_a_signal_does_not_wait_for_queries(tmp_path, monkeypatch):
    stopped = threading.Event()
    stop = SimpleNamespace(stop=stopped.set)
    context = SimpleNamespace(_jsc=SimpleNamespace(sc=lambda: stop))
    ends = []

    def works(_):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: ends.append(stopped.wait(60)))
            os.kill(os.getpid(), signal.SIGINT)

    ending = runs(tmp_path, works, monkeypatch, context)
    assert ending == (128 + signal.SIGINT, "interrupted")
    assert ends == [True]


def test_a_pool_has_ended_before_a_signal_goes_on():
    ends = []

    def beside():
        time.sleep(0.5)
        ends.append("ended")

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt), worker_pool(1) as pool:
            pool.submit(beside)
            pool.submit(beside)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert ends == ["ended"]


def test_dry_run_after_a_killed_run_announces_the_repair(tmp_path, monkeypatch, capsys):
    lake = tmp_path / "lake"
    lake.mkdir()
    (lake / "unfinished.json").write_text('{"restricted/one": 1}')
    (lake / "versions.json").write_text('{"restricted/one": 1}')
    session = SimpleNamespace(stop=lambda: None, sparkContext=SimpleNamespace(master="local[2]"))
    monkeypatch.setattr(cli, "open_session", lambda *_: session)
    monkeypatch.setattr(cli, "local_folders", lambda: [tmp_path])
    job = Job("works", "Works.", lambda _: None, lambda _: ["reads  nothing"], ())
    arguments = ["--lake", str(lake), "--conf", str(CONF), "--dry-run"]
    assert cli.main(job, arguments) == ExitCode.DONE
    assert "the next run restores its tables first" in capsys.readouterr().err
    assert (lake / "unfinished.json").exists()
