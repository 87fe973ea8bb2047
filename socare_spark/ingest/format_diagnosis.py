"""What a file is where it is not the CSV file that its contract declares, and what to declare."""

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Sequence

from socare_spark.contracts.contract import UTF_16, normalise_header
from socare_spark.errors import DataError

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16le", b"\xfe\xff": "utf-16be"}
_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_FORMATS = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
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
_ZIPS = {b"xl/": "an Excel workbook (.xlsx)", b"opendocument": "an OpenDocument file (.ods)"}
_MOST_LINES = 50


def other_format(head: bytes) -> str:
    """Names a format that is not text; empty where it may be text."""
    what = next((name for magic, name in _FORMATS.items() if head.startswith(magic)), "")
    if head.startswith(b"PK\x03\x04"):
        what = next((name for part, name in _ZIPS.items() if part in head), "a zip archive")
    if head.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        what = "a web page or XML"
    return f"it is {what}, not a CSV file: save or unpack it as CSV" if what else ""


def encoding_found(head: bytes, declared: str) -> str:
    """The encoding of a file, of UTF-16 with its byte order: a mark decides, whatever is declared.

    Raises:
        DataError: the file has no mark; it is UTF-16 and declared as something else, or the other
            way round.
    """
    if head.startswith(_UTF_32):
        raise DataError("it is UTF-32, which is not read: ask for the file again as UTF-8")
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "")
    if marked:
        return marked
    some = head[:4000]
    if some and not some.strip(b"\0"):
        raise DataError("it begins with NUL bytes alone, so it was not copied whole: copy it again")
    likely = ""
    if len(some) > 1 and b"\0" in some:
        odd, even = some[1::2].count(0) / len(some[1::2]), some[::2].count(0) / len(some[::2])
        likely = "utf-16le" if odd > max(even, 0.3) else "utf-16be" if even > 0.3 else ""
    if likely and declared not in UTF_16:
        raise DataError(
            f"it is UTF-16, and the contract declares {declared}: declare the encoding {likely} "
            "for its period under socare.encodings"
        )
    if declared == "utf-16":
        raise DataError(
            "it has no byte order mark, so it is not utf-16 as the contract declares: declare "
            f"{likely or 'utf-8'} for its period under socare.encodings"
        )
    if likely and declared != likely:
        raise DataError(f"it is {likely}, and the contract declares {declared}: declare {likely}")
    return declared


def odd_width(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Describes why most records have another number of cells than the header has names.

    Args:
        header: The names.
        rows: The cells of some records.

    Returns:
        The end of a sentence; empty where most records fit.
    """
    width = len(header)
    named = max((i for i, name in enumerate(header, 1) if name.strip()), default=0)
    count, most = max(Counter(map(len, rows)).items(), key=lambda pair: pair[1], default=(0, 0))
    odd = [row for row in rows if len(row) != width]
    if len(odd) * 2 <= len(rows):
        return ""
    if all(len(row) > width and not "".join(row[width:]).strip() for row in odd):
        return (
            "; its lines end in a delimiter that its header does not have: ask for the file again "
            "with a name for every cell"
        )
    if all(named <= len(row) < width for row in odd):
        return (
            "; its header ends in a delimiter that its lines do not have: ask for the file again "
            "with as many cells as names"
        )
    if most * 2 <= len(rows):
        return ""
    return (
        f"; most of its lines have {count} cells, and its header has {width}: ask for the file "
        "again with cells in quotes that hold a delimiter, and with a name for every cell"
    )


def wrong_header(text: str, delimiter: str, known: Collection[str]) -> str:
    """Why the first line is not the header; empty where that cannot be said.

    Args:
        text: The beginning of the file.
        delimiter: The declared delimiter.
        known: Names and spellings of the contract's columns, made plain.
    """
    lines = [line for line in text.splitlines()[:_MOST_LINES] if line.strip()]
    best = max(
        ((_named(line, d, known), -n, d) for n, line in enumerate(lines) for d in _DELIMITERS),
        default=(0, 0, delimiter),
    )
    count, place, other = best
    if not count:
        return _no_header()
    first = lines[0].strip().lower()
    if other != delimiter and count > 1:
        how = " and begins with a line sep=" if first.startswith("sep=") else ""
        return (
            f"its cells are separated by {_DELIMITERS[other]}{how}, and the contract declares "
            f"{_DELIMITERS.get(delimiter, repr(delimiter))}: "
            f"declare dialect.delimiter {json.dumps(other)}"
        )
    if place < 0 and count > 1:
        at = 1 + text[: text.find(lines[-place])].count("\n")
        return (
            f"its header seems to be in line {at}, and other text comes before it: ask for the "
            "file without the lines before the header, or delete them"
        )
    return ""


def _no_header() -> str:
    return (
        "its first line names no column of the contract, so it seems to have no header: ask "
        "for the file again with its header"
    )


def _named(line: str, delimiter: str, known: Collection[str]) -> int:
    row = next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    return sum(normalise_header(cell) in known for cell in row)
