"""A storage through Hadoop: the contract of all storages, on Hadoop's file system of this disk."""

import pytest
from storage_contract import StorageContract

from socare_spark.doctor.store_checks import lock_findings
from socare_spark.errors import ConfigurationError, InfrastructureError, LockedError
from socare_spark.storage import lease
from socare_spark.storage.hadoop import HadoopStorage


@pytest.fixture
def storage(spark, tmp_path):
    return HadoopStorage(spark, f"file://{tmp_path}/storage", tmp_path / "scratch")


class TestHadoopStorage(StorageContract):
    pass


def test_one_job_at_a_time_holds_a_lease_and_unlock_ends_it(spark, storage, monkeypatch):
    monkeypatch.setattr(lease, "TERM", 3)
    other = HadoopStorage(spark, storage.location, storage.drafts.parent / "other")
    storage.check_held()
    with other.held("ingest", "run 0"):
        # A signal can have ended Spark before the lease.
        file_system, other._fs = other._fs, None
    other._fs = file_system
    assert "has no lock" in other.unlock()
    with storage.held("ingest", "run 1"):
        storage.check_held()
        refusing, holder = (finding.text for finding in lock_findings(other))
        assert "refuses a second writer" in refusing
        assert holder.startswith("in use by the job ingest (run run 1)")
        with pytest.raises(LockedError, match="by the job ingest"), other.held("places"):
            pass
        endless = spark.range(10**11, numPartitions=1).selectExpr("sum(hash(id))")
        assert "was held by the job ingest (run run 1)" in other.unlock()
        # The query that runs when the loss is found would commit after it.
        with pytest.raises(Exception, match="cancelled"):
            endless.collect()
        with pytest.raises(InfrastructureError, match="lost the lock"):
            storage.check_held()
    assert "has no lock" in other.unlock()


def test_errors_of_the_store_have_no_message_of_java(storage):
    storage.write("a", b"1")
    with pytest.raises(OSError, match="a/secret") as error:
        storage.write("a/secret", b"1")
    assert isinstance(error.value, ConnectionError)
    assert error.value.strerror.endswith("Exception")
    assert error.value.__cause__ is None


def test_a_scheme_without_classes_is_refused(spark, tmp_path):
    with pytest.raises(ConfigurationError, match=r"no classes for abfss://.*spark.jars.packages"):
        HadoopStorage(spark, "abfss://box@account.dfs.core.windows.net/lake", tmp_path)
