"""Recomputes the tables of a finished study with DuckDB, compares them, and prints both times.

    python scripts/bench_duckdb.py LAKE

The query of a table is `tests/reference_sql/JOB/TABLE.sql`, written from its declaration.
`_shared.sql` of a job prepares rows for several of its tables. Statistics (tests of significance,
Gi*, confidence limits, forecasts, similarity of texts) and columns for disclosure control are not
recomputed. Counts and money must be equal, other numbers to a relative difference of 1e-9. Open
agreements run to the newest extract, as in a study without `--as-of`.

The seconds of DuckDB are for a query whose result stays in memory. The seconds of Spark are for the
run that wrote the table; those of a job include its pictures. The exit code is 1 if any table
differs.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from deltalake import DeltaTable

from socare_spark.analysis import Job
from socare_spark.config import OTHER_FOLDERS
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import TableSpec, Zone
from socare_spark.registry import JOBS

ROOT = Path(__file__).resolve().parents[1]
QUERIES = ROOT / "tests" / "reference_sql"
THREADS = 2
# Tables with statistics only, or without rows in the study.
LEFT_OUT = {
    "working/flow_balance": "the study has no movements",
    "working/flow_edges_by_month": "the study has no movements",
    "working/combination_renames": "its rows are pairs of similar texts",
    "working/forecast_backtest": "its rows are trials of forecasts",
    "working/request_variants": "its rows are groups of similar texts",
}
_DISCLOSURE = ("cost_top1", "cost_top2", "providers")
_TOLERANCE = 1e-9
_ROW = "row"


@dataclass(frozen=True)
class Difference:
    """Differences between a recomputed table and the table of the lake.

    Attributes:
        rows: Rows of the lake's table.
        missing: Declared columns that were not recomputed.
        differing: Column -> number of rows that differ; `row`: rows that one table lacks.
        first: Dimensions of the first row that differs.
    """

    rows: int
    missing: Sequence[str]
    differing: Mapping[str, int]
    first: str = ""

    def __str__(self) -> str:
        missing = f"; without {', '.join(self.missing)}" if self.missing else ""
        if not self.differing:
            return f"equal, {self.rows:,} rows{missing}"
        found = ", ".join(f"{name} in {rows:,}" for name, rows in self.differing.items())
        return f"DIFFERS, {found} of {self.rows:,} rows; the first is {self.first}{missing}"


class Study:
    """A DuckDB database with a view of each table of a lake, and the configuration as JSON."""

    def __init__(self, lake: Path, conf: Path) -> None:
        self.lake = Lake(lake)
        self.database = duckdb.connect(config={"threads": THREADS})
        for zone in Zone:
            self.database.execute(f"CREATE SCHEMA {zone}")
            for log in sorted((lake / zone).glob("*/_delta_log")):
                self._open(f"{zone}.{log.parent.name}", DeltaTable(log.parent))
        self.database.execute("CREATE TABLE conf (name VARCHAR, settings JSON)")
        for path in sorted(conf.rglob("*.yaml")):
            if path.relative_to(conf).parts[0] in OTHER_FOLDERS:
                continue
            name = path.relative_to(conf).with_suffix("").as_posix()
            settings = json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str)
            self.database.execute("INSERT INTO conf VALUES (?, ?)", [name, settings])
        self.database.execute((QUERIES / "common.sql").read_text("utf-8"))

    def _open(self, name: str, table: DeltaTable) -> None:
        """Opens a table. The values of partition columns are in the paths of its files only."""
        laid_out = table.metadata().partition_columns
        types = {f.name: f.type.type for f in table.schema().fields if f.name in laid_out}
        if not table.file_uris():
            self.database.from_arrow(table.to_pyarrow_table()).create(name)
            return
        options = f", hive_partitioning = true, hive_types = {types}" if types else ""
        self.database.execute(
            f"CREATE VIEW {name} AS FROM read_parquet({table.file_uris()}{options})"
        )

    @contextmanager
    def sharing(self, job: Job) -> Iterator[float]:
        """Prepares the shared rows of a job's tables. Yields the seconds."""
        shared = QUERIES / job.name / "_shared.sql"
        self.database.execute("CREATE SCHEMA job")
        self.database.execute("SET search_path = 'job,main'")
        began = time.monotonic()
        try:
            if shared.exists():
                self.database.execute(shared.read_text("utf-8"))
            yield time.monotonic() - began
        finally:
            self.database.execute("SET search_path = 'main'")
            self.database.execute("DROP SCHEMA job CASCADE")

    def make(self, job: Job, table: TableSpec) -> float:
        """Computes a table as `made`, within `sharing`. Returns the seconds."""
        text = query(job, table).read_text("utf-8").rstrip().removesuffix(";")
        began = time.monotonic()
        self.database.execute(f"CREATE OR REPLACE TABLE made AS {text}")
        return time.monotonic() - began

    def spark_seconds(self, table: TableSpec) -> tuple[float, float]:
        """Seconds of Spark for a table and for its whole job; NaN if not recorded."""
        commit = self.lake.last_commit(table)
        run_id = commit.metadata["run_id"] if commit else ""
        path = self.lake.storage.root / "runs" / run_id / "run_record.json"
        record = json.loads(path.read_text("utf-8"))
        of_table = record["counts"].get(f"seconds/{table.path}")
        return of_table or math.nan, record["seconds"] or math.nan


def query(job: Job, table: TableSpec) -> Path:
    """Path of the query of a table."""
    return QUERIES / job.name / f"{table.name}.sql"


