"""Detects quoted cells that contain whole records because a quote is not closed.

The cell of an unclosed quote extends over the following records until a later quote closes it, and
the result can be a valid record. Legitimate cells, such as addresses, also have several lines. The
two are distinguished by the cells of each column in the single-line records of the file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from socare_spark.contracts.field import Field

MAX_CELL_CHARACTERS = 4_000
_MAX_SHAPES = 20
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_TYPED = re.compile(r"[\d£$€.,:/+\-TZ ]*\d[\d£$€.,:/+\-TZ ]*")
_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Column:
    """The form of the cells of a column.

    Attributes:
        shapes: Shapes of the sampled cells, with each run of digits and each run of letters as one
            character; empty if there are too many shapes.
        typed: Whether the contract declares a type or scheme whose values contain digits.
        longest: Maximum number of characters of a cell.
        shortest: Number of characters of the shortest sampled cell that is not empty.
    """

    shapes: frozenset[str] = frozenset()
    typed: bool = False
    longest: int = MAX_CELL_CHARACTERS
    shortest: int = 0

    @property
    def is_distinctive(self) -> bool:
        """Whether a text that fits the column is probably one of its cells."""
        digits = all("9" in shape for shape in self.shapes if shape)
        return self.typed or (bool(self.shapes) and digits)

    def fits(self, text: str) -> bool:
        """Whether a text has the form of a cell of the column."""
        if self.is_distinctive and text.strip() and len(text) < self.shortest:
            return False
        if self.shapes:
            return _shape(text) in self.shapes
        if self.typed:
            return not text.strip() or _TYPED.fullmatch(text) is not None
        return not text.startswith(" ")

    def excludes(self, text: str) -> bool:
        """Whether a text is unlikely as a cell of the column, even if the sample is incomplete."""
        if not text.strip() or _shape(text) in self.shapes:
            return False
        return _TYPED.fullmatch(text) is None if self.typed else text.startswith(" ")


def columns_of(fields: Sequence[Field | None], sample: Sequence[Sequence[str]]) -> list[Column]:
    """Derives the form of each column of a file.

    Args:
        fields: Field of each column of the header; None for a column of no field.
        sample: Records without line breaks in cells.
    """
    rows = [row for row in sample if len(row) == len(fields)]
    return [_column(field, [row[i] for row in rows]) for i, field in enumerate(fields)]


def _column(field: Field | None, cells: Sequence[str]) -> Column:
    shapes = frozenset(map(_shape, set(cells)))
    if len(shapes) > _MAX_SHAPES or not any(shapes):
        shapes = frozenset()
    shortest = min((len(cell) for cell in cells if cell.strip()), default=0)
    if field is None:
        return Column(shapes, shortest=shortest)
    typed = field.type != "string" or field.socare.pseudonymise is not None
    return Column(shapes, typed, field.constraints.max_length or MAX_CELL_CHARACTERS, shortest)


def _shape(text: str) -> str:
    return _LETTERS.sub("a", _DIGITS.sub("9", text))


def swallows(cells: Sequence[str], columns: Sequence[Column], delimiter: str) -> bool:
    """Whether a cell of a record contains whole records.

    Args:
        cells: The cells of the record.
        columns: The columns of the file.
        delimiter: The delimiter.
    """
    return any(
        _contains_records(cell, k, columns, delimiter)
        for k, cell in enumerate(cells)
        if "\n" in cell or "\r" in cell
    )


def _contains_records(cell: str, position: int, columns: Sequence[Column], delimiter: str) -> bool:
    first, *middle, last = (line.split(delimiter) for line in _BREAK.split(cell))
    width = len(columns)
    inner = [(line, columns) for line in middle if len(line) == width]
    after = (first[1:][-len(columns[position + 1 :]) :], columns[position + 1 :])
    before = (last[:-1][:position], columns[:position])
    if sum(_count_evidence(*part) for part in [after, before, *inner]) > 1:
        return True
    fitting = [part for part in inner if _fits(*part)]
    if len(fitting) > 1 or any(_count_evidence(*part) for part in fitting):
        return True
    # In a cell of the first or the last column, one line can contain all other cells of a record.
    ends = [(first, 0, after)] * (position == 0) + [(last, -1, before)] * (position == width - 1)
    return any(
        len(line) == width and not columns[position].excludes(line[edge]) and _fits(*rest)
        for line, edge, rest in ends
        if _count_evidence(*rest)
    )


def _fits(texts: Sequence[str], columns: Sequence[Column]) -> bool:
    return all(c.fits(t) for t, c in zip(texts, columns, strict=False))


def _count_evidence(texts: Sequence[str], columns: Sequence[Column]) -> int:
    """Counts texts that are probably cells of their columns.

    Returns:
        The count; 0 if any text is unlikely as a cell. From a count of 3, one unlikely text is
        tolerated.
    """
    pairs = list(zip(texts, columns, strict=False))
    probable = sum(c.is_distinctive and bool(t.strip()) and c.fits(t) for t, c in pairs)
    unlikely = sum(c.excludes(t) for t, c in pairs)
    return probable if unlikely <= (probable >= 3) else 0
