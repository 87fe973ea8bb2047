"""Loads staged rows into the restricted tables.

A table has each key once. Rows that a newer extract replaced are kept in
`restricted/superseded/NAME`. They are restored if the newer file is corrected or withdrawn.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.contracts.contract import Contract
from socare_spark.ingest.discovery import LandedFile
from socare_spark.ingest.precedence import (
    existing_versions,
    find_dropped_arrow,
    precedence_columns,
    resolve,
)
from socare_spark.ingest.staging import StagedDataset
from socare_spark.lake import table
from socare_spark.lake.lake import DRIVER_MAX_SCAN_BYTES, Lake
from socare_spark.lake.table import TableSpec, Zone

# Up to this number of rows the driver sorts the key hashes (8 bytes each, 80 MB); above it Spark
# tasks do.
DRIVER_MAX_SORTED_KEYS = 10_000_000
# Up to this size (bytes) the driver rewrites files of a table; above it Spark tasks do.
DRIVER_MAX_REWRITE_BYTES = 30_000_000


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


def restricted_table(contract: Contract, types: Mapping[str, str]) -> TableSpec:
    """Declares the restricted table of a dataset.

    Args:
        contract: The contract.
        types: Column -> Spark SQL type, in the order of the staged frame.

    Returns:
        A table with the columns of the contract, `source_file` and `line`, partitioned by the
        extract's day.
    """
    settings, descriptions = contract.socare, {}
    for field in contract.fields:
        descriptions[field.output] = field.description or f"{field.name} as extracted."
        if field.socare.age:
            descriptions[field.socare.age.name] = f"Age in years at {field.socare.age.at}."
    descriptions[settings.extract_column] = "As-of day of the extract."
    descriptions["source_file"] = "Path of the row's file below the landing folder."
    descriptions["line"] = "Ordinal of the record in its file, from 1."
    columns = [
        table.ColumnSpec(n, types[n], descriptions[n])
        for n in [*_value_columns(types), "source_file", "line"]
    ]
    key = [c for c in columns if c.name in contract.key]
    other_columns = [c for c in columns if c.name not in contract.key]
    return TableSpec(
        Zone.RESTRICTED,
        contract.name,
        contract.title or f"Records of {contract.name}, each key once.",
        tuple(key),
        tuple(other_columns),
        source=f"conf/datasets/{contract.name}.yaml",
        partition_by=(settings.extract_column,),
    )


def superseded_table(table: TableSpec) -> TableSpec:
    """Declares the table of superseded rows of a restricted table."""
    return TableSpec(
        Zone.RESTRICTED,
        f"superseded/{table.name}",
        f"Versions of records of {table.name} that a newer extract replaced.",
        table.dims,
        table.measures,
        table.source,
        partition_by=table.partition_by,
    )


def existing_table(lake: Lake, spark: SparkSession, contract: Contract) -> TableSpec | None:
    """Declares the restricted table of a dataset as it is stored in the lake.

    Returns:
        The table; None if it lacks a key column of the contract or the extract's day.
    """
    schema = lake.read(spark, contract.table).schema
    columns = [
        table.ColumnSpec(f.name, f.dataType.simpleString(), f.metadata.get("comment", ""))
        for f in schema.fields
    ]
    day = contract.socare.extract_column
    if not {*contract.key, day} <= set(schema.names):
        return None
    return TableSpec(
        Zone.RESTRICTED, contract.name, contract.title, tuple(columns), partition_by=(day,)
    )


def _value_columns(types: Mapping[str, str]) -> list[str]:
    return [n for n in types if not n.startswith("_") and n not in ("source_file", "line")]


def staged_table(stage: StagedDataset) -> TableSpec:
    """Declares the restricted table of a staged dataset."""
    types = {f.name: f.dataType.simpleString() for f in stage.frame.schema.fields}
    return restricted_table(stage.contract, {**types, "source_file": "string", "line": "bigint"})


@dataclass(frozen=True)
class DatasetLoader:
    """Loads and removes the files of one dataset.

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

    def plan(
        self, stage: StagedDataset, accepted: Sequence[int], replaced: Sequence[str]
    ) -> Callable[[], LoadOutcome]:
        """Plans the load of staged files.

        Args:
            stage: The staged dataset.
            accepted: Indices of the accepted files.
            replaced: Names of the loaded files whose rows are replaced.

        Returns:
            A function that commits the rows and returns the row counts.
        """
        exists = self.lake.exists(self.table)
        if stage.fits_on_driver(accepted) and not replaced:
            driver_plan = self._plan_on_driver(stage.valid_rows_arrow(accepted, *self.table.names))
            if driver_plan is not None:
                return driver_plan
        new = self.table.conform(stage.valid_rows(accepted))
        if exists and replaced:
            return self._plan_replacement(new, replaced)
        if exists:
            return self._plan_append(new, [stage.files[i].landed for i in accepted])
        return self._plan_first_load(
            new, many=sum(stage.tallies[i].valid for i in accepted) > DRIVER_MAX_SORTED_KEYS
        )

    def plan_removal(self, spark: SparkSession, files: Sequence[str]) -> Callable[[], LoadOutcome]:
        """Plans the removal of files; the superseded rows of their keys are restored.

        Args:
            spark: The session.
            files: Names of the files.

        Returns:
            A function that commits the removal and returns the row counts.
        """
        return self._plan_replacement(self.lake.read(spark, self.table).limit(0), files)

    def _plan_on_driver(self, new: pa.Table) -> Callable[[], LoadOutcome] | None:
        """Plans a load on the driver, which is faster than Spark tasks for few rows.

        Returns:
            A function that commits the rows; None if the table is too large for a key lookup on the
            driver or too many of its rows would be rewritten.
        """
        if self.lake.size(self.table) > DRIVER_MAX_SCAN_BYTES:
            return None
        position = [self.contract.socare.extract_column, "source_file", "line"]
        keys = new.select(self.contract.key)
        existing = self.lake.lookup(self.table, keys, *precedence_columns(self.contract))
        dropped = find_dropped_arrow(new, existing, self.contract)
        dropped_new, dropped_existing = dropped[dropped["at"] >= 0], dropped[dropped["at"] < 0]
        days = [*new[position[0]].unique().to_pylist(), *dropped_existing[position[0]]]
        if len(dropped_existing) and self.lake.size(self.table, days) > DRIVER_MAX_REWRITE_BYTES:
            return None
        superseded = new.take(pa.array(dropped_new.loc[dropped_new["lost"] == "superseded", "at"]))
        kept = new.filter(pa.array(~np.isin(np.arange(len(new)), dropped_new["at"])))
        removed = pa.Table.from_pandas(dropped_existing[position], preserve_index=False)

        def commit() -> LoadOutcome:
            older = self.lake.lookup(self.table, removed, *self.table.names)
            superseded_rows = pa.concat_tables([older, superseded.cast(older.schema)])
            if len(superseded_rows):
                self.lake.append_arrow(self.superseded, superseded_rows, self.metadata)
            if len(removed):
                self.lake.replace_rows(self.table, removed, kept, self.metadata)
            elif len(kept) or not self.lake.exists(self.table):
                self.lake.append_arrow(self.table, kept, self.metadata)
            return LoadOutcome(Counter(zip(dropped["source_file"], dropped["lost"], strict=True)))

        return commit

    def _plan_first_load(self, new: DataFrame, *, many: bool) -> Callable[[], LoadOutcome]:
        resolution = resolve(new, self.contract, many=many)

        def commit() -> LoadOutcome:
            self.lake.append(self.table, resolution.without_dropped(new), self.metadata)
            if resolution.any_superseded:
                self.lake.append(self.superseded, resolution.superseded(new), self.metadata)
            return LoadOutcome(resolution.counts)

        return commit

    def _plan_append(
        self, new: DataFrame, files: Sequence[LandedFile]
    ) -> Callable[[], LoadOutcome]:
        key, extract = self.contract.key, self.contract.socare.extract_column
        existing = self.lake.read(new.sparkSession, self.table)
        days = {f.as_of for f in files}
        same_days = existing.where(F.col(extract).isin(*days)) if extract in key else existing
        versions = existing_versions(same_days, self.contract).join(
            new.select(*key), key, "left_semi"
        )
        resolution = resolve(new, self.contract, existing=versions.cache())
        new_files = {f.name for f in files}

        def commit() -> LoadOutcome:
            if resolution.any_superseded:
                older = existing.where(F.col(extract).isin(*resolution.extracts))
                candidates = new.unionByName(older.select(*self.table.names))
                self.lake.append(self.superseded, resolution.superseded(candidates), self.metadata)
            kept = resolution.without_dropped(new)
            if all(name in new_files for name, _ in resolution.counts):
                self.lake.append(self.table, kept, self.metadata)
            else:
                self._rewrite(resolution.extracts | days, resolution.without_dropped, kept)
            return LoadOutcome(resolution.counts)

        return commit

    def _plan_replacement(
        self, new: DataFrame, replaced: Sequence[str]
    ) -> Callable[[], LoadOutcome]:
        """Plans the removal of rows of replaced files, with the restored and the new rows.

        All versions of the affected keys are resolved again: new rows, loaded rows and superseded
        rows.
        """
        spark, key, names = new.sparkSession, self.contract.key, self.table.names
        extract = self.contract.socare.extract_column
        existing = self.lake.read(spark, self.table)
        superseded = (
            self.lake.read(spark, self.superseded)
            if self.lake.exists(self.superseded)
            else existing.limit(0)
        )
        is_replaced = F.col("source_file").isin(*replaced)
        removed = existing.where(is_replaced)
        keys = new.select(*key).unionByName(removed.select(*key)).distinct().cache()
        candidates = new
        for rows in (existing, superseded):
            candidates = candidates.unionByName(
                rows.where(~is_replaced).join(keys, key, "left_semi").select(*names)
            )
        resolution = resolve(candidates.cache(), self.contract)
        days = {
            row[0]
            for row in candidates.select(extract)
            .unionByName(removed.select(extract))
            .distinct()
            .collect()
        }
        new_superseded = superseded.where(~is_replaced).join(keys, key, "left_anti").select(*names)
        new_superseded = new_superseded.unionByName(
            resolution.superseded(candidates).select(*names)
        ).cache()

        def commit() -> LoadOutcome:
            if self.lake.exists(self.superseded) or resolution.any_superseded:
                self.lake.replace(self.superseded, new_superseded, self.metadata)
            self._rewrite(
                days,
                lambda rows: rows.where(~is_replaced).join(keys, key, "left_anti"),
                resolution.without_dropped(candidates),
            )
            kept_counts, superseded_counts = (
                _by_file(self.lake.read(spark, self.table)),
                _by_file(new_superseded),
            )
            return LoadOutcome(
                resolution.counts,
                {
                    n: (kept_counts[n], superseded_counts[n])
                    for n in {*kept_counts, *superseded_counts}
                },
            )

        return commit

    def _rewrite(
        self,
        days: Collection[date],
        select_kept: Callable[[DataFrame], DataFrame],
        new: DataFrame,
    ) -> None:
        """Rewrites the rows of some extracts in one commit.

        Args:
            days: The extracts' days.
            select_kept: Selects the loaded rows to keep.
            new: Rows to add.
        """
        if not days:
            return
        predicate = f"{self.contract.socare.extract_column} IN ({_as_sql_list(days)})"
        rows = select_kept(self.lake.read(new.sparkSession, self.table).where(predicate))
        self.lake.replace(
            self.table,
            rows.select(*self.table.names).unionByName(new.select(*self.table.names)),
            self.metadata,
            predicate,
        )


def _as_sql_list(days: Iterable[date]) -> str:
    return ", ".join(f"DATE'{day}'" for day in sorted(days))


def _by_file(rows: DataFrame) -> Counter[str]:
    counted = rows.groupBy("source_file").count().collect()
    return Counter({r["source_file"]: r["count"] for r in counted})
