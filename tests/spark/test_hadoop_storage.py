"""A storage through Hadoop: the contract of all storages, on Hadoop's file system of this disk."""

import pytest
from storage_contract import StorageContract

from socare_spark.errors import ConfigurationError
from socare_spark.storage.hadoop import HadoopStorage


@pytest.fixture
def storage(spark, tmp_path):
    return HadoopStorage(spark, f"file://{tmp_path}/storage", tmp_path / "scratch")


class TestHadoopStorage(StorageContract):
    pass


def test_a_lake_without_a_lock_is_refused(storage):
    with pytest.raises(ConfigurationError, match="is not supported yet"), storage.held("ingest"):
        pass


def test_errors_of_the_store_have_no_message_of_java(storage):
    storage.write("a", b"1")
    with pytest.raises(OSError, match="a/secret") as error:
        storage.write("a/secret", b"1")
    assert isinstance(error.value, ConnectionError)
    assert error.value.strerror.endswith("Exception")
    assert error.value.__cause__ is None
