"""Reads a file of unknown form into columns of text."""

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count as count_from
from itertools import takewhile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from socare_spark.contracts.dialect import XmlRecords
from socare_spark.contracts.header_names import normalise_header
from socare_spark.errors import DataError
from socare_spark.ingest.csv_records import blocks, chunks
from socare_spark.ingest.file_profile import profile_file
from socare_spark.onboarding.layout import Header, Layout, find_layout
from socare_spark.onboarding.source_text import SourceText, read_source_text

WORKERS = 2
# A block has its own dictionary of each column, so small blocks need little memory.
_BLOCK = 1 << 20
_TEXTS = pa.dictionary(pa.int32(), pa.string())
# Rows at the end of a file that can be totals or notes.
_MAX_NOTES = 10
_NOTE_WIDTH = 4
# Bytes at the end of a file that have the notes.
_TAIL = 1 << 16
_TOTAL = re.compile(
    r"(grand |sub-?|overall )?totals?\b|sum of\b|end of (report|file)", re.IGNORECASE
)


@dataclass(frozen=True)
class Column:
    """The cells of a column, each different text once. Blanks at the ends of a text are dropped.

    Attributes:
        position: Position in the file, from 1.
        name: Name of the column as written; empty if the header has none.
        texts: The different texts.
        counts: Number of rows with each of them.
        codes: For each row the index of its text.
    """

    position: int
    name: str
    texts: pa.Array
    counts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int32]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    @property
    def is_named(self) -> bool:
        """Whether the name has a letter or digit, without which no contract can name it."""
        return bool(normalise_header(self.name))

    @property
    def is_blank(self) -> bool:
        """Whether no row has a text."""
        return not any(self.texts.slice(0, 2).to_pylist())


@dataclass(frozen=True)
class SourceTable:
    """A file as columns of text.

    Attributes:
        path: The file.
        format: `csv`, `xlsx`, `xls`, `ods` or `xml`.
        header: The row with the names of the columns; row 0 of an XML file.
        columns: The columns, without those that have neither a name nor a value.
        rows: Number of records, all of them.
        sampled: Number of records from which the columns are known.
        encoding: The encoding; empty for a workbook.
        ascii_only: Whether no character is beyond ASCII.
        layout: The form of a CSV file; None for other formats.
        sheet: The sheet of a workbook; empty if it has one sheet with cells.
        sheets: Names of the sheets with cells.
        xml: The elements of records and fields of an XML file.
        record_paths: Paths of the elements of an XML file that can be records.
        odd_rows: Number of records with another number of cells than the header.
        notes: Number of records at the end with one cell, such as notes, or with totals.
        noted: Positions of the columns in which such a record has a text.
        units: Number of rows below the header with units or further names.
        problems: Reasons for which `ingest` would refuse the file.
        merged: Number of groups of cells of a workbook that are merged over several records.
        repeated: Paths of the elements of an XML file that repeat within a record.
        footers: Number of the `odd_rows` at the end of a CSV file that are notes.
    """

    path: Path
    format: str
    header: Header
    columns: Sequence[Column]
    rows: int
    sampled: int
    encoding: str = ""
    ascii_only: bool = False
    layout: Layout | None = None
    sheet: str = ""
    sheets: Sequence[str] = ()
    xml: XmlRecords | None = None
    record_paths: Sequence[str] = ()
    odd_rows: int = 0
    notes: int = 0
    noted: Sequence[int] = ()
    units: int = 0
    problems: Sequence[str] = field(default=())
    merged: int = 0
    repeated: Sequence[str] = ()
    footers: int = 0

    @property
    def is_sampled(self) -> bool:
        """Whether the columns are known from a part of the records only."""
        return self.rows > self.sampled + self.odd_rows + self.notes + self.units

    @property
    def names(self) -> list[str]:
        """Names of the columns as written."""
        return [column.name for column in self.columns]


