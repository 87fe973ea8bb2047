"""Rows that the driver enters, finds and exchanges, beside those that Spark writes."""

from datetime import date

import pyarrow as pa
import pytest

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
    log = "".join(p.read_text() for p in (lake.folder(table) / "_delta_log").glob("*.json"))
    assert "numRecords" in log
    assert "marked" not in log
    assert "778899" not in log
