"""Counts over compact columns: records and people of groups."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from socare_spark.twin.draws import EPOCH, Ints


def spread(columns: Sequence[Ints], labels: Sequence[Sequence[Any] | None]) -> list[list[Any]]:
    """[label, ..., records] for each combination that occurs, in the order of the positions."""
    grid = np.column_stack(columns)
    found, counts = np.unique(grid, axis=0, return_counts=True)
    return [
        [*(v if names is None else names[v] for v, names in zip(row, labels, strict=True)), n]
        for row, n in zip(found.tolist(), counts.tolist(), strict=True)
    ]


def iso(day_number: int) -> str:
    """A day number as an ISO date."""
    return (EPOCH + timedelta(days=day_number)).isoformat()


def distinct(person: Ints, group: Ints, groups: int) -> Ints:
    """The number of distinct people in each group."""
    pairs = np.unique(group.astype(np.int64) * (person.max(initial=0) + 1) + person)
    return np.bincount(pairs // (person.max(initial=0) + 1), minlength=groups)


def open_in(start: Ints, end: Ints, edges: Sequence[int]) -> tuple[Ints, Ints]:
    """(row, period) for each period in which a row is open; the last day counts.

    Period i is from edges[i] to the day before edges[i + 1].
    """
    first = np.maximum(np.searchsorted(edges, start, side="right") - 1, 0)
    last = np.minimum(np.searchsorted(edges, end, side="right") - 1, len(edges) - 2)
    number = np.maximum(last - first + 1, 0)
    row = np.repeat(np.arange(len(number)), number)
    period = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number) + first[row]
    return row, period


def totals(who: Ints) -> dict[str, int]:
    """The number of records and of distinct people or tenants in them."""
    return {"records": len(who), "people": len(np.unique(who))}
