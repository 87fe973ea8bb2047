"""Declaring a table once: its Delta schema, its entry in the data dictionary and its release rule.

A `TableSpec` is declared beside the function that makes its rows. No schema is declared elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType, _parse_datatype_string


class Zone(StrEnum):
    """The folders of a lake; data moves from one to the next, never back."""

    RESTRICTED = "restricted"
    REFERENCE = "reference"
    WORKING = "working"
    RELEASED = "released"


@dataclass(frozen=True)
class ColumnSpec:
    """One column: its name, its Spark SQL type and a sentence on what it means."""

    name: str
    type: str
    description: str


CELL_MEASURES = (
    ColumnSpec(
        "people", "bigint", "Distinct people in the cell; records without a person count none."
    ),
    ColumnSpec("records", "bigint", "Records in the cell."),
    ColumnSpec("cost", "decimal(20,2)", "Cost in pounds; null where the records carry none."),
    ColumnSpec("cost_top1", "decimal(20,2)", "Largest cost of one person in the cell."),
    ColumnSpec("cost_top2", "decimal(20,2)", "Second largest cost of one person in the cell."),
    ColumnSpec(
        "providers", "bigint", "Distinct providers in the cell; null where none is recorded."
    ),
)


@dataclass(frozen=True)
class TableSpec:
    """A table of the lake.

    Attributes:
        zone: Folder it lives in.
        name: Name within the zone; `superseded/requests` is a name too.
        description: One sentence on what a row is.
        dims: Columns that identify a row.
        measures: Columns the row gives.
        source: Where the definition comes from: a chapter, table or figure of the thesis, or a
            reference.
        partitions: Names of dimensions that split people without overlap, so that their counts add.
        partition_by: Columns the files are laid out by; none for a small table.
        grows: Whether its rows grow with records, postcodes or typed texts, so that several tasks
            write it. One task writes any other table, as one file.
    """

    zone: Zone
    name: str
    description: str
    dims: tuple[ColumnSpec, ...]
    measures: tuple[ColumnSpec, ...] = ()
    source: str = ""
    partitions: frozenset[str] = field(default_factory=frozenset)
    partition_by: tuple[str, ...] = ()
    grows: bool = False

    @property
    def path(self) -> str:
        """Zone and name, as in `working/density`."""
        return f"{self.zone}/{self.name}"

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """Dimensions, then measures."""
        return self.dims + self.measures

    @property
    def names(self) -> list[str]:
        """The column names in order."""
        return [column.name for column in self.columns]

    @property
    def schema(self) -> StructType:
        """The Spark schema, each column with its sentence as a comment."""
        return StructType(
            [
                StructField(
                    c.name,
                    _parse_datatype_string(c.type),
                    nullable=True,
                    metadata={"comment": c.description},
                )
                for c in self.columns
            ]
        )

    def conform(self, frame: DataFrame) -> DataFrame:
        """Selects the declared columns of a frame, cast to their declared types, with comments.

        Raises:
            pyspark.errors.AnalysisException: a declared column is not in the frame.
        """
        return frame.select(
            [
                F.col(f.name).cast(f.dataType).alias(f.name, metadata=f.metadata)
                for f in self.schema.fields
            ]
        )


def cell_table(
    name: str,
    description: str,
    dims: Iterable[ColumnSpec],
    measures: Iterable[ColumnSpec] = (),
    *,
    source: str = "",
    partitions: Iterable[str] = (),
    grows: bool = False,
) -> TableSpec:
    """Declares a working table: the named measures, and those of `cells` besides."""
    return TableSpec(
        Zone.WORKING,
        name,
        description,
        tuple(dims),
        tuple(measures) + CELL_MEASURES,
        source,
        frozenset(partitions),
        grows=grows,
    )
