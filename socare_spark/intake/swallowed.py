"""Whether a quoted cell with line breaks holds lines that are records themselves.

A quote that is not closed takes the records behind it into its cell until a later quote closes it,
and the result may be a record by the rules. An address of several lines is legitimate. What tells
them apart is the file: what cells of each column look like in the records of one line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from socare_spark.contracts.resource import Field

LONGEST_CELL = 4_000
_FEW_SHAPES = 20
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_TYPED = re.compile(r"[\d£$€.,:/+\-TZ ]*\d[\d£$€.,:/+\-TZ ]*")
_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Column:
    """What the cells of a column look like.

    Attributes:
        shapes: Shapes of its cells, digits and letters as one sign each; empty where they are many.
        typed: The contract says that its cells hold digits.
        longest: Characters that a cell may have.
    """

    shapes: frozenset[str] = frozenset()
    typed: bool = False
    longest: int = LONGEST_CELL

    @property
    def telling(self) -> bool:
        """Whether a text that fits is probably a cell of this column."""
        digits = all("9" in shape for shape in self.shapes if shape)
        return self.typed or (bool(self.shapes) and digits)

    def fits(self, text: str) -> bool:
        """Whether a text looks like a cell of the column."""
        if self.shapes:
            return _shape(text) in self.shapes
        if self.typed:
            return not text.strip() or _TYPED.fullmatch(text) is not None
        return not text.startswith(" ")


def columns_of(fields: Sequence[Field | None], sample: Sequence[Sequence[str]]) -> list[Column]:
    """The columns of a file.

    Args:
        fields: The field that each column of the header is, or None.
        sample: Records without line breaks in cells.
    """
    rows = [row for row in sample if len(row) == len(fields)]
    return [_column(field, [row[i] for row in rows]) for i, field in enumerate(fields)]


def _column(field: Field | None, cells: Sequence[str]) -> Column:
    shapes = frozenset(map(_shape, cells))
    if len(shapes) > _FEW_SHAPES or not any(shapes):
        shapes = frozenset()
    if field is None:
        return Column(shapes)
    typed = field.type != "string" or field.socare.pseudonymise is not None
    return Column(shapes, typed, field.constraints.max_length or LONGEST_CELL)


def _shape(text: str) -> str:
    return _LETTERS.sub("a", _DIGITS.sub("9", text))


def swallows(cells: Sequence[str], columns: Sequence[Column], delimiter: str) -> bool:
    """Whether a cell of a record holds records."""
    return any(
        _holds_records(cell, k, columns, delimiter)
        for k, cell in enumerate(cells)
        if "\n" in cell or "\r" in cell
    )


def _holds_records(cell: str, k: int, columns: Sequence[Column], delimiter: str) -> bool:
    first, *middle, last = (line.split(delimiter) for line in _BREAK.split(cell))
    after, before, width = first[1:], last[:-1], len(columns)
    if _fits(after, columns[k + 1 :], whole=len(after) == width - k - 1):
        return True
    if _fits(before, columns, whole=len(before) == k):
        return True
    lines = [line for line in middle if len(line) == width]
    if any(_fits(line, columns, whole=True) for line in lines):
        return True
    return sum(not _misfits(line, columns) for line in lines) > 1


def _fits(texts: Sequence[str], columns: Sequence[Column], *, whole: bool) -> bool:
    """Whether texts are cells of these columns; one may be odd where many are telling."""
    pairs = list(zip(texts, columns, strict=False))
    telling = sum(c.telling and bool(t.strip()) and c.fits(t) for t, c in pairs)
    misfits = _misfits(texts, columns)
    return telling >= (1 if whole else 2) and misfits <= (telling >= 3)


def _misfits(texts: Sequence[str], columns: Sequence[Column]) -> int:
    return sum(not c.fits(t) for t, c in zip(texts, columns, strict=False))
