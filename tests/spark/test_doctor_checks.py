"""The checks of doctor in a session, and that they leave no file."""

import fcntl
import os
import socket

import pytest

from socare_spark.contracts.project import Project, Scheme
from socare_spark.doctor.session_checks import sedona, versions
from socare_spark.doctor.store_checks import lake_findings, landing_findings, lock_findings
from socare_spark.errors import ConfigurationError, ExitCode, NotPermittedError
from socare_spark.executor_view import executor_views, is_cluster
from socare_spark.ingest.key_check import check_key, describe_key
from socare_spark.ingest.pseudonym import open_keyring
from socare_spark.storage.landing import Landing
from socare_spark.storage.local import LocalStorage

PROJECT = Project(council="c", project="p", key_id="k1", schemes={"a": Scheme()})
KEY = {"SOCARE_KEY": "ab" * 32}


def test_versions_are_those_of_the_declared_packages(spark):
    found = {finding.subject: finding for finding in versions(spark)}
    assert {f.code for f in found.values()} == {ExitCode.DONE}
    assert found["spark"].text == spark.version
    assert found["delta-spark"].text.startswith("4.")
    assert "no version" not in found["delta-spark"].text + found["apache-sedona"].text


def test_sedona_transforms_positions(spark):
    (finding,) = sedona(spark)
    assert finding.code == ExitCode.DONE


def test_one_machine_is_no_cluster_and_its_executor_sees_the_driver(spark, tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    path = str(tmp_path / "a")
    assert not is_cluster(spark)
    (view,) = executor_views(spark, {path: 1})
    assert view.missing == ()
    (view,) = executor_views(spark, {path: 2})
    assert view.missing == (path,)


def test_executors_that_come_and_go_are_asked_without_a_barrier(spark):
    configuration = spark.sparkContext._conf
    configuration.set("spark.dynamicAllocation.enabled", "true")
    try:
        (view,) = executor_views(spark, {})
    finally:
        configuration.set("spark.dynamicAllocation.enabled", "false")
    assert view.address == socket.gethostname()


def test_a_lake_is_written_and_left_as_it_was(tmp_path):
    lake = tmp_path / "lake"
    (finding,) = lake_findings(LocalStorage(lake))
    assert "does not exist yet" in finding.text
    assert not lake.exists()
    lake.mkdir(mode=0o700)
    (finding,) = lake_findings(LocalStorage(lake))
    assert (finding.code, list(lake.iterdir())) == (ExitCode.DONE, [])
    lake.chmod(0o755)
    assert [f.code for f in lake_findings(LocalStorage(lake))][-1] == ExitCode.CONFIGURATION


def test_the_holder_of_the_lock_is_named(tmp_path):
    lake = LocalStorage(tmp_path)
    (finding,) = lock_findings(lake)
    assert finding.text.startswith("free")
    with lake.held("ingest"):
        (finding,) = lock_findings(lake)
        assert f"by the job ingest, process {os.getpid()}" in finding.text
        assert finding.code == ExitCode.DONE
    (finding,) = lock_findings(lake)
    assert finding.text.startswith("free")
    # The check itself must not hold the lock.
    with (tmp_path / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_landing_folder_is_read_and_rejected_beside_it_is_not_left(tmp_path):
    folder = tmp_path / "landing"
    with pytest.raises(ConfigurationError, match="landing"):
        list(landing_findings(Landing(folder)))
    folder.mkdir()
    (folder / "a.csv").touch()
    landing, rejected = landing_findings(Landing(folder))
    assert landing.text.endswith("1 file")
    assert rejected.code == ExitCode.DONE
    assert [path.name for path in tmp_path.iterdir()] == ["landing"]


def test_the_key_is_compared_and_not_shown(spark, tmp_path):
    lake = LocalStorage(tmp_path)
    text = describe_key(PROJECT, lake, KEY)
    assert text == "set in SOCARE_KEY; the lake has no key yet"
    assert list(tmp_path.iterdir()) == []
    check_key(open_keyring(PROJECT, synthetic=False, environment=KEY), lake)
    assert "the same key" in describe_key(PROJECT, lake, KEY)
    with pytest.raises(NotPermittedError, match="another key"):
        describe_key(PROJECT, lake, {"SOCARE_KEY": "cd" * 32})
    with pytest.raises(NotPermittedError, match="No key is set"):
        describe_key(PROJECT, lake, {})
