"""Marks of the cells of a workbook that the library for its values does not report.

These are cells with an error, such as #REF!, merged cells of .ods, and the size of a sheet.
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import xlrd
from defusedxml.ElementTree import fromstring

from socare_spark.errors import DataError

# First and last row and column of merged cells, from 0.
Range = tuple[tuple[int, int], tuple[int, int]]
# Row -> columns and texts of the cells with an error, such as #REF!; both from 0.
Errors = Mapping[int, list[tuple[int, str]]]
# Cells of a sheet. More do not fit into memory.
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
_ROW = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r\s*=\s*[\"']([0-9]{1,18})")
_WIDE_COLUMN = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{2,3})[0-9]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Z]+)([0-9]+)[\"']")
_UNKNOWN_ERROR = "#ERROR"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_ODS_TAG = re.compile(
    rb"<(?:\w+:)?(table|table-row|(?:covered-)?table-cell)(?=[\s/>])"
    rb"((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>"
)
_ODS_VALUE = re.compile(rb":(?:[a-z]+-)?value(?:-type)?\s*=")
_REPEATED = re.compile(rb"number-(?:rows|columns)-repeated\s*=\s*[\"']([0-9]{1,18})")
_ODS_MARK = re.compile(rb"calcext:value-type=[\"']error[\"']|number-rows-spanned=[\"'](?!1[\"'])")


def check_area(sheet: bytes) -> None:
    """Refuses a sheet whose last cell is too far away: the library reads all cells before it."""
    rows = max((int(match[1]) for match in _ROW.finditer(sheet)), default=0)
    columns = max((_column(match[1]) for match in _WIDE_COLUMN.finditer(sheet)), default=26)
    if rows * columns <= _MAX_CELLS:
        return
    # Formatted cells without a value do not count.
    cells = [(_column(letters), int(row)) for letters, row in _FILLED_CELL.findall(sheet)]
    _check_size(max((row for _, row in cells), default=0), max((c for c, _ in cells), default=0))


def check_ods_areas(content: bytes) -> None:
    """Refuses an .ods file with a sheet whose last cell with a value is too far away.

    The file can declare one row or cell with a number of repetitions, and the library makes all of
    them in memory.

    Args:
        content: The part `content.xml` of the file.
    """
    rows = columns = row = height = column = 0
    for kind, attributes in map(re.Match.groups, _ODS_TAG.finditer(content)):
        if kind == b"table":
            _check_size(rows, columns)
            rows = columns = row = height = 0
        elif kind == b"table-row":
            row, height, column = row + height, _repeated(attributes), 0
        else:
            column += _repeated(attributes)
            if _ODS_VALUE.search(attributes) or not attributes.endswith(b"/"):
                rows, columns = row + height, max(columns, column)
    _check_size(rows, columns)


def _repeated(attributes: bytes) -> int:
    match = _REPEATED.search(attributes)
    return int(match[1]) if match else 1


def _check_size(rows: int, columns: int) -> None:
    if rows * columns > _MAX_CELLS:
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


def ods_marks(path: Path, sheet: str) -> tuple[Errors, list[Range]]:
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


def xlsx_errors(path: Path, sheet: str) -> Errors:
    """Cells of a sheet of an .xlsx workbook with an error.

    Raises:
        DataError: the position of a cell with an error is unknown.
    """
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


def xls_errors(sheet: xlrd.sheet.Sheet) -> Errors:
    """Cells of a sheet of an .xls workbook with an error."""
    errors: dict[int, list[tuple[int, str]]] = {}
    for i in range(sheet.nrows):
        for j, kind in enumerate(sheet.row_types(i)):
            if kind == xlrd.XL_CELL_ERROR:
                code = sheet.cell_value(i, j)
                text = xlrd.error_text_from_code.get(code, _UNKNOWN_ERROR)
                errors.setdefault(i, []).append((j, text))
    return errors