def made_again(job: Job) -> list[TableSpec]:
    """Tables of a job with a query."""
    return [table for table in job.writes if query(job, table).exists()]


def difference(
    database: duckdb.DuckDBPyConnection, table: TableSpec, made: str, kept: str
) -> Difference:
    """Compares two tables row by row. Rows with equal dimensions are paired one to one.

    Args:
        database: Database with both tables.
        table: Declaration of the table.
        made: Name of the recomputed table. It has `people`, `records`, `cost`, the dimensions that
            are not statistics, and any other declared columns.
        kept: Name of the table of the lake.

    Raises:
        ValueError: the recomputed table lacks a required column or has an undeclared one.
    """
    columns = [row[0] for row in database.execute(f"DESCRIBE {made}").fetchall()]
    wrong = ({"people", "records", "cost"} - {*columns}) | ({*columns} - {*table.names})
    if wrong:
        raise ValueError(f"The query of {table.path} lacks or adds {', '.join(sorted(wrong))}.")
    dims = [column.name for column in table.dims if column.name in columns]
    tests = _tests(table, columns)
    _set_beside(database, made, kept, dims, tests)
    counts = ", ".join(f'count(*) FILTER ("differs {name}")' for name in tests)
    rows, *found = _row(database, f"SELECT (SELECT count(*) FROM {kept}), {counts} FROM beside")  # noqa: S608 - names of our own
    differing = {name: number for name, number in zip(tests, found, strict=True) if number}
    missing = [name for name in table.names if name not in {*columns, *_DISCLOSURE}]
    first = _first(database, dims, differing) if differing else ""
    return Difference(rows, missing, differing, first)


def _tests(table: TableSpec, columns: Sequence[str]) -> dict[str, str]:
    """Column -> SQL condition: the column differs between recomputed row m and kept row k."""
    alone = "m.nth IS NULL OR k.nth IS NULL"
    tests = {_ROW: alone}
    for column in table.measures:
        if column.name in columns:
            a, b = f'm."{column.name}"', f'k."{column.name}"'
            unequal = f"{a} IS DISTINCT FROM {b}"
            if column.type == "double":
                # least() of a number and NaN is the number, so the two are never near.
                near = f"abs({a} - {b}) <= {_TOLERANCE} * least(abs({a}), abs({b}))"
                unequal += f" AND NOT coalesce({near}, false)"
            tests[column.name] = f"NOT ({alone}) AND {unequal}"
    return tests


def _set_beside(
    database: duckdb.DuckDBPyConnection,
    made: str,
    kept: str,
    dims: Sequence[str],
    tests: Mapping[str, str],
) -> None:
    """Creates the table `beside`: dimensions, and the result of each test."""
    key = ", ".join(f'"{name}"' for name in dims)
    numbered = f"SELECT *, row_number() OVER (PARTITION BY {key}) AS nth FROM"
    shown = [f'coalesce(m."{name}", k."{name}") AS "{name}"' for name in dims]
    shown += [f'{test} AS "differs {name}"' for name, test in tests.items()]
    same = " AND ".join(f'm."{name}" IS NOT DISTINCT FROM k."{name}"' for name in dims)
    database.execute(
        f"CREATE OR REPLACE TEMP TABLE beside AS SELECT {', '.join(shown)} "  # noqa: S608 - names of our own
        f"FROM ({numbered} {made}) AS m FULL JOIN ({numbered} {kept}) AS k "
        f"ON m.nth = k.nth AND {same}"
    )


def _first(
    database: duckdb.DuckDBPyConnection, dims: Sequence[str], differing: Mapping[str, int]
) -> str:
    """Dimensions of the first row that differs."""
    shown = ", ".join(f'"{name}"' for name in dims)
    either = " OR ".join(f'"differs {name}"' for name in differing)
    values = _row(database, f"SELECT {shown} FROM beside WHERE {either} ORDER BY ALL LIMIT 1")  # noqa: S608 - names of our own
    return ", ".join(f"{name} {value}" for name, value in zip(dims, values, strict=True))


def _row(database: duckdb.DuckDBPyConnection, text: str) -> tuple[Any, ...]:
    return database.execute(text).fetchall()[0]


def report(study: Study, job: Job) -> bool:
    """Prints a line for a job and for each of its tables. Returns whether all tables are equal."""
    tables = [table for table in made_again(job) if study.lake.exists(table)]
    if not tables:
        return True
    equal, of_job = True, 0.0
    with study.sharing(job) as shared:
        whole, lines = shared, [f"{shared:8.2f} {'':8}    (shared)"]
        for table in tables:
            seconds = study.make(job, table)
            found = difference(study.database, table, "made", table.path.replace("/", "."))
            of_table, of_job = study.spark_seconds(table)
            lines.append(f"{seconds:8.2f} {of_table:8.2f}    {table.path}: {found}")
            whole += seconds
            equal = equal and not found.differing
    print(f"{whole:8.2f} {of_job:8.2f}  {job.name}", *lines, sep="\n")
    return equal


def main() -> int:
    """Compares all tables of a lake."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lake", type=Path, help="lake of a finished study")
    parser.add_argument(
        "--conf", type=Path, default=ROOT / "conf", help="configuration of the study"
    )
    given = parser.parse_args()
    study = Study(given.lake, given.conf)
    print(f"{'DuckDB':>8} {'Spark':>8}  seconds")
    equal = [report(study, job) for job in JOBS]
    for path, why in LEFT_OUT.items():
        print(f"{'-':>8} {'':8}    {path}: left out, {why}")
    return 0 if all(equal) else 1


if __name__ == "__main__":
    raise SystemExit(main())
