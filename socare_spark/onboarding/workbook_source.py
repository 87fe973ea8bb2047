"""Reads a sheet of a workbook of unknown form into columns of text."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from socare_spark.contracts.dialect import Dialect
from socare_spark.errors import DataError
from socare_spark.ingest.cell_text import text_of
from socare_spark.ingest.workbooks import read_sheet, sheet_heights
from socare_spark.onboarding.layout import find_header
from socare_spark.onboarding.source_table import SourceTable, table_of


def read_workbook_table(
    path: Path, format_: str, *, sheet: str | None = None, header: int | str | None = None
) -> SourceTable:
    """Reads the sheet with the most rows, or a given one.

    Args:
        path: The workbook.
        format_: Its format: `xlsx`, `xls` or `ods`.
        sheet: Name of the sheet; by default the one with the most rows.
        header: Number of the row with the names, `none`, or None to find it.

    Raises:
        DataError: the workbook cannot be read. The message can follow the name of the file.
    """
    sheets = _sheets(path, format_)
    name = sheet or max(sheets, key=lambda n: sheets[n], default="")
    # Blank rows count in headerRows.
    content = read_sheet(path, format_, Dialect(sheetName=name or None))
    rows = [[text_of(cell) for cell in row] for row in content.rows]
    found = find_header(rows[:500], header)
    width = max((i for row in rows for i, cell in enumerate(row, 1) if cell.strip()), default=0)
    names = (*found.names, *[""] * (width - len(found.names)))
    data = [row for row in rows[found.row or 0 :] if any(cell.strip() for cell in row)]
    columns = {
        f"{i}": pa.array([row[i] if i < len(row) else "" for row in data], pa.string())
        for i in range(len(names))
    }
    return table_of(
        pa.table(columns),
        replace(found, names=names),
        path=path,
        format_=format_,
        sheet=name if len(sheets) > 1 else "",
        sheets=[*sheets],
        merged=len(content.merged_records(found.row or 0)),
    )


def _sheets(path: Path, format_: str) -> dict[str, int]:
    """Name of each sheet with cells -> number of its rows."""
    try:
        heights = sheet_heights(path, format_)
    except DataError:
        # `read_sheet` finds the reason.
        return {}
    if not any(heights.values()):
        raise DataError("the workbook is empty: ask for the file again")
    return {name: height for name, height in heights.items() if height}
