"""Where the records of a CSV file begin and end, found in its bytes by the rules of RFC 4180.

A quote opens a cell where it is the cell's first character; elsewhere in an unquoted cell it is a
character. Within a quoted cell two quotes are a quote, and a quote before a delimiter, a line end
or the end of the file closes it. Any other quote, and one that never closes, refuses the file.
Outside quotes LF, CRLF and CR end a record. Spark's reader has no part in this.
"""

import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from socare_spark.errors import DataError

MAX_RECORD_BYTES = 1 << 20
_CHUNK = 1 << 22
_GZIP = b"\x1f\x8b"
_GZIP_MEMBER = 31
_BOM = b"\xef\xbb\xbf"
_LF, _CR, _QUOTE, _BLANK = 10, 13, 34, 32
_FIXED_BLANK = b"\xa0"
Offsets = npt.NDArray[np.int64]


class QuoteError(DataError):
    """A quote that no rule explains; `at` is the offset of the quote that opens its cell."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


@dataclass(frozen=True)
class Block:
    """Whole records.

    Attributes:
        data: Their bytes.
        starts: Where each record begins; empty lines are no records.
        ends: Where each ends, without its line end.
        breaks: Every line end, within cells too.
        broken: Indices of the records that hold a line break in a cell.
        opens: Where the first quote of such a record opens that has a break behind it.
        line: Physical line of the file in which the block begins, from 1.
        line_ends: Which of LF, CRLF and CR end its records.
        spaces_only: No cell holds a blank or a control character but the space.
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
        """The physical line of the file in which a byte is."""
        return self.line + int(np.searchsorted(self.breaks, offset))

    def record(self, i: int) -> bytes:
        """The bytes of a record."""
        return self.data[self.starts[i] : self.ends[i]]


