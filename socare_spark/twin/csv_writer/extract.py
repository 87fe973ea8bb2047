"""A dataset as the writer takes it: the rows of each file, and the cells of each row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from socare_spark.twin.draws import Ints

Render = Callable[[Ints, str], dict[str, pa.Array]]


@dataclass(frozen=True)
class Layout:
    """The contract's view of a dataset, as far as the planting of defects needs it.

    `start` is empty where there are no dates.
    """

    identifier: str
    required: tuple[str, ...]
    start: str
    end: str | None = None
    person: str = "PERID"
    person_required: bool = True
    birth_before_start: bool = True
    may_lack_birth: bool = False


@dataclass(frozen=True)
class Met:
    """The people whom a service met: one row for each record that counts where services are
    compared.

    `who` is the identifier's number among all that `services` knows, -1 where it is not written;
    `home` is the postcode's position or -1.
    """

    service: str
    who: Ints
    home: Ints
    day: Ints


@dataclass(frozen=True)
class Extract:
    """One dataset ready to be written file by file.

    `rows_of` gives the positions of the rows of a file in the order of writing; `render` gives
    their cells by column. `starts` gives the day of their start. `met` gives the people whom the
    service of the dataset met; its argument is the rows that are written without their person.
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
    met: Callable[[Ints], Met] | None = None

    def header(self, period: str) -> tuple[str, ...]:
        """The header cells as this period spells them."""
        return self.spellings.get(period, self.columns_of[period])

    def name(self, period: str) -> str:
        """The file name of a period."""
        suffix = ".csv.gz" if period in self.gzipped else ".csv"
        return f"{self.dataset}_{period}{suffix}"


def yearly_rows(file_year: np.ndarray) -> Callable[[str], Ints]:
    """`rows_of` where each row belongs to the file of one year, in row order."""
    order = np.argsort(file_year, kind="stable")
    ordered = file_year[order]

    def rows_of(period: str) -> Ints:
        low, high = np.searchsorted(ordered, [int(period), int(period) + 1])
        return order[low:high]

    return rows_of
