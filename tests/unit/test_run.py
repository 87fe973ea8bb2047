"""Records of runs whose process is gone are closed, and the code version names the jobs' code."""

import json

import pytest

from socare_spark.storage.local import LocalStorage
from socare_spark.tracking import run as run_module
from socare_spark.tracking.run import Run, close_dead_runs, code_version


def test_run_record_of_a_dead_run_is_closed(tmp_path):
    lake = LocalStorage(tmp_path)
    dead, done = Run("ingest", lake, {}), Run("places", lake, {})
    dead.save()
    done.finish("done")
    lake.write("runs/torn/run_record.json", b'{"status": "running"')
    assert close_dead_runs(lake) == [dead.run_id]
    assert json.loads(lake.read(dead.record))["status"] == "broken off"
    assert json.loads(lake.read(done.record))["status"] == "done"
    assert close_dead_runs(lake) == []


@pytest.fixture
def package(tmp_path, monkeypatch):
    for folder in ("twin/requests", "lake", "analyses/twin"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "constants.py").write_text("SIZE = 1\n")
    monkeypatch.setattr(run_module, "files", lambda _package: tmp_path)
    return tmp_path


def version_after(change):
    before = code_version.__wrapped__()
    change()
    return before, code_version.__wrapped__()


@pytest.mark.parametrize("name", ["lake/constants.py", "analyses/twin/constants.py", "new.py"])
def test_code_version_follows_the_code_of_the_jobs(package, name):
    before, after = version_after(lambda: (package / name).write_text("SIZE = 2\n"))
    assert before != after


@pytest.mark.parametrize("name", ["twin/requests/constants.py", "twin/new.py"])
def test_code_version_does_not_follow_the_generator_of_synthetic_data(package, name):
    before, after = version_after(lambda: (package / name).write_text("SIZE = 2\n"))
    assert before == after
