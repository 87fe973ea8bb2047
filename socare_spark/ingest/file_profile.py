"""The facts about a file that are found before Spark reads it, from one pass over its bytes.

Digest, whole gzip, valid encoding, the header, how many records there are. The count does not come
from Spark's reader: the ledger holds the one against the other. Both pass over records without a
value and over headers that a file repeats.
"""

import codecs
import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from socare_spark.contracts.contract import UTF_16, Field, normalise_header
from socare_spark.errors import DataError
from socare_spark.ingest.csv_records import MAX_RECORD_BYTES, Block, blocks, chunks, prefetch
from socare_spark.ingest.format_diagnosis import encoding_found, odd_width, other_format
from socare_spark.ingest.mojibake import EIGHT_BIT, is_examined, is_mojibake, suspect_offsets
from socare_spark.ingest.swallowed_records import LONGEST_CELL, Column, columns_of, swallows

HEAD = 1 << 18
_LONGEST_NAME = 100
_BYTES_PER_CHARACTER = 4
_MAX_CELLS = 20_000
_SAMPLE = 1_000
_PREFIX = 6
# Characters whose UTF-8 is hardly text of an 8-bit code page. That of one rare letter alone may be
# a capital letter and a closing quote.
_EVIDENCE = re.compile("[\u0080-\u017f\u0800-\U0010ffff]|[\u0180-\u07ff]{2}")
# Control characters in ISO 8859, and signs such as quotes and dashes in windows-1252.
_ISO_8859 = ("iso-8859-1", "iso-8859-15")
_SIGN = re.compile(b"[\x80-\x9f]")
csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class FileProfile:
    """What one pass over a file found.

    Attributes:
        sha256: Digest of the file as it lies there.
        size: Bytes as it lies there.
        header: Names of the columns, as written.
        records: Records after the header; lines without a value and repeated headers are none.
        multiline: A cell holds a line break.
        ascii_only: No byte above 127.
        spaces_only: No blank and no control character but the space, in any cell.
        passed_over: What is not counted as a record -> how many: `before` (records before the
            header: without a value, or `sep=`), `blank` (without a value), `header` (the header
            again).
        encoding: Its encoding, of UTF-16 with the byte order: its mark decides, or the contract.
        hint: What a sample of the records says about their shape, or an empty text.
        mojibake: Field kept as text -> how many of its cells were decoded wrongly by their source.
    """

    sha256: str
    size: int
    header: tuple[str, ...]
    records: int
    multiline: bool
    ascii_only: bool
    spaces_only: bool
    passed_over: Counter[str]
    encoding: str = ""
    hint: str = ""
    mojibake: Counter[str] = dataclass_field(default_factory=Counter)


class _DecodingTrial:
    """Whether bytes that are declared as an 8-bit code page are UTF-8 beyond ASCII."""

    def __init__(self, encoding: str) -> None:
        self.possible = encoding in EIGHT_BIT
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
        self._seen, self._last = False, ""

    @property
    def pending(self) -> bool:
        """Whether a character has begun and not ended."""
        return self.possible and bool(self._decoder.getstate()[0])

    def add(self, piece: bytes, *, final: bool = False) -> None:
        """Takes the next bytes."""
        if not self.possible:
            return
        try:
            text = self._last + self._decoder.decode(piece, final=final)
        except UnicodeDecodeError:
            self.possible = False
            return
        self._seen, self._last = self._seen or _EVIDENCE.search(text) is not None, text[-1:]

    @property
    def succeeded(self) -> bool:
        """Whether all bytes are UTF-8, and some of them hardly anything else."""
        return self.possible and self._seen


