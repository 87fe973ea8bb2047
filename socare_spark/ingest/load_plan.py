"""Plans of loads: the commits of a dataset as values.

A table has each key once. Rows that a newer extract replaced are kept in
`restricted/superseded/NAME`. They are restored if the newer file is corrected or withdrawn.

Small loads are planned by `load_driver`, others by `load_spark`. A plan changes nothing until it is
committed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.precedence import Precedence
from socare_spark.ingest.restricted_tables import superseded_table
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import TableSpec


@dataclass(frozen=True)
class LoadOutcome:
    """Row counts of a dataset after its commit.

    Attributes:
        dropped: (file, `duplicate` or `superseded`) -> rows dropped in this run.
        recount: File -> rows in the table and superseded rows, if all were counted again because a
            file was replaced or removed; None otherwise.
    """

    dropped: Mapping[tuple[str, str], int]
    recount: Mapping[str, tuple[int, int]] | None = None


@dataclass(frozen=True)
class LoadTarget:
    """The tables into which a dataset is loaded.

    Attributes:
        lake: The lake.
        contract: The contract of the dataset.
        table: The restricted table.
        metadata: User metadata of the commits.
    """

    lake: Lake
    contract: Contract
    table: TableSpec
    metadata: Mapping[str, str]

    @property
    def superseded(self) -> TableSpec:
        """The table of superseded rows."""
        return superseded_table(self.table)

    @property
    def precedence(self) -> Precedence:
        """The order of versions of a key."""
        return Precedence.of(self.contract)


class LoadPlan(Protocol):
    """The commits of a load."""

    def commit(self) -> LoadOutcome:
        """Commits the rows and returns the row counts."""


class Loader(Protocol):
    """Plans the load of a dataset."""

    def plan(self) -> LoadPlan:
        """Decides which rows are added, superseded and removed."""
