"""The contracts of storages and of their locks, on servers of S3 and HDFS."""

import pytest
from lease_contract import LeaseContract
from storage_contract import StorageContract

from socare_spark.storage.hadoop import HadoopStorage


@pytest.fixture
def storage(spark, store, tmp_path):
    return HadoopStorage(spark, f"{store}/council/storage", tmp_path / "scratch")


class TestStorage(StorageContract):
    pass


class TestLease(LeaseContract):
    pass
