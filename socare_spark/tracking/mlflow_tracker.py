"""The run record in MLflow: a parent run for a study, a nested run for each job.

Parameters, metrics, datasets read and written, the ledger and the pictures. Nothing is sent
anywhere but to the tracking server that was named. Metrics are named `job/metric/detail`.
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
from mlflow.entities import Run as TheirRun
from mlflow.store.tracking.dbmodels.models import SqlRun
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking import MlflowClient
from sqlalchemy.engine import make_url

from socare_spark.lake.lake import Lake
from socare_spark.tracking.checkout import commit
from socare_spark.tracking.datasets import datasets
from socare_spark.tracking.mirror import local_uri, sqlite_uri
from socare_spark.tracking.problems import deleted, problem
from socare_spark.tracking.run import Run

_LONGEST_NAME, _LONGEST_VALUE = 250, 500
_BATCH = 100
_ENDINGS = {"failed": "FAILED", "interrupted": "KILLED"}
_NOT_IN_NAMES = re.compile(r"[^/\w.\- :]")
_ROWS = ("read", "kept", "quarantined", "duplicate", "superseded", "expired")
_INGEST, _PEOPLE = "ingest", "restricted/people"


def _make_database(uri: str) -> None:
    """Makes a local database whole or not at all: one made by half could never be used."""
    if not uri.startswith(("sqlite:///", "sqlite+")):
        return
    database = make_url(uri).database
    if not database or database == ":memory:" or Path(database).exists():
        return
    path = Path(database)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    MlflowClient(sqlite_uri(partial)).search_experiments(max_results=1)
    os.replace(partial, path)


@contextmanager
def _clear_errors(uri: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise problem(error, uri) from None


class MlflowTracker:
    """A connection to a tracking server or database.

    Args:
        uri: `sqlite:///PATH`, or the address of a server.
        lake: Artifacts of a database lie in its folder `mlflow`.
        experiment: Name of the experiment; it is made where there is none.

    Raises:
        TrackerError: the server or database cannot be used; so do all methods.
    """

    def __init__(self, uri: str, lake: Lake, experiment: str) -> None:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._uri, self._lake, self._name = uri, lake, experiment
        self._runs: dict[str, str] = {}
        with _clear_errors(uri):
            _make_database(uri)
            self._client = MlflowClient(uri)
            self._experiment()
            if uri == local_uri(lake):
                self._move_artifacts()

    def begin(self, run: Run) -> None:
        """Makes the run, nested in its study's."""
        with _clear_errors(self._uri):
            self._begin(run)

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Ends the runs of processes that are gone."""
        with _clear_errors(self._uri):
            experiment = self._experiment()
            for run_id in run_ids:
                query = f"tags.`socare.run_id` = '{run_id}' and attributes.status = 'RUNNING'"
                for found in self._client.search_runs([experiment], query):
                    self._client.set_tag(found.info.run_id, "socare.status", "broken off")
                    self._client.set_terminated(found.info.run_id, "KILLED")

    def end(self, run: Run) -> None:
        """Sends everything of the record."""
        with _clear_errors(self._uri):
            # The run is not there if its beginning could not be sent.
            ours = self._runs.get(run.run_id) or self._begin(run)
            self._log_batches(ours, run)
            inputs = datasets(run, self._lake)
            if inputs:
                self._client.log_inputs(ours, datasets=inputs)
            self._log_files(ours, run)
            ending = _ENDINGS.get(run.status, "FINISHED")
            self._client.set_terminated(ours, ending, _milliseconds(_ended(run)))

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._name)
        if found is None:
            # Each run has its own place in the lake; this one is for runs of others.
            folder = (self._lake.root / "mlflow").resolve().as_uri()
            place = folder if self._database() is not None else None
            return str(self._client.create_experiment(self._name, artifact_location=place))
        if found.lifecycle_stage != "active":
            raise deleted(self._name, found.experiment_id)
        return str(found.experiment_id)

    def _begin(self, run: Run) -> str:
        experiment = self._experiment()
        # A request may have been carried out though its answer was lost.
        search = f"tags.`socare.run_id` = '{run.run_id}'"
        found = list(self._client.search_runs([experiment], search, max_results=1))
        made = found[0] if found else self._create(experiment, run)
        ours = str(made.info.run_id)
        if urlsplit(made.info.artifact_uri).scheme in ("", "file"):
            self._keep_artifacts_in_lake(ours)
        self._runs[run.run_id] = ours
        return ours

    def _create(self, experiment: str, run: Run) -> TheirRun:
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
        """The store where MLflow is used without a server, and artifacts are files of ours."""
        store = self._client._tracking_client.store
        return store if isinstance(store, SqlAlchemyStore) else None

    def _keep_artifacts_in_lake(self, *runs: str) -> None:
        """Sets where artifacts of runs are: MLflow goes by where the experiment was made."""
        database = self._database()
        if database is None:
            return
        with database.ManagedSessionMaker() as session:
            for run in runs:
                place = (self._lake.root / "mlflow" / run / "artifacts").resolve().as_uri()
                session.query(SqlRun).filter_by(run_uuid=run).update({"artifact_uri": place})

    def _move_artifacts(self) -> None:
        """Finds the artifacts of earlier runs again after the lake, with its database, moved."""
        database = self._database()
        if database is None:
            return
        with database.ManagedSessionMaker() as session:
            found = session.query(SqlRun.run_uuid, SqlRun.artifact_uri)
            runs = [(str(run), str(uri)) for run, uri in found]
        here = f"{(self._lake.root / 'mlflow').resolve().as_uri()}/"
        gone = [
            run
            for run, uri in runs
            if not uri.startswith(here) and (self._lake.root / "mlflow" / run).is_dir()
        ]
        self._keep_artifacts_in_lake(*gone)

    def _log_batches(self, ours: str, run: Run) -> None:
        at, step = _milliseconds(_ended(run)), _step(run)
        metrics = [Metric(k, v, at, step) for k, v in _metrics(run, self._lake).items()]
        parameters = {**run.arguments, "configuration": run.configuration, "code": run.code}
        params = [Param(_name(k), str(v)[:_LONGEST_VALUE]) for k, v in parameters.items()]
        tags = [RunTag(_name(k), v[:_LONGEST_VALUE]) for k, v in self._tags(run).items()]
        for i in range(0, max(len(metrics), len(params), len(tags)), _BATCH):
            some = slice(i, i + _BATCH)
            self._client.log_batch(ours, metrics[some], params[some], tags[some])

    def _tags(self, run: Run) -> dict[str, str]:
        tags = {f"reads.{name}": str(version) for name, version in run.tables_read.items()}
        tags |= {f"writes.{name}": str(o.get("version")) for name, o in run.outputs.items()}
        tags |= {"socare.status": run.status, "socare.up_to_date": str(run.up_to_date).lower()}
        if run.parent in self._runs:
            tags["mlflow.parentRunId"] = self._runs[run.parent]
        return tags

    def _log_files(self, ours: str, run: Run) -> None:
        self._client.log_artifact(ours, str(run.path))
        if run.ledger:
            rows = json.loads(json.dumps(run.ledger, default=str))
            self._client.log_dict(ours, {"ledger": rows}, "ledger.json")
        if run.up_to_date:  # The run that drew the pictures has them.
            return
        for picture in run.pictures:
            path = self._lake.root / picture
            if path.is_file() and path.suffix == ".png":
                self._client.log_artifact(ours, str(path), "pictures")


def _metrics(run: Run, lake: Lake) -> dict[str, float]:
    """The figures that people compare between runs, as `job/metric/detail`."""
    found: dict[str, float] = {"seconds/total": run.seconds or 0.0}
    for name, value in run.counts.items():
        kind, _, table = name.partition("/")
        plain = name.removeprefix(f"{run.job}.")
        found[f"seconds/{table}" if kind == "seconds" and table else f"count/{plain}"] = value
    for name, output in run.outputs.items():
        if output.get("rows") is not None:
            found[f"rows/{name}"] = float(output["rows"] or 0)
    found |= _ledger_metrics(run)
    if run.job == _INGEST and lake.exists(_PEOPLE):
        found["people/known"] = lake.count(_PEOPLE)
    return {_name(f"{run.job}/{name}"): float(value) for name, value in found.items()}


def _ledger_metrics(run: Run) -> dict[str, float]:
    """What became of the rows of this run's files, for each dataset.

    Files of earlier runs whose rows this run superseded or gave back are counted apart.
    """
    found: Counter[str] = Counter()
    for entry in run.ledger:
        dataset, status = entry["dataset"], entry["status"]
        found[f"files_{status}/{dataset}"] += 1
        if status == "accepted":
            for name in _ROWS:
                found[f"rows_{name}/{dataset}"] += entry[f"rows_{name}"]
        elif status == "amended":
            for name in ("kept", "superseded"):
                found[f"amended_rows_{name}/{dataset}"] += entry[f"rows_{name}"]
    return dict(found)


def _name(text: str) -> str:
    """A name that MLflow takes: other characters become `_`, and no part is empty or a dot."""
    parts = [p for p in _NOT_IN_NAMES.sub("_", text).split("/") if p.strip(".")]
    return "/".join(parts)[:_LONGEST_NAME].rstrip("/")


def _step(run: Run) -> int:
    """Year and month of `--as-of`, else of the run: 201612. Monthly runs come in order."""
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
    except (KeyError, OSError):  # A container may run as a number without a name.
        return None
