"""Rows of a sheet of a workbook: Excel (.xlsx, .xls) and OpenDocument (.ods).

Values are those that the workbook stores; formats of numbers do not count. A formula has its last
computed value.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

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
# Row -> columns and texts of the cells with an error, such as #REF!; both from 0.
Errors = Mapping[int, list[tuple[int, str]]]
# Excel keeps 15 digits of a number.
_DIGITS = 15
# Names can have the prefix of a namespace. A cell without children ends in "/>".
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c(?=\s)(?=[^>]*\st\s*=\s*[\"']e[\"'])"
    rb"([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c\s*>)",
    re.DOTALL,
)
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Z]+)([0-9]+)[\"']")
_UNKNOWN_ERROR = "#ERROR"
_ODS_ERROR = re.compile(rb"calcext:value-type=[\"']error[\"']")


def sheet_rows(path: Path, format_: str, dialect: Dialect) -> Iterator[Sequence[Cell]]:
    """Yields the rows of a sheet up to the header, and then its records.

    Rows below the last row of the header without a value, and rows of comments, are left out.
    Arguments and errors are those of `sheet_cells`.
    """
    comment, last = dialect.comment_char, dialect.header_rows[-1] if dialect.header else 0
    for i, row in enumerate(sheet_cells(path, format_, dialect)):
        has_comment = comment is not None and isinstance(row[0], str) and row[0].startswith(comment)
        if i < last or (any(cell != "" for cell in row) and not has_comment):
            yield row


def sheet_cells(path: Path, format_: str, dialect: Dialect) -> list[list[Cell]]:
    """Reads all rows of a sheet, from its first row and column. Empty cells are empty texts.

    Args:
        path: The workbook.
        format_: Its format: `xlsx`, `xls` or `ods`.
        dialect: The sheet, and the rows of the header.

    Raises:
        DataError: the file is not a workbook of the format, or the sheet is not determined.
    """
    _check_format(path.read_bytes(), format_)
    try:
        rows, errors = _read(path, format_, dialect)
    except (CalamineError, XmlError, ZipError, zipfile.BadZipFile, xlrd.XLRDError):
        raise _unreadable(format_) from None
    except BaseException as error:
        # A fault of the library's Rust code is no Exception, and would end the job.
        if type(error).__name__ == "PanicException":
            raise _unreadable(format_) from None
        raise
    for i, row in enumerate(rows):
        for column, text in errors.get(i, ()):
            row[column] = text
    return rows


def _read(path: Path, format_: str, dialect: Dialect) -> tuple[list[list[Cell]], Errors]:
    """Reads the rows of a sheet, and its cells with an error, which the library reads as empty.

    Raises:
        DataError: the position of a cell with an error is unknown.
    """
    if format_ == "xls":
        # Damaged bytes can end the process in the other library, so this one opens the file first.
        with _open_xls(path) as book:
            name, rows = _named_rows(path, dialect)
            return rows, _xls_errors(book.sheet_by_name(name))
    name, rows = _named_rows(path, dialect)
    return rows, _xlsx_errors(path, name) if format_ == "xlsx" else _ods_errors(path)


def _named_rows(path: Path, dialect: Dialect) -> tuple[str, list[list[Cell]]]:
    """Name and rows of the declared sheet."""
    sheet = _sheet(CalamineWorkbook.from_path(path), dialect)
    return sheet.name, sheet.to_python(skip_empty_area=False)


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


def _ods_errors(path: Path) -> Errors:
    """No cell, because the positions of cells with an error are unknown.

    Raises:
        DataError: a cell has an error.
    """
    with zipfile.ZipFile(path) as archive:
        count = len(_ODS_ERROR.findall(archive.read("content.xml")))
    if count:
        raise DataError(
            f"the workbook has {count} cells with an error, such as #REF!: correct them, or save "
            "the workbook as .xlsx"
        )
    return {}


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
        column = 0
        for letter in letters:
            column = column * 26 + letter - ord("A") + 1
        value = _VALUE.search(content)
        text = value.group(1).decode().strip() if value else ""
        errors.setdefault(int(number) - 1, []).append((column - 1, text or _UNKNOWN_ERROR))
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
