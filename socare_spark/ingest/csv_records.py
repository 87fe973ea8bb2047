"""Finds the records of a CSV file in its bytes by the rules of RFC 4180, without Spark.

A quote that is the first character of a cell opens a quoted cell. Elsewhere in an unquoted cell it
is an ordinary character. In a quoted cell two quotes are one quote character. A quote before a
delimiter, a line end or the end of the file closes the cell. The file is refused if it contains any
other quote or a quote that is never closed. Outside quotes LF, CRLF and CR end a record.
"""

import csv
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from socare_spark.errors import DataError

# A cell can be as long as `maxLength` declares.
csv.field_size_limit(1 << 30)

MAX_RECORD_BYTES = 1 << 20
_CHUNK = 1 << 22
_GZIP = b"\x1f\x8b"
_GZIP_MEMBER = 31
_BOM = b"\xef\xbb\xbf"
_LF, _CR, _QUOTE, _SPACE = 10, 13, 34, 32
_NO_BREAK_SPACE = b"\xa0"
Offsets = npt.NDArray[np.int64]


class QuoteError(DataError):
    """A quote breaks the rules. `offset` is that of the quote that opens the cell."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


@dataclass(frozen=True)
class Block:
    """Consecutive whole records of a file. Offsets count bytes from the start of the block.

    Attributes:
        data: The bytes of the block.
        starts: Offset of the start of each record; empty lines are not records.
        ends: Offset of the end of each record, line end excluded.
        breaks: Offset of each line end, including those within cells.
        broken: Indices of the records with a line break in a cell.
        opens: For each of these records, the offset of the quote that opens the first such cell.
        line: Physical line of the file at which the block begins, from 1.
        line_ends: The line ends (`LF`, `CRLF`, `CR`) of the records.
        spaces_only: No cell contains whitespace or a control character but the space.
    """

    data: bytes
    starts: Offsets
    ends: Offsets
    breaks: Offsets
    broken: Offsets
    opens: Offsets
    line: int
    line_ends: frozenset[str]
    spaces_only: bool

    def line_of(self, offset: int) -> int:
        """The physical line of the file that contains the byte at an offset."""
        return self.line + int(np.searchsorted(self.breaks, offset))

    def record(self, i: int) -> bytes:
        """The bytes of a record, line end excluded."""
        return self.data[self.starts[i] : self.ends[i]]


def chunks(path: Path, on_raw_bytes: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
    """Reads a file in pieces of bounded size and unzips it if it is gzipped.

    Args:
        path: The file.
        on_raw_bytes: Called with the bytes as stored, for example to compute a digest.

    Raises:
        DataError: the gzip is cut short or damaged, bytes follow its end, or the name ends in `.gz`
            and the content is not gzipped, or the reverse.
    """
    with path.open("rb") as file:
        start = file.read(len(_GZIP))
        zipped = start == _GZIP
        file.seek(0)
        if start and zipped != path.name.endswith(".gz"):
            mismatch = (
                "the file is gzipped but its name does not end in .gz"
                if zipped
                else "the name ends in .gz but the file is not gzipped"
            )
            raise DataError(f"{mismatch}: rename it")
        pieces = _pieces(file, on_raw_bytes)
        yield from _unzipped(pieces) if zipped else pieces


def _pieces(file: IO[bytes], on_raw_bytes: Callable[[bytes], object] | None) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        if on_raw_bytes is not None:
            on_raw_bytes(piece)
        yield piece


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unzips consecutive gzip members, at most one piece at a time."""
    member = zlib.decompressobj(_GZIP_MEMBER)
    rest = b""
    try:
        while rest or (rest := next(pieces, b"")):
            if member.eof:
                if not rest.startswith(_GZIP[: len(rest)]):
                    raise DataError("bytes follow the end of the gzip data: ask for the file again")
                member = zlib.decompressobj(_GZIP_MEMBER)
            if content := member.decompress(rest, _CHUNK):
                yield content
            rest = member.unused_data if member.eof else member.unconsumed_tail
        if not member.eof:
            raise zlib.error
    except zlib.error:
        raise DataError("the gzip data is cut short or damaged: ask for the file again") from None


class _Pieces(io.RawIOBase):
    """The pieces of an iterator as a stream of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]
        """Copies the next bytes into a buffer and returns their number; 0 at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def byte_stream(pieces: Iterator[bytes]) -> io.BufferedReader:
    """The pieces of a file as a stream."""
    return io.BufferedReader(_Pieces(pieces))


