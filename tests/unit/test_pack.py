"""The files that travel to a cluster, and the settings of Spark there."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

from scripts.pack import commands, listing, pack, pack_environment

ROOT = Path(__file__).resolve().parents[2]
SPARK = ROOT / "conf" / "spark"
KUBERNETES = ROOT / "conf" / "kubernetes"
# Settings that depend on the size or the form of a cluster.
OF_A_CLUSTER = re.compile(
    r"spark\.(master|submit|driver\.(memory|maxResult|host|bind|extra)|executor\.|local\.dir|jars"
    r"|yarn\.|kubernetes\.|pyspark\.|authenticate|network|sql\.shuffle|databricks\.delta\.snapshot)"
)


def settings(name):
    lines = (SPARK / name).read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    conf, out, jar = folder / "conf", folder / "out", folder / "delta.jar"
    for name in ("project.yaml", "datasets/a.yaml", "socare.key", "spark/local.conf", ".git/x"):
        (conf / name).parent.mkdir(parents=True, exist_ok=True)
        (conf / name).write_text(name)
    out.mkdir()
    jar.write_bytes(b"jar")
    pack(ROOT, out, conf, [jar])
    return out


def test_the_configuration_travels_without_keys(packed):
    names = zipfile.ZipFile(packed / "conf.zip").namelist()
    assert names == ["datasets/a.yaml", "project.yaml"]


def test_the_context_has_all_files_of_the_image(packed):
    copies = re.findall(r"^COPY (.+) \S+$", (packed / "Dockerfile").read_text(), re.MULTILINE)
    named = {name for line in copies for name in line.split()}
    assert named - {"socare_spark-*.whl"} <= {path.name for path in packed.iterdir()}
    assert "jobs" in named


def test_the_files_are_listed_with_their_sizes(packed):
    lines = listing(packed)
    assert "      0.00 MB  jars/delta.jar" in lines
    assert lines[-1].endswith(f"in {len(lines) - 1} files")


def test_the_commands_name_files_that_exist(packed):
    text = " ".join(commands(packed))
    named = {name.partition("#")[0] for name in re.findall(rf"{packed}[^\s,']*", text)}
    assert {Path(name).name for name in named} >= {"yarn.conf", "delta.jar", "socare_spark.zip"}
    assert all(Path(name).exists() for name in named)


def test_the_environment_links_to_python_of_the_nodes(tmp_path):
    pytest.importorskip("venv_pack")
    environment = tmp_path / "environment"
    venv.EnvBuilder(symlinks=True).create(environment)
    version = "python{}.{}".format(*sys.version_info)
    program = environment / "bin" / version
    if not program.exists():
        program.symlink_to(Path(sys.base_prefix) / "bin" / version)
    before = {path.name: path.readlink() for path in (environment / "bin").glob("python*")}
    pack_environment(environment, tmp_path, "/nodes")
    with tarfile.open(tmp_path / "environment.tar.gz") as archive:
        links = {i.name: i.linkname for i in archive if i.issym() and "/python" in i.name}
        text = archive.extractfile("pyvenv.cfg").read().decode()
    targets = {name for name in links.values() if name.startswith("/")}
    assert targets
    assert {str(Path(name).parent) for name in targets} == {"/nodes/bin"}
    assert {Path(name).name for name in targets} <= {"python", "python3", version}
    assert "home = /nodes/bin\n" in text
    assert {p.name: p.readlink() for p in (environment / "bin").glob("python*")} == before


@pytest.mark.parametrize("name", ["cluster.conf", "yarn.conf", "kubernetes.conf"])
def test_clusters_compute_with_the_settings_of_one_machine(name):
    local, cluster = settings("local.conf"), settings(name)
    shared = {k: v for k, v in local.items() if not OF_A_CLUSTER.match(k)}
    assert shared == {k: v for k, v in cluster.items() if not OF_A_CLUSTER.match(k)}
    for role in ("driver", "executor"):
        options = cluster[f"spark.{role}.extraJavaOptions"]
        assert options == local["spark.executor.extraJavaOptions"]


@pytest.mark.parametrize("name", ["yarn.conf", "kubernetes.conf"])
def test_the_driver_runs_on_the_cluster_and_its_network_is_encrypted(name):
    found = settings(name)
    assert found["spark.submit.deployMode"] == "cluster"
    assert found["spark.authenticate"] == found["spark.network.crypto.enabled"] == "true"
    assert "spark.jars.packages" not in found


def test_the_key_reaches_the_driver_only():
    found = settings("kubernetes.conf")
    secrets = [k for k in found if "secretKeyRef" in k]
    assert secrets == ["spark.kubernetes.driver.secretKeyRef.SOCARE_KEY"]


def test_the_accounts_of_the_settings_are_declared():
    documents = list(yaml.safe_load_all((KUBERNETES / "access.yaml").read_text()))
    accounts = {d["metadata"]["name"] for d in documents if d["kind"] == "ServiceAccount"}
    found = settings("kubernetes.conf")
    prefix = "spark.kubernetes.authenticate"
    used = {found[f"{prefix}.{r}.serviceAccountName"] for r in ("driver", "executor")}
    assert used == accounts
    namespaces = {d["metadata"].get("namespace", d["metadata"]["name"]) for d in documents}
    assert namespaces == {found["spark.kubernetes.namespace"]}


@pytest.fixture
def recorder(tmp_path):
    """A home of Java and of Spark whose programs print their arguments."""
    for name in ("java", "spark-submit"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
        program.chmod(0o700)
    return tmp_path


def entrypoint(home, *arguments, **variables):
    environment = {"PATH": os.environ["PATH"], "JAVA_HOME": str(home), "SPARK_HOME": str(home)}
    command = [str(KUBERNETES / "entrypoint.sh"), *arguments]
    done = subprocess.run(
        command, env=environment | variables, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_the_image_starts_a_driver(recorder):
    given = ["--properties-file", "a b", "local:///opt/socare/jobs/study.py"]
    lines = entrypoint(recorder, "driver", *given, SPARK_DRIVER_BIND_ADDRESS="10.0.0.1")
    assert lines == [
        f"{recorder}/bin/spark-submit",
        *("--deploy-mode", "client"),
        *("--conf", "spark.driver.bindAddress=10.0.0.1"),
        *given,
    ]


def test_the_image_starts_an_executor(recorder):
    variables = {
        "SPARK_JAVA_OPT_0": "-Dlog4j2.level=OFF",
        "SPARK_JAVA_OPT_1": "-Dname=a b",
        "SPARK_EXECUTOR_MEMORY": "4g",
        "SPARK_EXTRA_CLASSPATH": "/opt/socare/jars/*",
        "SPARK_DRIVER_URL": "spark://driver",
        "SPARK_EXECUTOR_ID": "7",
        "SPARK_EXECUTOR_CORES": "2",
        "SPARK_APPLICATION_ID": "spark-1",
        "SPARK_EXECUTOR_POD_IP": "10.0.0.2",
        "SPARK_RESOURCE_PROFILE_ID": "0",
        "SPARK_EXECUTOR_POD_NAME": "pod-7",
    }
    lines = entrypoint(recorder, "executor", **variables)
    assert lines[:6] == [
        f"{recorder}/bin/java",
        "-Dlog4j2.level=OFF",
        "-Dname=a b",
        "-Xms4g",
        "-Xmx4g",
        "-cp",
    ]
    assert lines[6] == f"{recorder}/conf:{recorder}/jars/*:/opt/socare/jars/*"
    values = dict(zip(lines[8::2], lines[9::2], strict=True))
    assert values["--podName"] == "pod-7"
    assert values["--driver-url"] == "spark://driver"
    assert len(values) == 7
