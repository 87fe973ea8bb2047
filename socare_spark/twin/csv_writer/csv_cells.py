"""Turns compact columns into the cells and lines of a CSV file as RFC 4180 asks, many at a time.

Texts come from short lists of distinct values, so that quoting is decided once for each value and
not for each row. Lines end in LF.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from socare_spark.twin.draws import day

NO_DAY = -(10**6)
_FIRST_DAY, _LAST_DAY = day(1850), day(2060)


def quoted(text: str) -> str:
    """A cell as written: in quotes where it holds a comma, a quote or a line break."""
    if any(mark in text for mark in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


class Texts:
    """A list of distinct values that are written by position; position -1 is an empty cell."""

    def __init__(self, values: Sequence[str]) -> None:
        """Quotes each value once."""
        self.cells = pa.array([quoted(v) for v in values] + [""], type=pa.string())

    def take(self, positions: npt.NDArray[np.integer]) -> pa.Array:
        """The cells at the positions."""
        last = len(self.cells) - 1
        return self.cells.take(pa.array(np.where(positions < 0, last, positions)))


@cache
def _days() -> pa.Array:
    every = np.arange(_FIRST_DAY, _LAST_DAY).astype("datetime64[D]")
    return pa.array([*every.astype(str), ""], type=pa.string())


def dates(days: npt.NDArray[np.integer]) -> pa.Array:
    """ISO dates; NO_DAY is an empty cell."""
    last = len(_days()) - 1
    return _days().take(pa.array(np.where(days == NO_DAY, last, days - _FIRST_DAY)))


def numbers(values: npt.NDArray[np.integer]) -> pa.Array:
    """Whole numbers."""
    return pc.cast(pa.array(values), pa.string())


def pounds(pence: npt.NDArray[np.integer]) -> pa.Array:
    """Amounts such as 123.45; a negative amount is an empty cell."""
    distinct, position = np.unique(pence, return_inverse=True)
    texts = ["" if p < 0 else f"{p // 100}.{p % 100:02d}" for p in distinct.tolist()]
    return pa.array(texts, type=pa.string()).take(pa.array(position))


def empty(count: int) -> pa.Array:
    """Empty cells."""
    return pa.array([""], type=pa.string()).take(pa.array(np.zeros(count, dtype=np.int64)))


def lines(columns: Sequence[pa.Array]) -> pa.Array:
    """Joins cells to lines, each with its line end."""
    last = pc.binary_join_element_wise(columns[-1], "", "\n")
    return pc.binary_join_element_wise(*columns[:-1], last, ",")


def as_bytes(written: pa.Array) -> memoryview:
    """The text of an array of lines that is contiguous in memory."""
    if len(written) == 0:
        return memoryview(b"")
    compact = written if written.offset == 0 else pa.concat_arrays([written])
    ends = np.frombuffer(compact.buffers()[1], dtype=np.int32)[[0, len(compact)]]
    return memoryview(compact.buffers()[2])[ends[0] : ends[1]]
