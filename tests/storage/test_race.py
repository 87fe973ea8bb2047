"""Two writers of one table: the reason why a lake has one writer at a time.

Spark looks whether a commit exists and then writes it. Here delta-rs makes the same commit between
the two, while Spark fetches the actions that it writes.
"""

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from py4j.protocol import Py4JJavaError
from pyspark.java_gateway import ensure_callback_server_started

from socare_spark.storage.hadoop import HadoopStorage

COMMIT = "table/_delta_log/00000000000000000001.json"
ACTION = '{"commitInfo":{"operation":"SPARK"}}'


class Actions:
    """An iterator of Java over one action, which calls a function first."""

    class Java:
        implements = ("java.util.Iterator",)

    def __init__(self, before):
        self.before, self.actions = before, [ACTION]

    def hasNext(self):
        self.before()
        self.before = lambda: None
        return bool(self.actions)

    def next(self):
        return self.actions.pop()


def race(spark, storage):
    """Commits one version of a table by delta-rs and by Spark."""
    uri, options = storage.uri("table"), storage.delta_options()

    def rival():
        write_deltalake(uri, pa.table({"n": [2]}), mode="append", storage_options=options)
        assert rows(storage) == [1, 2]

    write_deltalake(uri, pa.table({"n": [1]}), storage_options=options)
    context = spark.sparkContext
    ensure_callback_server_started(context._gateway)
    jvm = context._jvm
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, uri)
    actions = jvm.scala.jdk.javaapi.CollectionConverters.asScala(Actions(rival))
    path = jvm.org.apache.hadoop.fs.Path(storage.uri(COMMIT))
    log.store().write(path, actions, False, log.newDeltaHadoopConf())


def rows(storage):
    table = DeltaTable(storage.uri("table"), storage_options=storage.delta_options())
    return sorted(table.to_pyarrow_table()["n"].to_pylist())


@pytest.fixture
def storage(spark, tmp_path, store):
    return HadoopStorage(spark, store, tmp_path / "scratch")


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_on_s3_spark_replaces_a_commit_that_delta_rs_has_acknowledged(spark, storage):
    race(spark, storage)
    assert storage.read(COMMIT).decode().strip() == ACTION
    assert rows(storage) == [1]


@pytest.mark.parametrize("store", ["hdfs"], indirect=True)
def test_on_hdfs_spark_is_refused(spark, storage):
    with pytest.raises(Py4JJavaError, match="FileAlreadyExistsException"):
        race(spark, storage)
    assert rows(storage) == [1, 2]
