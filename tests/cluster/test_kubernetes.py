"""spark-submit to Kubernetes: its objects have the declared image, account and key."""

from pathlib import Path

import pytest
import yaml
from kubernetes_api import KubernetesApi
from processes import submit

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf" / "spark" / "kubernetes.conf"
TEMPLATE = ROOT / "conf" / "kubernetes" / "pod-template.yaml"
JOB = ["local:///opt/socare/jobs/study.py", "--lake", "s3a://bucket/lake"]
SECRET = "planted" * 6


@pytest.fixture(scope="module")
def submitted(tmp_path_factory):
    """The API server after one submission, and the output of scripts/submit."""
    pack = tmp_path_factory.mktemp("pack")
    (pack / "conf.zip").touch()
    (pack / TEMPLATE.name).write_bytes(TEMPLATE.read_bytes())
    with KubernetesApi(exit_code=3) as api:
        environment = {
            "SOCARE_SPARK_CONF": str(CONF),
            "SOCARE_MASTER": api.master,
            "SOCARE_PACK": str(pack),
            # A home without the settings of another cluster.
            "HOME": str(tmp_path_factory.mktemp("home")),
            "SOCARE_KEY": SECRET,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
        done = submit("study", *JOB[1:], environment=environment, timeout=300)
    return api, done


@pytest.fixture(scope="module")
def driver(submitted):
    (pod,) = submitted[0].of_kind("Pod")
    return pod["spec"]


def settings(path):
    lines = path.read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def test_the_driver_has_the_declared_image_account_and_job(driver):
    declared = settings(CONF)
    (container,) = driver["containers"]
    assert container["image"] == declared["spark.kubernetes.container.image"]
    account = declared["spark.kubernetes.authenticate.driver.serviceAccountName"]
    assert driver["serviceAccountName"] == account
    assert container["args"][-3:] == JOB


def test_the_pod_has_the_rights_of_the_template(driver):
    declared = yaml.safe_load(TEMPLATE.read_text())["spec"]
    assert driver["securityContext"] == declared["securityContext"]
    context = driver["containers"][0]["securityContext"]
    assert context == declared["containers"][0]["securityContext"]


def test_the_key_is_a_reference_to_a_secret(driver):
    variables = {v["name"]: v for v in driver["containers"][0]["env"]}
    assert variables["SOCARE_KEY"] == {
        "name": "SOCARE_KEY",
        "valueFrom": {"secretKeyRef": {"name": "socare-key", "key": "key"}},
    }


def test_the_settings_travel_and_no_secret_does(submitted):
    api, done = submitted
    maps = {k: v for o in api.of_kind("ConfigMap") for k, v in o["data"].items()}
    sent = maps["spark.properties"]
    assert "spark.sql.extensions" in sent
    # Spark writes no secret of its own authentication either.
    assert "spark.authenticate.secret=" not in sent
    assert SECRET not in str(api.made)
    assert SECRET not in done.stdout + done.stderr


def test_temporary_data_are_in_a_volume_of_the_pod(driver):
    folder = settings(CONF)["spark.local.dir"]
    mounts = {m["mountPath"]: m["name"] for m in driver["containers"][0]["volumeMounts"]}
    volumes = {v["name"]: v for v in driver["volumes"]}
    assert volumes[mounts[folder]]["emptyDir"] == {}


def test_the_submission_ends_with_the_code_of_the_job(submitted):
    assert submitted[1].returncode == 3


def test_a_secret_in_the_settings_is_refused(tmp_path):
    conf = tmp_path / "kubernetes.conf"
    conf.write_text(CONF.read_text() + f"spark.hadoop.fs.s3a.secret.key {SECRET}\n")
    (tmp_path / "conf.zip").touch()
    environment = {"SOCARE_SPARK_CONF": str(conf), "SOCARE_PACK": str(tmp_path)}
    environment |= {"SOCARE_MASTER": "k8s://http://127.0.0.1:9"}
    done = submit("study", *JOB[1:], environment=environment)
    assert done.returncode == 2
    assert "spark.hadoop.fs.s3a.secret.key" in done.stderr
    assert SECRET not in done.stderr
