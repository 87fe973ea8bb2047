"""A lake and a landing folder that are reached through Hadoop have the rows of those on a disk."""

import gzip

import pytest
from council import KEY, Council

from socare_spark.analysis import Context
from socare_spark.errors import DataError
from socare_spark.ingest.job import JOB
from socare_spark.lake.lake import Lake
from socare_spark.maintenance.job import JOB as MAINTAIN
from socare_spark.storage.hadoop import HadoopStorage
from socare_spark.storage.landing import Landing

TABLES = {
    "restricted/visits": ("id", "person", "start", "note", "source_file", "line"),
    "restricted/quarantine": ("file", "line", "reasons", "columns"),
    "restricted/ledger": ("file", "status", "rows_read", "rows_kept", "rows_quarantined"),
}


def row(key, note="", start="2014-03-01"):
    return f"{key},7,,{start},,,F,B1 1AA,{note},SMITH"


@pytest.fixture
def council(spark, tmp_path):
    made = Council(spark, tmp_path / "a b")
    made.lands("2013.csv", row("a", "first", "2013-03-01"), row("b", "ü", "2013-03-01"))
    made.lands("2014.csv", row("a", "second"), row("c", "2 lines"), row("", "bad"))
    zipped = made.landing / "visits" / "2015_north.csv.gz"
    zipped.write_bytes(gzip.compress(f"ID,PERID,START\nd,8,2015-01-01\ne,9,{'x' * 5}\n".encode()))
    (made.landing / "visits" / "2012.csv").write_text("ID,NOTE\n")
    return made


def remote_context(council):
    """The context of a run whose landing folder and lake are URIs of this disk."""
    local, scratch = council.context(), council.root / "scratch"
    storages = [
        HadoopStorage(council.spark, f"file://{council.root}/{name}", scratch / name)
        for name in ("far lake", "landing")
    ]
    local.run.storage = storages[0]
    landing = Landing(storages[1])
    return Context(
        local.spark, Lake(storages[0]), local.conf, landing, None, local.run, local.progress
    )


def test_ingest_has_the_same_tables_and_rejected_lines(council, monkeypatch):
    message = council.ingests(monkeypatch)
    rejected = council.root / "rejected"
    lines = {path.name: path.read_bytes() for path in (rejected / "visits").iterdir()}
    assert {*lines} == {
        "2014.csv.visits.rejected.csv",
        "2015_north.csv.gz.visits.rejected.csv",
        "2012.csv.visits.refused.txt",
    }
    rows = {table: council.rows(*columns, table=table) for table, columns in TABLES.items()}
    for path in [*(rejected / "visits").iterdir()]:
        path.unlink()
    context = remote_context(council)
    with pytest.raises(DataError) as error:
        JOB.run(context)
    assert str(error.value) == message.replace(str(rejected), context.landing.rejected.location)
    council.lake = context.lake
    assert {table: council.rows(*columns, table=table) for table, columns in TABLES.items()} == rows
    assert {path.name: path.read_bytes() for path in (rejected / "visits").glob("[!.]*")} == lines
    assert context.lake.storage.names("restricted/_stage") == []
    again = remote_context(council)
    with pytest.raises(DataError, match=r"2012\.csv"):
        JOB.run(again)
    assert again.run.outputs == {}
    MAINTAIN.run(remote_context(council))
    assert council.rows("id") == [("a",), ("b",), ("c",), ("d",)]


def test_a_file_of_another_form_is_converted_where_executors_read_it(council, monkeypatch):
    monkeypatch.setenv("SOCARE_KEY", KEY)
    council.contract["dialect"] = {"delimiter": ";", "quoteChar": "'"}
    for path in (council.landing / "visits").iterdir():
        path.unlink()
    text = "ID;PERID;START;NOTE\na;1;2014-01-01;'two;cells'\n"
    (council.landing / "visits" / "2014.csv").write_text(text)
    context = remote_context(council)
    JOB.run(context)
    council.lake = context.lake
    assert council.rows("id", "note") == [("a", "two;cells")]
    assert context.lake.storage.names("restricted/_stage") == []
