"""Rows of a sheet of a workbook: Excel (.xlsx, .xls) and OpenDocument (.ods).

Values are those that the workbook stores; formats of numbers do not count. A formula has its last
computed value.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import ParseError

import xlrd
from defusedxml.ElementTree import fromstring
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    XmlError,
    ZipError,
)

from socare_spark.contracts.dialect import Dialect
from socare_spark.contracts.field import Field
from socare_spark.errors import DataError
from socare_spark.ingest.format_diagnosis import COMPOUND_FILE, other_format, workbook_format

Cell = str | bool | float | int | date | datetime | time | timedelta
# First and last row and column of merged cells, from 0.
Range = tuple[tuple[int, int], tuple[int, int]]
# Row -> columns and texts of the cells with an error, such as #REF!; both from 0.
Errors = Mapping[int, list[tuple[int, str]]]
# Excel keeps 15 digits of a number.
_DIGITS = 15
# Bytes of a workbook when it is unpacked, and cells of a sheet. More do not fit into memory.
_MAX_BYTES = 2 << 30
_MAX_CELLS = 100_000_000
# Names can have the prefix of a namespace. A cell without children ends in "/>".
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c(?=\s)(?=[^>]*\st\s*=\s*[\"']e[\"'])"
    rb"([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c\s*>)",
    re.DOTALL,
)
_FILLED_CELL = re.compile(
    rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*[\"']([A-Z]+)([0-9]+)[\"'](?:[^>]*[^/>])?>"
)
_ROW = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r\s*=\s*[\"']([0-9]+)")
_WIDE_COLUMN = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{2,3})[0-9]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Z]+)([0-9]+)[\"']")
_UNKNOWN_ERROR = "#ERROR"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_ODS_MARK = re.compile(rb"calcext:value-type=[\"']error[\"']|number-rows-spanned=[\"'](?!1[\"'])")
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
        if format_ == "xls":
            _open_xls(path).release_resources()
        workbook = _open(path, format_)
        return {name: workbook.get_sheet_by_name(name).height for name in workbook.sheet_names}


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
                    _check_area(archive.read(name))
    return CalamineWorkbook.from_path(path)


def _check_area(sheet: bytes) -> None:
    """Refuses a sheet whose last cell is too far away: the library reads all cells before it."""
    rows = max((int(match[1]) for match in _ROW.finditer(sheet)), default=0)
    columns = max((_column(match[1]) for match in _WIDE_COLUMN.finditer(sheet)), default=26)
    if rows * columns <= _MAX_CELLS:
        return
    # Formatted cells without a value do not count.
    cells = [(_column(letters), int(row)) for letters, row in _FILLED_CELL.findall(sheet)]
    columns = max((column for column, _ in cells), default=0)
    rows = max((row for _, row in cells), default=0)
    if columns * rows > _MAX_CELLS:
        raise DataError(
            f"a sheet has cells in {rows} rows and up to column {columns}: remove the cells that "
            "are far from the table, or save the sheet as CSV"
        )


def _column(letters: bytes) -> int:
    """Number of a column, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _read(path: Path, format_: str, dialect: Dialect) -> tuple[Sheet, Errors]:
    """Reads a sheet, and its cells with an error, which the library reads as empty.

    Raises:
        DataError: the position of a cell with an error is unknown.
    """
    if format_ == "xls":
        # Damaged bytes can end the process in the other library, so this one opens the file first.
        with _open_xls(path) as book:
            name, sheet = _named_sheet(path, format_, dialect)
            return sheet, _xls_errors(book.sheet_by_name(name))
    name, sheet = _named_sheet(path, format_, dialect)
    if format_ == "xlsx":
        return sheet, _xlsx_errors(path, name)
    errors, merged = _ods_marks(path, name)
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


