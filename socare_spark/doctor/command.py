"""The command line of the job `doctor`.

It prints a line for each part of the environment. Its exit code is 0, or the highest code of its
findings. It writes temporary files to the lake and to `rejected/`, and removes them.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from pyspark.sql import SparkSession

from socare_spark.cli import parser
from socare_spark.contracts.project import read_project
from socare_spark.doctor.finding import Finding, findings_of, worst_code
from socare_spark.doctor.session_checks import sedona, versions
from socare_spark.doctor.store_checks import (
    executor_findings,
    lake_findings,
    landing_findings,
    lock_findings,
)
from socare_spark.errors import ExitCode, OperatorError
from socare_spark.ingest.key_check import describe_key
from socare_spark.scratch import scratch_folders
from socare_spark.session import local_folders, open_session
from socare_spark.storage.landing import Landing
from socare_spark.storage.location import check_lake_path
from socare_spark.storage.opening import open_storage
from socare_spark.storage.storage import Storage
from socare_spark.tracking.credentials import redacted, without_credentials
from socare_spark.tracking.mirror import OFF
from socare_spark.tracking.run import new_id

_NAME = "doctor"
_UMASK = 0o077


def main(arguments: Sequence[str] | None = None) -> int:
    """Checks the environment of the jobs.

    Args:
        arguments: Command-line arguments; those of the process by default.

    Returns:
        The exit code of the process.
    """
    os.umask(_UMASK)
    options_parser = parser(_NAME, "Check the environment of the jobs.")
    options = options_parser.parse_args(arguments)
    if options.unlock or options.dry_run or options.as_of:
        options_parser.error("doctor takes no --unlock, --dry-run and --as-of: give them to a job")
    found: list[Finding] = []
    with ExitStack() as resources:
        for finding in _findings(options, resources):
            print(finding, flush=True)  # noqa: T201 - the result of the job
            found.append(finding)
    return int(worst_code(found))


def _findings(options: argparse.Namespace, resources: ExitStack) -> Iterator[Finding]:
    """All findings, in the order in which a job would meet the faults."""
    try:
        folders = resources.enter_context(scratch_folders(local_folders(), new_id()))
        spark = open_session(_NAME, folders)
    except OperatorError as error:
        yield Finding("session", str(error), error.exit_code)
        return
    resources.callback(spark.stop)
    yield from findings_of("versions", lambda: versions(spark))
    yield from findings_of("sedona", lambda: sedona(spark))
    stores: dict[str, Storage] = {}
    for name, location in (("lake", options.lake), ("landing", options.landing)):
        if location is not None:
            opening = _open(stores, name, location, spark, folders[0])
            yield from findings_of(name, lambda opening=opening: opening)  # type: ignore[misc]
    yield from _of_stores(options, spark, stores)
    yield from findings_of("mlflow", lambda: _mlflow(options.mlflow, stores.get("lake")))


def _open(
    stores: dict[str, Storage], name: str, location: Path | str, spark: SparkSession, scratch: Path
) -> Iterator[Finding]:
    """Opens a store. It has a finding only if it fails."""
    if name == "lake":
        check_lake_path(location)
    stores[name] = open_storage(location, spark, scratch / name)
    yield from ()


def _of_stores(
    options: argparse.Namespace, spark: SparkSession, stores: dict[str, Storage]
) -> Iterator[Finding]:
    landing = Landing(stores["landing"]) if "landing" in stores else None
    if landing is not None:
        yield from findings_of("landing", lambda: landing_findings(landing))
    lake = stores.get("lake")
    if lake is None:
        return
    usable = list(findings_of("lake", lambda: lake_findings(lake)))
    yield from usable
    yield from findings_of("lock", lambda: lock_findings(lake))
    if worst_code(usable) in (ExitCode.DONE, ExitCode.CONFIGURATION):
        yield from findings_of("executors", lambda: executor_findings(spark, lake, landing))
    yield from findings_of("key", lambda: [_key(options.conf, lake)])


def _key(conf: Path, lake: Storage) -> Finding:
    return Finding("key", describe_key(read_project(conf), lake, os.environ))


def _mlflow(uri: str | None, lake: Storage | None) -> Iterator[Finding]:
    """Whether run records can be sent to MLflow."""
    if uri == OFF:
        yield Finding("mlflow", "off")
    elif uri is not None:
        # MLflow takes seconds to import.
        from socare_spark.tracking.mlflow_tracker import reach  # noqa: PLC0415

        reach(without_credentials(uri))
        yield Finding("mlflow", f"{redacted(uri)} answers")
    elif lake is not None and lake.disk is None:
        yield Finding(
            "mlflow",
            "off: a lake that is not on a disk has no database of MLflow; --mlflow names a server",
        )
    else:
        yield Finding("mlflow", "a database in the lake")
