"""Diagnoses files that are not the CSV file their contract declares.

Each message names the format found, the format declared and the change to make. It can follow the
name of the file.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from socare_spark.contracts.encodings import UTF_16
from socare_spark.contracts.header_names import normalise_header
from socare_spark.errors import DataError
from socare_spark.plurals import counted

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16le", b"\xfe\xff": "utf-16be"}
_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Older Office documents, and encrypted newer ones, are compound files (OLE).
COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
# Name of the stream of an encrypted document, in the directory of the compound file.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WORKBOOKS = {"xls": "an Excel workbook (.xls)", "xlsx": "an Excel workbook (.xlsx)",
              "ods": "an OpenDocument spreadsheet (.ods)"}  # fmt: skip
_FORMATS = {
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x1f\x8b": "gzipped twice",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"SQLite format 3": "a SQLite database",
}
_ZIPS = {b"xl/": "xlsx", b"opendocument.spreadsheet": "ods"}
_MOST_LINES = 50
NO_HEADER = (
    "the first line names no column of the contract: if the file has no header, declare "
    "dialect.header: false and the socare.position of each column; if its columns have other "
    "names, declare them under socare.spellings"
)


def other_format(head: bytes) -> str:
    """Detects a file that is not text, where the contract declares a CSV file.

    Args:
        head: The first bytes of the file; all bytes of a compound file, whose directory can be at
            its end.

    Returns:
        A message that names the format and the change to make; empty if the file can be text.
    """
    if head.startswith(COMPOUND_FILE) and _ENCRYPTED in head:
        return (
            "the file is a workbook that is locked with a password: remove the password in the "
            "program that wrote it, or ask for the file without a password"
        )
    kind = workbook_format(head)
    if kind:
        return f"the file is {_WORKBOOKS[kind]}, not CSV: declare format: {kind} in the contract"
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head[:4000]:
        return "the file is an Excel 2003 workbook in XML: save it as .xlsx"
    if is_xml(head):
        return "the file is XML, not CSV: declare format: xml and socare.xml in the contract"
    text = _beginning(head)
    is_page = _is_page(head)
    name = next((name for magic, name in _FORMATS.items() if head.startswith(magic)), "")
    if head.startswith(b"PK\x03\x04"):
        name = "a zip archive"
    if text.startswith(b"<") and is_page:
        name = "a web page"
    return f"the file is {name}, not CSV: save or unpack it as CSV" if name else ""


def is_xml(head: bytes) -> bool:
    """Whether a file begins like XML and is no web page or workbook.

    Args:
        head: The first bytes of the file.
    """
    is_workbook = b"urn:schemas-microsoft-com:office:spreadsheet" in head[:4000]
    begins = _beginning(head)
    is_marked = begins.startswith(b"<?xml") or (begins.startswith(b"<") and b"</" in head)
    return is_marked and not is_workbook and not _is_page(head)


def _beginning(head: bytes) -> bytes:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()


def _is_page(head: bytes) -> bool:
    has_mark = _beginning(head).startswith((b"<!doctype", b"<html"))
    return has_mark or b"<html" in head[:1000].lower()


def workbook_format(head: bytes) -> str:
    """Detects a workbook by its first bytes.

    Args:
        head: The first bytes of the file.

    Returns:
        The `format` of a contract for it: xls, xlsx or ods; empty for another file.
    """
    if head.startswith(COMPOUND_FILE):
        return "xls"
    if head.startswith(b"PK\x03\x04"):
        return next((kind for part, kind in _ZIPS.items() if part in head), "")
    return ""


def encoding_of_mark(head: bytes) -> str:
    """The encoding that a byte order mark declares; empty without a mark.

    Args:
        head: The first bytes of the file.

    Raises:
        DataError: the file is UTF-32.
    """
    if head.startswith(_UTF_32):
        raise DataError("the file is UTF-32, which is not supported: ask for it again as UTF-8")
    return next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), "")


def likely_utf_16(head: bytes) -> str:
    """UTF-16 with its byte order if NUL bytes alternate with others; empty otherwise.

    Args:
        head: The first bytes of the file.
    """
    sample = head[:4000]
    if len(sample) < 2 or b"\0" not in sample:
        return ""
    odd, even = (
        sample[1::2].count(0) / len(sample[1::2]),
        sample[::2].count(0) / len(sample[::2]),
    )
    return "utf-16le" if odd > max(even, 0.3) else "utf-16be" if even > 0.3 else ""


def encoding_found(head: bytes, declared: str) -> str:
    """Determines the encoding of a file.

    A byte order mark overrides the declared encoding.

    Args:
        head: The first bytes of the file.
        declared: The declared encoding.

    Returns:
        The encoding; UTF-16 includes the byte order.

    Raises:
        DataError: the file is UTF-32 or NUL bytes, or it has no mark and the bytes contradict the
            declared encoding.
    """
    marked = encoding_of_mark(head)
    if marked:
        return marked
    sample = head[:4000]
    if sample and not sample.strip(b"\0"):
        raise DataError(
            "the file begins with NUL bytes only, so it was probably copied in part: copy it again"
        )
    likely = likely_utf_16(head)
    if likely and declared not in UTF_16:
        raise DataError(
            f"the file is UTF-16, but the contract declares {declared}: declare the encoding "
            f"{likely} for its period under socare.encodings"
        )
    if declared == "utf-16":
        raise DataError(
            "the file has no byte order mark, which the declared encoding utf-16 requires: declare "
            f"{likely or 'utf-8'} for its period under socare.encodings"
        )
    if likely and declared != likely:
        raise DataError(
            f"the file is {likely}, but the contract declares {declared}: declare the encoding "
            f"{likely} for its period under socare.encodings"
        )
    return declared


def odd_width(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Diagnoses records whose number of cells differs from the number of names in the header.

    Args:
        header: Names of the columns.
        rows: Cells of the sampled records.

    Returns:
        A clause that can follow a message; empty if most records fit the header.
    """
    width = len(header)
    named_width = max((i for i, name in enumerate(header, 1) if name.strip()), default=0)
    count, frequency = max(
        Counter(map(len, rows)).items(), key=lambda pair: pair[1], default=(0, 0)
    )
    odd = [row for row in rows if len(row) != width]
    if len(odd) * 2 <= len(rows):
        return ""
    if all(len(row) > width and not "".join(row[width:]).strip() for row in odd):
        return (
            "; the lines end in a delimiter that the header does not have: declare "
            "socare.trailing_delimiter: true in the contract"
        )
    if all(named_width <= len(row) < width for row in odd):
        return (
            "; the header ends in a delimiter that the lines do not have: ask for the file again "
            "with a cell for each name"
        )
    if frequency * 2 <= len(rows):
        return ""
    return (
        f"; most lines have {counted(count, 'cell')}, and the header has {width}: ask for the file "
        "again with quotes around cells that contain a delimiter and a name for each column"
    )