def read_csv_table(path: Path, header: int | str | None = None) -> SourceTable:
    """Reads a CSV file.

    Args:
        path: The file, which can be gzipped.
        header: Number of the row with the names, `none`, or None to find it.

    Raises:
        DataError: the file is not text. The message can follow the name of the file.
    """
    source = read_source_text(path)
    text = source.data[: 1 << 20].decode("utf-8", errors="ignore")
    layout = find_layout(text, header)
    with ThreadPoolExecutor(1) as executor:
        # The count of records and the refusals are those of ingest.
        profiled = executor.submit(_profile, path, source, layout)
        read = _read_lines(source.data, layout)
        profile = profiled.result()
    if read is None or profile.multiline:
        read = _read_arrow(source.data, layout, multiline=True)
    table, odd = read
    footers = _footers(source, layout, odd.count(1))
    return table_of(
        table,
        layout.header,
        path=path,
        format_="csv",
        count=profile.rows,
        odd_rows=len(odd),
        source=source,
        layout=layout,
        problems=profile.problems,
        footers=footers,
    )


def _footers(source: SourceText, layout: Layout, narrow: int) -> int:
    """Number of lines at the end that are notes: they have one cell, as few records have."""
    if len(layout.header.names) < _NOTE_WIDTH or not source.complete:
        return 0
    lines = [line for line in source.data[-_TAIL:].splitlines() if line.strip()]
    last = reversed(lines[-_MAX_NOTES:])
    return min(
        narrow, sum(1 for _ in takewhile(lambda n: layout.delimiter.encode() not in n, last))
    )


@dataclass(frozen=True)
class _Profile:
    """Facts on a file from the pass of `ingest` over its bytes.

    Attributes:
        rows: Number of rows, those up to the header included; None if it is not known.
        multiline: Whether a cell contains or can contain a line break.
        problems: Reasons for which `ingest` would refuse the file.
    """

    rows: int | None = None
    multiline: bool = True
    problems: Sequence[str] = ()


def _profile(path: Path, source: SourceText, layout: Layout) -> _Profile:
    if not layout.is_plain:
        return _Profile()
    try:
        if layout.header.row == 1:
            profile = profile_file(path, source.encoding, layout.delimiter)
            return _Profile(profile.records + 1, profile.multiline)
        pieces = iter([source.data]) if source.complete else _utf_8(path, source.encoding)
        found = [(b.starts.size, b.broken.size) for b in blocks(pieces, layout.delimiter)]
        return _Profile(sum(rows for rows, _ in found), any(broken for _, broken in found))
    except DataError as error:
        return _Profile(problems=[str(error)])


def _utf_8(path: Path, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return (decoder.decode(piece).encode() for piece in chunks(path))


def _read_lines(data: bytes, layout: Layout) -> tuple[pa.Table, list[int]] | None:
    """The records of a file without line breaks in cells; None if lines are no records."""
    if not layout.is_plain:
        return None
    try:
        return _read_arrow(data, layout, multiline=False)
    except DataError:
        return None


def _read_arrow(data: bytes, layout: Layout, *, multiline: bool) -> tuple[pa.Table, list[int]]:
    """The records as a table of texts, and the widths of the records of another width.

    Several threads separate the lines if no cell has a line break.
    """
    begin = 0
    lines = io.StringIO(data[: 1 << 20].decode("utf-8", errors="ignore"), newline="")
    for line, _ in zip(lines, range(layout.data_line - 1), strict=False):
        begin += len(line.encode())
    names = [f"{i}" for i in range(len(layout.header.names) + layout.trailing)]
    odd: list[int] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        odd.append(row.actual_columns)
        return "skip"

    if not names or not data[begin:].strip():
        return pa.table({name: pa.array([], pa.string()) for name in names}), odd
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(pa.py_buffer(data).slice(begin)),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=_BLOCK << 2 * multiline),
            parse_options=pa_csv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=layout.quote,
                escape_char=layout.escape or False,
                newlines_in_values=multiline,
                invalid_row_handler=skip,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, _TEXTS), check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        # Its message quotes the record.
        raise DataError(
            "the records cannot be separated, so a quote is probably not closed: ask for the file "
            "again with quotes in pairs"
        ) from None
    return table.select(names[: len(layout.header.names)]), odd


