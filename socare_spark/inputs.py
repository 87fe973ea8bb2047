"""Inputs of an analysis: tables at pinned versions, and the columns that it needs from them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from socare_spark.lake.columns import is_readable, with_columns_as
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import TableSpec


@dataclass(frozen=True)
class Need:
    """A column that an analysis reads from a dataset, which may lack it.

    Attributes:
        source: The table, as `restricted/requests`.
        column: Its column.
        type: Spark SQL type as which it is read; an empty text means any type.
        tables: Results that cannot be made without it.
        without: Results that are made without it, as if it were empty; the run names them.
    """

    source: str
    column: str
    type: str
    tables: tuple[TableSpec, ...] = ()
    without: tuple[TableSpec, ...] = ()

    @property
    def text(self) -> str:
        """The column and where to declare it, for messages."""
        kind = f" ({self.type})" if self.type else ""
        file = f"conf/datasets/{self.source.partition('/')[2]}.yaml"
        return f"the column {self.column}{kind} of {self.source}, to be kept in {file}"


@dataclass(frozen=True)
class Inputs:
    """The tables and the configuration that an analysis reads.

    Attributes:
        spark: The session.
        lake: The lake of the tables.
        conf: Folder of the council's configuration.
        as_of: Day to which open agreements run; None means the day of the newest extract.
        pinned: Path of a table -> the version at which this run reads it.
        types: Path of a table -> the columns that the analysis reads, with their types.
        unavailable: Path of a result that lacks a needed column -> the missing columns.
    """

    spark: SparkSession
    lake: Lake
    conf: Path
    as_of: date | None
    pinned: dict[str, int] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)

    def exists(self, table: TableSpec | str) -> bool:
        """Whether the lake has a table."""
        return self.lake.exists(table)

    def pin(self, table: TableSpec | str) -> int:
        """Pins the version at which this run reads a table.

        Raises:
            DataError: the table has not been written yet.
        """
        name = table if isinstance(table, str) else table.path
        if name not in self.pinned:
            self.pinned[name] = self.lake.existing_version(name)
        return self.pinned[name]

    def read(self, table: TableSpec | str) -> DataFrame:
        """Reads a table at its pinned version.

        Needed columns have their declared types. They are null where the table lacks them.
        """
        name = table if isinstance(table, str) else table.path
        frame = self.lake.read(self.spark, name, self.pin(name))
        return with_columns_as(frame, self.types.get(name, {}))

    def to_pandas(self, table: TableSpec, *columns: str) -> pd.DataFrame:
        """Reads all or some columns of a small table at its pinned version, without a Spark job.

        Types are those of `pyarrow.Table.to_pandas`: integers with null become floats.
        """
        return self.lake.to_pandas(table, *columns, version=self.pin(table))

    def partition_days(self, table: str, column: str) -> list[date] | None:
        """The days by which the files of a table are partitioned, in order.

        Returns:
            The days; None if the files are not partitioned by this column alone, or if it is not a
            date.
        """
        return self.lake.partition_days(table, column, self.pin(table))

    def missing(self, needs: Iterable[Need]) -> list[Need]:
        """The needed columns that a table lacks, or has with a type that cannot be read."""
        present = [need for need in needs if self.lake.exists(need.source)]
        schemas = {
            source: self.lake.schema(source, self.pin(source))
            for source in dict.fromkeys(need.source for need in present)
        }
        return [n for n in present if not is_readable(schemas[n.source], n.column, n.type)]


def unavailable_results(missing: Iterable[Need]) -> dict[str, str]:
    """Results that lack a needed column.

    Returns:
        Path of a result -> the missing columns, for messages.
    """
    texts: dict[str, list[str]] = {}
    for need in missing:
        for table in need.tables:
            texts.setdefault(table.path, []).append(need.text)
    return {path: " and ".join(needed) for path, needed in texts.items()}


def warnings_of_empty_columns(missing: Iterable[Need]) -> list[str]:
    """One warning for each missing column that counts as empty in results."""
    return [
        f"{need.text[0].upper()}{need.text[1:]}, is missing and counts as empty in "
        f"{', '.join(table.path for table in need.without)}."
        for need in missing
        if need.without
    ]


def types_of(needs: Iterable[Need]) -> dict[str, dict[str, str]]:
    """Path of a table -> its needed columns with their types."""
    types: dict[str, dict[str, str]] = {}
    for need in needs:
        types.setdefault(need.source, {})[need.column] = need.type
    return types
