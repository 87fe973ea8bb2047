"""Mirrors run records to a tracker from a separate thread that does not delay jobs.

A failed request is repeated once. Later runs are sent in any case. One message at the end names the
failures. The run record in the lake is complete without the tracker.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import URL

from socare_spark.contracts.project import read_project
from socare_spark.errors import ConfigurationError, OperatorError
from socare_spark.lake.lake import Lake
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import RUNS, Run

OFF = "off"
DATABASE = "mlflow.db"
_TIMEOUT_SECONDS = {"remote": 8.0, "local": 90.0}
_RETRY_SECONDS = 0.5
_EXPERIMENT = "socare_spark"


@dataclass(frozen=True)
class _Step:
    """A request to the tracker.

    Attributes:
        name: Name of the job.
        send: Sends the request.
        whole: Whether the request contains the complete record of the run.
    """

    name: str
    send: Callable[["Tracker"], None]
    whole: bool = True


class TrackerError(Exception):
    """A request to a tracker failed. The text is a clause for the operator, without secrets.

    Attributes:
        lasting: Whether all later requests of this process would fail in the same way.
    """

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Tracker(Protocol):
    """A destination of run records. Its methods raise only `TrackerError`."""

    def begin(self, run: Run) -> None:
        """Reports the start of a run."""

    def end(self, run: Run) -> None:
        """Sends the complete record of a run that has ended."""

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Closes runs whose process ended without a record of the end."""


def local_uri(lake: Lake) -> str:
    """The tracking URI of the database in the lake. Its path can contain any character."""
    return sqlite_uri(disk_of(lake) / DATABASE)


def disk_of(lake: Lake) -> Path:
    """The folder of the lake, if it can have a database.

    Raises:
        ConfigurationError: the lake is not on a disk.
    """
    if lake.storage.disk is None:
        raise ConfigurationError(
            "A lake that is not on a disk has no database of MLflow: set --mlflow to a tracking "
            "server, or to off."
        )
    return lake.storage.disk


def sqlite_uri(path: Path) -> str:
    """The tracking URI of a local database.

    The URI names the driver because MLflow creates the folder of `sqlite:///PATH` without decoding
    the path.
    """
    url = URL.create("sqlite+pysqlite", database=str(path))
    return url.render_as_string(hide_password=False)


def experiment_of(conf: Path) -> str:
    """The name of the experiment, one for each council and project.

    A `/` within a name is written as `%2F`, so two councils never share an experiment.
    """
    try:
        project = read_project(conf)
    except OperatorError:
        return _EXPERIMENT  # The jobs that need the file report the error.
    names = (n.replace("%", "%25").replace("/", "%2F") for n in (project.council, project.project))
    return "/".join((_EXPERIMENT, *names))


class Mirror:
    """Sends run records to a tracker, in order, from a separate thread.

    Args:
        uri: A tracking URI of MLflow, or `off`; None means the database in the lake, and `off` for
            a lake that is not on a disk.
        lake: The lake; artifacts are stored in it if the tracker is a local database.
        progress: Prints the message about failures.
        experiment: Name of the experiment of the runs.
    """

    def __init__(
        self, uri: str | None, lake: Lake, progress: Progress, experiment: str = _EXPERIMENT
    ) -> None:
        self._uri = uri or (OFF if lake.storage.disk is None else local_uri(lake))
        self._lake = lake
        self._progress = progress
        self._experiment = experiment
        self._work: queue.SimpleQueue[_Step | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._tracker: Tracker | None = None
        self._failed: dict[str, str] = {}
        if self._uri != OFF:
            self._thread.start()

    def begin(self, run: Run) -> None:
        """Queues the start of a run."""
        self._work.put(_Step(run.job, lambda tracker: tracker.begin(run), whole=False))

    def end(self, run: Run) -> None:
        """Queues the complete record of a run that has ended."""
        self._work.put(_Step(run.job, lambda tracker: tracker.end(run)))

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Queues the end of interrupted runs, so the tracker does not show them as running."""
        self._work.put(_Step("broken off", lambda tracker: tracker.close_dead(run_ids)))

    def close(self) -> None:
        """Waits until all requests are sent, up to a timeout, and reports failures."""
        if self._uri == OFF:
            return
        self._work.put(None)
        kind = "local" if self._uri.startswith("sqlite") else "remote"
        self._thread.join(_TIMEOUT_SECONDS[kind])
        reasons = list(dict.fromkeys(self._failed.values()))
        if self._thread.is_alive():
            reasons = reasons or ["the tracker did not answer in time"]
        if reasons:
            self._warn(list(self._failed), reasons)

    def _serve(self) -> None:
        lasting_error: TrackerError | None = None
        while (step := self._work.get()) is not None:
            lasting_error = lasting_error or self._send(step)
            if lasting_error is not None:
                self._failed[step.name] = str(lasting_error)

    def _send(self, step: _Step) -> TrackerError | None:
        """Sends one step and repeats it once after an error.

        Returns:
            An error with which all later steps would fail; None otherwise.
        """
        error = self._attempt(step)
        if error is not None and not error.lasting:
            time.sleep(_RETRY_SECONDS)
            error = self._attempt(step)
        if error is None:
            # The end of a run has its whole record, so a failed start no longer matters.
            if step.whole:
                self._failed.pop(step.name, None)
            return None
        self._failed[step.name] = str(error)
        return error if error.lasting else None

    def _attempt(self, step: _Step) -> TrackerError | None:
        try:
            self._tracker = self._tracker or self._connect()
            step.send(self._tracker)
        except TrackerError as error:
            return error
        except Exception as error:
            return TrackerError(f"the mirror failed: {type(error).__name__}", lasting=False)
        return None

    def _connect(self) -> Tracker:
        # The import of MLflow takes seconds, and telemetry must be disabled before it.
        from socare_spark.tracking.mlflow_tracker import MlflowTracker  # noqa: PLC0415

        return MlflowTracker(self._uri, self._lake, self._experiment)

    def _warn(self, jobs: Sequence[str], reasons: Sequence[str]) -> None:
        names = f" of {', '.join(jobs)}" if jobs else ""
        self._progress.say(
            f"note: the run{names} was not mirrored to MLflow ({'; '.join(reasons)}); its record "
            f"is in {self._lake.storage.location}/{RUNS}."
        )
