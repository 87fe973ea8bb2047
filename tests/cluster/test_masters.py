"""The same tables whichever way the work is cut: one process, two executors, a cluster."""

import os
import re
import subprocess
import time
from decimal import Decimal

import deltalake
import pytest
from processes import ROOT, submit, twin
from studies import run_here

from socare_spark.errors import ExitCode
from socare_spark.registry import JOBS

slow = pytest.mark.skipif(
    os.environ.get("SOCARE_MASTERS") != "1", reason="four whole studies: set SOCARE_MASTERS=1"
)
SCALE = 0.004
RANDOM = {"run_id", "at", "source_file"}


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    return twin(tmp_path_factory.mktemp("masters") / "landing", SCALE)


@pytest.fixture(scope="module")
def standalone():
    """A master with two workers on this machine."""
    spark = os.environ["SPARK_HOME"]
    java = os.path.join(os.environ["JAVA_HOME"], "bin", "java")
    base = [java, "-cp", f"{spark}/jars/*", "-Xmx256m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # Not started by spark-class, which would have said so.
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_SCALA_VERSION": "2.13"}
    port = 17077
    kind = "org.apache.spark.deploy"
    processes = [
        subprocess.Popen(
            [
                *base,
                f"{kind}.master.Master",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--webui-port",
                "0",
            ],
            env=environment,
            **quiet,
        )
    ]
    time.sleep(4)
    for _ in range(2):
        processes.append(
            subprocess.Popen(
                [
                    *base,
                    f"{kind}.worker.Worker",
                    "--cores",
                    "1",
                    "--memory",
                    "1536m",
                    "--webui-port",
                    "0",
                    f"spark://127.0.0.1:{port}",
                ],
                env=environment,
                cwd="/tmp",
                **quiet,
            )
        )
    yield f"spark://127.0.0.1:{port}"
    for process in processes:
        process.terminate()
        process.wait(30)


def small(folder):
    """Settings with which executors, too, start sooner on small data."""
    path, line = folder / "spark.conf", "spark.executor.extraJavaOptions "
    text = (ROOT / "conf/spark/local.conf").read_text("utf-8")
    assert line in text
    path.write_text(text.replace(line, f"{line} -XX:TieredStopAtLevel=1"), "utf-8")
    return path


def study(root, landing, master=None, *jobs, conf=None):
    given = {"SOCARE_DRIVER_MEMORY": "2g"} | ({"SOCARE_MASTER": master} if master else {})
    given |= {"SOCARE_SPARK_CONF": str(conf)} if conf else {}
    lake = root / re.sub(r"\W+", "_", master or "local")
    done = submit(
        "study",
        "--landing",
        landing,
        "--lake",
        lake,
        "--mlflow",
        "off",
        *(("--jobs", *jobs) if jobs else ()),
        environment=given,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return lake


@pytest.fixture(scope="module")
def local(tmp_path_factory, landing):
    root = tmp_path_factory.mktemp("lakes")
    return root, study(root, landing)


def tables(lake):
    logs = sorted(lake.rglob("_delta_log"))
    return {
        str(p.parent.relative_to(lake)): deltalake.DeltaTable(p.parent).to_pandas() for p in logs
    }


def rows(frame):
    """Rows without what differs from run to run, in an order of their own."""
    names = sorted(set(frame.columns) - RANDOM)
    plain = frame[names].astype(object).where(frame[names].notna(), None)
    return sorted(plain.itertuples(index=False, name=None), key=lambda r: str(exact(r)))


def exact(row):
    return [v for v in row if not isinstance(v, float)]


def close(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == pytest.approx(b, rel=1e-9, abs=1e-9)
    if isinstance(a, Decimal) or not hasattr(a, "__len__") or isinstance(a, (str, bytes)):
        return a == b
    return list(a) == list(b)


def assert_same(one, other):
    left, right = tables(one), tables(other)
    assert left.keys() == right.keys()
    for name, frame in left.items():
        ours, theirs = rows(frame), rows(right[name])
        assert len(ours) == len(theirs), name
        for a, b in zip(ours, theirs, strict=True):
            assert all(close(x, y) for x, y in zip(a, b, strict=True)), name


def test_two_executors_give_the_tables_of_local_mode_for_some_jobs(spark_session, tmp_path):
    """The jobs run in the order of the study, whatever the order in which they are named."""
    landing = twin(tmp_path / "landing", 0.002, datasets=("children_assessments", "requests"))
    local = tmp_path / "here"
    some = [job for job in JOBS if job.name in ("ingest", "requests")]
    given = ("--landing", str(landing), "--mlflow", "off")
    assert run_here(spark_session, local, some, *given, key="demo") == ExitCode.DONE
    master = "local-cluster[2,1,1024]"
    executors = study(tmp_path, landing, master, "requests", "ingest", conf=small(tmp_path))
    assert_same(local / "lake", executors)


@slow
def test_two_executors_give_the_tables_of_local_mode(local, landing):
    root, ours = local
    assert_same(ours, study(root, landing, "local-cluster[2,1,1536]"))


@slow
def test_standalone_cluster_gives_the_tables_of_local_mode(local, landing, standalone):
    root, ours = local
    assert_same(ours, study(root, landing, standalone))


@slow
def test_a_second_study_gives_no_table_a_new_version(local, landing):
    root, lake = local
    before = {n: deltalake.DeltaTable(lake / n).version() for n in tables(lake)}
    runs = len(list((lake / "runs").iterdir()))
    study(root, landing)
    assert {n: deltalake.DeltaTable(lake / n).version() for n in tables(lake)} == before
    assert len(list((lake / "runs").iterdir())) > runs
