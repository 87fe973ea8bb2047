"""A lake is a storage with zones of Delta tables, run records, the tracking store and a lock.

The driver and all executors must see a folder under the same path: a disk or a mounted share. The
driver reads the Delta log itself, so versions, commit metadata and the files of a version take no
Spark job.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    WriterProperties,
    write_deltalake,
)
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, StructType

from socare_spark.errors import DataError
from socare_spark.lake.table import TableSpec, Zone
from socare_spark.storage.local import LocalStorage
from socare_spark.storage.location import literal_path
from socare_spark.storage.storage import Storage, read_existing

LOG = "_delta_log"
MAPS, PICTURES = "working/maps", "working/pictures"

# The driver reads a large table in a few batches at a time.
READ_IN_BATCHES: dict[str, Any] = {
    "batch_size": 1 << 16,
    "batch_readahead": 2,
    "fragment_readahead": 1,
}
# Bytes of a table that the driver scans for keys, which takes a few seconds. Spark tasks scan a
# larger table.
DRIVER_MAX_SCAN_BYTES = 1_000_000_000
_COMMIT = re.compile(r"(\d{20})\.json")
# Plain tables, which pandas, delta-rs and DuckDB can read. The log holds no statistics of columns,
# because they are values of cells.
_PROPERTIES = {
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.enableDeletionVectors": "false",
    "delta.columnMapping.mode": "none",
    # The rollback of an unfinished group of commits can need old versions.
    "delta.enableExpiredLogCleanup": "false",
}


@dataclass(frozen=True)
class Commit:
    """A commit of a table: its version, user metadata and number of rows written."""

    version: int
    metadata: Mapping[str, str]
    rows: int | None


class Lake:
    """The storage that holds all zones of one council's project.

    Attributes:
        storage: The storage.
    """

    def __init__(self, storage: Storage | Path) -> None:
        """Opens a lake.

        Args:
            storage: The storage, or the path of a folder of this machine.
        """
        self.storage = LocalStorage(storage) if isinstance(storage, Path) else storage

    def uri(self, table: TableSpec | str) -> str:
        """The folder of a table, for Spark and delta-rs.

        Args:
            table: The table, by its declaration or as `zone/name`.
        """
        return self.storage.uri(_name(table))

    def delta(self, table: TableSpec | str, version: int | None = None) -> DeltaTable:
        """A table at its newest version or at a given one, for delta-rs."""
        return DeltaTable(
            self.uri(table), version=version, storage_options=self.storage.delta_options()
        )

    @cached_property
    def maps(self) -> Path:
        """Folder of this machine for maps and spatial files: exact figures, not for release."""
        return self.storage.drafts / MAPS

    @cached_property
    def pictures(self) -> Path:
        """Folder of this machine for charts: exact figures, not for release."""
        return self.storage.drafts / PICTURES

    def tables(self, *zones: Zone) -> list[str]:
        """Paths (`zone/name`) of the tables of some zones, sorted."""
        inside = f"/{LOG}/"
        files = [file.name for zone in zones for file in self.storage.files(zone)]
        names = {name.partition(inside)[0] for name in files if inside in name}
        return sorted(name for name in names if self.exists(name))

    def version(self, table: TableSpec | str) -> int | None:
        """Newest version of a table; None for a table that has not been written."""
        names = self.storage.names(f"{_name(table)}/{LOG}")
        return max((int(m[1]) for name in names if (m := _COMMIT.fullmatch(name))), default=None)

    def existing_version(self, table: TableSpec | str) -> int:
        """Newest version of a table.

        Raises:
            DataError: it has not been written yet.
        """
        version = self.version(table)
        if version is None:
            raise DataError(
                f"The lake has no table {_name(table)}: run the job that writes it first."
            )
        return version

    def exists(self, table: TableSpec | str) -> bool:
        """Whether the table has been written."""
        return self.version(table) is not None

    def last_commit(self, table: TableSpec | str) -> Commit | None:
        """Newest commit of a table; None for a table that has not been written."""
        version = self.version(table)
        if version is None:
            return None
        actions = self._actions(table, version)
        info: dict[str, Any] = next((a["commitInfo"] for a in actions if "commitInfo" in a), {})
        metrics = info.get("operationMetrics", {})
        note = json.loads(info.get("userMetadata") or "{}")
        rows = metrics.get("numOutputRows", metrics.get("num_added_rows", note.get("rows")))
        return Commit(version, note, None if rows is None else int(rows))

    def rows_version(self, table: TableSpec | str) -> int | None:
        """The version that wrote the present rows; compaction makes versions with the same rows."""
        commit = self.last_commit(table)
        return None if commit is None else int(commit.metadata.get("same_rows_as", commit.version))

    def _actions(self, table: TableSpec | str, version: int) -> list[dict[str, Any]]:
        content = read_existing(self.storage, f"{_name(table)}/{LOG}/{version:020d}.json")
        return [json.loads(line) for line in content.splitlines() if line.strip()]

    def read(
        self, spark: SparkSession, table: TableSpec | str, version: int | None = None
    ) -> DataFrame:
        """Reads a table at its newest version or at a given one.

        Raises:
            DataError: it has not been written yet.
        """
        # Without a version a frame would follow later commits, even those it is the source of.
        pinned = self.existing_version(table) if version is None else version
        delta, uri = self.delta(table, pinned), self.uri(table)
        files = _plain_files(delta)
        if files is None:
            # Another program gave the table features or paths that only a Delta reader knows.
            return spark.read.format("delta").option("versionAsOf", pinned).load(uri)
        schema = _spark_schema(delta)
        if not files:
            return spark.createDataFrame(pa.schema(delta.schema()).empty_table(), schema)
        # The driver takes the files from the log, so no Spark job reads the log.
        root = literal_path(uri)
        reader = spark.read.schema(schema).option("basePath", uri)
        # Spark finds partition columns in the paths, without their descriptions and at the end.
        return reader.parquet(*(f"{root}/{file}" for file in files)).select(
            [F.col(f"`{f.name}`").alias(f.name, metadata=f.metadata) for f in schema.fields]
        )

    def schema(self, table: TableSpec | str, version: int | None = None) -> StructType:
        """The columns of a table at its newest version or at a given one, without a Spark job."""
        return _spark_schema(self.delta(table, version))

    def to_dicts(
        self, table: TableSpec | str, *columns: str, order: str | None = None
    ) -> list[dict[str, Any]]:
        """The rows of a small table, with all columns or those named, sorted by `order`."""
        arrow = self._arrow(table, columns)
        found: list[dict[str, Any]] = (arrow.sort_by(order) if order else arrow).to_pylist()
        return found

    def to_pandas(
        self, table: TableSpec, *columns: str, version: int | None = None
    ) -> pd.DataFrame:
        """A small table with all columns or those named, without a Spark job.

        Args:
            table: The table.
            columns: Names of columns; all by default.
            version: The version; the newest by default.
        """
        found: pd.DataFrame = self._arrow(table, columns, version).to_pandas()
        return found

    def lookup(self, table: TableSpec, keys: pa.Table, *columns: str) -> pa.Table:
        """Some columns of the rows that have one of the given keys, without a Spark job.

        Args:
            table: The table; it can be large, because it is read in batches.
            keys: Combinations of values to find; its columns are columns of the table.
            columns: Names of the columns to return.
        """
        if not self.exists(table):
            return self._arrow_schema(table).empty_table().select(columns)
        data = self.delta(table).to_pyarrow_dataset()
        names = keys.column_names
        keys = _cast_like(keys, data.schema)
        wanted = reduce(and_, [pc.field(name).isin(keys[name].unique()) for name in names])
        batches = data.to_batches(
            columns=list(dict.fromkeys([*columns, *names])), filter=wanted, **READ_IN_BATCHES
        )
        found = [
            piece.filter(_is_among(piece, keys)).select(columns)
            for piece in (pa.Table.from_batches([batch]) for batch in batches if len(batch))
        ]
        nothing = data.schema.empty_table().select(columns)
        return pa.concat_tables([nothing, *found])

    def iter_arrow(self, table: TableSpec | str, *columns: str) -> Iterator[pa.Table]:
        """Yields some columns of a large table in batches, without a Spark job."""
        data = self.delta(table).to_pyarrow_dataset()
        for batch in data.to_batches(columns=list(columns), **READ_IN_BATCHES):
            yield pa.Table.from_batches([batch])

    def partition_days(
        self, table: TableSpec | str, column: str, version: int
    ) -> list[date] | None:
        """The days by which the files of a version are laid out, in order, from the log.

        Returns:
            The days; None where the files are not laid out by this column alone, or where it is
            not a date.
        """
        delta = self.delta(table, version)
        is_date = isinstance(_spark_schema(delta)[column].dataType, DateType)
        if delta.metadata().partition_columns != [column] or not is_date:
            return None
        days = pa.table(delta.get_add_actions(flatten=True))[f"partition.{column}"]
        return sorted(day for day in days.unique().to_pylist() if day is not None)

    def count(self, table: TableSpec | str) -> int:
        """Number of rows of a table, from the footers of its files."""
        return int(self.delta(table).to_pyarrow_dataset().count_rows())

    def size(self, table: TableSpec, days: Iterable[date] | None = None) -> int:
        """Bytes of the files of a table, or of its partitions of some days."""
        if not self.exists(table):
            return 0
        files = pa.table(self.delta(table).get_add_actions(flatten=True))
        if days is None:
            return pc.sum(files["size_bytes"]).as_py() or 0
        (day,) = table.partition_by
        held = pc.is_in(files[f"partition.{day}"], pa.array(sorted(set(days)), pa.date32()))
        return pc.sum(files.filter(held)["size_bytes"]).as_py() or 0

    def _arrow(
        self, table: TableSpec | str, columns: Sequence[str], version: int | None = None
    ) -> pa.Table:
        """All rows of a table; a declared table that has not been written has none."""
        if isinstance(table, TableSpec) and not self.exists(table):
            return self._arrow_schema(table).empty_table().select(list(columns) or table.names)
        delta = self.delta(table, version)
        return delta.to_pyarrow_table(columns=list(columns) or None)

    def replace(
        self,
        table: TableSpec,
        frame: DataFrame,
        metadata: Mapping[str, str],
        where: str | None = None,
    ) -> Commit:
        """Replaces the rows of a table in one commit, with the declared columns.

        Args:
            table: The table.
            frame: Its rows.
            metadata: User metadata of the commit.
            where: Condition on the partition columns. Only rows that meet it are replaced, and all
                rows of the frame must meet it.
        """
        self._write(table, frame, metadata, "overwrite", where)
        return self._commit_made(table)

    def append(
        self,
        table: TableSpec,
        frame: DataFrame,
        metadata: Mapping[str, str],
    ) -> Commit:
        """Adds rows to a table in one commit, and creates the table if necessary."""
        self._write(table, frame, metadata, "append")
        return self._commit_made(table)

    def append_arrow(self, table: TableSpec, rows: pa.Table, metadata: Mapping[str, str]) -> Commit:
        """Adds rows of the driver to a table in one commit, without a Spark job.

        A column of the table that is no longer declared is null in the new rows.
        """
        rows = rows.select(table.names).cast(self._arrow_schema(table))
        if self.exists(table):
            rows = _with_undeclared(rows, pa.schema(self.delta(table).schema()))
        write_deltalake(
            self.uri(table), rows, mode="append", **self._write_options(table, metadata)
        )
        return self._commit_made(table)

    def replace_arrow(
        self, table: TableSpec, rows: pa.Table, metadata: Mapping[str, str]
    ) -> Commit:
        """Replaces the rows of a table by rows of the driver, without a Spark job."""
        write_deltalake(
            self.uri(table),
            rows.select(table.names).cast(table.arrow_schema),
            mode="overwrite",
            schema_mode="overwrite",
            **self._write_options(table, metadata),
        )
        return self._commit_made(table)

    def replace_rows(
        self, table: TableSpec, gone: pa.Table, rows: pa.Table, metadata: Mapping[str, str]
    ) -> Commit:
        """Removes rows of a table and adds others, in one commit and without a Spark job.

        Only the partitions of these rows are rewritten, in batches. The driver holds the content of
        a file until the file is complete.

        Args:
            table: The table, partitioned by a day.
            gone: Columns that identify the rows to remove, including the day.
            rows: The rows to add.
            metadata: User metadata of the commit.
        """
        schema, (day,) = self._arrow_schema(table), table.partition_by
        gone, rows = _cast_like(gone, schema), rows.select(table.names).cast(schema)
        days = pa.concat_arrays([t[day].unique() for t in (gone, rows)]).unique()
        data = self.delta(table).to_pyarrow_dataset()
        old = data.to_batches(columns=table.names, filter=pc.field(day).isin(days))

        def pieces() -> Iterator[pa.RecordBatch]:
            for batch in old:
                piece = pa.Table.from_batches([batch])
                yield from piece.filter(pc.invert(_is_among(piece, gone))).cast(schema).to_batches()
            yield from rows.to_batches()

        write_deltalake(
            self.uri(table),
            pa.RecordBatchReader.from_batches(schema, pieces()),
            mode="overwrite",
            predicate=" OR ".join(f"\"{day}\" = '{value}'" for value in days.to_pylist()),
            **self._write_options(table, metadata),
        )
        return self._commit_made(table)

    def delete_rows(self, table: TableSpec, where: str, metadata: Mapping[str, str]) -> None:
        """Removes the rows that meet a condition, without a Spark job."""
        options = self._write_options(table, metadata)
        self.delta(table).delete(
            where,
            writer_properties=options["writer_properties"],
            commit_properties=options["commit_properties"],
            post_commithook_properties=options["post_commithook_properties"],
        )

    def _write_options(self, table: TableSpec, metadata: Mapping[str, str]) -> dict[str, Any]:
        """Options of a commit of delta-rs, which follows at once: the lock is checked here."""
        self.storage.check_held()
        return {
            "partition_by": list(table.partition_by) or None,
            "configuration": None if self.exists(table) else _PROPERTIES,
            "writer_properties": WriterProperties(compression="ZSTD"),
            "commit_properties": CommitProperties(
                custom_metadata={"userMetadata": _metadata_text(metadata)}
            ),
            # A rollback needs the versions before a group of commits.
            "post_commithook_properties": PostCommitHookProperties(cleanup_expired_logs=False),
            "storage_options": self.storage.delta_options(),
        }

    def _arrow_schema(self, table: TableSpec) -> pa.Schema:
        """The declared columns, without descriptions if the table already has its own."""
        schema = table.arrow_schema
        begun = self.exists(table)
        return pa.schema([f.remove_metadata() for f in schema]) if begun else schema

    def truncate(self, table: TableSpec, metadata: Mapping[str, str]) -> None:
        """Removes all rows of a table and gives it the declared columns, in one commit."""
        self.replace_arrow(table, table.arrow_schema.empty_table(), metadata)

    def _write(
        self,
        table: TableSpec,
        frame: DataFrame,
        metadata: Mapping[str, str],
        mode: str,
        where: str | None = None,
    ) -> None:
        self.storage.check_held()
        writer = table.conform(frame).write.format("delta").mode(mode)
        writer = writer.option("userMetadata", _metadata_text(metadata))
        if where is not None:
            writer = writer.option("replaceWhere", where)
        elif mode == "overwrite":
            writer = writer.option("overwriteSchema", "true")
        if not self.exists(table):
            writer = writer.options(**_PROPERTIES)
        if table.partition_by:
            writer = writer.partitionBy(*table.partition_by)
        writer.save(self.uri(table))

    def _commit_made(self, table: TableSpec) -> Commit:
        commit = self.last_commit(table)
        if commit is None:  # pragma: no cover - a write that returned has committed
            raise RuntimeError(f"{table.path} has no commit after its write")
        return commit


def _name(table: TableSpec | str) -> str:
    return table if isinstance(table, str) else table.path


def _spark_schema(delta: DeltaTable) -> StructType:
    return StructType.fromJson(json.loads(delta.schema().to_json()))


def _plain_files(delta: DeltaTable) -> list[str] | None:
    """The data files of a table's version, relative to its folder.

    Returns:
        The paths; None for a table that a reader of Parquet files does not read rightly: with
        deletion vectors or mapped columns, with files elsewhere, or with partition values that are
        not in the paths.
    """
    if delta.protocol().min_reader_version > 1:
        return None
    files: list[str] = sorted(pa.table(delta.get_add_actions())["path"].to_pylist())
    layout = "".join(f"{re.escape(name)}=[^/%]+/" for name in delta.metadata().partition_columns)
    plain = re.compile(rf"{layout}[\w.-]+")
    return files if all(plain.fullmatch(file) for file in files) else None


def _metadata_text(metadata: Mapping[str, str]) -> str:
    return json.dumps(dict(metadata), sort_keys=True)


def _cast_like(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Casts the columns of rows to their types in a schema."""
    return rows.cast(pa.schema([schema.field(name) for name in rows.column_names]))


def _with_undeclared(rows: pa.Table, stored: pa.Schema) -> pa.Table:
    """Adds the columns of a stored table that rows lack, with null."""
    for field in stored:
        if field.name not in rows.column_names:
            rows = rows.append_column(field.name, pa.nulls(len(rows), field.type))
    return rows


def _is_among(rows: pa.Table, keys: pa.Table) -> pa.Array:
    """Whether each row has one of the combinations of values in `keys`."""
    names = keys.column_names
    numbered = rows.select(names).append_column("_at", pa.array(np.arange(len(rows))))
    found = np.zeros(len(rows), bool)
    found[numbered.join(keys, names, join_type="left semi")["_at"].to_numpy()] = True
    return pa.array(found)
