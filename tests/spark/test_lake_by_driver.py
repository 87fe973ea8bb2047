"""Rows that the driver enters, finds and exchanges, beside those that Spark writes."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pyarrow as pa
import pytest
from delta.tables import DeltaTable as DeltaLake
from deltalake import write_deltalake

from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.lake.transaction import atomic_commits

D1, D2, D3 = (date(year, 12, 31) for year in (2013, 2014, 2015))


@pytest.fixture(params=["extract", "interval", "order"])
def table(spark, request):
    """A table laid out by a day, whose name may mean something else in SQL."""
    columns = [("a", "string"), ("b", "bigint"), ("said", "string"), (request.param, "date")]
    made = [ColumnSpec(name, type_, f"Says {name}.") for name, type_ in columns]
    return TableSpec(Zone.RESTRICTED, "t", "A row.", (*made,), partition_by=(request.param,))


def rows(table, *values):
    return pa.table(dict(zip(table.names, zip(*values, strict=True), strict=True)))


def held(lake, table):
    return sorted(tuple(row.values()) for row in lake.to_dicts(table))


def test_driver_appends_looks_up_and_replaces_rows_by_the_whole_key(spark, table, tmp_path):
    lake, day = Lake(tmp_path), table.names[-1]
    old = [("x", 1, "-", D1), ("x", 2, "-", D1), ("y", 1, "-", D2), ("y", 2, "-", D3)]
    lake.append_arrow(table, rows(table, *old), {"run_id": "1"})
    keys = rows(table, ("x", 2, "-", D1), ("y", 1, "-", D1)).select(["a", "b"])
    found = lake.lookup(table, keys, "said", "b", "a")
    assert sorted(r["a"] for r in found.to_pylist()) == ["x", "y"]
    assert found.column_names == ["said", "b", "a"]

    gone = rows(table, ("x", 2, "-", D1), ("y", 2, "-", D2)).select([day, "a", "b"])
    commit = lake.replace_rows(table, gone, rows(table, ("z", 1, "new", D2)), {"run_id": "2"})
    assert held(lake, table) == [
        ("x", 1, "-", D1),
        ("y", 1, "-", D2),  # its day is another than that of what was to go
        ("y", 2, "-", D3),
        ("z", 1, "new", D2),
    ]
    assert (commit.version, commit.metadata, commit.rows) == (1, {"run_id": "2"}, 3)
    assert lake.size(table, [D1]) < lake.size(table, [D1, D3])

    lake.append(table, spark.createDataFrame([("s", 9, "by Spark", D3)], table.schema), {})
    assert lake.read(spark, table).count() == 5
    comments = {f.name: f.metadata["comment"] for f in lake.read(spark, table).schema.fields}
    assert comments == {name: f"Says {name}." for name in table.names}


def test_a_table_keeps_its_comments_when_a_declaration_is_reworded(spark, table, tmp_path):
    lake = Lake(tmp_path)
    lake.append(table, spark.createDataFrame([("s", 9, "-", D3)], table.schema), {})
    other = tuple(ColumnSpec(c.name, c.type, "Reworded.") for c in table.dims)
    reworded = TableSpec(Zone.RESTRICTED, "t", "A row.", other, partition_by=table.partition_by)
    lake.append_arrow(reworded, rows(table, ("x", 1, "-", D1)), {})
    lake.replace_rows(reworded, rows(table, ("s", 9, "-", D3)), rows(table, ("y", 1, "-", D3)), {})
    assert held(lake, table) == [("x", 1, "-", D1), ("y", 1, "-", D3)]


def test_rows_written_by_the_driver_are_rolled_back_with_their_group(spark, table, tmp_path):
    lake = Lake(tmp_path)
    lake.append_arrow(table, rows(table, ("x", 1, "-", D1)), {})
    other = TableSpec(Zone.RESTRICTED, "u", "A row.", table.dims, partition_by=table.partition_by)

    def breaks_off():
        with atomic_commits(spark, lake, [table.path, other.path]):
            one = rows(table, ("x", 1, "-", D1))
            lake.replace_rows(table, one, rows(table, ("y", 1, "-", D1)), {})
            lake.append_arrow(other, one, {})
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        breaks_off()
    assert held(lake, table) == [("x", 1, "-", D1)]
    assert not lake.exists(other)


def test_the_log_holds_no_value_of_a_row(table, tmp_path):
    lake = Lake(tmp_path)
    lake.append_arrow(table, rows(table, ("marked", 778899, "marked", D1)), {})
    log = "".join(
        p.read_text() for p in (lake.storage.path(table.path) / "_delta_log").glob("*.json")
    )
    assert "numRecords" in log
    assert "marked" not in log
    assert "778899" not in log


def jobs_of(spark, work):
    """Numbers of the Spark jobs that some work starts."""
    group = str(uuid4())
    spark.sparkContext.setJobGroup(group, "")
    try:
        work()
        return list(spark.sparkContext.statusTracker().getJobIdsForGroup(group))
    finally:
        spark.sparkContext.setJobGroup("others", "")


@pytest.mark.parametrize("name", ["lake", "a {b} c*é,d"])
def test_read_equals_the_delta_reader_at_each_version(spark, table, tmp_path, name):
    lake = Lake(tmp_path / name)
    lake.append_arrow(table, rows(table, ("x", 1, "-", D1), ("y", 2, "-", None)), {})
    lake.append(table, spark.createDataFrame([("s", 9, "by Spark", D3)], table.schema), {})
    lake.replace_rows(table, rows(table, ("x", 1, "-", D1)), rows(table, ("z", 1, "new", D1)), {})
    for version, wanted in enumerate(["x y", "s x y", "s y z"]):
        frame = lake.read(spark, table, version)
        delta = spark.read.format("delta").option("versionAsOf", version)
        path = (
            str(lake.storage.path(table.path))
            .replace("{", "\\{")
            .replace("}", "\\}")
            .replace("*", "\\*")
        )
        if name == "lake":
            assert frame.schema == delta.load(path).schema
            assert sorted(frame.collect(), key=str) == sorted(delta.load(path).collect(), key=str)
        assert " ".join(sorted(row.a for row in frame.collect())) == wanted


def test_read_of_an_emptied_table_keeps_its_columns(spark, table, tmp_path):
    lake = Lake(tmp_path)
    lake.append_arrow(table, rows(table, ("x", 1, "-", D1)), {})
    lake.truncate(table, {})
    frame = lake.read(spark, table)
    assert frame.columns == table.names
    assert frame.collect() == []


def test_reading_and_writing_by_the_driver_start_no_spark_job(spark, table, tmp_path):
    lake, one = Lake(tmp_path), rows(table, ("x", 1, "-", D1))

    def work():
        lake.append_arrow(table, one, {})
        lake.replace_arrow(table, one, {})
        lake.truncate(table, {})
        lake.append_arrow(table, one, {})
        lake.read(spark, table).schema  # noqa: B018

    assert jobs_of(spark, work) == []
    assert len(jobs_of(spark, lambda: lake.read(spark, table).collect())) == 1


def test_replace_gives_the_declared_columns_and_descriptions(spark, table, tmp_path):
    lake = Lake(tmp_path)
    lake.replace_arrow(table, rows(table, ("x", 1, "-", D1)), {"run_id": "1"})
    wider = TableSpec(
        Zone.RESTRICTED, "t", "A row.", (*table.dims, ColumnSpec("more", "decimal(20,2)", "New.")),
        partition_by=table.partition_by,
    )  # fmt: skip
    more = rows(table, ("y", 2, "-", D2)).append_column("more", pa.array(["1.50"]))
    commit = lake.replace_arrow(wider, more, {"run_id": "2"})
    assert (commit.version, commit.metadata, commit.rows) == (1, {"run_id": "2"}, 1)
    assert lake.read(spark, wider).collect()[0].more == Decimal("1.50")
    assert lake.read(spark, wider).schema["more"].metadata == {"comment": "New."}


def test_days_of_partitions_are_those_of_the_version(spark, table, tmp_path):
    lake, day = Lake(tmp_path), table.names[-1]
    lake.append_arrow(table, rows(table, ("x", 1, "-", D3), ("y", 2, "-", D1)), {})
    lake.replace_rows(table, rows(table, ("x", 1, "-", D3)), rows(table, ("z", 1, "-", D2)), {})
    assert [lake.partition_days(table, day, version) for version in (0, 1)] == [[D1, D3], [D1, D2]]
    lake.truncate(table, {})
    assert lake.partition_days(table, day, 2) == []
    assert lake.partition_days(table, "a", 0) is None


def test_partitions_that_are_texts_are_no_days(tmp_path):
    folder = tmp_path / "restricted" / "t"
    write_deltalake(str(folder), pa.table({"day": ["2015-12-31"], "n": [1]}), partition_by=["day"])
    assert Lake(tmp_path).partition_days("restricted/t", "day", 0) is None


def test_table_with_deletion_vectors_is_read_as_delta(spark, tmp_path):
    lake = Lake(tmp_path)
    frame = spark.createDataFrame([(1,), (2,), (3,)], "a bigint").coalesce(1)
    writer = frame.write.format("delta").option("delta.enableDeletionVectors", "true")
    writer.save(str(tmp_path / "working" / "t"))
    DeltaLake.forPath(spark, str(tmp_path / "working" / "t")).delete("a = 2")
    assert sorted(row.a for row in lake.read(spark, "working/t").collect()) == [1, 3]


def test_replace_takes_a_reworded_description_and_another_layout(spark, table, tmp_path):
    lake, day = Lake(tmp_path), table.names[-1]
    lake.replace_arrow(table, rows(table, ("x", 1, "-", D1)), {})
    other = tuple(ColumnSpec(c.name, c.type, "Reworded.") for c in table.dims)
    reworded = TableSpec(Zone.RESTRICTED, "t", "A row.", other, partition_by=(day,))
    lake.replace_arrow(reworded, rows(table, ("y", 2, "-", D2)), {})
    comments = {f.name: f.metadata["comment"] for f in lake.schema(table).fields}
    assert comments == dict.fromkeys(table.names, "Reworded.")
    moved = tuple(ColumnSpec(c.name, c.type, "Moved.") for c in table.dims)
    elsewhere = TableSpec(Zone.RESTRICTED, "t", "A row.", moved, partition_by=("said",))
    lake.truncate(elsewhere, {})
    lake.append_arrow(elsewhere, rows(table, ("z", 3, "new", D3)), {})
    assert held(lake, table) == [("z", 3, "new", D3)]


def test_driver_reads_the_columns_of_a_version_as_pandas(table, tmp_path):
    lake = Lake(tmp_path)
    assert lake.to_pandas(table, "b").columns.tolist() == ["b"]
    lake.replace_arrow(table, rows(table, ("x", 1, "-", D1)), {})
    lake.replace_arrow(table, rows(table, ("y", 2, "-", None)), {})
    assert lake.to_pandas(table).columns.tolist() == table.names
    found = [lake.to_pandas(table, "b", version=version)["b"].tolist() for version in (0, 1, None)]
    assert found == [[1], [2], [2]]
