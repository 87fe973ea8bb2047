"""Compares the tables of two lakes: counts, money, dates and texts exactly, other numbers to 1e-9.

    python scripts/compare_lakes.py LAKE OTHER_LAKE

Prints a line for each table that differs. The exit code is 1 where one differs.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from deltalake import DeltaTable

ZONES = ("restricted", "reference", "working")
# Columns that name a run or a moment, not a result.
OF_A_RUN = ("run_id", "sequence", "at")
_TOLERANCE = 1e-9


def main() -> int:
    """Compares two lakes; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake", type=Path)
    parser.add_argument("other", type=Path)
    options = parser.parse_args()
    names = sorted({*tables_of(options.lake), *tables_of(options.other)})
    if not names:
        parser.error("neither folder holds a table of a lake")
    different = 0
    for name in names:
        fault = difference(options.lake / name, options.other / name)
        if fault:
            different += 1
            print(f"{name}: {fault}")
    print(f"{len(names)} tables compared, {different} differ")
    return min(different, 1)


def tables_of(lake: Path) -> Iterator[str]:
    """Names of the Delta tables of a lake, as `working/density`."""
    for zone in ZONES:
        for log in (lake / zone).rglob("_delta_log"):
            yield log.parent.relative_to(lake).as_posix()


def difference(table: Path, other: Path) -> str:
    """Describes the first difference of two tables; empty where they are equal."""
    missing = [str(path) for path in (table, other) if not (path / "_delta_log").is_dir()]
    if missing:
        return f"missing: {', '.join(missing)}"
    tables = [DeltaTable(path) for path in (table, other)]
    layout, other_layout = (layout_of(delta) for delta in tables)
    if layout != other_layout:
        return "columns, types or partitions differ"
    rows, other_rows = (delta.to_pyarrow_table() for delta in tables)
    if len(rows) != len(other_rows):
        return f"{len(rows)} rows against {len(other_rows)}"
    if nulls_of(rows) != nulls_of(other_rows):
        return "numbers of nulls differ"
    left, right = sorted_frame(rows), sorted_frame(other_rows)
    unequal = [name for name in left.columns if not _equal(left[name], right[name])]
    return f"values differ in {', '.join(unequal)}" if unequal else ""


def layout_of(table: DeltaTable) -> tuple[list[tuple[str, str]], list[str]]:
    """Names and types of the columns of a table, and its partition columns."""
    columns = [(field.name, str(field.type)) for field in table.schema().fields]
    return columns, table.metadata().partition_columns


def nulls_of(rows: pa.Table) -> dict[str, int]:
    """Number of nulls in each column; NaN is not a null."""
    return {name: rows[name].null_count for name in rows.column_names}


def sorted_frame(table: pa.Table) -> pd.DataFrame:
    """The rows of a table, sorted by all columns except those of a run."""
    names = [name for name in table.column_names if name not in OF_A_RUN]
    rows = table.select(names).to_pandas(integer_object_nulls=True)
    keys = rows.copy()
    for field in table.select(names).schema:
        if pa.types.is_floating(field.type):
            keys[field.name] = keys[field.name].round(6)
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            keys[field.name] = keys[field.name].map(bytes.hex, na_action="ignore")
    order = keys.astype(str).sort_values(names, kind="stable").index
    return rows.loc[order].reset_index(drop=True)


def _equal(left: pd.Series, right: pd.Series) -> bool:
    if left.dtype.kind == "f" and right.dtype.kind == "f":
        return bool(np.allclose(left, right, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True))
    return all(_same(a, b) for a, b in zip(left, right, strict=True))


def _same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.tolist() == b.tolist()
    return bool(pd.isna(a) and pd.isna(b)) or a == b


if __name__ == "__main__":
    raise SystemExit(main())
