"""Finds the delimiter, the quotes and the header of a CSV text or of the rows of a sheet."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from socare_spark.errors import ConfigurationError
from socare_spark.onboarding.cell_kinds import is_personal, kind_of, shape_of
from socare_spark.onboarding.header_words import USUAL, words_of
from socare_spark.onboarding.missing_texts import can_be_missing
from socare_spark.onboarding.personal_words import NAMES
from socare_spark.plurals import counted

DELIMITERS = (",", ";", "\t", "|")
_HEAD_CHARACTERS = 1 << 18
_MAX_ROWS = 500
_QUOTED_CELLS = [
    re.compile(rf"(?:^|[,;\t|]) *{quote}[^{quote}]*{quote} *(?:[,;\t|]|$)") for quote in "'\""
]
_YEARS = range(1900, 2101)
# Rows below the header that can have units or further names.
_MAX_FURTHER = 3
_USUAL_SHARE = 0.8
_UNIT = re.compile(
    r"\(.{1,20}\)|\[.{1,20}\]|[£$€%#]|(kg|g|km|m|mi|miles|hours?|hrs?|days?|weeks?|months?|years?|"
    r"minutes?|mins?|pounds?|gbp|pence|number|no|text|string|date|time|integer|decimal|boolean|code|"
    r"yes/no|y/n|dd[-/.]mm[-/.]yy(yy)?|mm[-/.]dd[-/.]yy(yy)?|yyyy[-/.]mm[-/.]dd|hh:mm(:ss)?|"
    r"£ ?000s?|n/?a|-)",
    re.IGNORECASE,
)
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Header:
    """The row with the names of the columns.

    Attributes:
        row: Number of the row, from 1; None if the rows have no header.
        names: Names of the columns as written; `column 1` and so on without a header, and if the
            header is not certain, because its names can then be values of cells.
        certain: Whether the rows show that there is a header, or that there is none.
        reason: The reason for the decision.
        filled_rows: Number of rows up to this one that are not blank.
        units: Number of rows below it that have units or further names, and no values.
        joined: Numbers of the rows that probably have the names together.
    """

    row: int | None
    names: tuple[str, ...]
    certain: bool
    reason: str = ""
    filled_rows: int = 0
    units: int = 0
    joined: tuple[int, ...] = ()


@dataclass(frozen=True)
class Layout:
    """The form of a CSV text.

    Attributes:
        delimiter: The character between cells.
        quote: The character around cells.
        escape: The character before a quote within a cell; empty if quotes are doubled.
        trailing: Whether each record ends in a delimiter.
        header: The header.
        data_line: Number of the physical line at which the records begin, from 1.
    """

    delimiter: str
    quote: str
    escape: str
    trailing: bool
    header: Header
    data_line: int

    @property
    def is_plain(self) -> bool:
        """Whether quotes follow RFC 4180."""
        return self.quote == '"' and not self.escape


def find_layout(text: str, header: int | str | None = None) -> Layout:
    """Finds the form of a CSV text.

    Args:
        text: The text; its beginning is examined.
        header: Number of the row of the header, `none` for no header, or None to find it.
    """
    head = text[:_HEAD_CHARACTERS]
    if len(text) > len(head) and "\n" in head:
        head = head[: head.rfind("\n") + 1]
    lines = list(io.StringIO(head, newline=""))
    quote = _quote_of(lines)
    escape = (
        "\\" if f"\\{quote}" in head and quote * 2 not in head.replace(f"\\{quote}", "") else ""
    )
    candidates = {d: _rows(lines, d, quote, escape) for d in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda d: _consistency([row for row, _ in candidates[d]]))
    pairs = candidates[delimiter]
    rows = [row for row, _ in pairs]
    trailing = _is_trailing(rows)
    if trailing:
        rows = [row[:-1] if len(row) > 1 and not row[-1].strip() else row for row in rows]
    found = find_header(rows, header)
    line = pairs[found.row - 1][1] + 1 if found.row else 1
    return Layout(delimiter, quote, escape, trailing, found, line)


def _rows(
    lines: Sequence[str], delimiter: str, quote: str, escape: str
) -> list[tuple[list[str], int]]:
    """Rows with the number of their last physical line."""
    reader = csv.reader(
        iter(lines), delimiter=delimiter, quotechar=quote, escapechar=escape or None
    )
    rows = []
    try:
        for row in reader:
            rows.append((row, reader.line_num))
            if len(rows) == _MAX_ROWS:
                break
    except csv.Error:
        return rows
    return rows


def _quote_of(lines: Sequence[str]) -> str:
    """A single quote if many cells are within single quotes and none within double ones."""
    sample = [line.strip() for line in lines[:_MAX_ROWS] if line.strip()]
    single, double = (
        sum(pattern.search(line) is not None for line in sample) for pattern in _QUOTED_CELLS
    )
    return "'" if not double and single * 10 > len(sample) else '"'


def _consistency(rows: Rows) -> tuple[float, int]:
    """Score of a delimiter: rows of one width, with cells that no delimiter is left in."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    if not filled:
        return 0.0, 0
    widths = Counter(map(len, filled))
    pattern = sum(n * max(w - 1, 0.001) / w for w, n in widths.items()) / len(widths)
    cells = [cell.strip() for row in filled for cell in row]
    clean = sum(kind_of(cell) != "text" or not _has_delimiter(cell) for cell in cells)
    return pattern * clean / len(cells), max(widths)