def chunks(path: Path, on_raw_bytes: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
    """The bytes of a file in pieces of bounded size, unzipped where it is gzipped.

    Args:
        path: The file.
        on_raw_bytes: Is given the bytes as they are in the file, for a digest.

    Raises:
        DataError: the gzip is cut short or damaged, bytes follow it, or the name says otherwise
            than the content.
    """
    with path.open("rb") as file:
        start = file.read(len(_GZIP))
        zipped = start == _GZIP
        file.seek(0)
        if start and zipped != path.name.endswith(".gz"):
            found = (
                "gzipped but its name does not end in .gz"
                if zipped
                else "named .gz but is not gzipped"
            )
            raise DataError(f"it is {found}: rename it")
        pieces = _pieces(file, on_raw_bytes)
        yield from _unzipped(pieces) if zipped else pieces


def _pieces(file: IO[bytes], on_raw_bytes: Callable[[bytes], object] | None) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        if on_raw_bytes is not None:
            on_raw_bytes(piece)
        yield piece


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The content of gzip members that follow one another; never more than a piece at a time."""
    member = zlib.decompressobj(_GZIP_MEMBER)
    rest = b""
    try:
        while rest or (rest := next(pieces, b"")):
            if member.eof:
                if not rest.startswith(_GZIP[: len(rest)]):
                    raise DataError(
                        "bytes follow the end of its gzip, which no reader can make sense of: ask "
                        "for the file again"
                    )
                member = zlib.decompressobj(_GZIP_MEMBER)
            if found := member.decompress(rest, _CHUNK):
                yield found
            rest = member.unused_data if member.eof else member.unconsumed_tail
        if not member.eof:
            raise zlib.error
    except zlib.error:
        raise DataError("its gzip is cut short or damaged: ask for the file again") from None


def prefetch(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, the next one fetched while the last is looked at."""
    with ThreadPoolExecutor(1) as fetch:
        coming = fetch.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = fetch.submit(next, pieces, None)
            yield piece


def blocks(
    pieces: Iterator[bytes], delimiter: str, longest: int = MAX_RECORD_BYTES
) -> Iterator[Block]:
    """Cuts bytes into blocks of whole records.

    Args:
        pieces: The bytes.
        delimiter: One ASCII character.
        longest: Bytes that a record may have.

    Raises:
        DataError: a quote does not follow the rules, or a record is longer than `longest`. The text
            names the physical line.
    """
    rest, line = b"", 1
    for piece in _without_bom(pieces):
        rest += piece
        try:
            block = _block(rest, delimiter, line)
        except QuoteError as error:
            raise _misplaced(rest, error.at, line) from None
        rest = rest[len(block.data) :]
        yield _bounded(block, longest)
        line += block.breaks.size
        if len(rest) > longest:
            raise _endless(rest, delimiter, line, longest)
    if rest:
        yield _bounded(_last(rest, delimiter, line), longest)


def _without_bom(pieces: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(_BOM):
            break
    yield head.removeprefix(_BOM)
    yield from pieces


def _last(rest: bytes, delimiter: str, line: int) -> Block:
    """The block at the end of a file, whose last line may have no end."""
    ended = rest.endswith((b"\n", b"\r"))
    data = rest + (b"\0" if rest.endswith(b"\r") else b"" if ended else b"\n")
    try:
        block = _block(data, delimiter, line, closed=ended)
    except QuoteError as error:
        raise _misplaced(data, error.at, line) from None
    if len(block.data) < len(rest):
        left = rest[len(block.data) :]
        at = _open_quote(left, delimiter)
        raise DataError(
            f"the quote that opens in line {block.line_of(len(block.data)) + _breaks(left[:at])} "
            "is never closed: ask for the file again with quotes in pairs"
        )
    return block


def _misplaced(data: bytes, at: int, line: int) -> DataError:
    return DataError(
        f"the quoted cell that opens in line {line + _breaks(data[:at])} goes on after a quote, or "
        "its quote is not closed: ask for the file again with every quote within a cell doubled"
    )


def _endless(rest: bytes, delimiter: str, line: int, longest: int) -> DataError:
    at = _open_quote(rest, delimiter)
    if at >= 0:
        return DataError(
            f"the quote that opens in line {line + _breaks(rest[:at])} is not closed within "
            f"{longest:,} bytes: ask for the file again with quotes in pairs"
        )
    return _overlong(line, longest)


def _overlong(line: int, longest: int) -> DataError:
    return DataError(
        f"the record in line {line} is longer than the {longest:,} bytes that its columns may "
        "have together: ask for the file again, with line ends that are LF, CRLF or CR"
    )


def _open_quote(data: bytes, delimiter: str) -> int:
    """Offset of the quote that is open at the end of some bytes; -1 where none is."""
    array = np.frombuffer(data, np.uint8)
    found = _structural(data, array, delimiter)
    return int(_openings(found)[-1]) if found.size & 1 else -1


def _breaks(data: bytes) -> int:
    """How many line ends some bytes hold."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _bounded(block: Block, longest: int) -> Block:
    if block.starts.size and int((block.ends - block.starts).max()) > longest:
        i = int(np.argmax(block.ends - block.starts > longest))
        raise _overlong(block.line_of(int(block.starts[i])), longest)
    return block


def _block(data: bytes, delimiter: str, line: int, *, closed: bool = True) -> Block:
    """The whole records at the beginning of some bytes that begin outside quotes.

    Args:
        data: The bytes.
        delimiter: The delimiter.
        line: Physical line of the first byte.
        closed: The line end of the last record is of the file, and not added.
    """
    array = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(array == _LF)
    returns = np.flatnonzero(array[:-1] == _CR)
    lone = returns[array[returns + 1] != _LF]
    if lone.size:
        breaks = np.sort(np.concatenate([breaks, lone]))
    quotes = _structural(data, array, delimiter)
    inside = (np.searchsorted(quotes, breaks) & 1).astype(bool)
    stops = breaks[~inside]
    size = int(stops[-1]) + 1 if stops.size else 0
    starts = np.concatenate([[0], stops[:-1] + 1])[: stops.size]
    returned = (stops > starts) & (array[stops] == _LF) & (array[stops - 1] == _CR)
    ends = stops - returned
    within = breaks[inside & (breaks < size)]
    blanks = np.count_nonzero(array[:size] < _BLANK) - stops.size - int(returned.sum())
    spaces_only = not blanks and not within.size and _FIXED_BLANK not in data
    kept = ends > starts
    broken, opens = _broken(quotes, stops[kept], within)
    return Block(
        data[:size],
        starts[kept],
        ends[kept],
        breaks[breaks < size],
        broken,
        opens,
        line,
        _line_ends(array, stops if closed else stops[:-1], returned),
        spaces_only,
    )


def _broken(quotes: Offsets, stops: Offsets, within: Offsets) -> tuple[Offsets, Offsets]:
    """The records with line breaks in cells, and where the quote of the first of each opens."""
    if not within.size:
        return within, within
    openings = _openings(quotes)
    records, first = np.unique(np.searchsorted(stops, within), return_index=True)
    return records, openings[np.searchsorted(openings, within[first]) - 1]


def _openings(quotes: Offsets) -> Offsets:
    """Where quoted cells open: a doubled quote closes one and opens it again at once."""
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


def _structural(data: bytes, array: npt.NDArray[np.uint8], delimiter: str) -> Offsets:
    """Where quoted cells open and close, by turns; doubled quotes may or may not be among them.

    Raises:
        QuoteError: a quote within a quoted cell is neither doubled nor the last of it.
    """
    quotes = np.flatnonzero(array == _QUOTE)
    if not quotes.size or _is_rfc4180(array, quotes, ord(delimiter)):
        return quotes
    return np.array(_structural_one_by_one(data, quotes.tolist(), ord(delimiter)), np.int64)


def _is_rfc4180(array: npt.NDArray[np.uint8], quotes: Offsets, delimiter: int) -> bool:
    """Whether every quote is where RFC 4180 has one, so that all open and close by turns."""
    beside = np.zeros(256, bool)
    beside[[delimiter, _LF, _CR, _QUOTE]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = array[opening[opening > 0] - 1]
    after = array[closing[closing < array.size - 1] + 1]
    return bool(beside[before].all() and beside[after].all())


def _structural_one_by_one(data: bytes, quotes: list[int], delimiter: int) -> list[int]:
    """What `_structural` finds, quote by quote."""
    edges = (delimiter, _LF, _CR)
    found: list[int] = []
    doubled = -1
    for at in quotes:
        if at == doubled:
            continue
        if not len(found) & 1:
            if at == 0 or data[at - 1] in edges:
                found.append(at)
            continue
        after = data[at + 1] if at + 1 < len(data) else None
        if after == _QUOTE:
            doubled = at + 1
        elif after in edges:
            found.append(at)
        elif after is not None:
            raise QuoteError(found[-1])
    return found
