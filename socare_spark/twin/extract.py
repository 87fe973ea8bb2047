"""What a dataset hands to the writer: which rows go into which file, and how a row is written."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from socare_spark.twin.draws import Ints

Render = Callable[[Ints, str], dict[str, pa.Array]]


@dataclass(frozen=True)
class Layout:
    """The contract's view of a dataset, as far as the planting of defects needs it."""

    identifier: str
    required: tuple[str, ...]
    start: str
    end: str | None = None
    person_required: bool = True
    birth_before_start: bool = True
    may_lack_birth: bool = False


@dataclass(frozen=True)
class Extract:
    """One dataset ready to be written file by file.

    `rows_of` gives the positions of the rows of a file in the order of writing; `render` gives
    their cells by column. `earlier` gives rows of a file whose older version may stand in the file
    before, with the day of their start.
    """

    dataset: str
    layout: Layout
    periods: tuple[str, ...]
    as_of: dict[str, int]
    columns_of: dict[str, tuple[str, ...]]
    size: int
    rows_of: Callable[[str], Ints]
    render: Render
    starts: Callable[[Ints], Ints]
    spare_identifier: int
    spellings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    order_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    gzipped: frozenset[str] = frozenset()
    yearly: bool = True
    mistyped: tuple[str, ...] = ()
    marginals: Callable[[], dict[str, Any]] = dict

    def header(self, period: str) -> tuple[str, ...]:
        """Returns the header cells as this period spells them."""
        return self.spellings.get(period, self.columns_of[period])

    def name(self, period: str) -> str:
        """Returns the file name of a period."""
        suffix = ".csv.gz" if period in self.gzipped else ".csv"
        return f"{self.dataset}_{period}{suffix}"


def yearly_rows(file_year: np.ndarray) -> Callable[[str], Ints]:
    """Returns `rows_of` where each row belongs to the file of one year, in row order."""
    order = np.argsort(file_year, kind="stable")
    ordered = file_year[order]

    def rows_of(period: str) -> Ints:
        low, high = np.searchsorted(ordered, [int(period), int(period) + 1])
        return order[low:high]

    return rows_of
