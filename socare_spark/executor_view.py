"""Checks that the executors of a cluster see the folders of the driver.

On a cluster without a shared folder, Spark writes a table to the disks of the executors and reports
success, and the table cannot be read.
"""

import os
import socket
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark import BarrierTaskContext, TaskContext
from pyspark.sql import SparkSession

from socare_spark.errors import ConfigurationError
from socare_spark.plurals import counted
from socare_spark.storage.landing import Landing
from socare_spark.storage.storage import Storage

_DYNAMIC = "spark.dynamicAllocation.enabled"
# Files of the landing folder that executors look for.
_LANDING_FILES = 20


@dataclass(frozen=True)
class ExecutorView:
    """The view of an executor.

    Attributes:
        address: Host and port of the executor.
        python: Version of its Python.
        missing: Files that it does not see, or sees with another size.
    """

    address: str
    python: str
    missing: tuple[str, ...]


def is_cluster(spark: SparkSession) -> bool:
    """Whether executors run in other processes than the driver."""
    master = spark.sparkContext.master or "local"
    return master != "local" and not master.startswith("local[")


def executor_views(spark: SparkSession, files: Mapping[str, int]) -> list[ExecutorView]:
    """The view of each executor that has started.

    One task runs in each slot of the cluster at the same time, so each executor has a task. Spark
    does not allow this with dynamic allocation. There, an executor can be left out.

    Args:
        spark: The session.
        files: Path -> size of files that the driver sees.

    Returns:
        A view for each executor, in the order of their addresses.
    """
    context = spark.sparkContext
    # Without a first task, executors that start would have no slot yet.
    context.parallelize([0], 1).count()
    slots = _slots(context._jsc.sc())
    expected = dict(files)

    def look(_rows: Iterable[int]) -> Iterator[ExecutorView]:
        yield ExecutorView(_address(), _python(), missing_files(expected))

    rows = context.parallelize(range(slots), slots)
    is_dynamic = context.getConf().get(_DYNAMIC, "false").lower() == "true"
    views = (rows if is_dynamic else rows.barrier()).mapPartitions(look).collect()
    by_address = {view.address: view for view in views}
    return [by_address[address] for address in sorted(by_address)]


def _slots(context: Any) -> int:  # noqa: ANN401 - a Java object
    """The number of tasks that can run at the same time."""
    profile = context.resourceProfileManager().defaultResourceProfile()
    return max(1, int(context.maxNumConcurrentTasks(profile)))


def _address() -> str:
    """Host and port of the executor of this task; its host only with dynamic allocation."""
    task = TaskContext.get()
    if isinstance(task, BarrierTaskContext):
        return task.getTaskInfos()[task.partitionId()].address
    return socket.gethostname()


def _python() -> str:
    return ".".join(map(str, sys.version_info[:3]))


def missing_files(files: Mapping[str, int]) -> tuple[str, ...]:
    """The files that this process does not see, or sees with another size."""
    missing = []
    for path, size in files.items():
        try:
            if os.stat(path).st_size != size:
                missing.append(path)
        except OSError:
            missing.append(path)
    return tuple(missing)


def check_executors(spark: SparkSession, lake: Storage, landing: Landing | None) -> None:
    """Checks before a run on a cluster that its executors see local folders.

    Args:
        spark: The session.
        lake: The storage of the lake.
        landing: The folder of the extracts.

    Raises:
        ConfigurationError: an executor does not see a folder.
    """
    if not is_cluster(spark):
        return
    storages = {"lake": lake} | ({} if landing is None else {"landing folder": landing.storage})
    if all(storage.disk is None for storage in storages.values()):
        return
    unseen = unseen_folders(spark, storages)
    if unseen:
        raise ConfigurationError("\n".join(unseen))


def unseen_folders(
    spark: SparkSession, storages: Mapping[str, Storage], views: list[ExecutorView] | None = None
) -> list[str]:
    """A message for each folder of this machine that an executor does not see.

    Args:
        spark: The session.
        storages: Name in messages -> storage. The lake gets a temporary file.
        views: A list to which the views of the executors are added.
    """
    local = {name: storage for name, storage in storages.items() if storage.disk is not None}
    probe = f".probe-{uuid.uuid4().hex}"
    files: dict[str, dict[str, int]] = {}
    lake = local.get("lake")
    try:
        if lake is not None:
            lake.write(probe, probe.encode())
            files["lake"] = {lake.uri(probe): len(probe)}
        for name in local.keys() - {"lake"}:
            storage = local[name]
            first = storage.files()[:_LANDING_FILES]
            files[name] = {storage.uri(file.name): file.size for file in first}
        found = executor_views(spark, {k: v for named in files.values() for k, v in named.items()})
    finally:
        if lake is not None:
            lake.remove([probe])
    if views is not None:
        views.extend(found)
    messages = [_message(name, local[name], files[name], found) for name in files]
    return [message for message in messages if message]


def _message(
    name: str, storage: Storage, files: Mapping[str, int], views: Sequence[ExecutorView]
) -> str:
    blind = [view.address for view in views if set(files).intersection(view.missing)]
    if not blind:
        return ""
    return (
        f"{len(blind)} of {counted(len(views), 'executor')} cannot see the {name} "
        f"{storage.location}: {', '.join(blind)}. Name a folder that is mounted under the same "
        "path on every machine, or a URI of a store, such as s3a:// or hdfs://."
    )
