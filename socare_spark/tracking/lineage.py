"""Events of OpenLineage: the start and the end of a run, with the tables that it read and wrote.

They are sent if the client of OpenLineage is configured by its own environment variables
(`OPENLINEAGE_URL`, `OPENLINEAGE_CONFIG` or `OPENLINEAGE__TRANSPORT__…`). They have names and
no cell values. An event that cannot be sent does not end a run.
"""

import os
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from socare_spark.lake.lake import Lake
from socare_spark.storage.landing import Landing
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

_PREFIXES = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__")
_PRODUCER = "https://openlineage.io/spec/producer/socare_spark"
_ENDS = {"done": "COMPLETE", "done with refusals": "COMPLETE", "passed over": "COMPLETE",
         "interrupted": "ABORT"}  # fmt: skip


def is_configured(environment: Mapping[str, str]) -> bool:
    """Whether the variables of an environment configure the client of OpenLineage."""
    return any(name.startswith(_PREFIXES) for name in environment)


class Lineage:
    """Sends events of runs; does nothing if OpenLineage is not configured.

    Args:
        lake: The lake of the tables.
        landing: The landing folder, or None.
        namespace: Namespace of the jobs.
        progress: Prints a note if an event cannot be sent; one note for all.
    """

    def __init__(
        self, lake: Lake, landing: Landing | None, namespace: str, progress: Progress
    ) -> None:
        self._lake, self._landing, self._namespace = lake, landing, namespace
        self._progress = progress
        self._client: Any = None
        self._failed = not is_configured(os.environ)

    def begin(self, run: Run) -> None:
        """Sends the start of a run."""
        self._send(run, "START")

    def end(self, run: Run) -> None:
        """Sends the end of a run, with its inputs and outputs."""
        self._send(run, _ENDS.get(run.status, "FAIL"))

    def _send(self, run: Run, state: str) -> None:
        if self._failed:
            return
        try:
            self._emit(run, state)
        except Exception as error:
            # The message of a library can contain the address with a password.
            self._failed = True
            reason = "the package openlineage-python is not installed: pip install '.[lineage]'"
            if not isinstance(error, ImportError):
                reason = f"{type(error).__name__}: check the variables OPENLINEAGE_* and the server"
            self._progress.say(f"note: no events of OpenLineage are sent ({reason}).")

    def _emit(self, run: Run, state: str) -> None:
        # It is an optional package.
        from openlineage.client import OpenLineageClient  # noqa: PLC0415
        from openlineage.client import event_v2 as lineage  # noqa: PLC0415

        self._client = self._client or OpenLineageClient()
        landing = self._landing.storage if self._landing else None
        inputs = [self._lake.uri(table) for table in run.tables_read]
        inputs += [landing.uri(file) for file in run.files_read] if landing else []
        outputs = [self._lake.uri(table) for table in run.outputs]
        self._client.emit(
            lineage.RunEvent(
                eventTime=datetime.now(UTC).isoformat(),
                producer=_PRODUCER,
                eventType=lineage.RunState[state],
                run=lineage.Run(runId=str(event_id(run.run_id))),
                job=lineage.Job(namespace=self._namespace, name=run.job),
                inputs=[lineage.InputDataset(*name) for name in _names(inputs)],
                outputs=[lineage.OutputDataset(*name) for name in _names(outputs)],
            )
        )


def event_id(run_id: str) -> uuid.UUID:
    """The id of a run in events, which must be a UUID."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"socare_spark/{run_id}")


def _names(locations: Iterable[str]) -> list[tuple[str, str]]:
    """Namespace and name of datasets: that of the store and the path below it."""
    named = []
    for location in locations:
        parts = urlsplit(location) if "://" in location else None
        if parts is None:
            named.append(("file", location))
        else:
            scheme = "s3" if parts.scheme == "s3a" else parts.scheme
            named.append((f"{scheme}://{parts.netloc}", parts.path.lstrip("/")))
    return named