class _DecodeCheckedStream:
    """Pieces of a file as UTF-8 or an 8-bit encoding, watched while they pass."""

    def __init__(self, pieces: Iterator[bytes], encoding: str) -> None:
        self.pieces = pieces
        self.encoding = encoding
        self.ascii_only = True
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
        self._utf_8 = _DecodingTrial(encoding)
        self._pending, self._signs = False, False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if self.encoding in UTF_16:
                yield self._decode(piece, final=False).encode()
                continue
            if self._pending or not piece.isascii():
                self.ascii_only = False
                self._signs |= self.encoding in _ISO_8859 and _SIGN.search(piece) is not None
                self._utf_8.add(piece)
                self._decode(piece, final=False)
                self._pending = bool(self._decoder.getstate()[0]) or self._utf_8.pending
            yield piece
        self._utf_8.add(b"", final=True)
        self._decode(b"", final=True)
        if self._utf_8.succeeded:
            raise _is_utf_8(self.encoding)
        if self._signs:
            raise DataError(
                "it holds bytes from 0x80 to 0x9F, which are signs in windows-1252 and no text in "
                f"{self.encoding}, which the contract declares: declare the encoding windows-1252 "
                "for its period under socare.encodings"
            )

    def _decode(self, piece: bytes, *, final: bool) -> str:
        try:
            text = self._decoder.decode(piece, final=final)
        except UnicodeDecodeError:
            if self._utf_8.succeeded:
                raise _is_utf_8(self.encoding) from None
            often = " (windows-1252 is usual)" if self.encoding == "utf-8" else ""
            raise DataError(
                f"its bytes are not {self.encoding}, which the contract declares: declare the "
                f"right encoding{often} for its period under socare.encodings, or ask for the file "
                "again"
            ) from None
        self.ascii_only &= text.isascii()
        return text


def _is_utf_8(declared: str) -> DataError:
    return DataError(
        f"all its characters beyond ASCII are UTF-8, and the contract declares {declared}: declare "
        "the encoding utf-8 for its period under socare.encodings"
    )


@dataclass(frozen=True)
class Head:
    """The beginning of a file: its text, its names, and the encoding with its byte order."""

    text: str
    header: tuple[str, ...]
    encoding: str


def read_head(path: Path, encoding: str, delimiter: str) -> Head:
    """Reads the beginning of a file.

    Raises:
        DataError: it is no CSV file of the encoding, it is empty, or a quote of its header is not
            closed. The text is the end of a sentence about the file.
    """
    found = b""
    pieces = chunks(path)
    while len(found) < HEAD and (piece := next(pieces, b"")):
        found += piece
    what = other_format(found)
    if what:
        raise DataError(what)
    encoding = encoding_found(found, encoding)
    # The cut may go through a character: only the first records are wanted.
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    text = found[:HEAD].decode(name, errors="ignore").removeprefix("\ufeff")
    return Head(text, _names(text, delimiter), encoding)


def _names(text: str, delimiter: str) -> tuple[str, ...]:
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if any("\n" in cell or "\r" in cell or len(cell) > _LONGEST_NAME for cell in row):
            # These may be records: they are not quoted anywhere.
            raise DataError(
                "a name in its header is too long or holds a line break, so a quote is probably "
                "not closed there, or it has no header: ask for the file again"
            )
        if not _without_value(row) and not _separator_line(row, delimiter):
            return tuple(row)
    raise DataError("it is empty, without even a header: ask for the file again")


def _without_value(row: Sequence[str]) -> bool:
    return all(all(character <= " " for character in cell) for cell in row)


def _separator_line(row: Sequence[str], delimiter: str) -> bool:
    """Whether a line only says which delimiter the file has, and says the right one."""
    return delimiter.join(row).strip().lower() == f"sep={delimiter}".strip()


def profile_file(
    path: Path,
    encoding: str,
    delimiter: str = ",",
    fields: Sequence[Field | None] = (),
) -> FileProfile:
    """Passes over a file once.

    Args:
        path: The file.
        encoding: Its encoding.
        delimiter: Its delimiter.
        fields: The field that each column of the header is, or None.

    Raises:
        DataError: the file cannot be read as it is. The text is the end of a sentence about it.
    """
    head = read_head(path, encoding, delimiter)
    digest = hashlib.sha256()
    watched = _DecodeCheckedStream(chunks(path, digest.update), head.encoding)
    survey = _FileSurvey(
        head.header, head.encoding, delimiter, fields or (None,) * len(head.header)
    )
    for block in blocks(prefetch(iter(watched)), delimiter, survey.longest):
        survey.add(block)
    survey.check_line_ends()
    return FileProfile(
        digest.hexdigest(),
        path.stat().st_size,
        head.header,
        survey.records - 1,
        survey.multiline,
        watched.ascii_only,
        survey.spaces_only,
        survey.passed_over,
        head.encoding,
        survey.hint,
        survey.mojibake,
    )


