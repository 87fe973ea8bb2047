"""The run record mirrored to a tracker, behind the jobs: it never holds one up.

A run that could not be sent is tried once more, and the next run is sent in any case. One note at
the end says what failed; the run record has everything by then.
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
from socare_spark.errors import OperatorError
from socare_spark.lake.lake import Lake
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

OFF = "off"
_SECONDS = {"remote": 8.0, "local": 90.0}
_PAUSE = 0.5
_EXPERIMENT = "socare_spark"


@dataclass(frozen=True)
class _Step:
    """Something to send.

    Attributes:
        name: The job whose run it concerns.
        send: Sends it.
        whole: Whether it sends all that there is of the run.
    """

    name: str
    send: Callable[["Tracker"], None]
    whole: bool = True


class TrackerError(Exception):
    """A tracker cannot be used; the text is a clause for the operator, without a secret.

    Attributes:
        lasting: Whether every later request of this process would fail in the same way.
    """

    def __init__(self, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.lasting = lasting


class Tracker(Protocol):
    """Where run records are mirrored to. Its methods raise `TrackerError` and nothing else."""

    def begin(self, run: Run) -> None:
        """A run has begun."""

    def end(self, run: Run) -> None:
        """A run has ended, and its record is complete."""

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Runs broke off without an end."""


def local_uri(lake: Lake) -> str:
    """The tracking URI of the database in the lake; its path may hold any character."""
    return sqlite_uri(lake.root / "mlflow.db")


def sqlite_uri(path: Path) -> str:
    """The tracking URI of a local database.

    The driver is named because MLflow makes the folder of `sqlite:///PATH` without decoding it.
    """
    url = URL.create("sqlite+pysqlite", database=str(path))
    return url.render_as_string(hide_password=False)


def experiment_of(conf: Path) -> str:
    """The name of the experiment: one for each council and project.

    A `/` within a name is written as `%2F`, so that two councils never share an experiment.
    """
    try:
        project = read_project(conf)
    except OperatorError:
        return _EXPERIMENT  # The jobs that need the file say what is wrong with it.
    names = (n.replace("%", "%25").replace("/", "%2F") for n in (project.council, project.project))
    return "/".join((_EXPERIMENT, *names))


class Mirror:
    """Sends run records to a tracker, in order, from a thread of its own.

    Args:
        uri: A tracking URI of MLflow, or `off`; None means the database in the lake.
        lake: Its root holds artifacts where the tracker is a local database.
        progress: Where the note goes.
        experiment: Name of the experiment that holds the runs.
    """

    def __init__(
        self, uri: str | None, lake: Lake, progress: Progress, experiment: str = _EXPERIMENT
    ) -> None:
        self._uri = uri or local_uri(lake)
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
        """A run has begun."""
        self._work.put(_Step(run.job, lambda tracker: tracker.begin(run), whole=False))

    def end(self, run: Run) -> None:
        """A run has ended: everything of its record goes to the tracker."""
        self._work.put(_Step(run.job, lambda tracker: tracker.end(run)))

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Runs broke off without an end: the tracker must not show them as running."""
        self._work.put(_Step("broken off", lambda tracker: tracker.close_dead(run_ids)))

    def close(self) -> None:
        """Waits until everything is sent, but not for a tracker that does not answer."""
        if self._uri == OFF:
            return
        self._work.put(None)
        kind = "local" if self._uri.startswith("sqlite") else "remote"
        self._thread.join(_SECONDS[kind])
        reasons = list(dict.fromkeys(self._failed.values()))
        if self._thread.is_alive():
            reasons = reasons or ["it did not answer in time"]
        if reasons:
            self._warn(list(self._failed), reasons)

    def _serve(self) -> None:
        over: TrackerError | None = None
        while (step := self._work.get()) is not None:
            over = over or self._send(step)
            if over is not None:
                self._failed[step.name] = str(over)

    def _send(self, step: _Step) -> TrackerError | None:
        """Sends one step, twice if need be; returns an error that all later steps would meet."""
        error = self._attempt(step)
        if error is not None and not error.lasting:
            time.sleep(_PAUSE)
            error = self._attempt(step)
        if error is None:
            # The end of a run holds all of its record, also where its beginning was not sent.
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
        # Here and not above: importing MLflow takes seconds, and telemetry must be off before.
        from socare_spark.tracking.mlflow_tracker import MlflowTracker  # noqa: PLC0415

        return MlflowTracker(self._uri, self._lake, self._experiment)

    def _warn(self, jobs: Sequence[str], reasons: Sequence[str]) -> None:
        named = f" of {', '.join(jobs)}" if jobs else ""
        self._progress.say(
            f"note: the run{named} was not mirrored to MLflow ({'; '.join(reasons)}); its record "
            f"is under {self._lake.root / 'runs'}."
        )