def _has_delimiter(cell: str) -> bool:
    return any(delimiter in cell for delimiter in DELIMITERS)


def _is_trailing(rows: Rows) -> bool:
    """Whether the records, and not the header alone, end in a delimiter."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    records = filled[1:] or filled
    return (
        len(records) > 1
        and all(len(row) > 1 and not row[-1].strip() for row in filled[1:])
        and (len(filled[0]) < len(filled[1]) or not filled[0][-1].strip())
    )


def find_header(rows: Rows, header: int | str | None = None) -> Header:
    """Finds the row with the names of the columns.

    Args:
        rows: The first rows, with empty ones.
        header: Number of the row, `none` for no header, or None to find it.
    """
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    width = _usual_width(rows)
    if header == "none":
        return Header(None, _numbered(width), True, "as given")
    if isinstance(header, int):
        if header > len(rows):
            raise ConfigurationError(
                f"--header {header}: the beginning of the file has {counted(len(rows), 'row')}."
            )
        names, filled = tuple(rows[header - 1]), sum(map(any, rows[:header]))
        units = len(_rows_of_names(rows[header - 1], rows[header:]))
        joined = (header - 1, header) if _has_names_above(rows, header) else ()
        return Header(header, names, True, "as given", filled, units, joined)
    first = next((i for i, row in enumerate(rows) if _is_full(row, width)), None)
    if first is None:
        return Header(None, _numbered(width), False, "no row has a name for each column")
    below = [row for row in rows[first + 1 :] if any(row)]
    score_for, score_against = _evidence(rows[first], below)
    if score_against > score_for:
        names = _numbered(width)
        return Header(None, names, score_for * 4 <= score_against, "the first row looks like data")
    further = _rows_of_names(rows[first], below)
    have_units = all(map(_has_units, further))
    certain = score_for >= 1 and score_for > 2 * score_against
    reason = "" if certain else f"row {first + 1} can also be a record"
    if not have_units or _is_better_named(below[:_MAX_FURTHER], rows[first]):
        # A line before the header can have as many cells as the header.
        certain, reason = False, f"a row below row {first + 1} can have the names too"
    names = tuple(rows[first]) if certain else _numbered(len(rows[first]))
    filled = sum(map(any, rows[: first + 1]))
    return Header(first + 1, names, certain, reason, filled, len(further) if certain else 0)


def _rows_of_names(row: Sequence[str], below: Rows) -> Rows:
    """The rows directly below a header that have texts where the other rows have values.

    They have units, or further names of columns.
    """
    usual = {i: kind for i in range(len(row)) if (kind := _usual_kind(i, below))}
    found: list[Sequence[str]] = []
    for other in below[:_MAX_FURTHER]:
        cells = {
            i: other[i]
            for i in usual
            if i < len(other) and other[i] and not can_be_missing(other[i])
        }
        differ = [i for i, cell in cells.items() if kind_of(cell) in ("text", "code")]
        strong = [i for i in differ if usual[i] != "code" or len(differ) > 1]
        is_other = len(other) == len(row) and all(kind_of(c) != usual[i] for i, c in cells.items())
        if not (strong and is_other):
            break
        found.append(other)
    return found


def _has_names_above(rows: Rows, header: int) -> bool:
    """Whether the row above a header has names for its empty or repeated cells."""
    row = rows[header - 1]
    above = rows[header - 2] if header > 1 else []
    filled = [cell for cell in row if cell]
    gaps = any(cell and not (row[i] if i < len(row) else "") for i, cell in enumerate(above))
    return sum(map(bool, above)) > 1 and (gaps or len({*filled}) < len(filled))


def _usual_kind(position: int, below: Rows) -> str:
    """The kind of nearly all values of a column; empty for texts."""
    kinds = Counter(kind_of(r[position]) for r in below if position < len(r) and r[position])
    kind, count = kinds.most_common(1)[0] if kinds else ("text", 0)
    total = sum(kinds.values())
    return kind if kind != "text" and count >= max(_USUAL_SHARE * total, 1) else ""


def _has_units(row: Sequence[str]) -> bool:
    """Whether all cells of a row are units or names of types."""
    return all(_UNIT.fullmatch(cell) for cell in row if cell)


def _is_better_named(below: Rows, row: Sequence[str]) -> bool:
    """Whether a row below has more words that are usual in headers."""
    own = sum(map(_is_usual, row))
    full = (other for other in below if len(other) == len(row) and all(other))
    return any(sum(map(_is_usual, other)) > own for other in full)


def _is_usual(cell: str) -> bool:
    words = words_of(cell) if kind_of(cell) in ("text", "code") else []
    usual = sum(word in USUAL or word.removesuffix("s") in USUAL for word in words)
    return bool(words) and usual * 2 >= len(words)


def _numbered(width: int) -> tuple[str, ...]:
    return tuple(f"column {i}" for i in range(1, width + 1))


def _usual_width(rows: Rows) -> int:
    widths = Counter(len(row) for row in rows[len(rows) // 2 :] if any(row))
    widths = widths or Counter(len(row) for row in rows)
    return max(widths, key=lambda w: (widths[w], w), default=0)


def _is_full(row: Sequence[str], width: int) -> bool:
    """Whether a row has a text in most columns; lines before a header have fewer."""
    return sum(map(bool, row)) >= max(min(width, 2), 0.6 * width)


def _evidence(row: Sequence[str], below: Rows) -> tuple[float, float]:
    """Evidence that a row is a header, and that it is a record."""
    score_for = score_against = 0.0
    for i, cell in enumerate(row):
        values = [r[i] for r in below if i < len(r) and r[i]]
        kind = kind_of(cell)
        if is_personal(cell) or kind == "date" or (kind == "number" and not _is_year(cell)):
            score_against += 2
            continue
        if kind == "number":
            # Years as names of columns of numbers.
            score_for += 0.5 * (bool(values) and not any(map(_is_year, values)))
            continue
        kinds = Counter(map(kind_of, values))
        usual, count = kinds.most_common(1)[0] if kinds else ("text", 0)
        if usual != "text" and count >= 0.8 * len(values):
            same = kind == usual and (
                kind != "code" or shape_of(cell) in set(map(shape_of, values))
            )
            score_against += same
            score_for += not same and kind in ("text", "code")
        elif len(values) > 2 and cell in values:
            score_against += 1
        if kind in ("text", "code") and words_of(cell):
            score_for += 0.5 * _is_usual(cell) + 0.25 * ("_" in cell)
        # A first name beside another word is a value.
        score_against += 2 * (" " in cell and bool({*cell.lower().split()} & NAMES))
    return score_for, score_against


def _is_year(cell: str) -> bool:
    return cell.isdecimal() and int(cell) in _YEARS