class _FileSurvey:
    """What the records of a file say, block by block."""

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
        self.sieve = _RecordFilter(header, self.encoding, delimiter)
        self.columns: list[Column] = []
        cells = [(f and f.constraints.max_length) or LONGEST_CELL for f in fields]
        self.most = max(cells)
        self.longest = max(MAX_RECORD_BYTES, _BYTES_PER_CHARACTER * sum(cells))
        self.records = 0
        self.multiline, self.spaces_only = False, True
        self.line_ends: frozenset[str] = frozenset()
        self.hint = ""
        self.mojibake: Counter[str] = Counter()
        self._texts = [(i, f.name) for i, f in enumerate(fields) if f and is_examined(f)]

    @property
    def passed_over(self) -> Counter[str]:
        """What was passed over."""
        return self.sieve.passed_over

    def add(self, block: Block) -> None:
        """Counts the records of a block and looks at the odd ones."""
        if not block.starts.size:
            return
        if not self.columns:
            self._sample(block)
        kept = self.sieve.kept(block)
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
            row = self.sieve.cells(block.record(i)) if kept[i] else []
            texts = [(name, row[at]) for at, name in self._texts if at < len(row)]
            self.mojibake.update(name for name, text in texts if is_mojibake(text))

    def _sample(self, block: Block) -> None:
        broken = set(block.broken[: _SAMPLE * 2].tolist())
        some = [i for i in range(min(block.starts.size, _SAMPLE)) if i not in broken]
        rows = [self.sieve.cells(block.record(i)) for i in some]
        at = next((n for n, row in enumerate(rows) if self.sieve.is_header(row)), -1)
        rows = [r for r in rows[at + 1 :] if not _without_value(r) and not self.sieve.is_header(r)]
        self.columns = columns_of(self.fields, rows)
        self.hint = odd_width(self.names, rows)

    def _check_long(self, block: Block) -> None:
        sizes = block.ends - block.starts
        for i in np.flatnonzero(sizes > LONGEST_CELL).tolist():
            row = self.sieve.cells(block.record(i))
            line = block.line_of(int(block.starts[i]))
            if len(row) > _MAX_CELLS:
                raise DataError(
                    f"the record in line {line} has more than {_MAX_CELLS:,} cells: declare the "
                    "right dialect.delimiter, or ask for the file again"
                )
            limits = [max(c.longest, LONGEST_CELL) for c in self.columns]
            for cell, limit in zip(row, limits, strict=False):
                if len(cell) > limit:
                    raise _long_cell(line, limit)

    def _check_broken(self, block: Block, i: int, line: int) -> None:
        row = self.sieve.cells(block.record(i))
        for cell, column in zip(row, self.columns, strict=False):
            if len(cell) > column.longest and ("\n" in cell or "\r" in cell):
                raise _long_cell(line, column.longest)
        if swallows(row, self.columns, self.delimiter):
            raise DataError(
                f"the quoted cell that opens in line {line} holds lines that are records "
                "themselves, so a quote is probably not closed there: ask for the file again with "
                "quotes in pairs"
            )

    def check_line_ends(self) -> None:
        """Refuses what no reader of cells with line breaks can split.

        Raises:
            DataError: line ends are mixed in a file with line breaks in cells.
        """
        if self.multiline and len(self.line_ends) > 1:
            raise DataError(
                "its cells hold line breaks and its line ends are mixed "
                f"({', '.join(sorted(self.line_ends))}): ask for the file again with one kind"
            )


def _long_cell(line: int, limit: int) -> DataError:
    return DataError(
        f"a cell that opens in line {line} is longer than {limit:,} characters, so a quote may not "
        "be closed: ask for the file again, or declare constraints.maxLength for its column"
    )


