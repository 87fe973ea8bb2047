"""Jobs on stores as an operator runs them: exit codes, messages, and no secret anywhere."""

import json
import signal
import stat
import subprocess
import time

import pytest
from council import KEY, RemoteCouncil
from processes import ROOT, prepared, submit
from servers import SECRET, Gateway, free_port

TRACES = ("Traceback", "at org.apache", "py4j")
# Without these, Hadoop tries for minutes to reach a server that is gone.
IMPATIENT = {
    "fs.s3a.retry.limit": "2",
    "fs.s3a.attempts.maximum": "2",
    "ipc.client.connect.max.retries": "2",
}


@pytest.fixture
def council(spark, tmp_path, store):
    return landed(RemoteCouncil(spark, tmp_path / "council", store=store))


@pytest.fixture
def council_on_s3(spark, tmp_path, bucket):
    return landed(RemoteCouncil(spark, tmp_path / "council", store=bucket))


def landed(council):
    council.lands("2015.csv", "a,7,1950-06-15,2015-03-01,,,F,B1 1AA,,SMITH")
    council.context()
    return council


def arguments(council, **other):
    given = {"lake": f"{council.store}/lake", "landing": f"{council.store}/landing", **other}
    options = [part for key, value in given.items() for part in (f"--{key}", value)]
    return ("ingest", *options, "--conf", council.conf, "--mlflow", "off")


def environment(folder, settings, **other):
    """Variables with a properties file of these settings."""
    path = folder / "spark.conf"
    text = (ROOT / "conf" / "spark" / "local.conf").read_text()
    lines = [f"spark.hadoop.{key} {value}" for key, value in (settings | IMPATIENT).items()]
    path.write_text("\n".join([text, *lines]))
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return {"SOCARE_SPARK_CONF": str(path), "SOCARE_KEY": KEY, **other}


def output(process, *, code):
    """What a job printed: a message without a trace and without a secret."""
    text = process.stdout + process.stderr
    assert process.returncode == code, text
    assert not [trace for trace in TRACES if trace in text], text
    assert SECRET not in text
    return text


def assert_without_secret(folder, *secrets):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    assert paths
    found = [path for path in paths for secret in secrets if secret.encode() in path.read_bytes()]
    assert found == []


def test_wrong_credentials_end_with_4_and_are_in_no_record(council_on_s3, s3, tmp_path):
    secret = "another-secret-that-is-wrong"
    given = environment(tmp_path, s3.settings(secret=secret))
    text = output(
        submit(*arguments(council_on_s3, lake=tmp_path / "lake"), environment=given), code=4
    )
    assert "credentials" in text
    assert secret not in text
    assert_without_secret(tmp_path / "lake", secret, SECRET)
    (record,) = (tmp_path / "lake" / "runs").glob("*/run_record.json")
    assert json.loads(record.read_text())["status"] == "failed"
    text = output(submit(*arguments(council_on_s3), environment=given), code=4)
    assert secret not in text


def test_another_user_of_hdfs_ends_with_4(spark, hdfs_folder, tmp_path):
    council = landed(RemoteCouncil(spark, tmp_path / "council", store=hdfs_folder))
    given = environment(tmp_path, {}, HADOOP_USER_NAME="somebody")
    text = output(submit(*arguments(council), environment=given), code=4)
    assert "rights" in text


def test_a_scheme_without_classes_ends_with_2(council_on_s3, s3, tmp_path):
    given = environment(tmp_path, s3.settings(), SOCARE_MORE_JARS="")
    text = output(submit(*arguments(council_on_s3), environment=given), code=2)
    assert "hadoop-aws" in text


def test_a_server_that_does_not_answer_ends_with_6(council, hdfs, tmp_path):
    dead = free_port()
    settings = {"fs.s3a.endpoint": f"http://127.0.0.1:{dead}", "fs.s3a.access.key": "k"}
    council.store = council.store.replace(hdfs.uri, f"hdfs://127.0.0.1:{dead}")
    given = environment(tmp_path, settings | {"fs.s3a.secret.key": SECRET})
    text = output(submit(*arguments(council), environment=given), code=6)
    assert "connection" in text


def test_a_full_store_ends_with_6_and_a_larger_one_is_filled(spark, hdfs_folder, tmp_path):
    council = landed(RemoteCouncil(spark, tmp_path / "council", store=hdfs_folder))
    files = council.lake.storage._fs
    path = council.lake.storage._path("")
    files.mkdirs(path)
    given = environment(tmp_path, {})
    # Room for names but not for a block of data.
    files.setQuota(path, 1_000_000, 1_000_000)
    output(submit(*arguments(council), environment=given), code=6)
    files.setQuota(path, 1_000_000, 1 << 40)
    output(submit(*arguments(council), environment=given), code=0)
    assert council.rows("id") == [("a",)]


@pytest.mark.parametrize(
    "moment", ["restricted/_stage", "restricted/visits/_delta_log/00000000000000000000.json"]
)
def test_a_server_that_vanishes_ends_with_6_and_a_rerun_is_clean(
    spark, tmp_path, s3_session, moment
):
    """The server of this test is its own, so that others find theirs."""
    folder = tmp_path / "s3"
    folder.mkdir()
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    with Gateway(folder) as gateway:
        # Hadoop keeps a client for each bucket.
        bucket = gateway.bucket(f"vanishing-{gateway.port}")
        for key, value in gateway.settings().items():
            conf.set(key.replace("fs.s3a.", f"fs.s3a.bucket.{bucket}."), value)
        council = RemoteCouncil(spark, tmp_path / "council", store=f"s3a://{bucket}")
        landed(council)
        given = environment(tmp_path, gateway.settings())
        command, variables = prepared(*arguments(council), environment=given)
        process = subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        wanted = gateway.folder / bucket / "lake" / moment
        while not wanted.exists() and process.poll() is None:
            time.sleep(0.02)
        gateway.stop(signal.SIGKILL)
        printed, errors = process.communicate(timeout=300)
        ended = subprocess.CompletedProcess(command, process.returncode, printed, errors)
        text = output(ended, code=6)
        assert "run the same command again" in text
        gateway.start()
        # The run could not release its lock.
        output(submit(*arguments(council), "--unlock", environment=given), code=0)
        output(submit(*arguments(council), environment=given), code=0)
        assert council.rows("id") == [("a",)]
        assert_without_secret(gateway.folder / bucket, SECRET)