def table_of(
    table: pa.Table,
    header: Header,
    *,
    path: Path,
    format_: str,
    count: int | None = None,
    odd_rows: int = 0,
    source: SourceText | None = None,
    layout: Layout | None = None,
    sheet: str = "",
    sheets: Sequence[str] = (),
    xml: XmlRecords | None = None,
    records: Sequence[str] = (),
    problems: Sequence[str] = (),
    merged: int = 0,
    repeated: Sequence[str] = (),
    footers: int = 0,
) -> SourceTable:
    """Builds the columns of a table of texts.

    Args:
        table: One column of texts for each name of the header.
        header: The header.
        path: The file.
        format_: Its format.
        count: Number of rows of the file with those up to the header; None if it is not known.
        odd_rows: Number of records of another width, which are not in the table.
        source: The text of a CSV file.
        layout: Its form.
        sheet: The sheet of a workbook, if it has several.
        sheets: The sheets with cells.
        xml: The elements of records and fields of an XML file.
        records: Paths of the elements that can be records.
        problems: Reasons for which `ingest` would refuse the file.
        merged: Number of groups of cells that are merged over several records.
        repeated: Paths of the elements that repeat within a record.
        footers: Number of the `odd_rows` that are notes at the end.
    """
    blocks = [table.column(i) for i in range(table.num_columns)]
    with ThreadPoolExecutor(WORKERS) as executor:
        columns = list(executor.map(_column, count_from(1), header.names, blocks))
    filled = np.zeros(table.num_rows, np.int16)
    for column in columns:
        has_text = np.asarray(pc.not_equal(column.texts, ""), dtype=bool)
        filled += 1 if has_text.all() and has_text.size else _at(has_text, column)
    kept = filled > 0
    units = min(header.units, table.num_rows)
    kept[:units] = False
    notes = _notes(columns, filled)
    kept[notes] = False
    noted = tuple(column.position for column in columns if _has_text_at(column, notes))
    if not kept.all():
        columns = [_subset(column, kept) for column in columns]
    sampled = int(kept.sum())
    rows = sampled + odd_rows + len(notes) + units
    if source is not None and not source.complete and count is not None:
        rows = count - header.filled_rows
    return SourceTable(
        path,
        format_,
        header,
        [c for c in columns if c.name or not c.is_blank],
        rows,
        sampled,
        source.encoding if source else "",
        source.ascii_only if source else False,
        layout,
        sheet,
        sheets,
        xml,
        records,
        odd_rows,
        len(notes),
        noted,
        units,
        problems,
        merged,
        repeated,
        footers,
    )


def _notes(columns: Sequence[Column], filled: npt.NDArray[np.int16]) -> list[int]:
    """Rows at the end of a table that have totals, or one cell only."""
    notes: list[int] = []
    if filled.size <= _MAX_NOTES:
        return notes
    wide = len(columns) >= _NOTE_WIDTH
    for row in np.flatnonzero(filled)[-_MAX_NOTES:][::-1].tolist():
        first = next(text for c in columns if (text := str(c.texts[int(c.codes[row])])))
        if (wide and filled[row] == 1) or _TOTAL.match(first):
            notes.append(row)
    return notes


def _has_text_at(column: Column, rows: Sequence[int]) -> bool:
    return any(str(column.texts[int(column.codes[row])]) for row in rows)


def _at(has_text: npt.NDArray[np.bool_], column: Column) -> npt.NDArray[np.bool_] | int:
    return has_text[column.codes] if has_text.size else 0


def _column(position: int, name: str, cells: pa.ChunkedArray) -> Column:
    """Encodes a column of texts, and drops blanks at the ends of its texts."""
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    encoded = cells.combine_chunks()
    codes, texts = np.asarray(encoded.indices), encoded.dictionary
    stripped = pc.utf8_trim_whitespace(texts)
    if not stripped.equals(texts):
        again = stripped.dictionary_encode()
        codes, texts = np.asarray(again.indices)[codes], again.dictionary
    return Column(position, name, texts, np.bincount(codes, minlength=len(texts)), codes)


def _subset(column: Column, kept: npt.NDArray[np.bool_]) -> Column:
    codes = column.codes[kept]
    counts = np.bincount(codes, minlength=len(column.texts))
    used = np.flatnonzero(counts)
    places = np.zeros(len(counts), np.int32)
    places[used] = np.arange(used.size)
    texts = column.texts.take(pa.array(used))
    return Column(column.position, column.name, texts, counts[used], places[codes])