class _RecordFilter:
    """Tells records from lines without a value and repeated headers."""

    def __init__(self, header: Sequence[str], encoding: str, delimiter: str) -> None:
        self.encoding, self.delimiter = encoding, delimiter
        self.header = [normalise_header(name) for name in header]
        self.begun = False
        self.passed_over: Counter[str] = Counter()
        self._empty = bytes(range(33)) + b'"' + delimiter.encode()
        self._sparse = np.zeros(256, bool)
        self._sparse[list(self._empty)] = True
        self._prefixes = self._tables([name for name in self.header if name])

    def _tables(self, names: Sequence[str]) -> list[npt.NDArray[np.bool_]]:
        """For each of the first bytes, which values the header may have there, in any spelling."""
        tables = [np.zeros(256, bool) for _ in range(_PREFIX)]
        for name in names:
            for before in (b"", b'"', b" ", b"\xef\xbb\xbf", b'\xef\xbb\xbf"', b"\xef\xbb\xbf "):
                for j, table in enumerate(tables):
                    k = j - len(before)
                    if k < 0:
                        table[before[j]] = True
                    elif k < len(name) and name[k] != "_":
                        table[[ord(name[k]), ord(name[k].upper())]] = True
                    else:
                        table[:] = True
        return tables

    def cells(self, record: bytes) -> list[str]:
        """The cells of a record."""
        text = record.decode(self.encoding, errors="replace")
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter), [])

    def is_header(self, row: Sequence[str]) -> bool:
        """Whether cells are the header's names, in its order."""
        return (
            len(row) == len(self.header) and [normalise_header(cell) for cell in row] == self.header
        )

    def kept(self, block: Block) -> npt.NDArray[np.bool_]:
        """Which records of a block count; the header itself does."""
        kept = np.ones(block.starts.size, bool)
        array = np.frombuffer(block.data, np.uint8)
        suspects = self._narrowed(array, block, [self._sparse] * _PREFIX)
        suspects |= self._narrowed(array, block, self._prefixes)
        first = 0
        while not self.begun and first < kept.size:
            kept[first] = self._counts(block, first)
            first += 1
        for i in sorted(suspects):
            kept[i] = self._counts(block, i) if i >= first else kept[i]
        return kept

    def _narrowed(
        self,
        array: npt.NDArray[np.uint8],
        block: Block,
        tables: Sequence[npt.NDArray[np.bool_]],
    ) -> set[int]:
        found = np.arange(block.starts.size)
        for j, table in enumerate(tables):
            at = np.minimum(block.starts[found] + j, block.ends[found] - 1)
            found = found[table[array[at]]]
        return set(found.tolist())

    def _counts(self, block: Block, i: int) -> bool:
        record = block.record(i)
        blank = not record.translate(None, self._empty) and _without_value(
            self.cells(record)[: len(self.header)]
        )
        if not self.begun:
            if blank or _separator_line(self.cells(record), self.delimiter):
                self.passed_over["before"] += 1
                return False
            self.begun = True
            return True
        if blank:
            self.passed_over["blank"] += 1
            return False
        if len(record) > _LONGEST_NAME * (len(self.header) + 1):
            return True
        row = self.cells(record)
        if self.is_header(row):
            self.passed_over["header"] += 1
            return False
        self._check_names(row, block.line_of(int(block.starts[i])))
        return True

    def _check_names(self, row: Sequence[str], line: int) -> None:
        names = {normalise_header(cell) for cell in row if normalise_header(cell)}
        known = names & set(self.header)
        if len(known) >= max(2, (len(self.header) + 1) // 2):
            raise DataError(
                f"line {line} is another header, with other columns or in another order: files "
                "have been joined; ask for them one by one"
            )


def record_bytes(
    path: Path, wanted: Iterable[int], profile: FileProfile, encoding: str, delimiter: str = ","
) -> Iterator[bytes]:
    """The bytes of chosen records as they are in the file, without the break that ends them.

    Args:
        path: The file.
        wanted: Ordinals from 1, ascending; the header is 0. They are taken one by one.
        profile: What `profile_file` found.
        encoding: Its encoding; what is UTF-16 is returned as UTF-8.
        delimiter: Its delimiter.
    """
    head = read_head(path, encoding, delimiter)
    name = "utf-8" if head.encoding in UTF_16 else head.encoding
    sieve = _RecordFilter(profile.header, name, delimiter)
    pieces = iter(_DecodeCheckedStream(chunks(path), head.encoding))
    lines = iter(wanted)
    line = next(lines, None)
    first = 0
    for block in blocks(pieces, delimiter, profile.size + (1 << 30)):
        if not block.starts.size:
            continue
        keep = sieve.kept(block)
        starts, ends = block.starts[keep], block.ends[keep]
        while line is not None and line < first + starts.size:
            yield block.data[starts[line - first] : ends[line - first]]
            line = next(lines, None)
        if line is None:
            return
        first += starts.size


def sha256_of(path: Path) -> str:
    """Digest of a file as it lies there."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
