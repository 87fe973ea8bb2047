"""The DAG of the study runs in a real Airflow, and exit codes become states of tasks."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from processes import ROOT, twin

FOLDER = ROOT / "conf" / "airflow"
# Runs in the process of Airflow: the exception with which a task ends, by exit code.
STATES = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("dag", sys.argv[1])
dag = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dag)
try:
    dag.dag.get_task(sys.argv[2]).execute({})
    print("state", "success")
except Exception as error:
    print("state", type(error).__name__)
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """A function that runs a command of Airflow's environment."""
    binaries = Path(os.environ.get("SOCARE_AIRFLOW", "")) / "bin"
    if not (binaries / "airflow").is_file():
        pytest.skip("No Airflow: scripts/test airflow installs it.")
    home = tmp_path_factory.mktemp("airflow")
    (home / "empty").mkdir()
    base = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps({"conn_type": "spark", "host": "local[2]"}),
        "SOCARE_ROOT": str(ROOT),
        "SOCARE_LAKE": str(home / "lake"),
        "SOCARE_LANDING": str(home / "landing"),
    }

    def run(program, *arguments, **environment):
        return subprocess.run(
            [str(binaries / program), *map(str, arguments)],
            env=base | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    run.home = home
    migrated = run("airflow", "db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return run


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, "success"),
        (3, "success"),
        (5, "AirflowSkipException"),
        (6, "AirflowException"),
        (2, "AirflowFailException"),
        (1, "AirflowFailException"),
    ],
)
def test_an_exit_code_becomes_a_state(airflow, tmp_path, code, state):
    submit = tmp_path / "spark-submit"
    submit.write_text(f"#!/bin/sh\nexit {code}\n")
    submit.chmod(0o700)
    path = f"{tmp_path}:{os.environ['PATH']}"
    ran = airflow("python", "-c", STATES, FOLDER / "socare_study.py", "use", PATH=path)
    assert f"state {state}\n" in ran.stdout, ran.stderr[-2000:]


def test_the_study_runs_as_a_dag(airflow):
    twin(airflow.home / "landing", 0.002)
    jars = os.environ["SOCARE_JARS"]
    ran = airflow(
        "airflow", "dags", "test", "socare_study", "2024-01-01",
        SOCARE_KEY="demo",
        SOCARE_SPARK_CONF=str(ROOT / "conf" / "spark" / "local.conf"),
        SOCARE_CLASS_PATH=f"{os.environ['SPARK_HOME']}/jars/*:{jars}",
        PYTHONPATH=str(ROOT),
    )  # fmt: skip
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-4000:]
    records = [*(airflow.home / "lake" / "runs").glob("*/run_record.json")]
    ended = {(r := json.loads(path.read_text()))["job"]: r["status"] for path in records}
    jobs = json.loads((FOLDER / "tables.json").read_text())
    assert ended == dict.fromkeys(jobs, "done")
    written = {
        p.parent.relative_to(airflow.home / "lake").as_posix()
        for p in (airflow.home / "lake").rglob("_delta_log")
    }
    assert written >= {*jobs["ingest"][:-3], *jobs["flow"], *jobs["cross_service"]}
