"""Reads a sheet of a workbook: Excel (.xlsx, .xls) and OpenDocument (.ods).

Values are those that the workbook stores; formats of numbers do not count. A formula has its last
computed value.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from socare_spark.ingest.format_diagnosis import COMPOUND_FILE, other_format, workbook_format
from socare_spark.ingest.sheet_marks import (
    Errors,
    check_area,
    check_ods_areas,
    ods_marks,
    xls_errors,
    xlsx_errors,
)
from socare_spark.ingest.sheet_records import Sheet

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
