"""Inputs of an analysis: tables at pinned versions, and the columns that it needs from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from socare_spark.errors import ConfigurationError
from socare_spark.lake.columns import is_readable, with_columns_as
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import TableSpec


@dataclass(frozen=True)
class Assigned:
    """The column that the configuration assigns to a role of an analysis.

    Attributes:
        role: Name of the role, as `start`.
        column: Column of the dataset; None if it has no such column.
        file: Configuration file, as `analyses/use.yaml`.
        key: Key of the column in the file, as `roles.start`.
    """

    role: str
    column: str | None
    file: str
    key: str


@dataclass(frozen=True)
class Need:
    """A column that an analysis reads from a dataset, which may lack it.

    Attributes:
        source: The table, as `restricted/requests`.
        column: Name under which the analysis reads the column.
        type: Spark SQL type as which it is read; an empty text means any type.
        tables: Results that cannot be made without it.
        without: Results that are made without it, as if it were empty; the run names them.
        assigned: The role that the column has; None for a column with its own name.
    """

    source: str
    column: str
    type: str
    tables: tuple[TableSpec, ...] = ()
    without: tuple[TableSpec, ...] = ()
    assigned: Assigned | None = None

    @property
    def origin(self) -> str | None:
        """Name of the column in the table; None if the configuration assigns no column."""
        return self.column if self.assigned is None else self.assigned.column

    @property
    def text(self) -> str:
        """The column and where to declare it, for messages."""
        kind = f" ({self.type})" if self.type else ""
        if self.assigned is not None and self.origin is None:
            return (
                f"the role {self.assigned.role}{kind} of {self.source}, to be mapped to a column "
                f"under {self.assigned.key} in conf/{self.assigned.file}"
            )
        file = f"conf/datasets/{self.source.partition('/')[2]}.yaml"
        text = f"the column {self.origin}{kind} of {self.source}, to be kept in {file}"
        if self.assigned is None:
            return text
        return f"{text} or replaced under {self.assigned.key} in conf/{self.assigned.file}"


@dataclass(frozen=True)
class Inputs:
    """The tables and the configuration that an analysis reads.

    Attributes:
        spark: The session.
        lake: The lake of the tables.
        conf: Folder of the council's configuration.
        as_of: Day to which open agreements run; None means the day of the newest extract.
        pinned: Path of a table -> the version at which this run reads it.
        needs: The columns that the analysis reads from datasets.
        unavailable: Path of a result that lacks a needed column -> the missing columns.
    """

    spark: SparkSession
    lake: Lake
    conf: Path
    as_of: date | None
    pinned: dict[str, int] = field(default_factory=dict)
    needs: Sequence[Need] = ()
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

    def read(self, table: TableSpec | str, *more: str) -> DataFrame:
        """Reads a table at its pinned version.

        Needed columns have their declared names and types. They are null where the table lacks
        them. Other columns are left out, because they can have the names of columns that an
        analysis adds.

        Args:
            table: The table. If the analysis needs no column of it by name, all are read.
            more: Further columns, which are read as they are if the table has them.
        """
        name = table if isinstance(table, str) else table.path
        frame = self.lake.read(self.spark, name, self.pin(name))
        needs = [need for need in self.needs if need.source == name]
        mapped = {
            need.column: F.col(f"`{need.origin}`") if need.origin in frame.columns else F.lit(None)
            for need in needs
            if need.origin != need.column
        }
        # All columns are assigned at once, so that two columns can change their names.
        renamed = frame.withColumns(mapped) if mapped else frame
        # A column that is needed with a type and as it is gets the type.
        typed = sorted(needs, key=lambda need: bool(need.type))
        types = {need.column: need.type for need in typed}
        if not types:
            return renamed
        kept = [*types, *(name for name in more if name in renamed.columns)]
        return with_columns_as(renamed, types).select(*dict.fromkeys(kept))

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
        return [
            n
            for n in present
            if n.origin is None or not is_readable(schemas[n.source], n.origin, n.type)
        ]

    def has_column(self, table: str, column: str, type_: str) -> bool:
        """Whether a table has a column, or the column that the configuration assigns to it.

        Args:
            table: The table.
            column: Name under which an analysis reads the column.
            type_: Spark SQL type as which it is read.
        """
        named = (n for n in self.needs if (n.source, n.column) == (table, column))
        return not self.missing([next(named, Need(table, column, type_))])


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
    """One warning for each missing column that counts as empty in results.

    A role to which the configuration assigns no column is not missing.
    """
    return [
        f"{need.text[0].upper()}{need.text[1:]}, is missing and counts as empty in "
        f"{', '.join(table.path for table in need.without)}."
        for need in missing
        if need.without and need.origin is not None
    ]


def check_needs(needs: Iterable[Need]) -> None:
    """Checks that an analysis reads one column of a dataset under one name.

    Raises:
        ConfigurationError: a role and another setting read two columns under one name.
    """
    found: dict[tuple[str, str], Need] = {}
    for need in needs:
        other = found.setdefault((need.source, need.column), need)
        # A column that is read under its own name has no role, or its default.
        role = next((n.assigned for n in (need, other) if n.origin != n.column), None)
        if other.origin != need.origin and role is not None:
            mapped = (
                f"maps the role {role.role} of {need.source} to {role.column}"
                if role.column is not None
                else f"has {role.key}: null, so that {need.source} has no {role.role}"
            )
            raise ConfigurationError(
                f"conf/{role.file} {mapped}, and another key names the column {need.column}, as "
                f"which the role is read. Rename the column {need.column} with `as` in its "
                "contract."
            )
