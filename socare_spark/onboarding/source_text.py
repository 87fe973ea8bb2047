"""Reads the text of a file of unknown encoding."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from socare_spark.errors import DataError
from socare_spark.ingest.csv_records import chunks
from socare_spark.ingest.decode_check import is_utf_8
from socare_spark.ingest.format_diagnosis import encoding_of_mark, likely_utf_16, other_format

# Text beyond this size is counted but not analysed.
MAX_BYTES = 256 << 20
_HEAD = 1 << 18
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x19\x1b\x1c-\x1f]")
# Usual of 8-bit code pages; it leaves five bytes undefined.
_WINDOWS = "windows-1252"


@dataclass(frozen=True)
class SourceText:
    """The text of a file.

    Attributes:
        data: The text as UTF-8 without a byte order mark. It is cut at a line end if the file is
            longer than MAX_BYTES.
        encoding: The encoding of the file, by its name in a contract.
        ascii_only: Whether no character is beyond ASCII, so that other encodings are possible too.
        complete: Whether `data` is the whole text.
    """

    data: bytes
    encoding: str
    ascii_only: bool
    complete: bool


def read_source_text(path: Path) -> SourceText:
    """Reads a file and determines its encoding from its bytes.

    Args:
        path: A text file, which can be gzipped.

    Raises:
        DataError: the file is empty, not text, or in no supported encoding. The message can follow
            the name of the file.
    """
    data, complete = _read(chunks(path))
    message = other_format(data[:_HEAD])
    if message:
        raise DataError(message)
    if not data or data.isspace():
        raise DataError("the file is empty: ask for the file again")
    encoding = encoding_of_mark(data[:_HEAD]) or likely_utf_16(data[:_HEAD])
    if _CONTROLS.search(data[:_HEAD].decode(encoding or "latin-1", errors="replace")):
        raise DataError(
            "the file contains control characters, so it is not text: ask for it again as CSV"
        )
    if not complete:
        # An odd number of bytes would cut a character of UTF-16.
        end = len(data) & ~1 if encoding.startswith("utf-16") else data.rfind(b"\n") + 1
        data = data[:end]
    if encoding.startswith("utf-16"):
        text = data.decode(encoding, errors="replace").removeprefix("\ufeff")
        text = text if complete else text[: text.rfind("\n") + 1]
        return SourceText(text.encode(), encoding, False, complete)
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.isascii():
        return SourceText(data, "utf-8", True, complete)
    if is_utf_8(data):
        return SourceText(data, "utf-8", False, complete)
    try:
        return SourceText(data.decode(_WINDOWS).encode(), _WINDOWS, False, complete)
    except UnicodeDecodeError:
        raise DataError(
            "the bytes are neither UTF-8 nor windows-1252, so the encoding is unknown: ask for the "
            "file again as UTF-8"
        ) from None


def _read(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """The first bytes of a file, and whether they are all of it."""
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            return b"".join(parts), False
    return b"".join(parts), True
