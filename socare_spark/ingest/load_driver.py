"""Loads few rows on the driver, which is faster than Spark tasks.

The rows are read as Arrow and written by delta-rs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from socare_spark.ingest.load_plan import LoadOutcome, LoadTarget
from socare_spark.ingest.precedence import SUPERSEDED, find_dropped_arrow
from socare_spark.ingest.staging import StagedDataset
from socare_spark.lake.lake import DRIVER_MAX_SCAN_BYTES

# Up to this size (bytes) the driver rewrites files of a table; above it Spark tasks do.
DRIVER_MAX_REWRITE_BYTES = 30_000_000


@dataclass(frozen=True)
class SmallLoad:
    """New rows on the driver, with the versions that are dropped.

    Attributes:
        new: Rows with the columns of the restricted table.
        dropped: Result of `find_dropped_arrow` for the new rows and the loaded versions of their
            keys.
    """

    new: pa.Table
    dropped: pd.DataFrame

    @property
    def dropped_new(self) -> pd.DataFrame:
        """The dropped new rows."""
        return self.dropped[self.dropped["at"] >= 0]

    @property
    def dropped_existing(self) -> pd.DataFrame:
        """The dropped rows of the table."""
        return self.dropped[self.dropped["at"] < 0]


def read_small_load(
    target: LoadTarget, staged: StagedDataset, accepted: Sequence[int]
) -> SmallLoad | None:
    """Reads the valid rows of staged files if the driver can load them.

    Args:
        target: The tables of the dataset.
        staged: The staged dataset.
        accepted: Indices of the accepted files.

    Returns:
        The rows; None if they are many, if the table is too large for a lookup of keys on the
        driver, or if too many of its rows would be rewritten.
    """
    lake, table, precedence = target.lake, target.table, target.precedence
    if not staged.fits_on_driver(accepted) or lake.size(table) > DRIVER_MAX_SCAN_BYTES:
        return None
    new = staged.valid_rows_arrow(accepted, *table.names)
    existing = lake.lookup(table, new.select(precedence.key), *precedence.columns)
    small = SmallLoad(new, find_dropped_arrow(new, existing, precedence))
    removed_days = [*small.dropped_existing[precedence.extract]]
    days = [*new[precedence.extract].unique().to_pylist(), *removed_days]
    if removed_days and lake.size(table, days) > DRIVER_MAX_REWRITE_BYTES:
        return None
    return small


@dataclass(frozen=True)
class DriverLoadPlan:
    """The commits of a small load.

    Attributes:
        target: The tables of the dataset.
        new: Rows to add to the table.
        removed: Positions of the rows to remove from the table: extract's day, file and line.
        superseded: Rows to add to the table of superseded rows.
        dropped: As in `LoadOutcome`.
    """

    target: LoadTarget
    new: pa.Table
    removed: pa.Table
    superseded: pa.Table
    dropped: Counter[tuple[str, str]]

    def commit(self) -> LoadOutcome:
        """Commits the rows and returns the row counts."""
        lake, table, metadata = self.target.lake, self.target.table, self.target.metadata
        if len(self.superseded):
            lake.append_arrow(self.target.superseded, self.superseded, metadata)
        if len(self.removed):
            lake.replace_rows(table, self.removed, self.new, metadata)
        elif len(self.new) or not lake.exists(table):
            lake.append_arrow(table, self.new, metadata)
        return LoadOutcome(self.dropped)


@dataclass(frozen=True)
class DriverLoader:
    """Plans a small load.

    Attributes:
        target: The tables of the dataset.
        rows: The new rows.
    """

    target: LoadTarget
    rows: SmallLoad

    def plan(self) -> DriverLoadPlan:
        """Decides which rows are added, superseded and removed."""
        lake, table, new = self.target.lake, self.target.table, self.rows.new
        dropped, dropped_new = self.rows.dropped, self.rows.dropped_new
        removed = pa.Table.from_pandas(
            self.rows.dropped_existing[self.target.precedence.order], preserve_index=False
        )
        older = lake.lookup(table, removed, *table.names)
        is_superseded = dropped_new["lost"] == SUPERSEDED
        superseded = new.take(pa.array(dropped_new.loc[is_superseded, "at"])).cast(older.schema)
        return DriverLoadPlan(
            self.target,
            new.filter(pa.array(~np.isin(np.arange(len(new)), dropped_new["at"]))),
            removed,
            pa.concat_tables([older, superseded]),
            Counter(zip(dropped["source_file"], dropped["lost"], strict=True)),
        )
