"""Rows of a sheet of a workbook: Excel (.xlsx, .xls) and OpenDocument (.ods).

Values are those that the workbook stores; formats of numbers do not count. A formula has its last
computed value.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

import xlrd
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    XmlError,
    ZipError,
)

from socare_spark.contracts.dialect import Dialect
from socare_spark.errors import DataError
from socare_spark.ingest.cell_text import Cell
from socare_spark.ingest.format_diagnosis import COMPOUND_FILE, other_format, workbook_format
from socare_spark.ingest.sheet_marks import (
    Errors,
    Range,
    check_area,
    check_ods_areas,
    ods_marks,
    xls_errors,
    xlsx_errors,
)

# Bytes of a workbook when it is unpacked. More do not fit into memory.
_MAX_BYTES = 2 << 30
# Errors of the libraries that read workbooks, for damaged and encrypted files.
_DAMAGED = (
    CalamineError,
    XmlError,
    ZipError,
    zipfile.BadZipFile,
    xlrd.XLRDError,
    zlib.error,
    ParseError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    StopIteration,
)


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook.

    Attributes:
        rows: Its rows, from its first row and column. Empty cells are empty texts.
        merged: Its merged cells. The first cell of each has the value.
    """

    rows: list[list[Cell]]
    merged: Sequence[Range] = ()

    def merged_records(self, header: int) -> list[Range]:
        """Merged cells with a value that extend over several rows with values below the header.

        Args:
            header: Number of the last row of the header; 0 without one.
        """
        return [
            ((top, left), (bottom, right))
            for (top, left), (bottom, right) in self.merged
            if header <= top < min(bottom, len(self.rows))
            and left < len(self.rows[top])
            and self.rows[top][left] != ""
            and any(map(_has_value, self.rows[top + 1 : bottom + 1]))
        ]


def sheet_rows(
    path: Path, format_: str, dialect: Dialect, merged_cells: str | None = None
) -> Iterator[Sequence[Cell]]:
    """Yields the rows of a sheet up to the header, and then its records.

    Rows below the last row of the header without a value, and rows of comments, are left out.

    Args:
        path: As in `read_sheet`.
        format_: As in `read_sheet`.
        dialect: As in `read_sheet`.
        merged_cells: Whether the value of cells that are merged over several records counts for
            the `first` or for `all` of them.

    Raises:
        DataError: as in `read_sheet`, or cells of several records are merged and `merged_cells` is
            None.
    """
    sheet = read_sheet(path, format_, dialect)
    comment, last = dialect.comment_char, dialect.header_rows[-1] if dialect.header else 0
    over_records = sheet.merged_records(last)
    if over_records and merged_cells is None:
        raise DataError(_merged_text(over_records))
    if merged_cells == "all":
        _repeat(sheet.rows, over_records)
    for i, row in enumerate(sheet.rows):
        has_comment = comment is not None and isinstance(row[0], str) and row[0].startswith(comment)
        if i < last or (_has_value(row) and not has_comment):
            yield row


def _merged_text(merged: Sequence[Range]) -> str:
    (first, column), (last, _) = merged[0]
    number = "cells are merged" if len(merged) == 1 else f"{len(merged)} groups of cells are merged"
    return (
        f"{number} over several records (rows {first + 1} to {last + 1} of column {column + 1}): "
        "declare socare.merged_cells: all if the value counts for each record, or first if it "
        "counts for the first one"
    )


def _repeat(rows: list[list[Cell]], merged: Sequence[Range]) -> None:
    """Writes the value of merged cells into the first cell of each of their rows with a value."""
    for (top, left), (bottom, _) in merged:
        for row in filter(_has_value, rows[top : bottom + 1]):
            row[left] = rows[top][left]


def _has_value(row: Sequence[Cell]) -> bool:
    return any(cell != "" for cell in row)


def read_sheet(path: Path, format_: str, dialect: Dialect) -> Sheet:
    """Reads all rows of a sheet, and its merged cells.

    Args:
        path: The workbook.
        format_: Its format: `xlsx`, `xls` or `ods`.
        dialect: The sheet, and the rows of the header.

    Raises:
        DataError: the file is not a workbook of the format, it is too large, or the sheet is not
            determined.
    """
    _check_format(path.read_bytes(), format_)
    with _readable(format_):
        sheet, errors = _read(path, format_, dialect)
    for i, row in enumerate(sheet.rows):
        for column, text in errors.get(i, ()):
            row[column] = text
    return sheet


def sheet_heights(path: Path, format_: str) -> dict[str, int]:
    """Name of each sheet of a workbook -> number of its rows.

    Args:
        path: The workbook.
        format_: Its format: `xlsx`, `xls` or `ods`.

    Raises:
        DataError: the file cannot be read, or it is too large.
    """
    with _readable(format_):
        workbook = _open_checked(path, format_)
        return {name: workbook.get_sheet_by_name(name).height for name in workbook.sheet_names}


