"""Writes run records to MLflow: a parent run for a study and a nested run for each job.

A run has parameters, metrics, datasets, the ledger and the pictures. Data is sent only to the
configured tracking server. Metrics are named `job/metric/detail`.
"""

import getpass
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "4")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"

from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as MlflowRun
from mlflow.store.tracking.dbmodels.models import SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking import MlflowClient
from sqlalchemy.engine import make_url

from socare_spark.errors import InfrastructureError
from socare_spark.lake.lake import Lake
from socare_spark.storage.local_files import replacement
from socare_spark.tracking.checkout import commit
from socare_spark.tracking.datasets import datasets
from socare_spark.tracking.mirror import TrackerError, disk_of, local_uri, sqlite_uri
from socare_spark.tracking.problems import deleted, problem
from socare_spark.tracking.run import Run

_MAX_NAME_CHARACTERS, _MAX_VALUE_CHARACTERS = 250, 500
_BATCH_SIZE = 100
_MLFLOW_STATUS = {"failed": "FAILED", "interrupted": "KILLED"}
_INVALID_CHARACTERS = re.compile(r"[^/\w.\- :]")
_ROW_COUNTS = ("read", "kept", "quarantined", "duplicate", "superseded")
_INGEST, _PEOPLE = "ingest", "restricted/people"


def _create_database(uri: str) -> None:
    """Creates a local database atomically. A partly created one could not be used."""
    if not uri.startswith(("sqlite:///", "sqlite+")):
        return
    database = make_url(uri).database
    if not database or database == ":memory:" or Path(database).exists():
        return
    path = Path(database)
    with replacement(path, f".{os.getpid()}") as partial:
        MlflowClient(sqlite_uri(partial)).search_experiments(max_results=1)


