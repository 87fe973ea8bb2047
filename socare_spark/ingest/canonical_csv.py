"""Converts landed files of other forms to a canonical CSV, which is then read like any CSV.

The canonical CSV is UTF-8 and follows RFC 4180 with commas. Its first record is the header. Records
keep their order, so the number of a record is that of the landed file. Cells keep their text.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.dialect import WORKBOOKS, Dialect
from socare_spark.contracts.encodings import UTF_16
from socare_spark.contracts.field import Field
from socare_spark.errors import DataError
from socare_spark.ingest.cell_text import Cell, text_of
from socare_spark.ingest.csv_records import byte_stream, chunks
from socare_spark.ingest.decode_check import DecodeCheckedStream
from socare_spark.ingest.file_profile import read_start
from socare_spark.ingest.header import columns_of
from socare_spark.ingest.landed_file import LandedFile
from socare_spark.ingest.sheet_records import sheet_rows
from socare_spark.ingest.workbooks import read_sheet
from socare_spark.ingest.xml_records import write_records
from socare_spark.plurals import counted

ENCODING, DELIMITER = "utf-8", ","
_FOLDER = "converted.csv"
Row = Sequence[Cell]


@dataclass(frozen=True)
class CsvFile:
    """A CSV file that can be read.

    Attributes:
        path: The file.
        encoding: Its declared encoding.
        delimiter: Its delimiter.
        unread: Names of the elements of an XML file that are in no field.
    """

    path: Path
    encoding: str
    delimiter: str
    unread: Sequence[str] = ()


def csv_of(landed: LandedFile, folder: Path) -> CsvFile:
    """A CSV file with the records of a landed file: the file itself, or a canonical CSV.

    Args:
        landed: The landed file.
        folder: Folder for files of the run.

    Raises:
        DataError: the file does not have the form that the contract declares.
    """
    contract = landed.contract
    if contract.is_plain:
        return CsvFile(landed.path, landed.encoding, contract.dialect.delimiter)
    # Two contracts can read one file: sheets of a workbook, or records of an XML file.
    name = hashlib.sha256(f"{contract.name} {landed.name}".encode()).hexdigest()[:16]
    path = folder / _FOLDER / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unread: Sequence[str] = ()
    if contract.socare.xml is not None:
        names = [field.name for field in contract.fields]
        unread = write_records(landed.path, names, contract.socare.xml, path)
    elif contract.format in WORKBOOKS:
        sheet = read_sheet(landed.path, contract.format, contract.dialect)
        columns = _read_columns(sheet.rows, landed)
        merged_cells = contract.socare.merged_cells
        _write(path, landed, sheet_rows(sheet, contract.dialect, columns, merged_cells))
    else:
        _write(path, landed, _csv_rows(landed))
    return CsvFile(path, ENCODING, DELIMITER, unread)


def _write(path: Path, landed: LandedFile, rows: Iterable[Row]) -> None:
    """Writes the header and the records.

    Raises:
        DataError: the file has no header, or not the number of columns that the contract declares.
    """
    header, records = _split(rows, landed.contract)
    fields = _fields(header, landed)
    # Line ends of two characters make the writer quote each cell that contains one of them.
    with path.open("w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(header)
        for row in records:
            typed = [
                cell
                if isinstance(cell, str)
                else text_of(cell, fields[i] if i < len(fields) else None)
                for i, cell in enumerate(row)
            ]
            writer.writerow(typed)


def _split(rows: Iterable[Row], contract: Contract) -> tuple[list[str], Iterator[Row]]:
    """The header and the records.

    Raises:
        DataError: as in `_write`.
    """
    remaining = iter(rows)
    header = _header(remaining, contract)
    if not contract.dialect.header:
        first = next(remaining, None)
        header = _declared_header(contract, 0 if first is None else len(first))
        remaining = iter(()) if first is None else chain([first], remaining)
    if contract.socare.trailing_delimiter:
        header = header[:-1] if not header[-1] else header
        remaining = (_without_end(row, len(header)) for row in remaining)
    return header, remaining


def _fields(header: Sequence[str], landed: LandedFile) -> list[Field | None]:
    """The field of each column of a header; None for a column of no field."""
    contract = landed.contract
    names = columns_of(header, contract, landed.as_of)
    return [None if name is None else contract.field(name) for name in names]


def _read_columns(rows: Iterable[Row], landed: LandedFile) -> set[int]:
    """Columns whose values the contract reads, from 0."""
    header, _ = _split(rows, landed.contract)
    fields = enumerate(_fields(header, landed))
    return {i for i, field in fields if field is not None and landed.contract.is_read(field)}


def _without_end(row: Row, width: int) -> Row:
    """Removes an empty cell that follows the last column."""
    return row[:-1] if len(row) == width + 1 and row[-1] == "" else row


def _header(rows: Iterator[Row], contract: Contract) -> list[str]:
    """Reads the rows up to the header and joins the names of its rows."""
    dialect = contract.dialect
    if not dialect.header:
        return []
    parts: list[Row] = []
    last = dialect.header_rows[-1]
    for number in range(1, last + 1):
        row = next(rows, None)
        if row is None:
            raise DataError(
                f"the file has {counted(number - 1, 'row')}, and the contract declares the header "
                f"in row {last}: declare the right dialect.headerRows, or ask for the file again"
            )
        if number in dialect.header_rows:
            parts.append(row)
    width = max(map(len, parts))
    names = [
        [text for part in parts if i < len(part) and (text := text_of(part[i]).strip())]
        for i in range(width)
    ]
    if not any(names):
        raise DataError(
            "the rows that the contract declares as header are blank: declare the right "
            "dialect.headerRows"
        )
    return [" ".join(dialect.header_join.join(texts).split()) for texts in names]


def _declared_header(contract: Contract, width: int) -> list[str]:
    """The header of a file without one, from the order or the positions of the fields."""
    at = {
        field.socare.position or i: field.name for i, field in enumerate(contract.fields, start=1)
    }
    has_positions = any(field.socare.position for field in contract.fields)
    end = contract.socare.trailing_delimiter
    if width and (max(at) > width or (not has_positions and width - end != len(at))):
        raise DataError(
            f"the first record has {counted(width, 'cell')}, and the contract declares "
            f"{counted(max(at), 'column')} without a header: declare each column in order, or the "
            "columns to read with socare.position"
        )
    return [at.get(i, f"column {i}") for i in range(1, max(width - end, *at) + 1)]


def _csv_rows(landed: LandedFile) -> Iterator[list[str]]:
    """Yields the rows of a CSV file of a declared dialect, without rows of comments.

    Raises:
        DataError: the bytes are not in the encoding, or quotes are not in pairs.
    """
    dialect = landed.contract.dialect
    encoding = read_start(landed.path, landed.encoding).encoding
    stream = DecodeCheckedStream(chunks(landed.path), encoding)
    text = io.TextIOWrapper(
        byte_stream(iter(stream)),
        encoding="utf-8-sig" if encoding in ("utf-8", *UTF_16) else encoding,
        newline="",
    )
    lines = _Lines(text, dialect)
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote_char,
        quoting=csv.QUOTE_MINIMAL if dialect.quote_char else csv.QUOTE_NONE,
        doublequote=dialect.double_quote,
        escapechar=dialect.escape_char,
        skipinitialspace=dialect.skip_initial_space,
        strict=True,
    )
    while True:
        lines.in_record = False
        try:
            row = next(reader, None)
        except csv.Error:
            raise DataError(
                f"the record in line {lines.first} has a quote that is not closed or is followed "
                "by text: declare the right dialect.quoteChar, doubleQuote and escapeChar, or ask "
                "for the file again"
            ) from None
        if row is None:
            return
        yield row


class _Lines:
    """The lines of a CSV file, without those of comments.

    A comment can contain any character, so its line does not reach the parser. An escape character
    is doubled unless it precedes a character with a meaning, because the parser would remove it.

    Attributes:
        in_record: Whether the last line is part of the next record.
        first: Number of the first line of this record.
    """

    def __init__(self, text: Iterable[str], dialect: Dialect) -> None:
        self.in_record, self.first = False, 0
        self._lines = enumerate(text, 1)
        self._comment = dialect.comment_char
        self._strips = dialect.skip_initial_space
        escape = dialect.escape_char
        special = f"{dialect.delimiter}{dialect.quote_char or ''}{escape}\r\n"
        self._escapes = (
            re.compile(f"{re.escape(escape)}([{re.escape(special)}]?)") if escape else None
        )

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for number, line in self._lines:
            if not self.in_record:
                start = line.lstrip(" ") if self._strips else line
                if self._comment and start.startswith(self._comment):
                    continue
                self.first, self.in_record = number, True
            return self._escaped(line)
        raise StopIteration

    def _escaped(self, line: str) -> str:
        if self._escapes is None:
            return line
        return self._escapes.sub(lambda m: m[0] if m[1] else m[0] * 2, line)
