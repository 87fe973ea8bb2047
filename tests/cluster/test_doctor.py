"""doctor as an operator runs it, and executors that do not see a folder of the driver."""

import json

import pytest
from processes import submit, twin

CLUSTER = {"SOCARE_MASTER": "local-cluster[2,1,1024]", "SOCARE_DRIVER_MEMORY": "1g"}
# Each process has its own folder at /proc/self/cwd, as machines without a shared folder have.
VIEWS = """
import json, os, sys
from socare_spark.executor_view import executor_views
from socare_spark.session import open_session

spark = open_session("views")
shared, own = sys.argv[1], "/proc/self/cwd/own"
for path in (shared, own):
    with open(path, "w") as file:
        file.write("1")
views = executor_views(spark, {shared: 1, own: 1})
print("VIEWS", json.dumps([view.missing for view in views]))
spark.stop()
"""


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    return twin(tmp_path_factory.mktemp("doctor") / "landing", 0.002)


def test_a_sound_cluster(tmp_path, landing):
    lake = tmp_path / "lake"
    lake.mkdir(mode=0o700)
    given = ("--lake", lake, "--landing", landing, "--mlflow", "off")
    done = submit("doctor", *given, environment=CLUSTER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("sees the lake and the landing folder") == 2
    assert "FAULT" not in done.stdout
    assert list(lake.iterdir()) == []
    assert not (landing.parent / "rejected").exists()


def test_a_missing_key_and_a_missing_folder(tmp_path):
    given = ("--lake", tmp_path, "--landing", tmp_path / "none", "--mlflow", "off")
    done = submit("doctor", *given, environment={"SOCARE_KEY": ""})
    assert done.returncode == 4, done.stdout + done.stderr
    faults = [line for line in done.stdout.splitlines() if line.startswith("FAULT")]
    assert [line.split()[1] for line in faults] == ["landing", "key"]


def test_executors_without_the_folder_of_the_driver_are_found(tmp_path):
    script = tmp_path / "views.py"
    script.write_text(VIEWS)
    done = submit(script, tmp_path / "shared", environment=CLUSTER)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("VIEWS")]
    assert json.loads(line.removeprefix("VIEWS")) == [["/proc/self/cwd/own"]] * 2
