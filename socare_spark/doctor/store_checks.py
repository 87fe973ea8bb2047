"""Checks of the stores of the lake and of the landing folder."""

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from pathlib import Path

from pyspark.sql import SparkSession

from socare_spark.doctor.finding import Finding
from socare_spark.errors import ConfigurationError, ExitCode
from socare_spark.executor_view import ExecutorView, executor_views, is_cluster, unseen_folders
from socare_spark.plurals import counted
from socare_spark.storage.conditional_writes import check_conditional_writes
from socare_spark.storage.landing import Landing
from socare_spark.storage.storage import Storage

# Tasks that read one file of a store at the same time.
_READERS = 16


def lake_findings(lake: Storage) -> Iterator[Finding]:
    """Whether the lake can be reached and written, and whether its files are private."""
    if lake.disk is not None and not lake.disk.exists():
        yield _new_folder(lake.disk)
        return
    _write_and_remove(lake)
    yield Finding("lake", f"{lake.location} can be read and written")
    if exposure := lake.exposure():
        yield Finding("lake", exposure, ExitCode.CONFIGURATION)


def _new_folder(folder: Path) -> Finding:
    parent = next(path for path in folder.absolute().parents if path.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return Finding("lake", f"{folder} does not exist yet; the first job makes it")
    return Finding(
        "lake",
        f"{folder} does not exist, and {parent} cannot be written: check the path and its "
        "permissions",
        ExitCode.INFRASTRUCTURE,
    )


def _write_and_remove(storage: Storage) -> None:
    """Writes, reads and removes a temporary file.

    Raises:
        OSError: the store failed, or returned other bytes.
    """
    name = f".probe-{uuid.uuid4().hex}"
    try:
        storage.write(name, name.encode())
        if storage.read(name) != name.encode() or not storage.is_file(name):
            raise OSError(0, "the store does not return a file that it has just written")
    finally:
        with suppress(OSError):
            storage.remove([name])


def lock_findings(lake: Storage) -> Iterator[Finding]:
    """The job that holds the lock of the lake, and whether the store can keep two jobs apart.

    A lake in use is no fault.
    """
    if lake.disk is not None:
        yield Finding("lock", lake.lock_holder() or "free; the operating system keeps it")
        return
    check_conditional_writes(lake)
    yield Finding("lock", "the store refuses a second writer of one file")
    yield Finding("lock", lake.lock_holder() or "free")


def landing_findings(landing: Landing) -> Iterator[Finding]:
    """Whether the landing folder can be read, and `rejected/` beside it can be written."""
    if not landing.exists():
        raise ConfigurationError(f"{landing} does not exist or is empty: check --landing.")
    number = len(landing.storage.files())
    yield Finding("landing", f"{landing} can be read; {counted(number, 'file')}")
    rejected = landing.rejected
    # A folder of a store can have an owner and a mode of its own.
    existed = rejected.disk is None or rejected.disk.exists()
    try:
        _write_and_remove(rejected)
    finally:
        if not existed:
            with suppress(OSError):
                rejected.remove_empty("")
    yield Finding("rejected", f"{rejected.location} can be written")


def executor_findings(
    spark: SparkSession, lake: Storage, landing: Landing | None
) -> Iterator[Finding]:
    """The executors, and whether each sees the lake and the landing folder."""
    if not is_cluster(spark):
        yield Finding("executors", f"in the process of the driver ({spark.sparkContext.master})")
        return
    storages = {"lake": lake} | ({} if landing is None else {"landing folder": landing.storage})
    local = {n: s for n, s in storages.items() if s.disk is not None and s.disk.exists()}
    views: list[ExecutorView] = []
    if local:
        for message in unseen_folders(spark, local, views):
            yield Finding("executors", message, ExitCode.CONFIGURATION)
    else:
        views = executor_views(spark, {})
    for view in views:
        if not view.missing:
            seen = f"; sees the {' and the '.join(local)}" if local else ""
            yield Finding("executors", f"{view.address}, Python {view.python}{seen}")
    if lake.disk is None:
        _read_by_tasks(spark, lake)
        yield Finding("executors", f"tasks read {lake.location}")


def _read_by_tasks(spark: SparkSession, lake: Storage) -> None:
    """Reads a temporary file of the lake by several tasks at the same time."""
    name = f".probe-{uuid.uuid4().hex}"
    try:
        lake.write(name, name.encode())
        context = spark.sparkContext
        files = [context.binaryFiles(lake.uri(name)) for _ in range(_READERS)]
        reduce(lambda one, other: one.union(other), files).map(len).count()
    finally:
        with suppress(OSError):
            lake.remove([name])
