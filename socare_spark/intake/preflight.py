"""What can be known of a file before Spark reads it, from one look at its bytes.

Digest, whole gzip, valid encoding, the header, how many records there are. The count does not come
from Spark's reader: the ledger holds the one against the other.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from socare_spark.errors import DataError
from socare_spark.intake.records import IrregularQuotesError, ahead, blocks, chunks, slow_records

_LONGEST_HEADER = 1 << 20
_LONGEST_NAME = 100
_JAVA_BLANKS = "".join(map(chr, range(33)))


@dataclass(frozen=True)
class Look:
    """What one look at a file found.

    Attributes:
        sha256: Digest of the file as it lies there.
        size: Bytes as it lies there.
        header: Names of the columns, as written.
        records: Records after the header; blank lines are none.
        multiline: A cell holds a line break.
        ascii_only: No byte above 127.
        spaces_only: No blank and no control character but the space, in any cell.
        regular: Quotes stand only where RFC 4180 has them.
    """

    sha256: str
    size: int
    header: tuple[str, ...]
    records: int
    multiline: bool
    ascii_only: bool
    spaces_only: bool
    regular: bool


class _Watched:
    """Pieces of a file, watched for their encoding while they pass."""

    def __init__(self, pieces: Iterator[bytes], encoding: str) -> None:
        self.pieces = pieces
        self.encoding = encoding
        self.head = b""
        self.ascii_only = True
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
        self._pending = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.head = self.head or piece[:_LONGEST_HEADER]
            if self._pending or not piece.isascii():
                self.ascii_only = False
                self._decode(piece, final=False)
                self._pending = bool(self._decoder.getstate()[0])
            yield piece
        self._decode(b"", final=True)

    def _decode(self, piece: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(piece, final=final)
        except UnicodeDecodeError:
            raise DataError(
                f"its bytes are not {self.encoding}, which the contract declares: declare the "
                "right encoding for its period under socare.encodings, or ask for the file again"
            ) from None


def look_at(path: Path, encoding: str, delimiter: str = ",") -> Look:
    """Looks at a file once.

    Raises:
        DataError: it is empty, its gzip is cut short or misnamed, its bytes are not of the
            encoding, or it has no header. The text is the end of a sentence about the file.
    """
    digest = hashlib.sha256()
    watched = _Watched(chunks(path, digest.update), encoding)
    pieces = ahead(iter(watched))
    try:
        records, multiline, spaces_only = _count(pieces, delimiter)
        regular = True
    except IrregularQuotesError:
        for _ in pieces:
            pass
        records, multiline, spaces_only, regular = 0, False, False, False
        blank = 0
        for text, broken in slow_records(path, encoding, delimiter):
            records, multiline = records + 1, multiline or broken
            blank += not text.strip(_JAVA_BLANKS)
        records -= 0 if multiline else blank
    header = _header(watched.head, encoding, delimiter)
    size = path.stat().st_size
    return Look(
        digest.hexdigest(),
        size,
        header,
        records - 1,
        multiline,
        watched.ascii_only,
        spaces_only,
        regular,
    )


def _count(pieces: Iterator[bytes], delimiter: str) -> tuple[int, bool, bool]:
    records = blank = 0
    multiline, spaces_only = False, True
    for block in blocks(pieces, delimiter):
        records += block.starts.size
        blank += int(block.blank.sum())
        multiline |= block.multiline
        spaces_only &= block.spaces_only
    # Spark's line reader passes over lines of blanks; its record reader, for files with line
    # breaks in cells, passes over empty lines only.
    return (records if multiline else records - blank), multiline, spaces_only


def _header(head: bytes, encoding: str, delimiter: str) -> tuple[str, ...]:
    # The cut may go through a character: only the first record is wanted.
    text = head.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="ignore")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if any("\n" in cell or "\r" in cell or len(cell) > _LONGEST_NAME for cell in row):
            # What stands there may be records: it is not quoted anywhere.
            raise DataError(
                "a name in its header is too long or holds a line break, so a quote is probably "
                "not closed there: ask for the file again"
            )
        if any(cell.strip() for cell in row):
            return tuple(row)
    raise DataError("it is empty, without even a header: ask for the file again")


def record_bytes(
    path: Path, wanted: npt.NDArray[np.int64], look: Look, encoding: str, delimiter: str = ","
) -> Iterator[bytes]:
    """The bytes of chosen records as they stand in the file, without the break that ends them.

    Args:
        path: The file.
        wanted: Ordinals from 1, ascending; the header is 0.
        look: What `look_at` found.
        encoding: Its encoding.
        delimiter: Its delimiter.
    """
    if not look.regular:
        chosen = set(wanted.tolist())
        ordinal = -1
        for text, _ in slow_records(path, encoding, delimiter):
            ordinal += bool(look.multiline or text.strip(_JAVA_BLANKS))
            if ordinal in chosen:
                chosen.remove(ordinal)
                yield text.rstrip("\r\n").encode(encoding)
        return
    first = 0
    for block in blocks(chunks(path), delimiter):
        keep = slice(None) if look.multiline else ~block.blank
        starts, ends = block.starts[keep], block.ends[keep]
        here = wanted[(wanted >= first) & (wanted < first + starts.size)] - first
        for start, end in zip(starts[here].tolist(), ends[here].tolist(), strict=True):
            yield block.data[start:end]
        first += starts.size


def sha256_of(path: Path) -> str:
    """Digest of a file as it lies there."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