def text_of(cell: Cell, field: Field | None = None) -> str:
    """The text of a cell.

    Args:
        cell: The cell.
        field: Its field. A date or time gets the first format of the field that keeps all its
            parts; a boolean gets the field's text.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        if field is not None and field.is_boolean:
            return (field.true_values if cell else field.false_values)[0]
        return str(cell).upper()
    if isinstance(cell, (int, float)):
        # A small number, such as a longitude, is written without an exponent.
        text = f"{cell:.{_DIGITS}g}"
        return format(Decimal(text), "f") if "e-" in text else text
    if isinstance(cell, date):
        return _text_of_date(cell, field)
    return cell.isoformat() if isinstance(cell, time) else str(cell)


def _text_of_date(day: date, field: Field | None) -> str:
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
    formats = field.formats if field is not None and field.is_date else ()
    for form in formats:
        text = moment.strftime(form)
        if "%z" not in form and datetime.strptime(text, form) == moment:
            return text
    if formats and moment != day and "%y" not in formats[0]:
        # The cell is a date, and no format keeps the day. The first one keeps less. Two digits of
        # a year can mean another century.
        return moment.strftime(formats[0])
    return moment.isoformat() if moment.time() != time() else moment.date().isoformat()


def _ods_marks(path: Path, sheet: str) -> tuple[Errors, list[Range]]:
    """Cells with an error and cells merged over several rows, which the library does not report."""
    errors: dict[int, list[tuple[int, str]]] = {}
    merged: list[Range] = []
    with zipfile.ZipFile(path) as archive:
        data = archive.read("content.xml")
    if not _ODS_MARK.search(data):
        return errors, merged
    table = next(
        element
        for element in fromstring(data).iter(f"{_TABLE}table")
        if element.get(f"{_TABLE}name") == sheet
    )
    i = 0
    for row in table.iter(f"{_TABLE}table-row"):
        j = 0
        for cell in row:
            spanned = [
                int(cell.get(f"{_TABLE}number-{x}-spanned", "1")) for x in ("rows", "columns")
            ]
            if spanned[0] > 1:
                merged.append(((i, j), (i + spanned[0] - 1, j + spanned[1] - 1)))
            if cell.get(f"{_CALC}value-type") == "error":
                errors.setdefault(i, []).append((j, "".join(cell.itertext()) or _UNKNOWN_ERROR))
            j += int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        i += int(row.get(f"{_TABLE}number-rows-repeated", "1"))
    return errors, merged


def _xlsx_errors(path: Path, sheet: str) -> Errors:
    errors: dict[int, list[tuple[int, str]]] = {}
    with zipfile.ZipFile(path) as archive:
        data = archive.read(_xlsx_part(archive, sheet))
    for attributes, content in _ERROR_CELL.findall(data):
        reference = _REFERENCE.search(attributes)
        if reference is None:
            raise DataError(
                "the sheet has cells with an error, such as #REF!: correct them and save the "
                "workbook again"
            )
        letters, number = reference.groups()
        value = _VALUE.search(content)
        text = value.group(1).decode().strip() if value else ""
        errors.setdefault(int(number) - 1, []).append(
            (_column(letters) - 1, text or _UNKNOWN_ERROR)
        )
    return errors


def _xlsx_part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Name of the part of an .xlsx file that contains a sheet."""
    book = fromstring(archive.read("xl/workbook.xml"))
    relations = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    found = next(e for e in book.iter() if e.tag.endswith("}sheet") and e.get("name") == sheet)
    target = targets[next(v for k, v in found.attrib.items() if k.endswith("}id"))]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _open_xls(path: Path) -> xlrd.Book:
    # The log of the library can contain texts of cells.
    return xlrd.open_workbook(path, logfile=io.StringIO())


def _xls_errors(sheet: xlrd.sheet.Sheet) -> Errors:
    errors: dict[int, list[tuple[int, str]]] = {}
    for i in range(sheet.nrows):
        for j, kind in enumerate(sheet.row_types(i)):
            if kind == xlrd.XL_CELL_ERROR:
                code = sheet.cell_value(i, j)
                text = xlrd.error_text_from_code.get(code, _UNKNOWN_ERROR)
                errors.setdefault(i, []).append((j, text))
    return errors