@contextmanager
def _translated_errors(uri: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise problem(error, uri) from None


def reach(uri: str) -> None:
    """Sends a request to a tracking server.

    Raises:
        InfrastructureError: the server does not answer.
    """
    try:
        with _translated_errors(uri):
            MlflowClient(uri).search_experiments(max_results=1)
    except TrackerError as error:
        raise InfrastructureError(f"The tracking server cannot be used: {error}") from None


class MlflowTracker:
    """A connection to a tracking server or database.

    Args:
        uri: `sqlite:///PATH`, or the address of a server.
        lake: The lake; artifacts of a local database are in its folder `mlflow`.
        experiment: Name of the experiment; it is created if missing.

    Raises:
        TrackerError: the server or database cannot be used. All methods raise it too.
    """

    def __init__(self, uri: str, lake: Lake, experiment: str) -> None:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._uri, self._lake, self._name = uri, lake, experiment
        self._runs: dict[str, str] = {}
        with _translated_errors(uri):
            _create_database(uri)
            self._client = MlflowClient(uri)
            self._experiment()
            if uri == local_uri(lake):
                self._move_artifacts()

    def begin(self, run: Run) -> None:
        """Creates the run, nested in the run of its study."""
        with _translated_errors(self._uri):
            self._begin(run)

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Sets the runs of ended processes to KILLED."""
        with _translated_errors(self._uri):
            experiment = self._experiment()
            for run_id in run_ids:
                query = f"tags.`socare.run_id` = '{run_id}' and attributes.status = 'RUNNING'"
                for run in self._client.search_runs([experiment], query):
                    self._client.set_tag(run.info.run_id, "socare.status", "broken off")
                    self._client.set_terminated(run.info.run_id, "KILLED")

    def end(self, run: Run) -> None:
        """Sends the whole record and ends the run."""
        with _translated_errors(self._uri):
            # The run does not exist if its start could not be sent.
            mlflow_id = self._runs.get(run.run_id) or self._begin(run)
            self._log_batches(mlflow_id, run)
            inputs = datasets(run, self._lake)
            if inputs:
                self._client.log_inputs(mlflow_id, datasets=inputs)
            self._log_files(mlflow_id, run)
            status = _MLFLOW_STATUS.get(run.status, "FINISHED")
            self._client.set_terminated(mlflow_id, status, _milliseconds(_ended(run)))

    def _experiment(self) -> str:
        experiment = self._client.get_experiment_by_name(self._name)
        if experiment is None:
            # Each run of this package sets its own location; this one applies to other runs.
            folder = self._artifacts().as_uri()
            location = folder if self._database() is not None else None
            return str(self._client.create_experiment(self._name, artifact_location=location))
        if experiment.lifecycle_stage != "active":
            raise deleted(self._name, experiment.experiment_id)
        return str(experiment.experiment_id)

    def _begin(self, run: Run) -> str:
        experiment = self._experiment()
        # An earlier request can have succeeded although its response was lost.
        search = f"tags.`socare.run_id` = '{run.run_id}'"
        existing = list(self._client.search_runs([experiment], search, max_results=1))
        mlflow_run = existing[0] if existing else self._create(experiment, run)
        mlflow_id = str(mlflow_run.info.run_id)
        if urlsplit(mlflow_run.info.artifact_uri).scheme in ("", "file"):
            self._keep_artifacts_in_lake(mlflow_id)
        self._runs[run.run_id] = mlflow_id
        return mlflow_id

    def _create(self, experiment: str, run: Run) -> MlflowRun:
        tags = {"socare.run_id": run.run_id, "socare.job": run.job, "socare.code": run.code}
        tags |= {"mlflow.source.name": f"jobs/{run.job}.py", "mlflow.source.type": "JOB"}
        user, checked_out = _user(), commit()
        if user:
            tags["mlflow.user"] = user
        if checked_out:
            tags["mlflow.source.git.commit"] = checked_out
        if run.parent in self._runs:
            tags["mlflow.parentRunId"] = self._runs[run.parent]
        began = _milliseconds(datetime.fromisoformat(run.started))
        return self._client.create_run(experiment, began, tags, run_name=run.job)

    def _database(self) -> SqlAlchemyStore | None:
        """The store if MLflow is used without a server and artifacts are local files."""
        store = self._client._tracking_client.store
        return store if isinstance(store, SqlAlchemyStore) else None

    def _artifacts(self) -> Path:
        """The folder of the lake in which MLflow has its artifacts."""
        return disk_of(self._lake).resolve() / "mlflow"

    def _keep_artifacts_in_lake(self, *runs: str) -> None:
        """Sets the artifact location of runs; MLflow uses that of the experiment by default."""
        database = self._database()
        if database is None:
            return
        with database.ManagedSessionMaker() as session:
            for run in runs:
                location = (self._artifacts() / run / "artifacts").as_uri()
                session.query(SqlRun).filter_by(run_uuid=run).update({"artifact_uri": location})

    def _move_artifacts(self) -> None:
        """Updates the artifact locations of earlier runs after the lake was moved."""
        database = self._database()
        if database is None:
            return
        with database.ManagedSessionMaker() as session:
            rows = session.query(SqlRun.run_uuid, SqlRun.artifact_uri)
            runs = [(str(run), str(uri)) for run, uri in rows]
        prefix = f"{self._artifacts().as_uri()}/"
        moved = [
            run
            for run, uri in runs
            if not uri.startswith(prefix) and (self._artifacts() / run).is_dir()
        ]
        self._keep_artifacts_in_lake(*moved)

    def _log_batches(self, mlflow_id: str, run: Run) -> None:
        time, step = _milliseconds(_ended(run)), _step(run)
        metrics = [Metric(k, v, time, step) for k, v in _metrics(run, self._lake).items()]
        parameters = {**run.arguments, "configuration": run.configuration, "code": run.code}
        params = [Param(_name(k), str(v)[:_MAX_VALUE_CHARACTERS]) for k, v in parameters.items()]
        tags = [RunTag(_name(k), v[:_MAX_VALUE_CHARACTERS]) for k, v in self._tags(run).items()]
        for i in range(0, max(len(metrics), len(params), len(tags)), _BATCH_SIZE):
            batch = slice(i, i + _BATCH_SIZE)
            self._client.log_batch(mlflow_id, metrics[batch], params[batch], tags[batch])

    def _tags(self, run: Run) -> dict[str, str]:
        tags = {f"reads.{name}": str(version) for name, version in run.tables_read.items()}
        tags |= {f"writes.{name}": str(o.get("version")) for name, o in run.outputs.items()}
        tags |= {"socare.status": run.status, "socare.up_to_date": str(run.up_to_date).lower()}
        if run.parent in self._runs:
            tags["mlflow.parentRunId"] = self._runs[run.parent]
        return tags

    def _log_files(self, mlflow_id: str, run: Run) -> None:
        self._client.log_artifact(mlflow_id, str(self._lake.storage.fetch(run.record)))
        if run.ledger:
            rows = json.loads(json.dumps(run.ledger, default=str))
            self._client.log_dict(mlflow_id, {"ledger": rows}, "ledger.json")
        if run.up_to_date:  # The pictures are logged in the run that drew them.
            return
        for picture in run.pictures:
            if picture.endswith(".png") and self._lake.storage.is_file(picture):
                path = self._lake.storage.fetch(picture)
                self._client.log_artifact(mlflow_id, str(path), "pictures")


def _metrics(run: Run, lake: Lake) -> dict[str, float]:
    """The metrics of a run, named `job/metric/detail`."""
    metrics: dict[str, float] = {"seconds/total": run.seconds or 0.0}
    for name, value in run.counts.items():
        kind, _, table = name.partition("/")
        short_name = name.removeprefix(f"{run.job}.")
        metrics[f"seconds/{table}" if kind == "seconds" and table else f"count/{short_name}"] = (
            value
        )
    for name, output in run.outputs.items():
        if output.get("rows") is not None:
            metrics[f"rows/{name}"] = float(output["rows"] or 0)
    metrics |= _ledger_metrics(run)
    if run.job == _INGEST and lake.exists(_PEOPLE):
        metrics["people/known"] = lake.count(_PEOPLE)
    return {_name(f"{run.job}/{name}"): float(value) for name, value in metrics.items()}


def _ledger_metrics(run: Run) -> dict[str, float]:
    """Counts of files and rows of each dataset by outcome.

    Files of earlier runs with rows that this run superseded or restored are counted separately.
    """
    metrics: Counter[str] = Counter()
    for entry in run.ledger:
        dataset, status = entry["dataset"], entry["status"]
        metrics[f"files_{status}/{dataset}"] += 1
        if status == "accepted":
            for name in _ROW_COUNTS:
                metrics[f"rows_{name}/{dataset}"] += entry[f"rows_{name}"]
        elif status == "amended":
            for name in ("kept", "superseded"):
                metrics[f"amended_rows_{name}/{dataset}"] += entry[f"rows_{name}"]
    return dict(metrics)


def _name(text: str) -> str:
    """A valid MLflow name: invalid characters become `_`; empty parts and dots are dropped."""
    parts = [p for p in _INVALID_CHARACTERS.sub("_", text).split("/") if p.strip(".")]
    return "/".join(parts)[:_MAX_NAME_CHARACTERS].rstrip("/")


def _step(run: Run) -> int:
    """Year and month of `--as-of`, or of the run without it, as 201612, so monthly runs sort."""
    try:
        day = date.fromisoformat(run.arguments.get("as_of", ""))
    except ValueError:
        day = datetime.fromisoformat(run.started).astimezone(UTC).date()
    return day.year * 100 + day.month


def _ended(run: Run) -> datetime:
    return datetime.fromisoformat(run.started) + timedelta(seconds=run.seconds or 0.0)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _user(name: Callable[[], str] = getpass.getuser) -> str | None:
    try:
        return name()
    except (KeyError, OSError):  # A container can run as a user id without a name.
        return None
