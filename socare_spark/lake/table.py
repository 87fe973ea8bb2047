"""Declares tables: name, description, columns and storage layout.

A `TableSpec` defines the Delta schema of a table and its entry in the data dictionary. It is
declared beside the function that builds its rows. No schema is declared elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd
import pyarrow as pa
from deltalake import Schema
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from socare_spark.lake.columns import data_type


class Zone(StrEnum):
    """The folders of a lake. Data moves from one zone to the next and never back."""

    RESTRICTED = "restricted"
    REFERENCE = "reference"
    WORKING = "working"


@dataclass(frozen=True)
class ColumnSpec:
    """One column of a table.

    Attributes:
        name: Name of the column.
        type: Spark SQL type.
        description: One sentence that defines the value, with its unit.
    """

    name: str
    type: str
    description: str


CELL_MEASURES = (
    ColumnSpec(
        "people", "bigint", "Distinct people in the cell; records without a person do not count."
    ),
    ColumnSpec("records", "bigint", "Records in the cell."),
    ColumnSpec("cost", "decimal(20,2)", "Cost in pounds; null if the records have no cost."),
    ColumnSpec("cost_top1", "decimal(20,2)", "Largest cost of one person in the cell."),
    ColumnSpec("cost_top2", "decimal(20,2)", "Second largest cost of one person in the cell."),
    ColumnSpec("providers", "bigint", "Distinct providers in the cell; null if none is recorded."),
)


@dataclass(frozen=True)
class TableSpec:
    """A table of the lake.

    Attributes:
        zone: The zone.
        name: Name within the zone; it can have a folder, as in `superseded/requests`.
        description: One sentence that defines a row.
        dims: Columns that identify a row.
        measures: Other columns.
        source: Source of the definition: a section of a document, or a chapter, table or figure of
            the thesis.
        partition_by: Columns by which the files are partitioned; none for a small table.
        grows: Whether the table can be larger than a result that the driver collects, because its
            rows grow with records, postcodes or free texts, or hold large values. Spark tasks write
            such a table. The driver writes other tables as one file.
    """

    zone: Zone
    name: str
    description: str
    dims: tuple[ColumnSpec, ...]
    measures: tuple[ColumnSpec, ...] = ()
    source: str = ""
    partition_by: tuple[str, ...] = ()
    grows: bool = False

    @property
    def path(self) -> str:
        """Zone and name, as in `working/density`."""
        return f"{self.zone}/{self.name}"

    @property
    def columns(self) -> tuple[ColumnSpec, ...]:
        """The dimensions and then the measures."""
        return self.dims + self.measures

    @property
    def names(self) -> list[str]:
        """The names of the columns in order."""
        return [column.name for column in self.columns]

    @property
    def schema(self) -> StructType:
        """The Spark schema; the comment of each column is its description."""
        return StructType(
            [
                StructField(
                    c.name,
                    data_type(c.type),
                    nullable=True,
                    metadata={"comment": c.description},
                )
                for c in self.columns
            ]
        )

    @property
    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema, with the description of each column."""
        return pa.schema(Schema.from_json(self.schema.json()))

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """The declared columns of a frame as Arrow, in order of the dimensions with null last.

        NaN becomes null.

        Raises:
            KeyError: a declared column is not in the frame.
            pyarrow.ArrowException: a value does not fit the declared type of its column.
        """
        schema = self.arrow_schema
        columns = [_arrow_column(frame[field.name], field.type) for field in schema]
        order = [(column.name, "ascending") for column in self.dims]
        return pa.Table.from_arrays(columns, schema=schema).sort_by(order)

    def conform(self, frame: DataFrame) -> DataFrame:
        """Selects the declared columns of a frame and casts them to their declared types.

        Raises:
            pyspark.errors.AnalysisException: a declared column is not in the frame.
        """
        return frame.select(
            [
                F.col(f.name).cast(f.dataType).alias(f.name, metadata=f.metadata)
                for f in self.schema.fields
            ]
        )


def _arrow_column(values: pd.Series, type_: pa.DataType) -> pa.Array:
    # Without a value a column of pandas can have another type.
    if values.isna().all():
        return pa.nulls(len(values), type_)
    if pa.types.is_floating(type_):
        values = values.where(values.notna(), float("nan")).astype("float64")
    return pa.array(values, type=type_, from_pandas=True)


def cell_table(
    name: str,
    description: str,
    dims: Iterable[ColumnSpec],
    measures: Iterable[ColumnSpec] = (),
    *,
    source: str = "",
    grows: bool = False,
) -> TableSpec:
    """Declares a working table with the given measures followed by CELL_MEASURES."""
    return TableSpec(
        Zone.WORKING,
        name,
        description,
        tuple(dims),
        tuple(measures) + CELL_MEASURES,
        source,
        grows=grows,
    )