def sheet_names(path: Path, format_: str, dialects: Sequence[Dialect]) -> list[str | None]:
    """Name of the sheet that each dialect declares; None if the workbook has no such sheet.

    Args:
        path: The workbook.
        format_: Its format: `xlsx`, `xls` or `ods`.
        dialects: The declarations.

    Raises:
        DataError: the file cannot be read, or it is too large.
    """
    with _readable(format_):
        workbook = _open_checked(path, format_)
        return [_name(workbook, dialect) for dialect in dialects]


def _name(workbook: CalamineWorkbook, dialect: Dialect) -> str | None:
    try:
        return _sheet(workbook, dialect).name
    except DataError:
        return None


@contextmanager
def _readable(format_: str) -> Iterator[None]:
    """Raises a `DataError` for each error of the libraries that read workbooks."""
    try:
        yield
    except _DAMAGED:
        raise _unreadable(format_) from None
    except BaseException as error:
        # A fault of the library's Rust code is no Exception, and would end the job.
        if type(error).__name__ == "PanicException":
            raise _unreadable(format_) from None
        raise


def _open_checked(path: Path, format_: str) -> CalamineWorkbook:
    if format_ == "xls":
        # Damaged bytes can end the process in the other library, so this one opens the file first.
        _open_xls(path).release_resources()
    return _open(path, format_)


def _open(path: Path, format_: str) -> CalamineWorkbook:
    """Opens a workbook.

    Raises:
        DataError: the workbook is too large.
    """
    if format_ != "xls":
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            if unpacked > _MAX_BYTES:
                raise DataError(
                    f"the workbook has {unpacked / (1 << 30):.1f} GiB when it is unpacked, and the "
                    f"limit is {_MAX_BYTES >> 30} GiB: save the sheet as CSV"
                )
            for name in archive.namelist() if format_ == "xlsx" else ():
                if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                    check_area(archive.read(name))
            if format_ == "ods":
                check_ods_areas(archive.read("content.xml"))
    return CalamineWorkbook.from_path(path)


def _read(path: Path, format_: str, dialect: Dialect) -> tuple[Sheet, Errors]:
    """Reads a sheet, and its cells with an error, which the library reads as empty.

    Raises:
        DataError: the position of a cell with an error is unknown.
    """
    if format_ == "xls":
        # As in `_open_checked`.
        with _open_xls(path) as book:
            name, sheet = _named_sheet(path, format_, dialect)
            return sheet, xls_errors(book.sheet_by_name(name))
    name, sheet = _named_sheet(path, format_, dialect)
    if format_ == "xlsx":
        return sheet, xlsx_errors(path, name)
    errors, merged = ods_marks(path, name)
    return Sheet(sheet.rows, merged), errors


def _named_sheet(path: Path, format_: str, dialect: Dialect) -> tuple[str, Sheet]:
    """Name and content of the declared sheet."""
    sheet = _sheet(_open(path, format_), dialect)
    rows = sheet.to_python(skip_empty_area=False)
    return sheet.name, Sheet(rows, sheet.merged_cell_ranges or ())


def _unreadable(format_: str) -> DataError:
    return DataError(
        f"the file cannot be read as {format_}: open it, save it again and compare its format "
        "with the contract"
    )


def _check_format(data: bytes, format_: str) -> None:
    """Raises a `DataError` if a file is a workbook of another format, or locked."""
    found = workbook_format(data)
    if data.startswith(COMPOUND_FILE) and format_ != found:
        locked = other_format(data)
        if "password" in locked:
            raise DataError(locked)
    if found and found != format_:
        raise DataError(
            f"the file is a workbook of the format {found}, and the contract declares {format_}: "
            f"declare format: {found}"
        )
    if not found and b"\0" not in data and not data.startswith((b"PK", b"<")):
        raise DataError(
            f"the file is text and no workbook, and the contract declares {format_}: declare "
            "format: csv"
        )


def _sheet(workbook: CalamineWorkbook, dialect: Dialect) -> CalamineSheet:
    names = workbook.sheet_names
    if dialect.sheet_name is not None:
        if dialect.sheet_name in names:
            return workbook.get_sheet_by_name(dialect.sheet_name)
        raise DataError(
            f"the workbook has no sheet {dialect.sheet_name!r}: declare dialect.sheetName; its "
            f"sheets are {_listed(names)}"
        )
    if dialect.sheet_number is not None:
        if dialect.sheet_number <= len(names):
            return workbook.get_sheet_by_index(dialect.sheet_number - 1)
        raise DataError(
            f"the workbook has {len(names)} sheets, and the contract declares number "
            f"{dialect.sheet_number}: declare dialect.sheetName; its sheets are {_listed(names)}"
        )
    sheets = [workbook.get_sheet_by_name(name) for name in names]
    with_cells = [sheet for sheet in sheets if sheet.height]
    if not with_cells:
        raise DataError("the workbook is empty: ask for the file again")
    if len(with_cells) > 1:
        raise DataError(
            f"{len(with_cells)} sheets of the workbook have cells: declare dialect.sheetName; its "
            f"sheets are {_listed(names)}"
        )
    return with_cells[0]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _open_xls(path: Path) -> xlrd.Book:
    # The log of the library can contain texts of cells.
    return xlrd.open_workbook(path, logfile=io.StringIO())
