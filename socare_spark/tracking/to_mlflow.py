"""The run record in MLflow: a parent run for a study, a nested run for each job.

Parameters, counts, versions of the tables read and written, the ledger and the pictures. Nothing is
sent anywhere but to the tracking server that was named.
"""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "4")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"

from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from socare_spark.lake.zones import Lake
from socare_spark.tracking.record import Run

_EXPERIMENT = "socare_spark"
_LONGEST_PARAMETER = 500
_ENDINGS = {"failed": "FAILED", "interrupted": "KILLED"}


def _make_database(uri: str) -> None:
    """Makes a local database whole or not at all: one made by half could never be used."""
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or path.exists():
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    MlflowClient(f"sqlite:///{partial}").search_experiments(max_results=1)
    os.replace(partial, path)


class MlflowTracker:
    """A connection to a tracking server or database.

    Args:
        uri: `sqlite:///PATH`, or the address of a server.
        lake: Artifacts of a local database lie in its folder `mlflow`.
    """

    def __init__(self, uri: str, lake: Lake) -> None:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._lake = lake
        self._runs: dict[str, str] = {}
        _make_database(uri)
        self._client = MlflowClient(uri)
        found = self._client.get_experiment_by_name(_EXPERIMENT)
        if found is not None:
            self._experiment = found.experiment_id
        else:
            folder = (lake.root / "mlflow").resolve().as_uri()
            self._experiment = self._client.create_experiment(
                _EXPERIMENT, artifact_location=folder if uri.startswith("sqlite") else None
            )

    def begin(self, run: Run) -> None:
        """Makes the run, nested in its study's."""
        tags = {"socare.run_id": run.run_id, "socare.job": run.job, "socare.code": run.code}
        if run.parent in self._runs:
            tags["mlflow.parentRunId"] = self._runs[run.parent]
        made = self._client.create_run(self._experiment, run_name=run.job, tags=tags)
        self._runs[run.run_id] = made.info.run_id

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Ends the runs of processes that are gone."""
        for run_id in run_ids:
            query = f"tags.`socare.run_id` = '{run_id}' and attributes.status = 'RUNNING'"
            for found in self._client.search_runs([self._experiment], query):
                self._client.set_tag(found.info.run_id, "socare.status", "broken off")
                self._client.set_terminated(found.info.run_id, "KILLED")

    def end(self, run: Run) -> None:
        """Sends everything of the record."""
        ours = self._runs[run.run_id]
        parameters = {**run.arguments, "configuration": run.configuration, "code": run.code}
        counts = {**run.counts, "seconds": run.seconds or 0.0}
        for name, output in run.outputs.items():
            counts[f"rows/{name}"] = output.get("rows") or 0
        tags = {f"reads.{name}": str(version) for name, version in run.tables_read.items()}
        tags |= {f"writes.{name}": str(o.get("version")) for name, o in run.outputs.items()}
        tags["socare.status"] = run.status
        self._client.log_batch(
            ours,
            metrics=[Metric(k, float(v), 0, 0) for k, v in counts.items()],
            params=[Param(k, str(v)[:_LONGEST_PARAMETER]) for k, v in parameters.items()],
            tags=[RunTag(k, v) for k, v in tags.items()],
        )
        self._log_inputs(ours, run)
        self._log_files(ours, run)
        self._client.set_terminated(ours, _ENDINGS.get(run.status, "FINISHED"))

    def _log_inputs(self, ours: str, run: Run) -> None:
        # A dataset of data would start a hidden Spark job; a reference to a version does not. The
        # tag says the version too, for the reference drops version 0.
        inputs = []
        for name, version in run.tables_read.items():
            path = str(self._lake.folder(name))
            source = DeltaDatasetSource(path=path, delta_table_version=version)
            entity = MetaDataset(source, name=name)._to_mlflow_entity()  # type: ignore[abstract]
            tags = [InputTag("mlflow.data.context", "read"), InputTag("version", str(version))]
            inputs.append(DatasetInput(dataset=entity, tags=tags))
        if inputs:
            self._client.log_inputs(ours, datasets=inputs)

    def _log_files(self, ours: str, run: Run) -> None:
        self._client.log_artifact(ours, str(run.path))
        if run.ledger:
            rows = json.loads(json.dumps(run.ledger, default=str))
            self._client.log_dict(ours, {"ledger": rows}, "ledger.json")
        for picture in run.pictures:
            path = self._lake.root / picture
            if path.is_file() and path.suffix == ".png":
                self._client.log_artifact(ours, str(path), "pictures")
