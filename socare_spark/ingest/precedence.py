"""Decides which row of each key is kept and which rows are duplicate or superseded.

The newest extract takes precedence, then the last file by name, then the last line. A dropped row
is a duplicate if a later line of its file equals it in all columns; otherwise it is superseded. The
result depends on the files only, not on the order in which they were ingested.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.contracts.contract import SOURCE_LINE, Contract

DUPLICATE, SUPERSEDED = "duplicate", "superseded"
_POSITION = list(SOURCE_LINE)
_CONTENT_HASH = "_content"
# Broadcast threshold for key hashes and dropped rows: 16 MB, twice that as a hash table.
_BROADCAST_MAX_ROWS = 1_000_000


@dataclass(frozen=True)
class Precedence:
    """The order of the versions of a key. The driver and Spark both follow it.

    Attributes:
        key: Columns of the key.
        extract: Column of the extract's day.
    """

    key: list[str]
    extract: str

    @classmethod
    def of(cls, contract: Contract) -> Self:
        """The precedence that a contract declares."""
        return cls(contract.key, contract.socare.extract_column)

    @property
    def order(self) -> list[str]:
        """Columns by which versions are ordered; the last version is kept."""
        return [self.extract, *_POSITION]

    @property
    def columns(self) -> list[str]:
        """The key and the columns of the order."""
        return list(dict.fromkeys([*self.key, *self.order]))

    @property
    def has_versions(self) -> bool:
        """Whether two rows can be versions of one record; they cannot without a declared key."""
        return not {*_POSITION} <= {*self.key}

    def content(self, columns: Iterable[str]) -> list[str]:
        """The columns in which a duplicate equals a later row of its file."""
        return [name for name in columns if name != "line" and not name.startswith("_")]


@dataclass(frozen=True)
class Resolution:
    """The rows that are dropped because another row of their key takes precedence.

    Attributes:
        dropped: One row for each dropped row: `source_file`, `line`, `extract`, and `lost`, which
            is `duplicate` or `superseded`.
        counts: (file, `lost`) -> dropped rows.
        extracts: Days of the extracts with dropped rows.
    """

    dropped: DataFrame
    counts: dict[tuple[str, str], int]
    extracts: frozenset[date]

    def without_dropped(self, rows: DataFrame) -> DataFrame:
        """The rows that are kept."""
        return rows if not self.counts else rows.join(self.dropped, _POSITION, "left_anti")

    def superseded(self, rows: DataFrame) -> DataFrame:
        """The rows that a newer extract replaced."""
        if not self.any_superseded:
            return rows.limit(0)
        superseded_positions = self.dropped.where(F.col("lost") == SUPERSEDED)
        return rows.join(superseded_positions, _POSITION, "left_semi")

    @property
    def any_superseded(self) -> bool:
        """Whether any row is superseded."""
        return any(outcome == SUPERSEDED for _, outcome in self.counts)


def resolve(
    rows: DataFrame,
    precedence: Precedence,
    *,
    existing: DataFrame | None = None,
    many: bool = True,
) -> Resolution:
    """Finds the rows to drop so that each key remains once.

    Args:
        rows: Rows with the columns of the restricted table.
        precedence: The order of versions.
        existing: Rows of other files that share a key with `rows`, as `existing_versions` returns
            them.
        many: Whether the key hashes (8 bytes each) can be too large for the driver.
    """
    key = precedence.key
    if not precedence.has_versions:
        return _no_dropped_rows(rows)
    keys = [frame.select(*key) for frame in (rows, existing) if frame is not None]
    repeated, size = _repeated_key_hashes(reduce(DataFrame.unionByName, keys), key, many=many)
    if not size:
        return _no_dropped_rows(rows)
    # Above the broadcast threshold the filter on repeated keys needs a shuffle of its own, so all
    # rows are ranked instead.
    contested = (
        rows if size > _BROADCAST_MAX_ROWS else _rows_with_repeated_keys(rows, repeated, key)
    )
    candidates = _candidates(contested, precedence)
    dropped = _find_dropped(
        candidates if existing is None else candidates.unionByName(existing), precedence
    ).cache()
    counted = dropped.groupBy("source_file", "extract", "lost").count().collect()
    small = sum(r["count"] for r in counted) < _BROADCAST_MAX_ROWS
    return Resolution(
        F.broadcast(dropped) if small else dropped,
        {(r["source_file"], r["lost"]): r["count"] for r in counted},
        frozenset(r["extract"] for r in counted),
    )


def _no_dropped_rows(rows: DataFrame) -> Resolution:
    return Resolution(rows.select(*_POSITION).limit(0), {}, frozenset())


def find_dropped_arrow(new: pa.Table, existing: pa.Table, precedence: Precedence) -> pd.DataFrame:
    """Driver-side equivalent of `resolve`, faster for few rows.

    Args:
        new: Rows with the columns of the restricted table.
        existing: Rows of other files that share a key with `new`, with `precedence.columns`. Their
            keys are distinct.
        precedence: The order of versions.

    Returns:
        One row for each dropped row: the columns of `existing`; `at`, its index in `new` or -1 for
        a row of `existing`; `lost`, which is `duplicate` or `superseded`.
    """
    new_rows = new.select(existing.column_names).to_pandas().assign(at=np.arange(len(new)))
    candidates = [new_rows, existing.to_pandas().assign(at=-1)] if len(existing) else [new_rows]
    ranked = pd.concat(candidates).sort_values(precedence.order)
    older = ranked.loc[ranked.duplicated(precedence.key, keep="last")]
    # Few rows of a file share a key. Only these are compared in all columns.
    repeated = new_rows.loc[new_rows.duplicated(precedence.key, keep=False)].sort_values("line")[
        "at"
    ]
    # Integers stay integers beside nulls: large ones can be equal as floats.
    compared = new.select(precedence.content(new.column_names)).take(pa.array(repeated))
    contents = compared.to_pandas(integer_object_nulls=True)
    is_duplicate = older["at"].isin(repeated[contents.duplicated(keep="last").to_numpy()])
    dropped: pd.DataFrame = older.assign(lost=np.where(is_duplicate, DUPLICATE, SUPERSEDED))
    return dropped


def existing_versions(rows: DataFrame, precedence: Precedence) -> DataFrame:
    """Precedence columns of loaded rows, whose keys are distinct, with a constant content hash."""
    return rows.select(*precedence.columns, F.lit(0).cast("bigint").alias(_CONTENT_HASH))


def _candidates(rows: DataFrame, precedence: Precedence) -> DataFrame:
    """Precedence columns of rows and a hash of their content."""
    content = _null_safe(precedence.content(rows.columns))
    return rows.select(*precedence.columns, F.xxhash64(*content).alias(_CONTENT_HASH))


def _repeated_key_hashes(
    keys: DataFrame, key: Sequence[str], *, many: bool
) -> tuple[DataFrame, int]:
    """Hashes of the keys that at least two rows have; a hash collision can add others.

    Args:
        keys: The key columns of all rows.
        key: Names of the key columns.
        many: Whether the hashes can be too large for the driver.

    Returns:
        A frame with the column `_key`, and the number of its rows.
    """
    hashes = keys.select(_key_hash(key))
    if many:
        counts = hashes.groupBy("_key").agg(F.count(F.lit(1)).alias("_n"))
        repeated = counts.where("_n > 1").drop("_n").cache()
        return repeated, repeated.count()
    # A sort on the driver takes a quarter of the time of a shuffle.
    sorted_hashes = np.sort(hashes.toPandas()["_key"].to_numpy())
    repeated_hashes = np.unique(sorted_hashes[1:][sorted_hashes[1:] == sorted_hashes[:-1]])
    frame = pd.DataFrame({"_key": repeated_hashes})
    return keys.sparkSession.createDataFrame(frame, "_key bigint").cache(), len(repeated_hashes)


def _rows_with_repeated_keys(rows: DataFrame, repeated: DataFrame, key: Sequence[str]) -> DataFrame:
    """The rows with a repeated key, by a broadcast join."""
    hashed = rows.withColumn("_key", _key_hash(key))
    return hashed.join(F.broadcast(repeated), "_key", "left_semi").drop("_key")


def _key_hash(key: Sequence[str]) -> Column:
    return F.xxhash64(*_null_safe(key)).alias("_key")


def _find_dropped(candidates: DataFrame, precedence: Precedence) -> DataFrame:
    latest = [F.desc(name) for name in precedence.order]
    same_content = Window.partitionBy(*precedence.key, "source_file", _CONTENT_HASH)
    same_key = Window.partitionBy(*precedence.key)
    ranked = candidates.select(
        *_POSITION,
        F.col(precedence.extract).alias("extract"),
        F.row_number().over(same_content.orderBy(F.desc("line"))).alias("_same"),
        F.row_number().over(same_key.orderBy(*latest)).alias("_rank"),
    )
    outcome = F.when(F.col("_same") > 1, DUPLICATE).when(F.col("_rank") > 1, SUPERSEDED)
    return ranked.select(*_POSITION, "extract", outcome.alias("lost")).where("lost is not null")


def _null_safe(names: Sequence[str]) -> list[Column]:
    """Null-safe hash inputs: an is-null flag per column makes (null, a) differ from (a, null)."""
    columns: list[Column] = []
    for name in names:
        columns += [F.col(name), F.col(name).isNull()]
    return columns
