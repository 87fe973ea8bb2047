"""The run record mirrored to a tracker, behind the jobs: it never holds one up.

A tracker that does not answer is given up after a few seconds with one warning; the run record has
everything by then.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from socare_spark.lake.zones import Lake
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.record import Run

OFF = "off"
_SECONDS = {"remote": 8.0, "local": 90.0}


class Tracker(Protocol):
    """Where run records are mirrored to."""

    def begin(self, run: Run) -> None:
        """A run has begun."""

    def end(self, run: Run) -> None:
        """A run has ended, and its record is complete."""

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Runs broke off without an end."""


class Mirror:
    """Sends run records to a tracker, in order, from a thread of its own.

    Args:
        uri: A tracking URI of MLflow, or `off`.
        lake: Its root holds artifacts where the tracker is a local database.
        progress: Where the warning goes.
    """

    def __init__(self, uri: str, lake: Lake, progress: Progress) -> None:
        self._uri = uri
        self._lake = lake
        self._progress = progress
        self._work: queue.SimpleQueue[Callable[[Tracker], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        if uri != OFF:
            self._thread.start()

    def begin(self, run: Run) -> None:
        """A run has begun."""
        self._work.put(lambda tracker: tracker.begin(run))

    def end(self, run: Run) -> None:
        """A run has ended: everything of its record goes to the tracker."""
        self._work.put(lambda tracker: tracker.end(run))

    def close_dead(self, run_ids: Sequence[str]) -> None:
        """Runs broke off without an end: the tracker must not show them as running."""
        self._work.put(lambda tracker: tracker.close_dead(run_ids))

    def close(self) -> None:
        """Waits until everything is sent, but not for a tracker that does not answer."""
        if self._uri == OFF:
            return
        self._work.put(None)
        kind = "local" if self._uri.startswith("sqlite") else "remote"
        self._thread.join(_SECONDS[kind])
        if self._thread.is_alive():
            self._warn("it did not answer in time")

    def _serve(self) -> None:
        try:
            tracker = self._connect()
            while (task := self._work.get()) is not None:
                task(tracker)
        except Exception as error:
            kind = type(error).__name__.removesuffix("Exception").removesuffix("Error")
            self._warn(f"the tracker could not be used: {kind}")

    def _connect(self) -> Tracker:
        # Here and not above: importing MLflow takes seconds, and telemetry must be off before.
        from socare_spark.tracking.to_mlflow import MlflowTracker  # noqa: PLC0415

        return MlflowTracker(self._uri, self._lake)

    def _warn(self, why: str) -> None:
        self._progress.say(
            f"note: the run was not mirrored to MLflow ({why}); its record is under "
            f"{self._lake.root / 'runs'}."
        )
