"""Detects text that its source decoded with the wrong encoding: `Ã©` for `é`.

Three forms count: pairs of characters that UTF-8 read as an 8-bit code page produces and that are
rare in correct text; the replacement character; and the control characters from 0x80 to 0x9F, which
are punctuation in Windows code pages.
"""

import re

import numpy as np
import numpy.typing as npt

from socare_spark.contracts.field import Field
from socare_spark.ingest.csv_records import byte_table

EIGHT_BIT = ("windows-1252", "iso-8859-1", "iso-8859-15")
_CODES = bytes(range(0x80, 0xC0))
_SECOND = "".join(sorted({c for e in EIGHT_BIT for c in _CODES.decode(e, errors="ignore")}))
# Correct text can have these characters after an accented letter.
_PUNCTUATION = "\u2018\u2019\u201b\u201c\u201d\u2013\u2014\u2026\u2022\xbb\xab \xa0\xb4\xa8\xb8\xb7"
_RARE = "".join(c for c in _SECOND if c not in _PUNCTUATION)
_TYPICAL = re.compile(
    f"[ÂÃ][{_SECOND}]|â[{_SECOND}][{_SECOND}]|[ÄÅ][{_RARE}]|ï[»¿][{_SECOND}]|ðŸ|[\ufffd\x80-\x9f]"
)
# Byte patterns that all such text contains. Only records that match are decoded.
_IN_8_BIT = re.compile(rb"[\xc2-\xc5\xe2\xef\xf0][\x80-\xbf]")
_IN_UTF_8 = re.compile(
    rb"\xc3[\x82-\x85\xa2\xaf\xb0][\xc2\xc5\xc6\xcb\xe2]|\xef\xbf\xbd|\xc2[\x80-\x9f]"
)


# The first and the second byte of the matches of these patterns.
_BEGINS_IN_8_BIT = (
    byte_table([*range(0xC2, 0xC6), 0xE2, 0xEF, 0xF0]),
    byte_table(range(0x80, 0xC0)),
)
_BEGINS_IN_UTF_8 = (
    byte_table([0xC2, 0xC3, 0xEF]),
    byte_table([*range(0x80, 0xA0), 0xA2, 0xAF, 0xB0, 0xBF]),
)


def is_mojibake(text: str) -> bool:
    """Whether a text contains a typical form of mojibake."""
    return _TYPICAL.search(text) is not None


def is_examined(field: Field | None) -> bool:
    """Whether the cells of a column are kept as text and are thus searched for mojibake."""
    return field is not None and field.type == "string" and not field.socare.drop


def suspect_offsets(data: bytes, encoding: str) -> npt.NDArray[np.int64]:
    """Offsets of bytes that match a pattern of mojibake and must be decoded to decide.

    Args:
        data: Bytes of whole records.
        encoding: Their encoding; UTF-16 is already converted to UTF-8.
    """
    if data.isascii():
        return np.zeros(0, np.int64)
    eight_bit = encoding in EIGHT_BIT
    first, second = _BEGINS_IN_8_BIT if eight_bit else _BEGINS_IN_UTF_8
    matches = (_IN_8_BIT if eight_bit else _IN_UTF_8).match
    array = np.frombuffer(data, np.uint8)
    offsets = np.flatnonzero(first[array[:-1]])
    offsets = offsets[second[array[offsets + 1]]]
    return np.array([i for i in offsets.tolist() if matches(data, i)], np.int64)
