"""A table made again is told from the lake's by any row or figure that is not the same."""

import math
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from scripts import bench_duckdb
from scripts.bench_duckdb import LEFT_OUT, QUERIES, Study, difference, made_again
from socare_spark.lake.table import ColumnSpec, Zone, cell_table
from socare_spark.registry import JOBS

TABLE = cell_table(
    "visits",
    "Visits.",
    [
        ColumnSpec("place", "string", "Where."),
        ColumnSpec("year", "int", "When; null means all years."),
    ],
    [ColumnSpec("share", "double", "How much."), ColumnSpec("look", "string", "How.")],
)
COLUMNS = (
    "place VARCHAR, year INTEGER, share DOUBLE, people BIGINT, records BIGINT, cost DECIMAL(20, 2)"
)
ROWS = [
    ("B1", 2010, 0.25, 5, 9, Decimal("10.10")),
    ("B1", None, 0.5, 5, 9, Decimal("10.10")),
    (None, 2011, None, 0, 0, None),
]


def compared(made, kept=ROWS, columns=COLUMNS):
    database = duckdb.connect()
    for name, its, rows in (("made", columns, made), ("kept", COLUMNS, kept)):
        database.execute(f"CREATE TABLE {name} ({its})")
        for row in rows:
            database.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    return difference(database, TABLE, "made", "kept")


def changed(place, name, value):
    """The rows with another value in one of them."""
    at = ["place", "year", "share", "people", "records", "cost"].index(name)
    rows = [list(row) for row in ROWS]
    rows[place][at] = value
    return rows


def test_rows_in_another_order_are_equal():
    found = compared(ROWS[::-1])
    assert (found.rows, found.missing, found.differing) == (3, ["look"], {})
    assert str(found) == "equal, 3 rows; without look"


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        (0, "people", 6),
        (0, "people", None),
        (2, "records", 1),
        (0, "cost", Decimal("10.11")),
        (2, "cost", Decimal(0)),  # no cost is not a cost of nothing
        (0, "share", 0.25000001),
        (0, "share", math.nan),
        (0, "share", None),
        (2, "share", 0.0),
    ],
)
def test_one_different_figure_is_reported_with_its_row(place, name, value):
    found = compared(changed(place, name, value))
    assert found.differing == {name: 1}
    where, year = ROWS[place][:2]
    assert found.first == f"place {where}, year {year}"


def test_a_double_is_equal_to_the_ninth_figure():
    assert not compared(changed(0, "share", 0.25 + 1e-11)).differing
    assert not compared(changed(0, "share", math.nan), changed(0, "share", math.nan)).differing


@pytest.mark.parametrize(
    ("made", "rows"),
    [
        (ROWS[1:], 1),  # one too few
        ([*ROWS, ("B2", 2010, 0.25, 5, 9, None)], 1),  # one too many
        (changed(2, "place", "B1"), 2),  # another one
        ([*ROWS, ROWS[1]], 1),  # one twice
        ([], 3),
    ],
)
def test_missing_and_extra_rows_are_counted(made, rows):
    found = compared(made)
    assert found.differing == {"row": rows}
    assert str(found).startswith(f"DIFFERS, row in {rows} of 3 rows; the first is place ")


def test_missing_dimension_is_reported_without_failing():
    found = compared([row[1:] for row in ROWS], columns=COLUMNS.removeprefix("place VARCHAR, "))
    assert (found.missing, found.differing) == (["place", "look"], {})


def test_query_needs_the_counts_and_no_undeclared_column():
    with pytest.raises(ValueError, match="lacks or adds weight"):
        compared([], columns=COLUMNS + ", weight DOUBLE")
    with pytest.raises(ValueError, match="lacks or adds cost"):
        compared([], columns=COLUMNS.removesuffix(", cost DECIMAL(20, 2)"))


def test_every_working_table_is_made_again_or_left_out_for_a_reason():
    declared = {t.path for job in JOBS for t in job.writes if t.zone == Zone.WORKING}
    made = {table.path for job in JOBS for table in made_again(job)}
    assert declared - made == {*LEFT_OUT}
    assert made & {*LEFT_OUT} == set()


def test_every_sql_file_belongs_to_a_working_table():
    known = {f"{job.name}/{table.name}" for job in JOBS for table in job.writes}
    files = {
        path.relative_to(QUERIES).with_suffix("").as_posix() for path in QUERIES.rglob("*.sql")
    }
    jobs = {job.name for job in JOBS}
    assert {f for f in files if not f.endswith("/_shared")} - known - {"common"} == set()
    assert {f.split("/")[0] for f in files} - jobs - {"common"} == set()


def test_a_table_that_holds_no_file_is_opened_too(tmp_path, monkeypatch):
    (tmp_path / "common.sql").write_text("SELECT 1", "utf-8")
    monkeypatch.setattr(bench_duckdb, "QUERIES", tmp_path)
    rows = pa.table({"place": pa.array(["B1"])})
    for name, part in (("some", rows), ("none", rows.slice(0, 0))):
        write_deltalake(tmp_path / "working" / name, part)
    opened = Study(tmp_path, tmp_path).database
    assert opened.execute("SELECT count(*) FROM working.some").fetchone() == (1,)
    assert opened.execute("SELECT count(place) FROM working.none").fetchone() == (0,)
