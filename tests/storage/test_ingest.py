"""Ingest with landing folder and lake on S3 and on HDFS: the tables of a local lake."""

import gzip

import pytest
from council import HEADER, Council, RemoteCouncil
from lakes import differences
from openpyxl import Workbook

from socare_spark.ingest import staging


def row(key, person="7", start="2015-03-01", end="", cost=""):
    return f"{key},{person},1950-06-15,{start},{end},{cost},F,B1 1AA,ü–,SMITH"


def first_month(council):
    """A text file, a compressed one with an odd name and a quarantined row, a refused one."""
    council.lands("2014.csv", row("a", start="2014-03-01"), row("b", "9", cost="12.50"))
    council.lands("2015_north.csv", row("c"), row("d", start="2015-02-30"))
    rows = "\n".join([HEADER, row("e"), row("f", "12")]).encode()
    (council.landing / "visits" / "2016_south.csv.gz").write_bytes(gzip.compress(rows, mtime=0))
    council.lands("2017.csv", "x,y", header="ID,NAME")


def second_month(council):
    """A correction of a file that was loaded."""
    council.lands("2014.csv", row("a", start="2014-04-01"), row("z", "9", start="2014-05-01"))


@pytest.fixture
def local(spark, tmp_path):
    return Council(spark, tmp_path / "local")


@pytest.fixture
def remote(spark, tmp_path, store):
    return RemoteCouncil(spark, tmp_path / "remote", store=store)


def rejected(council):
    """Name -> content of the files of rejected lines."""
    storage = council.landed().rejected
    return {file.name: storage.read(file.name) for file in storage.files()}


@pytest.mark.parametrize("loaded_by", ["the driver", "tasks"])
def test_tables_and_rejected_lines_are_those_of_a_local_lake(local, remote, monkeypatch, loaded_by):
    if loaded_by == "tasks":
        monkeypatch.setattr(staging, "DRIVER_MAX_ROWS", 0)
    for month in (first_month, second_month):
        messages = []
        for council in (local, remote):
            month(council)
            messages.append(
                council.ingests(monkeypatch).replace(council.landed().rejected.location, "")
            )
        assert messages[0] == messages[1]
        assert local.run.landing == remote.run.landing
        assert local.ledger() == remote.ledger()
        assert differences(local.lake.storage, remote.lake.storage) == {}
    lines = rejected(remote)
    assert len(lines) == 2
    assert lines == rejected(local)


def test_a_second_run_changes_nothing(remote, monkeypatch):
    remote.lands("2014.csv", row("a", start="2014-03-01"))
    assert remote.ingests(monkeypatch) == ""
    before = remote.lake.storage.files("restricted")
    assert remote.ingests(monkeypatch) == ""
    assert remote.run.landing == {"visits/2014.csv": "unchanged"}
    assert remote.lake.storage.files("restricted") == before


def test_a_workbook_is_converted_and_no_copy_of_it_remains(remote, monkeypatch):
    remote.contract["socare"]["files"] = r"visits/(?P<period>\d{4})\.xlsx"
    remote.contract["format"] = "xlsx"
    del remote.contract["socare"]["encodings"]
    book = Workbook()
    for line in (HEADER, row("a"), row("b", "9")):
        book.active.append(line.split(","))
    book.save(remote.landing / "visits" / "2015.xlsx")
    assert remote.ingests(monkeypatch) == ""
    assert remote.rows("id", "line") == [("a", 1), ("b", 2)]
    assert remote.lake.storage.files("restricted/_stage") == []
