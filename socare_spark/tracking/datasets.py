"""Describes the inputs and outputs of a run as MLflow datasets: extract files and table versions.

Schemas are read from the Delta log without a Spark job. No cell values are read.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from deltalake.exceptions import DeltaError
from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from socare_spark.lake.lake import Lake
from socare_spark.tracking.run import Run

_DIGEST_CHARACTERS = 16
_MAX_NAME_CHARACTERS = 500
# Delta types whose name differs in the schemas of MLflow.
_TYPES = {"byte": "integer", "short": "integer", "date": "datetime", "timestamp": "datetime"}
_TYPES |= {"timestamp_ntz": "datetime"}


def datasets(run: Run, lake: Lake) -> list[DatasetInput]:
    """MLflow datasets for the extract files and tables that a run read and the tables it wrote."""
    files = [_file(run, name, sha256) for name, sha256 in run.files_read.items()]
    read = [_table(lake, n, v, None, "read") for n, v in run.tables_read.items()]
    written = [
        _table(lake, name, output["version"], output.get("rows"), "output")
        for name, output in run.outputs.items()
        if not run.up_to_date and output.get("version") is not None
    ]
    # MLflow accepts a dataset once per run.
    unique = {(d.dataset.name, d.dataset.digest): d for d in (*files, *read, *written)}
    return list(unique.values())


def _file(run: Run, name: str, sha256: str) -> DatasetInput:
    rows = [e["rows_read"] for e in run.ledger if (e["file"], e["sha256"]) == (name, sha256)]
    entity = Dataset(
        name=name[:_MAX_NAME_CHARACTERS],
        digest=sha256[:_DIGEST_CHARACTERS],
        source_type="local",
        source=json.dumps({"uri": name}),
        profile=json.dumps({"num_rows": rows[-1]}) if rows else None,
    )
    return _input(entity, "extract", {"sha256": sha256})


def _table(
    lake: Lake, name: str, version: int | None, rows: int | None, context: str
) -> DatasetInput:
    source = DeltaDatasetSource(path=lake.uri(name), delta_table_version=version)
    identity, columns = _identity_and_columns(lake, name, version)
    schema = {"mlflow_colspec": columns}
    entity = Dataset(
        name=name[:_MAX_NAME_CHARACTERS],
        digest=hashlib.sha256(f"{identity} {version}".encode()).hexdigest()[:_DIGEST_CHARACTERS],
        source_type=source._get_source_type(),
        source=source.to_json(),
        schema=json.dumps(schema) if columns else None,
        profile=None if rows is None else json.dumps({"num_rows": rows}),
    )
    # The source omits version 0, so a tag records the version.
    return _input(entity, context, {"version": str(version)})


def _input(entity: Dataset, context: str, tags: Mapping[str, str]) -> DatasetInput:
    all_tags = {MLFLOW_DATASET_CONTEXT: context, **tags}
    return DatasetInput(dataset=entity, tags=[InputTag(k, v) for k, v in all_tags.items()])


def _identity_and_columns(
    lake: Lake, name: str, version: int | None
) -> tuple[str, list[dict[str, Any]]]:
    """The id and columns of a table at a version; its path and no columns if the log lacks it."""
    try:
        table = lake.delta(name, version)
        fields = json.loads(table.schema().to_json())["fields"]
        return str(table.metadata().id), [_column(f) for f in fields]
    except (DeltaError, OSError, ValueError):
        return lake.uri(name), []


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    return {**_type(field["type"]), "name": field["name"], "required": not field["nullable"]}


def _type(delta: Any) -> dict[str, Any]:  # noqa: ANN401 - a Delta type is a string or a mapping
    if isinstance(delta, str):
        return {"type": "double" if delta.startswith("decimal") else _TYPES.get(delta, delta)}
    if delta["type"] == "array":
        return {"type": "array", "items": _type(delta["elementType"])}
    if delta["type"] == "map":
        return {"type": "map", "values": _type(delta["valueType"])}
    fields = {
        f["name"]: _type(f["type"]) | {"required": not f["nullable"]} for f in delta["fields"]
    }
    return {"type": "object", "properties": fields}
