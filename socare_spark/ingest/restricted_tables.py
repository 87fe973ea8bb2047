"""Declares the restricted table of a dataset, and the table of its superseded rows."""

from collections.abc import Iterable, Mapping

from pyspark.sql import SparkSession

from socare_spark.contracts.contract import Contract
from socare_spark.contracts.place_columns import PLACE
from socare_spark.ingest.staging import StagedDataset
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone


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
        if field.socare.day:
            descriptions[field.socare.day] = f"Day of {field.name} in {field.socare.zone}."
        if field.socare.status:
            descriptions[field.socare.status] = f"Meaning of a missing value of {field.name}."
    descriptions[PLACE] = "Area code, or coordinates, of the record's place."
    descriptions[settings.extract_column] = "As-of day of the extract."
    descriptions["source_file"] = "Path of the row's file below the landing folder."
    descriptions["line"] = "Ordinal of the record in its file, from 1."
    columns = [
        ColumnSpec(n, types[n], descriptions[n])
        for n in [*value_columns(types), "source_file", "line"]
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
        ColumnSpec(f.name, f.dataType.simpleString(), f.metadata.get("comment", ""))
        for f in schema.fields
    ]
    day = contract.socare.extract_column
    if not {*contract.key, day} <= set(schema.names):
        return None
    return TableSpec(
        Zone.RESTRICTED, contract.name, contract.title, tuple(columns), partition_by=(day,)
    )


def value_columns(staged: Iterable[str]) -> list[str]:
    """The columns of a staged frame that the contract and the extract give to the table."""
    return [n for n in staged if not n.startswith("_") and n not in ("source_file", "line")]


def staged_table(staged: StagedDataset) -> TableSpec:
    """Declares the restricted table of a staged dataset."""
    types = {f.name: f.dataType.simpleString() for f in staged.frame.schema.fields}
    return restricted_table(staged.contract, {**types, "source_file": "string", "line": "bigint"})
