"""Extracts of a dataset: the column with their day, and whether each is a snapshot.

Both are declared in the dataset's contract. For a table without a contract they are inferred from
its columns.
"""

import re
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.config import read_model
from socare_spark.contracts.contract import SOURCE_LINE, Contract
from socare_spark.contracts.periods import Days
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.table import TableSpec, Zone

SNAPSHOT = "snapshot"


def restricted(dataset: str) -> str:
    """Path of the restricted table of a dataset."""
    return f"{Zone.RESTRICTED}/{dataset}"


def extract_need(inputs: Inputs, dataset: str, *tables: TableSpec) -> Need:
    """Need of the column with the day of an extract.

    Args:
        inputs: The inputs of the run.
        dataset: Name of the dataset.
        tables: Results that require the column.
    """
    return Need(restricted(dataset), extract_column(inputs, dataset), "date", tables)


def snapshot_needs(inputs: Inputs, dataset: str, *tables: TableSpec) -> list[Need]:
    """Needs of an analysis that reads `current_rows`: the day of the extract for snapshots.

    Args:
        inputs: The inputs of the run.
        dataset: Name of the dataset.
        tables: Results that count its rows.
    """
    is_needed = are_snapshots(inputs, dataset)
    return [extract_need(inputs, dataset, *tables)] if is_needed else []


def extract_column(inputs: Inputs, dataset: str) -> str:
    """Name of the column with the day of an extract."""
    contract = contract_of(inputs.conf, dataset)
    if contract is not None:
        return contract.socare.extract_column
    return SNAPSHOT if _has_snapshot(inputs, dataset) else "extract"


def are_snapshots(inputs: Inputs, dataset: str) -> bool:
    """Whether each extract of a dataset is a snapshot, that is a whole copy of its system."""
    contract = contract_of(inputs.conf, dataset)
    return contract.socare.snapshots if contract else _has_snapshot(inputs, dataset)


def newest_extract(inputs: Inputs, dataset: str) -> date | None:
    """Day of the newest extract; None if there is no record."""
    return max(extract_days(inputs, dataset), default=None)


def extract_days(inputs: Inputs, dataset: str) -> list[date]:
    """Days of the extracts that have records, in order."""
    table, column = restricted(dataset), extract_column(inputs, dataset)
    days = inputs.partition_days(table, column)
    if days is None:
        rows = inputs.read(table, column).select(F.col(column).cast("date")).distinct()
        days = [day for (day,) in rows.collect() if day is not None]
    return sorted(days)


def current_rows(inputs: Inputs, dataset: str) -> DataFrame:
    """Reads the records of a dataset that count: all, or those of the newest snapshot.

    Snapshots are copies of one system, so that several of them have the same records. Analyses
    declare the column of the extract with `snapshot_needs`.

    Returns:
        Columns as in `Inputs.read`. Snapshots also have the column with the day of the extract.
    """
    if not are_snapshots(inputs, dataset):
        return inputs.read(restricted(dataset))
    column = extract_column(inputs, dataset)
    rows = inputs.read(restricted(dataset), column)
    return rows.where(F.col(column).cast("date") == F.lit(newest_extract(inputs, dataset)))


def by_extract(inputs: Inputs, dataset: str) -> DataFrame:
    """Reads all records of a dataset with the day of their extract in the column `snapshot`."""
    column = extract_column(inputs, dataset)
    rows = inputs.read(restricted(dataset), column)
    return rows.withColumn(SNAPSHOT, F.col(column).cast("date"))


def warnings_of_parts(inputs: Inputs, dataset: str) -> list[str]:
    """A warning if a contract does not declare whether its extracts are parts.

    Extracts are parts of all records unless they are snapshots. A contract declares parts with
    `snapshots: false`, or with the day of the extract in its key.
    """
    if are_snapshots(inputs, dataset) or _declares_parts(contract_of(inputs.conf, dataset)):
        return []
    return [
        f"conf/datasets/{dataset}.yaml does not declare snapshots, so each extract of "
        f"{restricted(dataset)} counts as a part of all records, and not as a copy of the system. "
        "If this is right, declare snapshots: false, otherwise snapshots: true."
    ]


def _declares_parts(contract: Contract | None) -> bool:
    if contract is None:
        return False
    return "snapshots" in contract.socare.model_fields_set or contract.key_has_day


def extract_periods(inputs: Inputs, dataset: str) -> list[Days]:
    """Periods in the names of the files whose records a dataset has.

    Returns:
        The first and last day of each period, in order; empty if they are not known, because the
        dataset has no contract or no column of files, or a name has another form.
    """
    contract, file = contract_of(inputs.conf, dataset), SOURCE_LINE[0]
    rows = inputs.read(restricted(dataset), file)
    if contract is None or file not in rows.columns:
        return []
    pattern = re.compile(contract.socare.files)
    names = [row[0] for row in rows.select(file).distinct().collect()]
    matches = [pattern.fullmatch(name or "") for name in names]
    try:
        periods = {contract.calendar.days(m["period"]) for m in matches if m is not None}
        return sorted(periods) if all(matches) else []
    except ValueError:
        # The contract reads the name in another way than it did when the file was loaded.
        return []


def _has_snapshot(inputs: Inputs, dataset: str) -> bool:
    source = restricted(dataset)
    return inputs.exists(source) and inputs.has_column(source, SNAPSHOT, "")


def contract_of(conf: Path, dataset: str) -> Contract | None:
    """Reads the contract of a dataset; None if the configuration has none."""
    path = conf / "datasets" / f"{dataset}.yaml"
    return read_model(path, Contract) if path.is_file() else None