def wrong_header(text: str, delimiter: str, names: Collection[str]) -> str:
    """Diagnoses a first line that is not the header.

    Args:
        text: The beginning of the file.
        delimiter: The declared delimiter.
        names: Normalised names and spellings of the columns of the contract.

    Returns:
        A message with the reason; empty if none was found.
    """
    best = max(
        (
            (sum(normalise_header(cell) in names for cell in row), -number, d)
            for d in _DELIMITERS
            for number, row in enumerate(_first_rows(text, d), 1)
        ),
        default=(0, 0, delimiter),
    )
    count, position, actual = best
    if not count:
        return NO_HEADER
    first = text.lstrip().lower()
    if actual != delimiter and count > 1:
        separator = " and begins with a line sep=" if first.startswith("sep=") else ""
        return (
            f"the file is separated by {_DELIMITERS[actual]}{separator}, but the contract declares "
            f"{_DELIMITERS.get(delimiter, repr(delimiter))}: "
            f"declare dialect.delimiter {json.dumps(actual)}"
        )
    if position < -1 and count > 1:
        return (
            f"the header is probably in row {-position}, and other text comes before it: declare "
            f"dialect.headerRows: [{-position}] in the contract"
        )
    return ""


def _first_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yields rows as `dialect.headerRows` counts them: blank ones too, a quoted cell in one row."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from islice(rows, _MOST_LINES)
    except csv.Error:
        return
