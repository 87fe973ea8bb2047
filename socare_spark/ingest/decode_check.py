"""Checks that the bytes of a file match its encoding."""

import codecs
import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from socare_spark.contracts.encodings import UTF_16
from socare_spark.errors import DataError
from socare_spark.ingest.mojibake import EIGHT_BIT

# Characters whose UTF-8 bytes are unlikely as text of an 8-bit code page. From U+0180 to U+07FF two
# are required: the bytes of one can also be a capital letter and a closing quote.
_UTF_8_EVIDENCE = re.compile("[\u0080-\u017f\u0800-\U0010ffff]|[\u0180-\u07ff]{2}")
# These bytes are control characters in ISO 8859, and quotes and dashes in windows-1252.
_ISO_8859 = ("iso-8859-1", "iso-8859-15")
_C1_BYTES = re.compile(b"[\x80-\x9f]")
# From these values on, bytes of UTF-8 continue a character, or begin one of 2, 3 or 4 bytes.
_CONTINUATION, _LEAD, _LEAD_OF_3, _LEAD_OF_4 = 0x80, 0xC0, 0xE0, 0xF0


class _Utf8Detector:
    """Detects UTF-8 in bytes that are declared as an 8-bit code page."""

    def __init__(self, encoding: str) -> None:
        self.possible = encoding in EIGHT_BIT
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="strict")
        self._seen, self._last = False, ""

    @property
    def pending(self) -> bool:
        """Whether the last piece ends within a character."""
        return self.possible and bool(self._decoder.getstate()[0])

    def add(self, piece: bytes, *, final: bool = False) -> None:
        """Decodes the next bytes."""
        if not self.possible:
            return
        try:
            text = self._last + self._decoder.decode(piece, final=final)
        except UnicodeDecodeError:
            self.possible = False
            return
        self._seen, self._last = self._seen or _UTF_8_EVIDENCE.search(text) is not None, text[-1:]

    @property
    def succeeded(self) -> bool:
        """Whether all bytes are valid UTF-8 and some are unlikely in an 8-bit code page."""
        return self.possible and self._seen


class DecodeCheckedStream:
    """Yields the pieces of a file and checks their encoding; UTF-16 is converted to UTF-8.

    Iteration raises DataError if the bytes do not match the encoding.
    """

    def __init__(self, pieces: Iterator[bytes], encoding: str) -> None:
        self.pieces = pieces
        self.encoding = encoding
        self.ascii_only = True
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
        self._utf_8 = _Utf8Detector(encoding)
        self._pending, self._signs = False, False
        self._rest = b""

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if self.encoding in UTF_16:
                yield self._decode(piece, final=False).encode()
                continue
            if self._pending or not piece.isascii():
                self.ascii_only = False
                self._signs |= self.encoding in _ISO_8859 and _C1_BYTES.search(piece) is not None
                self._utf_8.add(piece)
                if self.encoding == "utf-8":
                    self._check_utf_8(piece)
                    self._pending = bool(self._rest)
                else:
                    self._decode(piece, final=False)
                    self._pending = bool(self._decoder.getstate()[0]) or self._utf_8.pending
            yield piece
        self._utf_8.add(b"", final=True)
        self._decode(self._rest, final=True)
        if self._utf_8.succeeded:
            raise _found_utf_8(self.encoding)
        if self._signs:
            raise DataError(
                "the file contains bytes from 0x80 to 0x9F, which are punctuation in windows-1252 "
                f"and control characters in {self.encoding}, which the contract declares: declare "
                "the encoding windows-1252 for its period under socare.encodings"
            )

    def _check_utf_8(self, piece: bytes) -> None:
        """Checks the bytes up to the last whole character without decoding them."""
        data = self._rest + piece
        end = len(data) - _cut_bytes(data)
        if not is_utf_8(data[:end]):
            self._decode(data, final=False)
        self._rest = data[end:]

    def _decode(self, piece: bytes, *, final: bool) -> str:
        try:
            text = self._decoder.decode(piece, final=final)
        except UnicodeDecodeError:
            if self._utf_8.succeeded:
                raise _found_utf_8(self.encoding) from None
            often = " (windows-1252 is usual)" if self.encoding == "utf-8" else ""
            raise DataError(
                f"the bytes are not {self.encoding}, which the contract declares: declare the "
                f"right encoding{often} for its period under socare.encodings, or ask for the file "
                "again"
            ) from None
        self.ascii_only &= text.isascii()
        return text


def _found_utf_8(declared: str) -> DataError:
    return DataError(
        f"all characters beyond ASCII are UTF-8, but the contract declares {declared}: declare "
        "the encoding utf-8 for its period under socare.encodings"
    )


def is_utf_8(data: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    # Arrow checks the bytes without making a text or a copy of them.
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    cell = pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(data)])
    try:
        cell.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _cut_bytes(data: bytes) -> int:
    """Number of bytes at the end that begin a character and do not complete it."""
    for count in range(1, min(len(data), 3) + 1):
        byte = data[-count]
        if byte >= _LEAD:
            length = 2 if byte < _LEAD_OF_3 else 3 if byte < _LEAD_OF_4 else 4
            return count if count < length else 0
        if byte < _CONTINUATION:
            return 0
    return 0
