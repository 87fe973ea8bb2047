"""Whether a quoted cell with line breaks holds lines that are records themselves.

A quote that is not closed takes the records behind it into its cell until a later quote closes it,
and the result may be a record by the rules. An address of several lines is legitimate. What tells
them apart is the file: what cells of each column look like in the records of one line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from socare_spark.contracts.contract import Field

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
        shortest: Characters of its shortest cell, empty ones left out.
    """

    shapes: frozenset[str] = frozenset()
    typed: bool = False
    longest: int = LONGEST_CELL
    shortest: int = 0

    @property
    def telling(self) -> bool:
        """Whether a text that fits is probably a cell of this column."""
        digits = all("9" in shape for shape in self.shapes if shape)
        return self.typed or (bool(self.shapes) and digits)

    def fits(self, text: str) -> bool:
        """Whether a text looks like a cell of the column."""
        if self.telling and text.strip() and len(text) < self.shortest:
            return False
        if self.shapes:
            return _shape(text) in self.shapes
        if self.typed:
            return not text.strip() or _TYPED.fullmatch(text) is not None
        return not text.startswith(" ")

    def excludes(self, text: str) -> bool:
        """Whether a text is hardly a cell of the column; the sample need not have its shape."""
        if not text.strip() or _shape(text) in self.shapes:
            return False
        return _TYPED.fullmatch(text) is None if self.typed else text.startswith(" ")


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
    shortest = min((len(cell) for cell in cells if cell.strip()), default=0)
    if field is None:
        return Column(shapes, shortest=shortest)
    typed = field.type != "string" or field.socare.pseudonymise is not None
    return Column(shapes, typed, field.constraints.max_length or LONGEST_CELL, shortest)


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
    width = len(columns)
    inner = [(line, columns) for line in middle if len(line) == width]
    after = (first[1:][-len(columns[k + 1 :]) :], columns[k + 1 :])
    before = (last[:-1][:k], columns[:k])
    if sum(_evidence(*part) for part in [after, before, *inner]) > 1:
        return True
    fitting = [part for part in inner if _fits(*part)]
    if len(fitting) > 1 or any(_evidence(*part) for part in fitting):
        return True
    # The cell of the first or the last column leaves the rest of a record in one line.
    ends = [(first, 0, after)] * (k == 0) + [(last, -1, before)] * (k == width - 1)
    return any(
        len(line) == width and not columns[k].excludes(line[at]) and _fits(*rest)
        for line, at, rest in ends
        if _evidence(*rest)
    )


def _fits(texts: Sequence[str], columns: Sequence[Column]) -> bool:
    return all(c.fits(t) for t, c in zip(texts, columns, strict=False))


def _evidence(texts: Sequence[str], columns: Sequence[Column]) -> int:
    """How many texts are probably cells of these columns, unless others are hardly any.

    One of the others may be odd where there are many.
    """
    pairs = list(zip(texts, columns, strict=False))
    telling = sum(c.telling and bool(t.strip()) and c.fits(t) for t, c in pairs)
    odd = sum(c.excludes(t) for t, c in pairs)
    return telling if odd <= (telling >= 3) else 0
