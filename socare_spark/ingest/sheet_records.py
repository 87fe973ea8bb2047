"""Rows of a sheet, and the cells that are merged over several of them."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from socare_spark.contracts.dialect import Dialect
from socare_spark.errors import DataError
from socare_spark.ingest.cell_text import Cell
from socare_spark.ingest.sheet_marks import Range


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook.

    Attributes:
        rows: Its rows, from its first row and column. Empty cells are empty texts.
        merged: Its merged cells. The first cell of each has the value.
    """

    rows: list[list[Cell]]
    merged: Sequence[Range] = ()

    def merged_records(self, header: int, columns: Container[int] | None = None) -> list[Range]:
        """Merged cells with a value that extend over several rows with values below the header.

        Args:
            header: Number of the last row of the header; 0 without one.
            columns: Columns that are read, from 0. Merged cells in other columns do not count; None
                means that all are read.
        """
        return [
            ((top, left), (bottom, right))
            for (top, left), (bottom, right) in self.merged
            if header <= top < min(bottom, len(self.rows))
            and left < len(self.rows[top])
            and self.rows[top][left] != ""
            and any(map(_has_value, self.rows[top + 1 : bottom + 1]))
            and (columns is None or any(column in columns for column in range(left, right + 1)))
        ]


def sheet_rows(
    sheet: Sheet, dialect: Dialect, columns: Container[int], merged_cells: str | None = None
) -> Iterator[Sequence[Cell]]:
    """Yields the rows of a sheet up to the header, and then its records.

    Rows below the last row of the header without a value, and rows of comments, are left out.

    Args:
        sheet: The sheet.
        dialect: The rows of the header, and the character of comments.
        columns: Columns that the contract reads, from 0.
        merged_cells: Whether the value of cells that are merged over several records counts for
            the `first` or for `all` of them.

    Raises:
        DataError: cells of several records are merged in a column that is read, and `merged_cells`
            is None.
    """
    comment, last = dialect.comment_char, dialect.header_rows[-1] if dialect.header else 0
    over_records = sheet.merged_records(last, columns)
    if over_records and merged_cells is None:
        raise DataError(_merged_text(over_records))
    if merged_cells == "all":
        _repeat(sheet.rows, over_records)
    for i, row in enumerate(sheet.rows):
        has_comment = comment is not None and isinstance(row[0], str) and row[0].startswith(comment)
        if i < last or (_has_value(row) and not has_comment):
            yield row


def _merged_text(merged: Sequence[Range]) -> str:
    (first, column), (last, _) = merged[0]
    number = "cells are merged" if len(merged) == 1 else f"{len(merged)} groups of cells are merged"
    return (
        f"{number} over several records (rows {first + 1} to {last + 1} of column {column + 1}): "
        "declare socare.merged_cells: all if the value counts for each record, or first if it "
        "counts for the first one"
    )


def _repeat(rows: list[list[Cell]], merged: Sequence[Range]) -> None:
    """Writes the value of merged cells into the first cell of each of their rows with a value."""
    for (top, left), (bottom, _) in merged:
        for row in filter(_has_value, rows[top : bottom + 1]):
            row[left] = rows[top][left]


def _has_value(row: Sequence[Cell]) -> bool:
    return any(cell != "" for cell in row)