def byte_table(values: Iterable[int]) -> npt.NDArray[np.bool_]:
    """A table of 256 flags that is true at the given values of a byte."""
    table = np.zeros(256, bool)
    table[[*values]] = True
    return table


def prefetch(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yields the same pieces and fetches the next one in a thread meanwhile."""
    with ThreadPoolExecutor(1) as executor:
        next_piece = executor.submit(next, pieces, None)
        while (piece := next_piece.result()) is not None:
            next_piece = executor.submit(next, pieces, None)
            yield piece


def blocks(
    pieces: Iterator[bytes], delimiter: str, longest: int = MAX_RECORD_BYTES
) -> Iterator[Block]:
    """Splits bytes into blocks of whole records.

    Args:
        pieces: The bytes of the file.
        delimiter: One ASCII character.
        longest: Maximum length of a record in bytes.

    Raises:
        DataError: a quote breaks the rules, or a record is longer than `longest`. The message names
            the physical line.
    """
    rest, line = b"", 1
    for piece in _without_bom(pieces):
        rest += piece
        try:
            block = _block(rest, delimiter, line)
        except QuoteError as error:
            raise _misplaced_quote(rest, error.offset, line) from None
        rest = rest[len(block.data) :]
        yield _check_lengths(block, longest)
        line += block.breaks.size
        if len(rest) > longest:
            raise _unclosed_or_overlong(rest, delimiter, line, longest)
    if rest:
        yield _check_lengths(_last_block(rest, delimiter, line), longest)


def _without_bom(pieces: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(_BOM):
            break
    yield head.removeprefix(_BOM)
    yield from pieces


def _last_block(rest: bytes, delimiter: str, line: int) -> Block:
    """The last block of a file; its last line can lack a line end."""
    ended = rest.endswith((b"\n", b"\r"))
    data = rest + (b"\0" if rest.endswith(b"\r") else b"" if ended else b"\n")
    try:
        block = _block(data, delimiter, line, closed=ended)
    except QuoteError as error:
        raise _misplaced_quote(data, error.offset, line) from None
    if len(block.data) < len(rest):
        unclosed = rest[len(block.data) :]
        offset = _open_quote(unclosed, delimiter)
        opening_line = block.line_of(len(block.data)) + _count_line_ends(unclosed[:offset])
        raise DataError(
            f"the quote that opens in line {opening_line} is never closed: ask for the file again "
            "with quotes in pairs"
        )
    return block


def _misplaced_quote(data: bytes, offset: int, line: int) -> DataError:
    opening_line = line + _count_line_ends(data[:offset])
    return DataError(
        f"the quoted cell that opens in line {opening_line} contains a quote that is not doubled, "
        "or is not closed: ask for the file again with each quote within a cell doubled"
    )


def _unclosed_or_overlong(rest: bytes, delimiter: str, line: int, longest: int) -> DataError:
    offset = _open_quote(rest, delimiter)
    if offset >= 0:
        opening_line = line + _count_line_ends(rest[:offset])
        return DataError(
            f"the quote that opens in line {opening_line} is not closed within {longest:,} bytes: "
            "ask for the file again with quotes in pairs"
        )
    return _overlong_record(line, longest)


def _overlong_record(line: int, longest: int) -> DataError:
    return DataError(
        f"the record in line {line} is longer than {longest:,} bytes, the maximum for its columns: "
        "ask for the file again with LF, CRLF or CR at each line end"
    )


def _open_quote(data: bytes, delimiter: str) -> int:
    """Offset of the quote that is still open at the end of the data; -1 if none is open."""
    array = np.frombuffer(data, np.uint8)
    quotes = _structural_quotes(data, array, delimiter)
    return int(_opening_quotes(quotes)[-1]) if quotes.size & 1 else -1


def _count_line_ends(data: bytes) -> int:
    """The number of line ends in the data."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _check_lengths(block: Block, longest: int) -> Block:
    if block.starts.size and int((block.ends - block.starts).max()) > longest:
        i = int(np.argmax(block.ends - block.starts > longest))
        raise _overlong_record(block.line_of(int(block.starts[i])), longest)
    return block


def _block(data: bytes, delimiter: str, line: int, *, closed: bool = True) -> Block:
    """Builds the block of the whole records at the beginning of the data.

    Args:
        data: Bytes that begin outside quotes.
        delimiter: The delimiter.
        line: Physical line of the first byte.
        closed: Whether the file contains the line end of the last record. False if the caller
            appended it.
    """
    array = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(array == _LF)
    returns = np.flatnonzero(array[:-1] == _CR)
    lone_returns = returns[array[returns + 1] != _LF]
    if lone_returns.size:
        breaks = np.sort(np.concatenate([breaks, lone_returns]))
    quotes = _structural_quotes(data, array, delimiter)
    inside = (np.searchsorted(quotes, breaks) & 1).astype(bool)
    record_ends = breaks[~inside]
    size = int(record_ends[-1]) + 1 if record_ends.size else 0
    starts = np.concatenate([[0], record_ends[:-1] + 1])[: record_ends.size]
    has_return = (
        (record_ends > starts) & (array[record_ends] == _LF) & (array[record_ends - 1] == _CR)
    )
    ends = record_ends - has_return
    within = breaks[inside & (breaks < size)]
    other_whitespace = (
        np.count_nonzero(array[:size] < _SPACE) - record_ends.size - int(has_return.sum())
    )
    spaces_only = not other_whitespace and not within.size and _NO_BREAK_SPACE not in data
    kept = ends > starts
    broken, opens = _records_with_breaks(quotes, record_ends[kept], within)
    return Block(
        data[:size],
        starts[kept],
        ends[kept],
        breaks[breaks < size],
        broken,
        opens,
        line,
        _line_ends(array, record_ends if closed else record_ends[:-1], has_return),
        spaces_only,
    )


def _records_with_breaks(
    quotes: Offsets, stops: Offsets, within: Offsets
) -> tuple[Offsets, Offsets]:
    """Finds the records with line breaks in cells.

    Args:
        quotes: Offsets of the structural quotes.
        stops: Offset of the line end of each record.
        within: Offsets of the line ends within cells.

    Returns:
        Indices of the records, and for each the offset of the quote that opens its first cell with
        a line break.
    """
    if not within.size:
        return within, within
    openings = _opening_quotes(quotes)
    records, first = np.unique(np.searchsorted(stops, within), return_index=True)
    return records, openings[np.searchsorted(openings, within[first]) - 1]


def _opening_quotes(quotes: Offsets) -> Offsets:
    """Offsets of the quotes that open cells.

    A doubled quote appears as a closing and an opening quote side by side; it is skipped.
    """
    opening = quotes[0::2]
    first = np.ones(opening.size, bool)
    first[1:] = opening[1:] - 1 != quotes[1::2][: opening.size - 1]
    return opening[first]


def _line_ends(
    array: npt.NDArray[np.uint8], stops: Offsets, returned: npt.NDArray[np.bool_]
) -> frozenset[str]:
    crlf = int(returned[: stops.size].sum())
    lone = int(np.count_nonzero(array[stops] == _CR))
    counts = {"CRLF": crlf, "CR": lone, "LF": stops.size - crlf - lone}
    return frozenset(name for name, count in counts.items() if count)


def _structural_quotes(data: bytes, array: npt.NDArray[np.uint8], delimiter: str) -> Offsets:
    """Offsets of the quotes that open and close cells, alternating.

    Doubled quotes can be included; each is then a closing and an opening quote.

    Raises:
        QuoteError: a quote within a quoted cell is neither doubled nor its last character.
    """
    quotes = np.flatnonzero(array == _QUOTE)
    if not quotes.size or _is_rfc4180(array, quotes, ord(delimiter)):
        return quotes
    return np.array(_structural_quotes_in_loop(data, quotes.tolist(), ord(delimiter)), np.int64)


def _is_rfc4180(array: npt.NDArray[np.uint8], quotes: Offsets, delimiter: int) -> bool:
    """Whether all quotes are at positions that RFC 4180 allows and thus open and close in turn."""
    allowed_neighbours = byte_table([delimiter, _LF, _CR, _QUOTE])
    opening, closing = quotes[0::2], quotes[1::2]
    before = array[opening[opening > 0] - 1]
    after = array[closing[closing < array.size - 1] + 1]
    return bool(allowed_neighbours[before].all() and allowed_neighbours[after].all())


def _structural_quotes_in_loop(data: bytes, quotes: list[int], delimiter: int) -> list[int]:
    """Version of `_structural_quotes` for files with quotes that RFC 4180 does not allow."""
    cell_ends = (delimiter, _LF, _CR)
    structural: list[int] = []
    doubled = -1
    for offset in quotes:
        if offset == doubled:
            continue
        if not len(structural) & 1:
            if offset == 0 or data[offset - 1] in cell_ends:
                structural.append(offset)
            continue
        after = data[offset + 1] if offset + 1 < len(data) else None
        if after == _QUOTE:
            doubled = offset + 1
        elif after in cell_ends:
            structural.append(offset)
        elif after is not None:
            raise QuoteError(structural[-1])
    return structural
