"""The run record: arguments, inputs, outputs and status of a run in one JSON file.

The file `runs/RUN_ID/run_record.json` in the lake is written before the work starts and again when
it ends, with or without a tracking server. It contains counts, names, versions and digests, and no
cell values.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from socare_spark import __version__
from socare_spark.config import OTHER_FOLDERS
from socare_spark.storage.storage import Storage


def new_id() -> str:
    """An id of a run: the time and a random part."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


RUNS = "runs"
_RECORD = "run_record.json"
# No job imports the generator of synthetic data, so results do not depend on its code.
_GENERATOR = "twin/"


def _sources(folder: Traversable, above: str) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of each Python file of the package, from a folder or a zip."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{above}{entry.name}", entry.read_bytes()


@cache
def code_version() -> str:
    """The version of the package and a digest of the code that jobs use."""
    digest = hashlib.sha256()
    for name, source in sorted(_sources(files("socare_spark"), "")):
        if not name.startswith(_GENERATOR):
            digest.update(name.encode())
            digest.update(source)
    return f"{__version__}+{digest.hexdigest()[:12]}"


@dataclass
class Run:
    """One run of one job.

    Attributes:
        job: Name of the job.
        storage: Storage of the lake.
        arguments: Command-line options, without secrets.
        parent: Id of the study's run; None for a job run alone.
        run_id: Id of the run: time of the start and a random part.
        code: Version and digest of the code.
        configuration: Digest of the configuration folder.
        status: `running`, or the status at the end.
        started: Time of the start (UTC).
        seconds: Duration in seconds; None while the run lasts.
        tables_read: Input table -> Delta version.
        files_read: Input file -> SHA-256.
        landing: File of the landing folder -> outcome.
        files_gone: Loaded files that are no longer in the landing folder.
        outputs: Output table -> {version, rows}.
        counts: Metric name -> value.
        ledger: New ledger entries.
        pictures: Paths of pictures and maps, relative to the lake.
        up_to_date: Whether outputs and pictures are those of an earlier run and none was written.
        warnings: Warnings for the operator.
    """

    job: str
    storage: Storage
    arguments: Mapping[str, str]
    parent: str | None = None
    run_id: str = field(default_factory=new_id)
    code: str = field(default_factory=code_version)
    configuration: str = ""
    status: str = "running"
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    seconds: float | None = None
    tables_read: dict[str, int] = field(default_factory=dict)
    files_read: dict[str, str] = field(default_factory=dict)
    landing: dict[str, str] = field(default_factory=dict)
    files_gone: list[str] = field(default_factory=list)
    outputs: dict[str, dict[str, int | None]] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    up_to_date: bool = False
    warnings: list[str] = field(default_factory=list)
    _clock: float = field(default_factory=time.monotonic, repr=False)

    @property
    def record(self) -> str:
        """Name of the record in the lake."""
        return f"{RUNS}/{self.run_id}/{_RECORD}"

    @property
    def log(self) -> str:
        """Name of the log with tracebacks in the lake."""
        return f"{RUNS}/{self.run_id}/run.log"

    def save(self) -> None:
        """Writes the record as a whole."""
        names = [f.name for f in fields(self) if f.name not in ("_clock", "storage")]
        _write_record(self.storage, self.record, {name: getattr(self, name) for name in names})

    def finish(self, status: str) -> None:
        """Sets the final status and the duration, and saves the record."""
        self.status = status
        self.seconds = round(time.monotonic() - self._clock, 3)
        self.save()


def _write_record(storage: Storage, name: str, record: Mapping[str, Any]) -> None:
    storage.write(name, json.dumps(record, indent=2, sort_keys=True, default=str).encode())


def close_dead_runs(storage: Storage) -> list[str]:
    """Closes the records of runs whose process has ended without an end of the record.

    The caller must hold the lake's lock, so no other run is active.

    Args:
        storage: Storage of the lake.

    Returns:
        Ids of the closed runs.
    """
    closed = []
    for run_id in sorted(storage.names(RUNS)):
        name = f"{RUNS}/{run_id}/{_RECORD}"
        content = storage.read(name) or b""
        if b'"status": "running"' not in content:
            continue
        with suppress(ValueError):
            record = json.loads(content)
            if record["status"] == "running":
                _write_record(storage, name, record | {"status": "broken off"})
                closed.append(record["run_id"])
    return closed


def configuration_digest(folder: Path) -> str:
    """Digest of names and contents of all YAML files in a configuration folder.

    Folders that are no part of the configuration, such as examples, do not count.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        if path.relative_to(folder).parts[0] in OTHER_FOLDERS:
            continue
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
