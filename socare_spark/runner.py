"""Runs one job, or the jobs of a study in order, in an existing session."""

import argparse
import os
from collections.abc import Callable, Sequence

from pyspark.sql import SparkSession

from socare_spark.analysis import Context, Job
from socare_spark.errors import ExitCode, MissingInputError, OperatorError
from socare_spark.executor_view import check_executors
from socare_spark.failures import is_panic, report_crash, report_error
from socare_spark.lake.lake import Lake
from socare_spark.lake.transaction import check_versions, has_unfinished_commits, roll_back
from socare_spark.storage.landing import Landing
from socare_spark.tracking.lineage import Lineage
from socare_spark.tracking.mirror import Mirror, experiment_of
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run, close_dead_runs, configuration_digest

STUDY = "study"


def run_jobs(
    spark: SparkSession,
    jobs: Sequence[Job],
    run: Run,
    options: argparse.Namespace,
    progress: Progress,
    *,
    landing: Landing | None,
) -> tuple[ExitCode, Lake, list[Run]]:
    """Runs jobs in an existing session without stopping it. The caller must hold the lake's lock.

    Args:
        spark: The session.
        jobs: The jobs, in order.
        run: The run of the study or of the single job, with the storage of the lake.
        options: The parsed options.
        progress: Reports the progress.
        landing: The folder of the extracts.

    Returns:
        The exit code, the lake and the run records of the jobs.

    Raises:
        DataError: an extract table is missing or was changed since the last run.
        ConfigurationError: an executor does not see a folder.
    """
    progress.tasks = lambda: _tasks(spark)
    if not options.dry_run:
        check_executors(spark, run.storage, landing)
    lake = Lake(run.storage)
    if has_unfinished_commits(lake) and options.dry_run:
        progress.say("a run was interrupted: the next run restores its tables first")
    else:
        for name in roll_back(spark, lake):
            progress.say(f"{name}: restored to its state before an interrupted run")
        check_versions(lake)
    study = run.job == STUDY
    run.configuration = configuration_digest(options.conf)
    if options.dry_run:
        for job in jobs:
            context = _context(spark, lake, options, run, progress, landing=landing)
            print(f"{job.name}:", *job.plan(context), sep="\n  ")  # noqa: T201
        return ExitCode.DONE, lake, []
    experiment = experiment_of(options.conf)
    mirror = Mirror(options.mlflow, lake, progress, experiment)
    lineage = Lineage(lake, landing, experiment, progress)
    run.warnings.extend(_access_warnings(lake, landing))
    interrupted = close_dead_runs(lake.storage)
    for run_id in interrupted:
        progress.say(f"the run {run_id} was interrupted; its record is now closed")
    if interrupted:
        mirror.close_dead(interrupted)
    if study:
        run.save()
        mirror.begin(run)

    def run_job(job: Job, job_run: Run) -> ExitCode:
        context = _context(spark, lake, options, job_run, progress, landing=landing)
        return _run_job(job, context, (mirror, lineage), study=study)

    runs: list[Run] = []
    exit_code, status = ExitCode.FAULT, "interrupted"
    try:
        exit_code = _run_in_order(jobs, run, runs, run_job)
        status = _status(exit_code)
    finally:
        if study:
            _finish(run, status, exit_code)
            mirror.end(run)
        mirror.close()
    return exit_code, lake, runs


def _access_warnings(lake: Lake, landing: Landing | None) -> list[str]:
    """Warnings about folders with exact or raw data that other users of the machine can read."""
    storages = [lake.storage, *([] if landing is None else [landing.rejected])]
    warnings = [warning for storage in storages if (warning := storage.exposure())]
    # The pods of Kubernetes have it; their volume ends with the pod.
    if "SPARK_LOCAL_DIRS" in os.environ and "KUBERNETES_SERVICE_HOST" not in os.environ:
        warnings.append(
            "SPARK_LOCAL_DIRS is set, so spilled data is not in the folder of this run and remains "
            "if the run is killed: unset it and set spark.local.dir instead"
        )
    return warnings


def _run_in_order(
    jobs: Sequence[Job], parent: Run, runs: list[Run], run_job: Callable[[Job, Run], ExitCode]
) -> ExitCode:
    """Runs jobs in order until one fails.

    Args:
        jobs: The jobs.
        parent: The run of the study or of the single job.
        runs: The list to which the run of each job is appended.
        run_job: Runs one job.

    Returns:
        The exit code of the failed job, or the highest exit code of all jobs.
    """
    exit_code = ExitCode.DONE
    for job in jobs:
        parent_id = parent.run_id if parent.job == STUDY else None
        run = Run(job.name, parent.storage, parent.arguments, parent_id)
        run.configuration = parent.configuration
        if not runs:
            run.warnings.extend(parent.warnings)
        runs.append(run)
        job_code = run_job(job, run)
        if job_code not in (ExitCode.DONE, ExitCode.DATA):
            return job_code
        exit_code = max(exit_code, job_code)
    return exit_code


def _run_job(
    job: Job, context: Context, observers: Sequence[Mirror | Lineage], *, study: bool
) -> ExitCode:
    """Runs one job and records its start and end. A study skips a job without its inputs."""
    run = context.run
    run.save()
    for observer in observers:
        observer.begin(run)
    exit_code, status = ExitCode.FAULT, None
    try:
        job.run(context)
        exit_code = ExitCode.DONE
    except MissingInputError as error:
        if study:
            context.progress.say(str(error))
            exit_code, status = ExitCode.DONE, "passed over"
        else:
            exit_code = report_error(error, context.progress)
    except OperatorError as error:
        exit_code = report_error(error, context.progress)
    except Exception as error:
        exit_code = report_crash(error, run, context.progress)
    except BaseException as error:
        if not is_panic(error):
            status = "interrupted"
            raise
        exit_code = report_crash(error, run, context.progress)
    finally:
        _finish(run, status or _status(exit_code), exit_code)
        for observer in observers:
            observer.end(run)
        for warning in run.warnings:
            context.progress.say(f"note: {warning}")
    return exit_code


def _finish(run: Run, status: str, exit_code: ExitCode) -> None:
    """Closes the record of a run. A store that failed, as is reported, does not take it."""
    try:
        run.finish(status)
    except OSError:
        if exit_code not in (ExitCode.INFRASTRUCTURE, ExitCode.NOT_PERMITTED):
            raise


def _status(exit_code: ExitCode) -> str:
    return {ExitCode.DONE: "done", ExitCode.DATA: "done with refusals"}.get(exit_code, "failed")


def _context(
    spark: SparkSession,
    lake: Lake,
    options: argparse.Namespace,
    run: Run,
    progress: Progress,
    *,
    landing: Landing | None,
) -> Context:
    context = Context(spark, lake, options.conf, landing, options.as_of, run, progress)
    context.withdraw = tuple(getattr(options, "withdraw", None) or ())
    context.only = tuple(getattr(options, "only", None) or ())
    return context


def _tasks(spark: SparkSession) -> tuple[int, int]:
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(s) for s in tracker.getActiveStageIds()]
    active = [s for s in stages if s is not None]
    return sum(s.numCompletedTasks for s in active), sum(s.numTasks for s in active)
