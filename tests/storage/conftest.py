"""Servers of S3 and HDFS for the session, and folders on them for each test."""

import itertools
import os
from pathlib import Path

import pytest
from servers import BUILT, Gateway, Hdfs

_NAMES = itertools.count()


def _need(*parts):
    missing = [part for part in parts if not (BUILT / f"{part}.version").is_file()]
    if missing:
        pytest.skip(f"{', '.join(missing)} missing in {BUILT}: run scripts/servers build")


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """A server of S3."""
    _need("versitygw", "s3a")
    if Path(os.environ.get("SOCARE_MORE_JARS", "")) != BUILT / "s3a" / "jars":
        pytest.fail("Spark has no jars of S3: run scripts/test storage")
    with Gateway(tmp_path_factory.mktemp("s3")) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory):
    """A NameNode with a DataNode."""
    _need("hdfs")
    with Hdfs(tmp_path_factory.mktemp("hdfs")) as servers:
        yield servers


@pytest.fixture(scope="session")
def s3_session(spark_session, s3):
    """The session with the settings of the server of S3."""
    conf = spark_session.sparkContext._jsc.hadoopConfiguration()
    for key, value in s3.settings().items():
        conf.set(key, value)
    return spark_session


@pytest.fixture
def bucket(s3, s3_session):
    """URI of a new bucket."""
    return f"s3a://{s3.bucket(f'bucket-{next(_NAMES)}')}"


@pytest.fixture
def hdfs_folder(hdfs):
    """URI of a new folder of HDFS."""
    return f"{hdfs.uri}/folder-{next(_NAMES)}"


@pytest.fixture(params=["s3", "hdfs"])
def store(request):
    """URI of a new folder on each server."""
    return request.getfixturevalue({"s3": "bucket", "hdfs": "hdfs_folder"}[request.param])
