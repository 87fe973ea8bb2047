"""The command line of all jobs: options, signals, exit codes and messages to the operator.

An error of the operator gives one message and an exit code. An internal error writes its traceback
to the run log. SIGTERM ends the job and leaves each table at its last commit.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pyarrow as pa
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from socare_spark.analysis import Context, Job
from socare_spark.errors import ConfigurationError, ExitCode, MissingInputError, OperatorError
from socare_spark.ingest.rejected_lines import rejected_folder
from socare_spark.lake.access import open_to_others
from socare_spark.lake.lake import Lake
from socare_spark.lake.lock import locked
from socare_spark.lake.paths import check_lake_path
from socare_spark.lake.transaction import check_versions, has_unfinished_commits, roll_back
from socare_spark.scratch import scratch_folders
from socare_spark.session import local_folders, open_session
from socare_spark.tracking.credentials import redacted, redacted_text, without_credentials
from socare_spark.tracking.mirror import Mirror, experiment_of
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run, close_dead_runs, configuration_digest

# The package can be in a zip; the submitted file is in the checkout.
_ROOTS = [Path(p).resolve().parent.parent for p in (sys.argv[0], __file__)]
_CONF = next((r / "conf" for r in _ROOTS if (r / "conf" / "datasets").is_dir()), Path("conf"))
STUDY = "study"
_MAX_STACK_FRAMES = 12
# Files of a run are readable by their owner only, whatever the umask of the shell.
_UMASK = 0o077
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# These loggers print failed SQL, which can contain cell values.
_LEAKY_LOGGERS = ("py4j", "SQLQueryContextLogger", "DataFrameQueryContextLogger")
_DISK_ERRORS = ("No space left on device", "Read-only file system", "Input/output error")


class _Parser(argparse.ArgumentParser):
    """An argument parser that redacts secrets in its messages."""

    def error(self, message: str) -> NoReturn:
        """Ends the process with a usage message."""
        super().error(redacted_text(message))


class _TerminatedError(BaseException):
    """A signal requested the end of the process; `number` is the signal number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """Builds the parser with the options common to all jobs.

    Args:
        name: Name of the job.
        description: One sentence for `--help`.
    """
    options = _Parser(
        prog=name,
        description=description,
        epilog="Exit codes: 0 done, 1 internal error (see the log), 2 configuration or usage, 3 "
        "data refused or missing, 4 not permitted, 5 lake in use, 6 infrastructure, try again.",
    )
    options.add_argument("--lake", type=Path, required=True, help="folder of the lake")
    options.add_argument("--landing", type=Path, help="folder of the extracts (ingest, places)")
    options.add_argument(
        "--conf", type=Path, default=_CONF, help="folder of the council's configuration"
    )
    options.add_argument(
        "--as-of",
        type=_day,
        help="last day of open agreements, as 2016-12-31; default: the day of the newest extract",
    )
    options.add_argument(
        "--mlflow",
        metavar="URI",
        help="tracking server; default: a database in the lake; 'off' for none; set user and "
        "password in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    )
    options.add_argument(
        "--dry-run", action="store_true", help="list the inputs and outputs without running the job"
    )
    return options


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day must have the form 2016-12-31") from None


def main(
    jobs: Job | Sequence[Job],
    arguments: Sequence[str] | None = None,
    after: Callable[[SparkSession, Lake, Sequence[Run], bool], None] | None = None,
) -> int:
    """Runs one job, or several jobs in one session as a study.

    Args:
        jobs: The job or jobs.
        arguments: Command-line arguments; those of the process by default.
        after: Called at the end of a study with the session, the lake, the runs of the jobs and
            whether to print figures even if the output is not a terminal.

    Returns:
        The exit code of the process.
    """
    os.umask(_UMASK)
    selected = [jobs] if isinstance(jobs, Job) else list(jobs)
    name = selected[0].name if isinstance(jobs, Job) else STUDY
    description = (
        selected[0].description if isinstance(jobs, Job) else "Run all jobs in one session."
    )
    options_parser = parser(name, description)
    if name == STUDY:
        names = [job.name for job in selected]
        help_text = f"run only these jobs, in the order of the study: {', '.join(names)}"
        options_parser.add_argument(
            "--jobs", nargs="+", choices=names, metavar="JOB", help=help_text
        )
        options_parser.add_argument(
            "--show",
            action="store_true",
            help="print figures, small counts included, even if the output is not a terminal",
        )
    elif selected[0].options is not None:
        selected[0].options(options_parser)
    options = options_parser.parse_args(arguments)
    options.mlflow = options.mlflow and without_credentials(options.mlflow)
    if name == STUDY and options.jobs:
        selected = [job for job in selected if job.name in options.jobs]
    progress = Progress()
    _end_on_signals()
    for logger in _LEAKY_LOGGERS:
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    _end_with_spark()
    try:
        return int(_run_to_exit_code(selected, name, options, progress, after))
    except _TerminatedError as request:
        # If Spark ended first, the console can be closed.
        with suppress(OSError, SystemExit):
            progress.say(f"Ended on request; {_state_of_tables(options.lake)}.")
        return 128 + request.number


def _end_with_spark() -> None:
    """Ends this process when spark-submit ends, which does not forward signals."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _end_on_signals() -> None:
    """Ends the job at SIGTERM and at Ctrl-C. Spark sets its own handler for the latter."""
    for number in _STOP_SIGNALS:
        signal.signal(number, _terminate)


def _terminate(number: int, _frame: FrameType | None) -> None:
    for ignored in _STOP_SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    # Otherwise threads that wait for Spark would block the process until their queries end.
    threading.Thread(target=_stop_spark, daemon=True).start()
    raise _TerminatedError(number)


def _stop_spark() -> None:
    context = SparkContext._active_spark_context
    with suppress(Exception):
        if context is not None:
            context._jsc.sc().stop()


def _state_of_tables(folder: Path) -> str:
    if has_unfinished_commits(Lake(folder)):
        return "tables of the last step are incomplete, and the next run restores them first"
    return "every table is at its last commit"


def _run_to_exit_code(
    jobs: Sequence[Job],
    name: str,
    options: argparse.Namespace,
    progress: Progress,
    after: Callable[[SparkSession, Lake, Sequence[Run], bool], None] | None,
) -> ExitCode:
    """Runs the jobs and converts each exception to a message and an exit code."""
    folder = options.lake / "runs"
    run = Run(name, folder, _arguments_as_text(options))
    try:
        if not options.conf.is_dir():
            raise ConfigurationError(
                f"{options.conf} is not a folder: --conf must name the folder with the council's "
                "configuration."
            )
        check_lake_path(options.lake)
        with (
            locked(options.lake, name),
            scratch_folders(local_folders(), run.run_id) as folders,
        ):
            spark = open_session(name, folders)
            _end_on_signals()
            try:
                exit_code, lake, runs = run_jobs(spark, jobs, run, options, progress)
                if after is not None and runs:
                    after(spark, lake, runs, options.show)
                return exit_code
            finally:
                with suppress(Exception):
                    spark.stop()
    except OperatorError as error:
        return _report(error, progress)
    except Exception as error:
        return _report_crash(error, run, progress)
    except BaseException as error:
        if not _is_panic(error):
            raise
        return _report_crash(error, run, progress)


def _is_panic(error: BaseException) -> bool:
    """Whether an error is a panic of a Rust library, as delta-rs raises on a full disk."""
    return type(error).__name__ == "PanicException"


def _report(error: OperatorError, progress: Progress) -> ExitCode:
    progress.console.print(str(error), style="bold red", markup=False)
    return error.exit_code


def _report_crash(error: BaseException, run: Run, progress: Progress) -> ExitCode:
    if _spark_has_ended():
        message = "Spark ended, on request or for lack of memory: run the same command again"
        exit_code = ExitCode.INFRASTRUCTURE
    elif (
        any(sign in str(error) for sign in _DISK_ERRORS)
        or isinstance(error, ConnectionError)
        or _is_panic(error)
    ):
        message = "A disk or a connection failed: repair it and run the same command again"
        exit_code = ExitCode.INFRASTRUCTURE
    else:
        message, exit_code = "The job failed because of an internal error", ExitCode.FAULT
    location = _write_traceback(error, run)
    progress.console.print(
        f"{message}; {_state_of_tables(run.folder.parent)}. The traceback is in {location}",
        style="bold red",
        markup=False,
    )
    return exit_code


def _spark_has_ended() -> bool:
    """Whether the Java process of the session no longer answers."""
    context = SparkContext._active_spark_context
    if context is None or context._jvm is None:
        return False
    try:
        context._jvm.java.lang.System.nanoTime()
    except (Py4JError, OSError):
        return True
    return False


def _write_traceback(error: BaseException, run: Run) -> str:
    """Writes the traceback to the run log.

    Exceptions that can contain cell values are logged by class only.

    Returns:
        Path of the log, or `standard error` if the log cannot be written.
    """
    text = "".join(traceback.format_tb(error.__traceback__))
    cause: BaseException | None = error
    while cause is not None:
        can_contain_cells = isinstance(cause, PySparkException | pa.ArrowException | DeltaError)
        can_contain_cells |= "py4j" in type(cause).__module__ or _is_panic(cause)
        text += (
            f"{type(cause).__name__}: {_redacted_error(cause) if can_contain_cells else cause}\n"
        )
        cause = cause.__cause__
    with suppress(OSError):
        run.log.parent.mkdir(parents=True, exist_ok=True)
        run.log.write_text(text, "utf-8")
        return str(run.log)
    sys.stderr.write(text)
    return "standard error"


def _redacted_error(error: BaseException) -> str:
    """Describes an error without its message: Spark's condition, or Java classes and frames."""
    with suppress(Exception):
        if isinstance(error, PySparkException) and error.getCondition():
            return f"{error.getCondition()} {error.getSqlState() or ''}".strip()
        thrown = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
        lines = []
        while thrown is not None:
            lines.append(thrown.getClass().getName())
            lines += [f"    {frame}" for frame in list(thrown.getStackTrace())[:_MAX_STACK_FRAMES]]
            thrown = thrown.getCause()
        return "\n".join(lines)
    return "(message withheld because it can contain data)"


def run_jobs(
    spark: SparkSession,
    jobs: Sequence[Job],
    run: Run,
    options: argparse.Namespace,
    progress: Progress,
) -> tuple[ExitCode, Lake, list[Run]]:
    """Runs jobs in an existing session without stopping it. The caller must hold the lake's lock.

    Args:
        spark: The session.
        jobs: The jobs, in order.
        run: The run of the study or of the single job.
        options: The parsed options.
        progress: Reports the progress.

    Returns:
        The exit code, the lake and the run records of the jobs.

    Raises:
        DataError: an extract table is missing or was changed since the last run.
    """
    progress.tasks = lambda: _tasks(spark)
    lake = Lake(options.lake.resolve())
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
            context = _context(spark, lake, options, run, progress)
            print(f"{job.name}:", *job.plan(context), sep="\n  ")  # noqa: T201
        return ExitCode.DONE, lake, []
    mirror = Mirror(options.mlflow, lake, progress, experiment_of(options.conf))
    run.warnings.extend(_access_warnings(lake, options.landing))
    interrupted = close_dead_runs(run.folder)
    for run_id in interrupted:
        progress.say(f"the run {run_id} was interrupted; its record is now closed")
    if interrupted:
        mirror.close_dead(interrupted)
    if study:
        run.save()
        mirror.begin(run)

    def run_job(job: Job, job_run: Run) -> ExitCode:
        context = _context(spark, lake, options, job_run, progress)
        return _run_job(job, context, mirror, study=study)

    runs: list[Run] = []
    status = "interrupted"
    try:
        exit_code = _run_in_order(jobs, run, runs, run_job)
        status = _status(exit_code)
    finally:
        if study:
            run.finish(status)
            mirror.end(run)
        mirror.close()
    return exit_code, lake, runs


def _access_warnings(lake: Lake, landing: Path | None) -> list[str]:
    """Warnings about folders with exact or raw data that other users of the machine can read."""
    folders = [lake.root] if landing is None else [lake.root, rejected_folder(landing)]
    warnings = [warning for folder in folders if (warning := open_to_others(folder))]
    if "SPARK_LOCAL_DIRS" in os.environ:
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
        run = Run(job.name, parent.folder, parent.arguments, parent_id)
        run.configuration = parent.configuration
        if not runs:
            run.warnings.extend(parent.warnings)
        runs.append(run)
        job_code = run_job(job, run)
        if job_code not in (ExitCode.DONE, ExitCode.DATA):
            return job_code
        exit_code = max(exit_code, job_code)
    return exit_code


def _run_job(job: Job, context: Context, mirror: Mirror, *, study: bool) -> ExitCode:
    """Runs one job and records its start and end. A study skips a job without its inputs."""
    run = context.run
    run.save()
    mirror.begin(run)
    exit_code, status = ExitCode.FAULT, None
    try:
        job.run(context)
        exit_code = ExitCode.DONE
    except MissingInputError as error:
        if study:
            context.progress.say(str(error))
            exit_code, status = ExitCode.DONE, "passed over"
        else:
            exit_code = _report(error, context.progress)
    except OperatorError as error:
        exit_code = _report(error, context.progress)
    except Exception as error:
        exit_code = _report_crash(error, run, context.progress)
    except BaseException as error:
        if not _is_panic(error):
            status = "interrupted"
            raise
        exit_code = _report_crash(error, run, context.progress)
    finally:
        run.finish(status or _status(exit_code))
        mirror.end(run)
        for warning in run.warnings:
            context.progress.say(f"note: {warning}")
    return exit_code


def _status(exit_code: ExitCode) -> str:
    return {ExitCode.DONE: "done", ExitCode.DATA: "done with refusals"}.get(exit_code, "failed")


def _context(
    spark: SparkSession, lake: Lake, options: argparse.Namespace, run: Run, progress: Progress
) -> Context:
    context = Context(spark, lake, options.conf, options.landing, options.as_of, run, progress)
    context.withdraw = tuple(getattr(options, "withdraw", None) or ())
    return context


def _arguments_as_text(options: argparse.Namespace) -> dict[str, str]:
    """Option -> value as given, with secrets redacted."""
    arguments = {k: str(v) for k, v in vars(options).items() if v is not None}
    if "mlflow" in arguments:
        arguments["mlflow"] = redacted(arguments["mlflow"])
    return arguments


def _tasks(spark: SparkSession) -> tuple[int, int]:
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(s) for s in tracker.getActiveStageIds()]
    active = [s for s in stages if s is not None]
    return sum(s.numCompletedTasks for s in active), sum(s.numTasks for s in active)
