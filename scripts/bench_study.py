"""Runs the whole study and prints seconds, Spark jobs, tasks and file scans of jobs and tables."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from socare_spark.cli import main
from socare_spark.lake.lake import Lake
from socare_spark.registry import JOBS
from socare_spark.tracking.run import Run

_SECONDS = "seconds/"
# Jobs that Spark remembers (spark.ui.retainedJobs).
_KEPT_JOBS = 1000
_FILES_READ = "number of files read"


def report(spark: SparkSession, _lake: Lake, runs: Sequence[Run], _show: bool) -> None:
    """Prints a line for each job and table.

    The scan of a frame that several tables share counts for the first table that needs it.
    """
    scans = scans_by_description(spark)
    jobs = list(spark_jobs(spark))
    if len(jobs) >= _KEPT_JOBS:
        print(f"Spark forgot earlier jobs than the last {len(jobs)}: their numbers are missing.")
    print(f"{'seconds':>8} {'jobs':>6} {'tasks':>6} {'scans':>6}  table")
    for run in runs:
        began = datetime.fromisoformat(run.started).timestamp()
        own = [tasks for at, tasks in jobs if 0 <= at - began <= (run.seconds or 0.0)]
        print(f"{run.seconds or 0.0:8.1f} {len(own):6d} {sum(own):6d} {'':6}  {run.job}")
        for name, seconds in run.counts.items():
            if name.startswith(_SECONDS):
                table = name.removeprefix(_SECONDS)
                print(f"{seconds:8.1f} {'':13} {scans[table]:6d}    {table}")
    print(f"CPU seconds of this session: {cpu_seconds(spark):.0f}")


def spark_jobs(spark: SparkSession) -> Iterator[tuple[float, int]]:
    """When each Spark job was submitted, in seconds since 1970, and how many tasks it ran."""
    store: Any = spark.sparkContext._jsc.sc().statusStore()
    for job in _each(store.jobsList(None)):
        yield job.submissionTime().get().getTime() / 1000, job.numCompletedTasks()


def cpu_seconds(spark: SparkSession) -> float:
    """CPU time of Java and of the driver's Python with its ended children (Linux only)."""
    java = spark._jvm.java.lang.ProcessHandle.current().pid()  # type: ignore[union-attr]
    fields = Path(f"/proc/{java}/stat").read_text("utf-8").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") + sum(os.times()[:4])


def scans_by_description(spark: SparkSession) -> Counter[str]:
    """Counts file scans by description of the query."""
    found: Counter[str] = Counter()
    store: Any = spark._jsparkSession.sharedState().statusStore()  # type: ignore[attr-defined]
    for execution in _each(store.executionsList()):
        number = execution.executionId()
        measured = store.executionMetrics(number)
        for node in _each(store.planGraph(number).allNodes()):
            found[execution.description()] += any(
                metric.name() == _FILES_READ and measured.contains(metric.accumulatorId())
                for metric in _each(node.metrics())
            )
    return found


def _each(collection: Any) -> Iterator[Any]:  # noqa: ANN401 - an object of Scala
    iterator = collection.iterator()
    while iterator.hasNext():
        yield iterator.next()


if __name__ == "__main__":
    raise SystemExit(main(JOBS, after=report))
