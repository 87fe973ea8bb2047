"""The pads of a subkey pass from Python to Java in memory: no file holds them on the way."""

import os
from datetime import date

import pytest
from council import KEY, Council
from pyspark import SparkContext

from socare_spark.contracts.project import read_project
from socare_spark.ingest.pseudonym import Keyring

ROW = "1,{},1950-06-15,2014-02-01,2014-09-01,12.50,F,B1 1AA,note,S"


@pytest.fixture
def removed(monkeypatch, spark):
    """The contents of every file that Python removes; PySpark's way through files is open."""
    contents, unlink = [], os.unlink

    def read_first(path, **options):
        with open(path, "rb") as file:
            contents.append(file.read())
        unlink(path, **options)

    monkeypatch.setattr(SparkContext._active_spark_context, "_encryption_enabled", False)
    monkeypatch.setattr(os, "unlink", read_first)
    return contents


def test_no_file_holds_a_pad(spark, tmp_path, monkeypatch, removed):
    council = Council(spark, tmp_path)
    council.lands("2014.csv", *(ROW.format(n) for n in range(1, 40)))
    assert council.ingests(monkeypatch) == ""
    assert len(council.rows("person")) == 1
    spark.createDataFrame([(date(2014, 1, 1), b"seen")], "day date, block binary").collect()
    ring = Keyring(bytes.fromhex(KEY), read_project(council.conf))
    pads = ring.pads("person")
    assert any(b"seen" in text for text in removed)
    assert not any(pad[:32] in text for text in removed for pad in (pads.inner, pads.outer))
    assert not any(
        pad[:32] in path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
        for pad in (pads.inner, pads.outer)
    )
