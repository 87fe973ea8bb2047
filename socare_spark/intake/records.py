"""Where the records of a CSV file begin and end, found in its bytes without parsing cells.

A line break ends a record when an even number of quotes stands before it. That holds while quotes
stand only where RFC 4180 has them, which is checked; a file with others is read record by record by
the standard library instead. Both give the same numbering: the header is 0, blank lines are none.
"""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from socare_spark.errors import DataError

_CHUNK = 1 << 22
_LONGEST = 1 << 28
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_LF, _CR, _QUOTE, _BLANK = 10, 13, 34, 32
_FIXED_BLANK = b"\xa0"
_BLANKS = bytes(range(33))
Offsets = npt.NDArray[np.int64]


class IrregularQuotesError(Exception):
    """A quote stands where RFC 4180 has none, so parity says nothing."""


@dataclass(frozen=True)
class Block:
    """Whole records: the bytes, where each begins and ends, and which hold nothing but blanks.

    `multiline`: a cell holds a line break. `spaces_only`: no cell holds one, nor any other blank or
    control character than the space.
    """

    data: bytes
    starts: Offsets
    ends: Offsets
    blank: npt.NDArray[np.bool_]
    multiline: bool
    spaces_only: bool


def chunks(path: Path, also: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
    """The bytes of a file, unzipped where it is gzipped.

    Args:
        path: The file.
        also: Is given the bytes as they lie in the file, for a digest.

    Raises:
        DataError: the gzip is cut short, or the name says otherwise than the content.
    """
    with path.open("rb") as file:
        zipped = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if zipped != path.name.endswith(".gz"):
            found = (
                "gzipped but its name does not end in .gz"
                if zipped
                else ("named .gz but is not gzipped")
            )
            raise DataError(f"it is {found}: rename it")
        if not zipped:
            yield from _pieces(file, also)
            return
        if also is not None:
            for _ in _pieces(file, also):
                pass
            file.seek(0)
        try:
            with gzip.GzipFile(fileobj=file) as unzipped:
                yield from _pieces(unzipped, None)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise DataError("its gzip is cut short or damaged: ask for the file again") from None


def _pieces(
    file: IO[bytes] | gzip.GzipFile, also: Callable[[bytes], object] | None
) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        if also is not None:
            also(piece)
        yield piece


def ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, the next one fetched while the last is looked at."""
    with ThreadPoolExecutor(1) as fetch:
        coming = fetch.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = fetch.submit(next, pieces, None)
            yield piece


def blocks(pieces: Iterator[bytes], delimiter: str) -> Iterator[Block]:
    """Cuts bytes into blocks of whole records.

    Raises:
        IrregularQuotesError: quotes do not stand where RFC 4180 has them.
    """
    rest = next(pieces, b"").removeprefix(_BOM)
    for piece in pieces:
        block = _block(rest, delimiter)
        rest = rest[_size(block) :] + piece
        if block is not None:
            yield block
        if len(rest) > _LONGEST:
            raise IrregularQuotesError
    if rest and not rest.endswith((b"\n", b"\r")):
        rest += b"\n"
    if rest:
        block = _block(rest + b"\0" if rest.endswith(b"\r") else rest, delimiter)
        if block is None or _size(block) < len(rest):
            raise IrregularQuotesError
        yield block


def _size(block: Block | None) -> int:
    return 0 if block is None else len(block.data)


def _block(data: bytes, delimiter: str) -> Block | None:
    """The whole records at the beginning of some bytes that begin outside quotes."""
    array = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(array == _LF)
    returns = np.flatnonzero(array[:-1] == _CR)
    lone = returns[array[returns + 1] != _LF]
    if lone.size:
        breaks = np.sort(np.concatenate([breaks, lone]))
    quotes = np.flatnonzero(array == _QUOTE)
    inside = (np.searchsorted(quotes, breaks) & 1).astype(bool)
    stops = breaks[~inside]
    if not stops.size:
        return None
    size = int(stops[-1]) + 1
    _check_quotes(array, quotes[quotes < size], ord(delimiter))
    starts = np.concatenate([[0], stops[:-1] + 1])
    returned = (stops > starts) & (array[stops] == _LF) & (array[stops - 1] == _CR)
    ends = stops - returned
    multiline = bool(inside[breaks < size].any())
    blanks = np.count_nonzero(array[:size] < _BLANK) - stops.size - int(returned.sum())
    spaces_only = not blanks and not multiline and _FIXED_BLANK not in data
    kept = ends > starts
    starts, ends = starts[kept], ends[kept]
    blank = _only_blanks(data, array, starts, ends)
    return Block(data[:size], starts, ends, blank, multiline, spaces_only)


def _check_quotes(array: npt.NDArray[np.uint8], quotes: Offsets, delimiter: int) -> None:
    opening, closing = quotes[0::2], quotes[1::2]
    beside = np.zeros(256, bool)
    beside[[delimiter, _LF, _CR, _QUOTE]] = True
    before, after = array[opening[opening > 0] - 1], array[closing + 1]
    if not (beside[before].all() and beside[after].all()):
        raise IrregularQuotesError


def _only_blanks(
    data: bytes, array: npt.NDArray[np.uint8], starts: Offsets, ends: Offsets
) -> npt.NDArray[np.bool_]:
    blank = np.zeros(starts.size, bool)
    suspects = np.flatnonzero(array[starts] <= _BLANK)
    for i in suspects.tolist():
        blank[i] = not data[starts[i] : ends[i]].strip(_BLANKS)
    return blank


def slow_records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[str, bool]]:
    """The records of any file by the standard library's reader: text, and whether it has breaks."""
    opened = gzip.open if path.name.endswith(".gz") else open
    csv.field_size_limit(1 << 30)
    with opened(path, "rt", encoding=encoding, newline="") as file:
        lines: list[str] = []

        def fed() -> Iterator[str]:
            for line in file:
                lines.append(line)
                yield line

        for row in csv.reader(fed(), delimiter=delimiter):
            text = "".join(lines)
            if row and text.strip("\r\n"):
                yield text, len(lines) > 1
            lines.clear()
