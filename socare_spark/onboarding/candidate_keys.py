"""Finds columns that identify a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from socare_spark.onboarding.source_table import Column

_MAX_COLUMNS = 12
_MAX_PAIRS = 5
_SAMPLE = 20_000
# Odd numbers that mix the codes of columns to a hash of 64 bits.
_FACTOR, _STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


@dataclass(frozen=True)
class Keys:
    """Columns that identify a record of one file.

    Attributes:
        keys: Names of one column, or of two if no single column is a key.
        rows: Number of records.
        equal_rows: Number of records that equal an earlier record in all columns.
        nearest: Name of the identifier with the most different texts, if no column is a key.
        repeats: Number of records whose text in this column an earlier record has.
    """

    keys: tuple[tuple[str, ...], ...] = ()
    rows: int = 0
    equal_rows: int = 0
    nearest: str = ""
    repeats: int = 0


def count_equal_rows(columns: Sequence[Column]) -> int:
    """Number of records of a file that equal an earlier record in all columns."""
    if not columns:
        return 0
    rows = columns[0].rows
    is_unique = any(len(column.texts) == rows for column in columns)
    return 0 if is_unique else rows - _count_distinct(_row_hashes(columns))


def find_keys(
    rows: int, equal_rows: int, candidates: Sequence[Column], identifiers: Sequence[Column]
) -> Keys:
    """Finds the keys of a file.

    Args:
        rows: Number of records.
        equal_rows: Number of records that equal an earlier record in all columns.
        candidates: Columns that can be part of a key: without a missing value.
        identifiers: The candidates that look like an identifier.
    """
    if not rows:
        return Keys()
    distinct = rows - equal_rows
    # A record that repeats as a whole is a duplicate, and does not contradict a key.
    singles = tuple((c.name,) for c in candidates if len(c.texts) == distinct)
    ordered = sorted(candidates, key=lambda c: -len(c.texts))[:_MAX_COLUMNS]
    pairs: list[tuple[str, ...]] = []
    if not singles:
        for first, second in combinations(ordered, 2):
            if len(pairs) < _MAX_PAIRS and _is_key(first, second, distinct):
                pairs.append((first.name, second.name))
    nearest = None if singles else max(identifiers, key=lambda c: len(c.texts), default=None)
    return Keys(
        singles or tuple(pairs),
        rows,
        equal_rows,
        nearest.name if nearest else "",
        rows - len(nearest.texts) if nearest else 0,
    )


def _row_hashes(columns: Sequence[Column]) -> npt.NDArray[np.uint64]:
    hashes = np.zeros(columns[0].codes.size, np.uint64)
    for column in columns:
        hashes = (hashes ^ column.codes.astype(np.uint64)) * _FACTOR
        hashes ^= hashes >> np.uint64(29)
        hashes *= _STEP
    return hashes


def _count_distinct(values: npt.NDArray[np.uint64]) -> int:
    # np.unique counts millions of integers with a hash table, in ten times this time.
    ordered = np.sort(values)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + bool(ordered.size)


def _is_key(first: Column, second: Column, distinct: int) -> bool:
    if len(first.texts) * len(second.texts) < distinct:
        return False
    pairs = first.codes.astype(np.uint64) * np.uint64(len(second.texts))
    pairs += second.codes.astype(np.uint64)
    if pairs.size == distinct and _count_distinct(pairs[:_SAMPLE]) < min(_SAMPLE, pairs.size):
        return False
    return _count_distinct(pairs) == distinct
