"""Profiles a file in one pass over its bytes before Spark reads it.

The pass computes the digest, tests the gzip data and the encoding, and counts the records. The
count does not come from Spark, so the ledger can compare it with the number of rows that Spark
reads. Both skip records without a value and repeated headers.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from socare_spark.contracts.encodings import UTF_16
from socare_spark.contracts.field import Field
from socare_spark.contracts.header_names import normalise_header
from socare_spark.errors import DataError
from socare_spark.ingest.csv_records import (
    MAX_RECORD_BYTES,
    Block,
    blocks,
    byte_table,
    chunks,
    prefetch,
)
from socare_spark.ingest.decode_check import DecodeCheckedStream
from socare_spark.ingest.format_diagnosis import (
    COMPOUND_FILE,
    encoding_found,
    odd_width,
    other_format,
)
from socare_spark.ingest.mojibake import is_examined, is_mojibake, suspect_offsets
from socare_spark.ingest.swallowed_records import MAX_CELL_CHARACTERS, Column, columns_of, swallows

HEAD_BYTES = 1 << 18
_MAX_HEADER_CHARACTERS = 100
_BYTES_PER_CHARACTER = 4
_MAX_CELLS = 20_000
_SAMPLE_RECORDS = 1_000
_PREFIX_BYTES = 6


@dataclass(frozen=True)
class FileProfile:
    """Properties of a file from one pass over its bytes.

    Attributes:
        sha256: SHA-256 of the file as stored (still compressed).
        size: Bytes of the file as stored.
        header: Names of the columns, as written.
        records: Number of records after the header, without blank records and repeated headers.
        multiline: Whether a cell contains a line break.
        ascii_only: Whether no byte is above 127.
        spaces_only: Whether no cell contains whitespace or a control character but the space.
        skipped: Kind of skipped record -> count: `before` (blank or `sep=`, before the header),
            `blank` (no value), `header` (repeated header).
        encoding: The encoding; UTF-16 includes the byte order. A byte order mark overrides the
            contract.
        hint: Probable reason why the sampled records have another width than the header, in a form
            that can follow a message; empty if they fit.
        mojibake: Field kept as text -> number of cells that their source decoded wrongly.
        path: The CSV file with these records.
        delimiter: Its delimiter.
    """

    sha256: str
    size: int
    header: tuple[str, ...]
    records: int
    multiline: bool
    ascii_only: bool
    spaces_only: bool
    skipped: Counter[str]
    encoding: str = ""
    hint: str = ""
    mojibake: Counter[str] = dataclass_field(default_factory=Counter)
    path: Path = Path()
    delimiter: str = ","


@dataclass(frozen=True)
class Start:
    """The beginning of a text file.

    Attributes:
        text: The decoded text.
        encoding: The encoding; UTF-16 includes the byte order.
    """

    text: str
    encoding: str


@dataclass(frozen=True)
class Head(Start):
    """The beginning of a CSV file.

    Attributes:
        header: Names of the columns, as written.
    """

    header: tuple[str, ...]


def read_head(path: Path, encoding: str, delimiter: str) -> Head:
    """Reads the beginning of a CSV file.

    Args:
        path: The file.
        encoding: The declared encoding.
        delimiter: The declared delimiter.

    Raises:
        DataError: the file is not a CSV file in the encoding, it is empty, or a quote of its header
            is not closed. The message can follow the name of the file.
    """
    start = read_start(path, encoding)
    return Head(start.text, start.encoding, _read_header(start.text, delimiter))


def read_start(path: Path, encoding: str) -> Start:
    """Reads the beginning of a text file.

    Args:
        path: The file.
        encoding: The declared encoding.

    Raises:
        DataError: the file is not text in the encoding. The message can follow the name of the
            file.
    """
    data = b""
    pieces = chunks(path)
    while len(data) < HEAD_BYTES and (piece := next(pieces, b"")):
        data += piece
    if data.startswith(COMPOUND_FILE):
        data += b"".join(pieces)
    message = other_format(data)
    if message:
        raise DataError(message)
    encoding = encoding_found(data, encoding)
    # The last character can be cut; errors="ignore" drops it.
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    text = data[:HEAD_BYTES].decode(name, errors="ignore").removeprefix("\ufeff")
    return Start(text, encoding)


def _read_header(text: str, delimiter: str) -> tuple[str, ...]:
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if any("\n" in cell or "\r" in cell or len(cell) > _MAX_HEADER_CHARACTERS for cell in row):
            # The first line can be a record, so the message must not contain its cells.
            raise DataError(
                "a name in the first line is too long for a header or contains a line break: if "
                "the file has no header, declare dialect.header: false and the socare.position of "
                "each column; if a quote is not closed, ask for the file again"
            )
        if not _is_blank(row) and not _is_separator_line(row, delimiter):
            return tuple(row)
    raise DataError("the file is empty and has no header: ask for the file again")


def _is_blank(row: Sequence[str]) -> bool:
    return all(all(character <= " " for character in cell) for cell in row)


def _is_separator_line(row: Sequence[str], delimiter: str) -> bool:
    """Whether a line is `sep=` with the delimiter of the file."""
    return delimiter.join(row).strip().lower() == f"sep={delimiter}".strip()


def profile_file(
    path: Path,
    encoding: str,
    delimiter: str = ",",
    fields: Sequence[Field | None] = (),
) -> FileProfile:
    """Profiles a file in one pass over its bytes.

    Args:
        path: The file.
        encoding: The declared encoding.
        delimiter: The declared delimiter.
        fields: Field of each column of the header; None for a column of no field.

    Raises:
        DataError: the file cannot be read. The message can follow the name of the file.
    """
    head = read_head(path, encoding, delimiter)
    digest = hashlib.sha256()
    stream = DecodeCheckedStream(chunks(path, digest.update), head.encoding)
    survey = _FileSurvey(
        head.header, head.encoding, delimiter, fields or (None,) * len(head.header)
    )
    for block in blocks(prefetch(iter(stream)), delimiter, survey.longest):
        survey.add(block)
    survey.check_line_ends()
    return FileProfile(
        digest.hexdigest(),
        path.stat().st_size,
        head.header,
        survey.records - 1,
        survey.multiline,
        stream.ascii_only,
        survey.spaces_only,
        survey.skipped,
        head.encoding,
        survey.hint,
        survey.mojibake,
        path,
        delimiter,
    )


class _FileSurvey:
    """Counts and checks the records of a file, block by block."""

    def __init__(
        self,
        header: tuple[str, ...],
        encoding: str,
        delimiter: str,
        fields: Sequence[Field | None],
    ) -> None:
        self.encoding = "utf-8" if encoding in UTF_16 else encoding
        self.delimiter = delimiter
        self.fields = fields
        self.names = header
        self.record_filter = _RecordFilter(header, self.encoding, delimiter)
        self.columns: list[Column] = []
        cells = [(f and f.constraints.max_length) or MAX_CELL_CHARACTERS for f in fields]
        self.most = max(cells)
        self.longest = max(MAX_RECORD_BYTES, _BYTES_PER_CHARACTER * sum(cells))
        self.records = 0
        self.multiline, self.spaces_only = False, True
        self.line_ends: frozenset[str] = frozenset()
        self.hint = ""
        self.mojibake: Counter[str] = Counter()
        self._texts = [(i, f.name) for i, f in enumerate(fields) if f and is_examined(f)]

    @property
    def skipped(self) -> Counter[str]:
        """Kind of skipped record -> count, as in `FileProfile`."""
        return self.record_filter.skipped

    def add(self, block: Block) -> None:
        """Counts the records of a block and checks the long and the multiline ones.

        Raises:
            DataError: a record shows that a quote is not closed or that files were joined.
        """
        if not block.starts.size:
            return
        if not self.columns:
            self._sample(block)
        kept = self.record_filter.kept(block)
        self.records += int(kept.sum())
        self._count_mojibake(block, kept)
        self.multiline |= bool(block.broken.size)
        self.spaces_only &= block.spaces_only
        self.line_ends |= block.line_ends
        self._check_long(block)
        for i, opens in zip(block.broken.tolist(), block.opens.tolist(), strict=True):
            self._check_broken(block, i, block.line_of(opens))

    def _count_mojibake(self, block: Block, kept: npt.NDArray[np.bool_]) -> None:
        offsets = suspect_offsets(block.data, self.encoding) if self._texts else np.zeros(0)
        if not offsets.size:
            return
        suspects = np.unique(np.searchsorted(block.starts, offsets, side="right") - 1)
        for i in suspects[suspects >= 0].tolist():
            row = self.record_filter.cells(block.record(i)) if kept[i] else []
            texts = [(name, row[position]) for position, name in self._texts if position < len(row)]
            self.mojibake.update(name for name, text in texts if is_mojibake(text))

    def _sample(self, block: Block) -> None:
        """Derives the columns and the width hint from records without line breaks in cells."""
        multiline = set(block.broken[: _SAMPLE_RECORDS * 2].tolist())
        indices = [i for i in range(min(block.starts.size, _SAMPLE_RECORDS)) if i not in multiline]
        rows = [self.record_filter.cells(block.record(i)) for i in indices]
        header = next((n for n, row in enumerate(rows) if self.record_filter.is_header(row)), -1)
        rows = [
            r
            for r in rows[header + 1 :]
            if not _is_blank(r) and not self.record_filter.is_header(r)
        ]
        self.columns = columns_of(self.fields, rows)
        self.hint = odd_width(self.names, rows)

    def _check_long(self, block: Block) -> None:
        sizes = block.ends - block.starts
        for i in np.flatnonzero(sizes > MAX_CELL_CHARACTERS).tolist():
            row = self.record_filter.cells(block.record(i))
            line = block.line_of(int(block.starts[i]))
            if len(row) > _MAX_CELLS:
                raise DataError(
                    f"the record in line {line} has more than {_MAX_CELLS:,} cells: declare the "
                    "right dialect.delimiter, or ask for the file again"
                )
            limits = [max(c.longest, MAX_CELL_CHARACTERS) for c in self.columns]
            for cell, limit in zip(row, limits, strict=False):
                if len(cell) > limit:
                    raise _long_cell(line, limit)

    def _check_broken(self, block: Block, i: int, line: int) -> None:
        row = self.record_filter.cells(block.record(i))
        for cell, column in zip(row, self.columns, strict=False):
            if len(cell) > column.longest and ("\n" in cell or "\r" in cell):
                raise _long_cell(line, column.longest)
        if swallows(row, self.columns, self.delimiter):
            raise DataError(
                f"the quoted cell that opens in line {line} contains whole records, so a quote is "
                "probably not closed there: ask for the file again with quotes in pairs"
            )

    def check_line_ends(self) -> None:
        """Checks that a file with line breaks in cells has one kind of line end.

        Spark cannot split such a file if the line ends are mixed.

        Raises:
            DataError: the line ends are mixed and a cell contains a line break.
        """
        if self.multiline and len(self.line_ends) > 1:
            raise DataError(
                "cells contain line breaks and the line ends are mixed "
                f"({', '.join(sorted(self.line_ends))}): ask for the file again with one kind of "
                "line end"
            )


def _long_cell(line: int, limit: int) -> DataError:
    return DataError(
        f"the cell that opens in line {line} is longer than {limit:,} characters, so a quote is "
        "probably not closed: ask for the file again, or declare constraints.maxLength for its "
        "column"
    )


class _RecordFilter:
    """Separates records from blank lines and repeated headers.

    Most records are cleared by their first bytes; only the others are parsed.
    """

    def __init__(self, header: Sequence[str], encoding: str, delimiter: str) -> None:
        self.encoding, self.delimiter = encoding, delimiter
        self.header = [normalise_header(name) for name in header]
        # Number of the header's names that another header has.
        self._min_shared = max(2, (len(self.header) + 1) // 2)
        self.begun = False
        self.skipped: Counter[str] = Counter()
        self._empty = bytes(range(33)) + b'"' + delimiter.encode()
        self._sparse = byte_table(self._empty)
        # Only the first word of a name counts, because any number of marks can follow it.
        first_words = dict.fromkeys(name.partition("_")[0] for name in self.header if name)
        self._prefixes = [_spellings(word) for word in first_words]
        # The longest word of each name: a header contains it in any spelling of the name.
        self._words = [max(name.split("_"), key=len).encode() for name in self.header]

    def cells(self, record: bytes) -> list[str]:
        """Parses the cells of a record."""
        text = record.decode(self.encoding, errors="replace")
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter), [])

    def is_header(self, row: Sequence[str]) -> bool:
        """Whether the cells are the names of the header in its order."""
        return len(row) == len(self.header) and all(
            normalise_header(cell) == name for cell, name in zip(row, self.header, strict=True)
        )

    def kept(self, block: Block) -> npt.NDArray[np.bool_]:
        """Mask of the records of a block that count, the first header included.

        Raises:
            DataError: a record is a header with other columns or in another order.
        """
        kept = np.ones(block.starts.size, bool)
        array = np.frombuffer(block.data, np.uint8)
        suspects = _matching_prefix(array, block, [self._sparse] * _PREFIX_BYTES)
        for tables in self._prefixes:
            suspects |= _matching_prefix(array, block, tables)
        first = 0
        while not self.begun and first < kept.size:
            kept[first] = self._counts(block, first)
            first += 1
        for i in sorted(suspects):
            kept[i] = self._counts(block, i) if i >= first else kept[i]
        return kept

    def _counts(self, block: Block, i: int) -> bool:
        record = block.record(i)
        blank = not record.translate(None, self._empty) and _is_blank(
            self.cells(record)[: len(self.header)]
        )
        if not self.begun:
            if blank or _is_separator_line(self.cells(record), self.delimiter):
                self.skipped["before"] += 1
                return False
            self.begun = True
            return True
        if blank:
            self.skipped["blank"] += 1
            return False
        if not self._can_be_header(record):
            return True
        row = self.cells(record)
        if self.is_header(row):
            self.skipped["header"] += 1
            return False
        self._check_names(row, block.line_of(int(block.starts[i])))
        return True

    def _can_be_header(self, record: bytes) -> bool:
        """Whether a record can be the header or another one, by a search without parsing."""
        if len(record) > _MAX_HEADER_CHARACTERS * (len(self.header) + 1):
            return False
        if not record.isascii():
            # Other letters can have an ASCII letter as their lower case.
            return True
        lower = record.lower()
        present = sum(word in lower for word in self._words)
        return present >= min(self._min_shared, len(self.header))

    def _check_names(self, row: Sequence[str], line: int) -> None:
        names = {normalise_header(cell) for cell in row if normalise_header(cell)}
        shared = names & set(self.header)
        if len(shared) >= self._min_shared:
            raise DataError(
                f"line {line} is another header, with other columns or in another order, so the "
                "file is probably several files joined: ask for separate files"
            )


def _spellings(word: str) -> list[npt.NDArray[np.bool_]]:
    """Byte values at each of the first positions of a record that can begin with a word."""
    tables = [np.zeros(256, bool) for _ in range(_PREFIX_BYTES)]
    for before in (b"", b'"', b" ", b"\xef\xbb\xbf", b'\xef\xbb\xbf"', b"\xef\xbb\xbf "):
        for j, table in enumerate(tables):
            k = j - len(before)
            if k < 0:
                table[before[j]] = True
            elif k < len(word):
                table[[ord(word[k]), ord(word[k].upper())]] = True
            else:
                table[:] = True
    return tables


def _matching_prefix(
    array: npt.NDArray[np.uint8], block: Block, tables: Sequence[npt.NDArray[np.bool_]]
) -> set[int]:
    """Indices of the records of a block whose first bytes are all in their tables."""
    candidates = np.flatnonzero(tables[0][array[block.starts]])
    for j, table in enumerate(tables[1:], 1):
        offsets = np.minimum(block.starts[candidates] + j, block.ends[candidates] - 1)
        candidates = candidates[table[array[offsets]]]
    return set(candidates.tolist())


def record_bytes(profile: FileProfile, ordinals: Iterable[int]) -> Iterator[bytes]:
    """Yields selected records as bytes, line end excluded.

    Args:
        profile: Profile of the file. Records of a UTF-16 file are returned as UTF-8.
        ordinals: Ordinals of the records, ascending; 0 is the header. The iterable is read lazily.
    """
    path, delimiter = profile.path, profile.delimiter
    head = read_head(path, profile.encoding, delimiter)
    name = "utf-8" if head.encoding in UTF_16 else head.encoding
    record_filter = _RecordFilter(profile.header, name, delimiter)
    pieces = iter(DecodeCheckedStream(chunks(path), head.encoding))
    remaining = iter(ordinals)
    ordinal = next(remaining, None)
    first = 0
    for block in blocks(pieces, delimiter, profile.size + (1 << 30)):
        if not block.starts.size:
            continue
        kept = record_filter.kept(block)
        starts, ends = block.starts[kept], block.ends[kept]
        while ordinal is not None and ordinal < first + starts.size:
            yield block.data[starts[ordinal - first] : ends[ordinal - first]]
            ordinal = next(remaining, None)
        if ordinal is None:
            return
        first += starts.size
