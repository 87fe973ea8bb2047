"""Each key once: which row of a key stands, and which are duplicate or superseded.

Of rows of one key the newest extract wins; within an extract the last file by name, within a file
the last line. A row that stands in its file again, the same in every column, is a duplicate. The
outcome depends on the files alone, not on the order in which they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.contracts.contract import SOURCE_LINE, Contract

_PLACE = list(SOURCE_LINE)
_CONTENT = "_content"
# As many keys or losers are sent to every task: 16 MB of keys, twice that in a table to look up.
_BROADCAST_MAX_ROWS = 1_000_000


@dataclass(frozen=True)
class Resolution:
    """What becomes of rows that share a key with others.

    Attributes:
        dropped: `source_file`, `line`, `extract`, `lost` (`duplicate` or `superseded`).
        counts: Rows by file and way of losing.
        extracts: Days of the extracts that lose rows.
    """

    dropped: DataFrame
    counts: dict[tuple[str, str], int]
    extracts: frozenset[date]

    def without_dropped(self, rows: DataFrame) -> DataFrame:
        """The rows that stand."""
        return rows if not self.counts else rows.join(self.dropped, _PLACE, "left_anti")

    def superseded(self, rows: DataFrame) -> DataFrame:
        """The rows that a newer extract replaced."""
        if not self.any_superseded:
            return rows.limit(0)
        lost = self.dropped.where("lost = 'superseded'")
        return rows.join(lost, _PLACE, "left_semi")

    @property
    def any_superseded(self) -> bool:
        """Whether there are such rows."""
        return any(lost == "superseded" for _, lost in self.counts)


def resolve(
    rows: DataFrame, contract: Contract, *, known: DataFrame | None = None, many: bool = True
) -> Resolution:
    """Finds the rows that do not stand among rows that may share keys.

    Args:
        rows: The rows, as their table has them.
        contract: Names the key and the column of the extract's day.
        known: `existing_versions` rows of other files that share a key with `rows`.
        many: Whether they may be so many that eight bytes of each are too much for the driver.
    """
    key = contract.key
    if {*_PLACE} <= {*key}:
        # Without a key of their own no two rows are versions of one record.
        return _nothing(rows)
    keys = [frame.select(*key) for frame in (rows, known) if frame is not None]
    shared, size = _repeated_key_hashes(reduce(DataFrame.unionByName, keys), key, many=many)
    if not size:
        return _nothing(rows)
    # To rank all rows costs one exchange between tasks; to spare those without a rival, another.
    contested = rows if size > _BROADCAST_MAX_ROWS else _rows_with_repeated_keys(rows, shared, key)
    claims = _candidates(contested, contract)
    losers = _find_dropped(claims if known is None else claims.unionByName(known), contract).cache()
    counted = losers.groupBy("source_file", "extract", "lost").count().collect()
    small = sum(r["count"] for r in counted) < _BROADCAST_MAX_ROWS
    return Resolution(
        F.broadcast(losers) if small else losers,
        {(r["source_file"], r["lost"]): r["count"] for r in counted},
        frozenset(r["extract"] for r in counted),
    )


def _nothing(rows: DataFrame) -> Resolution:
    return Resolution(rows.select(*_PLACE).limit(0), {}, frozenset())


def find_dropped_arrow(new: pa.Table, known: pa.Table, contract: Contract) -> pd.DataFrame:
    """What `resolve` finds, for so few rows that the driver ranks them sooner than tasks do.

    Args:
        new: The rows, as their table has them.
        known: Key, day and place of rows of other files that share a key with `new`, none with one
            another.
        contract: Names the key and the column of the extract's day.

    Returns:
        The columns of `known` for each row that does not stand; `at`, its place in `new`, or -1
        where it is one of `known`; `lost`.
    """
    fresh = new.select(known.column_names).to_pandas().assign(at=np.arange(len(new)))
    rivals = [fresh, known.to_pandas().assign(at=-1)] if len(known) else [fresh]
    ranked = pd.concat(rivals).sort_values([contract.socare.extract_column, *_PLACE])
    older = ranked.loc[ranked.duplicated(contract.key, keep="last")]
    # Hardly any rows of a file share a key: only these are compared in every column.
    shared = fresh.loc[fresh.duplicated(contract.key, keep=False)].sort_values("line")["at"]
    # Whole numbers beside nulls stay whole numbers: as floats, large ones would look alike.
    said = new.take(pa.array(shared)).drop_columns("line").to_pandas(integer_object_nulls=True)
    again = older["at"].isin(shared[said.duplicated(keep="last").to_numpy()])
    found: pd.DataFrame = older.assign(lost=np.where(again, "duplicate", "superseded"))
    return found


def existing_versions(rows: DataFrame, contract: Contract) -> DataFrame:
    """What decides about rows of a table, none of which shares its key with another."""
    return rows.select(*precedence_columns(contract), F.lit(0).cast("bigint").alias(_CONTENT))


def _candidates(rows: DataFrame, contract: Contract) -> DataFrame:
    """What decides about rows: key, day and place, and a mark of all that they say."""
    said = [c for c in rows.columns if c != "line" and not c.startswith("_")]
    return rows.select(*precedence_columns(contract), F.xxhash64(*_null_safe(said)).alias(_CONTENT))


def precedence_columns(contract: Contract) -> list[str]:
    """Names of the columns that decide between rows: key, day and place."""
    return list(dict.fromkeys([*contract.key, contract.socare.extract_column, *_PLACE]))


def _repeated_key_hashes(
    keys: DataFrame, key: Sequence[str], *, many: bool
) -> tuple[DataFrame, int]:
    """Marks of the keys that two rows have, and perhaps of some others; and how many."""
    marks = keys.select(_key_hash(key))
    if many:
        counted = marks.groupBy("_key").agg(F.count(F.lit(1)).alias("_n"))
        shared = counted.where("_n > 1").drop("_n").cache()
        return shared, shared.count()
    # Sorted in the driver in a quarter of the time that an exchange between tasks takes.
    each = np.sort(marks.toPandas()["_key"].to_numpy())
    twice = np.unique(each[1:][each[1:] == each[:-1]])
    found = pd.DataFrame({"_key": twice})
    return keys.sparkSession.createDataFrame(found, "_key bigint").cache(), len(twice)


def _rows_with_repeated_keys(rows: DataFrame, shared: DataFrame, key: Sequence[str]) -> DataFrame:
    """The rows whose key others have; the keys go to every task."""
    marked = rows.withColumn("_key", _key_hash(key))
    return marked.join(F.broadcast(shared), "_key", "left_semi").drop("_key")


def _key_hash(key: Sequence[str]) -> Column:
    return F.xxhash64(*_null_safe(key)).alias("_key")


def _find_dropped(claims: DataFrame, contract: Contract) -> DataFrame:
    key, extract = contract.key, contract.socare.extract_column
    same = Window.partitionBy(*key, "source_file", _CONTENT).orderBy(F.desc("line"))
    newest = Window.partitionBy(*key).orderBy(
        F.desc(extract), F.desc("source_file"), F.desc("line")
    )
    ranked = claims.select(
        *_PLACE,
        F.col(extract).alias("extract"),
        F.row_number().over(same).alias("_same"),
        F.row_number().over(newest).alias("_rank"),
    )
    lost = F.when(F.col("_same") > 1, "duplicate").when(F.col("_rank") > 1, "superseded")
    return ranked.select(*_PLACE, "extract", lost.alias("lost")).where("lost is not null")


def _null_safe(names: Sequence[str]) -> list[Column]:
    """Columns so written that a null is not passed over: (null, a) is not (a, null)."""
    columns: list[Column] = []
    for name in names:
        columns += [F.col(name), F.col(name).isNull()]
    return columns
