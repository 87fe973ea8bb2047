"""The command line that all jobs share: options, signals, exit codes, what an operator is told.

An operator's mistake is one sentence and an exit code. A fault of ours keeps its trace in the run's
log file. SIGTERM ends the job; every table is then at its last commit.
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

# The package may come in a zip; the submitted file lies in the checkout.
_ROOTS = [Path(p).resolve().parent.parent for p in (sys.argv[0], __file__)]
_CONF = next((r / "conf" for r in _ROOTS if (r / "conf" / "datasets").is_dir()), Path("conf"))
STUDY = "study"
_MAX_STACK_FRAMES = 12
# Files of a run are for its owner only, whatever the shell's mask is.
_UMASK = 0o077
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# They print failed queries, which may quote a cell.
_LEAKY_LOGGERS = ("py4j", "SQLQueryContextLogger", "DataFrameQueryContextLogger")
_DISK_ERRORS = ("No space left on device", "Read-only file system", "Input/output error")


class _Parser(argparse.ArgumentParser):
    """Repeats what was typed without the secrets in it."""

    def error(self, message: str) -> NoReturn:
        """Ends the process with a message on usage."""
        super().error(redacted_text(message))


class _TerminatedError(BaseException):
    """A signal asked the process to end; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """The options common to all jobs."""
    options = _Parser(
        prog=name,
        description=description,
        epilog="Exit codes: 0 done, 1 our fault (see the log), 2 configuration or usage, 3 data "
        "refused or missing, 4 not permitted, 5 lake in use, 6 infrastructure, try again.",
    )
    options.add_argument("--lake", type=Path, required=True, help="folder of the lake")
    options.add_argument("--landing", type=Path, help="folder of the extracts (ingest, places)")
    options.add_argument(
        "--conf", type=Path, default=_CONF, help="folder of the council's configuration"
    )
    options.add_argument(
        "--as-of",
        type=_day,
        help="day to which open agreements run, as 2016-12-31; default: the newest extract's",
    )
    options.add_argument(
        "--mlflow",
        metavar="URI",
        help="tracking server; default: a database in the lake; 'off' for none; user and password "
        "are better in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    )
    options.add_argument(
        "--dry-run", action="store_true", help="say what would be read and written, and do nothing"
    )
    return options


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day is written as 2016-12-31") from None


def main(
    jobs: Job | Sequence[Job],
    arguments: Sequence[str] | None = None,
    after: Callable[[SparkSession, Lake, Sequence[Run], bool], None] | None = None,
) -> int:
    """Runs one job, or several in one session as a study; returns the exit code.

    Args:
        jobs: The job or jobs.
        arguments: The command line; that of the process by default.
        after: Is called at the end of a study with the session, the lake, the jobs' runs and
            whether their figures are to be printed in any case.
    """
    os.umask(_UMASK)
    several = [jobs] if isinstance(jobs, Job) else list(jobs)
    name = several[0].name if isinstance(jobs, Job) else STUDY
    description = (
        several[0].description if isinstance(jobs, Job) else "Run all jobs in one session."
    )
    named = parser(name, description)
    if name == STUDY:
        names = [job.name for job in several]
        only = f"these jobs alone, in the order of the study: {', '.join(names)}"
        named.add_argument("--jobs", nargs="+", choices=names, metavar="JOB", help=only)
        named.add_argument(
            "--show",
            action="store_true",
            help="print figures, small counts included, where output is not a terminal too",
        )
    elif several[0].options is not None:
        several[0].options(named)
    options = named.parse_args(arguments)
    options.mlflow = options.mlflow and without_credentials(options.mlflow)
    if name == STUDY and options.jobs:
        several = [job for job in several if job.name in options.jobs]
    progress = Progress()
    _end_on_signals()
    for talker in _LEAKY_LOGGERS:
        logging.getLogger(talker).setLevel(logging.CRITICAL)
    _end_with_spark()
    try:
        return int(_run_to_exit_code(several, name, options, progress, after))
    except _TerminatedError as request:
        # Where Spark ended first, nobody reads what is printed.
        with suppress(OSError, SystemExit):
            progress.say(f"Ended on request; {_state_of_tables(options.lake)}.")
        return 128 + request.number


def _end_with_spark() -> None:
    """Ends this process when spark-submit does, which keeps a signal to itself."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _end_on_signals() -> None:
    """Ends the job at SIGTERM and at Ctrl-C alike; the session takes the latter for itself."""
    for number in _STOP_SIGNALS:
        signal.signal(number, _terminate)


def _terminate(number: int, _frame: FrameType | None) -> None:
    for ignored in _STOP_SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    # Threads that wait for Spark would hold the process until their queries end.
    threading.Thread(target=_stop_spark, daemon=True).start()
    raise _TerminatedError(number)


def _stop_spark() -> None:
    context = SparkContext._active_spark_context
    with suppress(Exception):
        if context is not None:
            context._jsc.sc().stop()


def _state_of_tables(folder: Path) -> str:
    if has_unfinished_commits(Lake(folder)):
        return "tables of the last step are between two states, which the next run repairs first"
    return "every table is at its last commit"


def _run_to_exit_code(
    jobs: Sequence[Job],
    name: str,
    options: argparse.Namespace,
    progress: Progress,
    after: Callable[[SparkSession, Lake, Sequence[Run], bool], None] | None,
) -> ExitCode:
    """Turns whatever happens into an exit code and a sentence."""
    folder = options.lake / "runs"
    run = Run(name, folder, _arguments_as_text(options))
    try:
        if not options.conf.is_dir():
            raise ConfigurationError(
                f"{options.conf} is not a folder: --conf must name the council's configuration."
            )
        check_lake_path(options.lake)
        with (
            locked(options.lake, name),
            scratch_folders(local_folders(), run.run_id) as folders,
        ):
            spark = open_session(name, folders)
            _end_on_signals()
            try:
                ending, lake, runs = run_jobs(spark, jobs, run, options, progress)
                if after is not None and runs:
                    after(spark, lake, runs, options.show)
                return ending
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
    """Whether a library written in Rust gave up, as delta-rs does on a full disk."""
    return type(error).__name__ == "PanicException"


def _report(error: OperatorError, progress: Progress) -> ExitCode:
    progress.console.print(str(error), style="bold red", markup=False)
    return error.exit_code


def _report_crash(error: BaseException, run: Run, progress: Progress) -> ExitCode:
    if _spark_has_gone():
        sentence = "Spark ended, on request or for want of memory: run the same command again"
        ending = ExitCode.INFRASTRUCTURE
    elif (
        any(sign in str(error) for sign in _DISK_ERRORS)
        or isinstance(error, ConnectionError)
        or _is_panic(error)
    ):
        sentence = "A disk or a connection failed: see to it and run the same command again"
        ending = ExitCode.INFRASTRUCTURE
    else:
        sentence, ending = "The job broke off through a fault of this software", ExitCode.FAULT
    where = _write_traceback(error, run)
    progress.console.print(
        f"{sentence}; {_state_of_tables(run.folder.parent)}. The trace is in {where}",
        style="bold red",
        markup=False,
    )
    return ending


def _spark_has_gone() -> bool:
    """Whether the Java side of the session no longer answers."""
    context = SparkContext._active_spark_context
    if context is None or context._jvm is None:
        return False
    try:
        context._jvm.java.lang.System.nanoTime()
    except (Py4JError, OSError):
        return True
    return False


def _write_traceback(error: BaseException, run: Run) -> str:
    """Writes the trace to the run's log; of errors that may quote cells the class alone."""
    text = "".join(traceback.format_tb(error.__traceback__))
    cause: BaseException | None = error
    while cause is not None:
        quoted = isinstance(cause, PySparkException | pa.ArrowException | DeltaError)
        quoted |= "py4j" in type(cause).__module__ or _is_panic(cause)
        text += f"{type(cause).__name__}: {_redacted_error(cause) if quoted else cause}\n"
        cause = cause.__cause__
    with suppress(OSError):
        run.log.parent.mkdir(parents=True, exist_ok=True)
        run.log.write_text(text, "utf-8")
        return str(run.log)
    sys.stderr.write(text)
    return "standard error"


def _redacted_error(error: BaseException) -> str:
    """What can be told of such an error: Spark's condition, or Java's classes and places."""
    with suppress(Exception):
        if isinstance(error, PySparkException) and error.getCondition():
            return f"{error.getCondition()} {error.getSqlState() or ''}".strip()
        thrown = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
        lines = []
        while thrown is not None:
            lines.append(thrown.getClass().getName())
            lines += [f"    {place}" for place in list(thrown.getStackTrace())[:_MAX_STACK_FRAMES]]
            thrown = thrown.getCause()
        return "\n".join(lines)
    return "(text withheld, it may quote data)"


def run_jobs(
    spark: SparkSession,
    jobs: Sequence[Job],
    run: Run,
    options: argparse.Namespace,
    progress: Progress,
) -> tuple[ExitCode, Lake, list[Run]]:
    """Runs jobs in a session that is there, and leaves it; returns how they ended and their runs.

    The caller holds the lake's lock.
    """
    progress.tasks = lambda: _tasks(spark)
    lake = Lake(options.lake.resolve())
    if has_unfinished_commits(lake) and options.dry_run:
        progress.say("a run broke off: the next run brings its tables back first")
    else:
        for name in roll_back(spark, lake):
            progress.say(f"{name}: brought back to its state before a run that broke off")
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
    dead = close_dead_runs(run.folder)
    for run_id in dead:
        progress.say(f"the run {run_id} broke off; its record is closed")
    if dead:
        mirror.close_dead(dead)
    if study:
        run.save()
        mirror.begin(run)

    def run_job(job: Job, one: Run) -> ExitCode:
        context = _context(spark, lake, options, one, progress)
        return _run_job(job, context, mirror, study=study)

    runs: list[Run] = []
    status = "interrupted"
    try:
        ending = _run_in_order(jobs, run, runs, run_job)
        status = _status(ending)
    finally:
        if study:
            run.finish(status)
            mirror.end(run)
        mirror.close()
    return ending, lake, runs


def _access_warnings(lake: Lake, landing: Path | None) -> list[str]:
    """Warnings on folders where other users of the machine can read exact or raw data."""
    folders = [lake.root] if landing is None else [lake.root, rejected_folder(landing)]
    warnings = [warning for folder in folders if (warning := open_to_others(folder))]
    if "SPARK_LOCAL_DIRS" in os.environ:
        warnings.append(
            "SPARK_LOCAL_DIRS is set, so spilled data are not in a folder of this run and stay "
            "where the run is killed: unset it and let spark.local.dir name the folder"
        )
    return warnings


def _run_in_order(
    jobs: Sequence[Job], parent: Run, runs: list[Run], run_job: Callable[[Job, Run], ExitCode]
) -> ExitCode:
    """Runs jobs one after another, and adds their runs; stops at the first that fails."""
    ending = ExitCode.DONE
    for job in jobs:
        of = parent.run_id if parent.job == STUDY else None
        run = Run(job.name, parent.folder, parent.arguments, of)
        run.configuration = parent.configuration
        if not runs:
            run.warnings.extend(parent.warnings)
        runs.append(run)
        last = run_job(job, run)
        if last not in (ExitCode.DONE, ExitCode.DATA):
            return last
        ending = max(ending, last)
    return ending


def _run_job(job: Job, context: Context, mirror: Mirror, *, study: bool) -> ExitCode:
    """Runs one job between its records; in a study, a job that lacks its data is passed over."""
    run = context.run
    run.save()
    mirror.begin(run)
    ending, status = ExitCode.FAULT, None
    try:
        job.run(context)
        ending = ExitCode.DONE
    except MissingInputError as error:
        if study:
            context.progress.say(str(error))
            ending, status = ExitCode.DONE, "passed over"
        else:
            ending = _report(error, context.progress)
    except OperatorError as error:
        ending = _report(error, context.progress)
    except Exception as error:
        ending = _report_crash(error, run, context.progress)
    except BaseException as error:
        if not _is_panic(error):
            status = "interrupted"
            raise
        ending = _report_crash(error, run, context.progress)
    finally:
        run.finish(status or _status(ending))
        mirror.end(run)
        for warning in run.warnings:
            context.progress.say(f"note: {warning}")
    return ending


def _status(ending: ExitCode) -> str:
    return {ExitCode.DONE: "done", ExitCode.DATA: "done with refusals"}.get(ending, "failed")


def _context(
    spark: SparkSession, lake: Lake, options: argparse.Namespace, run: Run, progress: Progress
) -> Context:
    context = Context(spark, lake, options.conf, options.landing, options.as_of, run, progress)
    context.withdraw = tuple(getattr(options, "withdraw", None) or ())
    return context


def _arguments_as_text(options: argparse.Namespace) -> dict[str, str]:
    """The options as given, but for secrets."""
    given = {k: str(v) for k, v in vars(options).items() if v is not None}
    if "mlflow" in given:
        given["mlflow"] = redacted(given["mlflow"])
    return given


def _tasks(spark: SparkSession) -> tuple[int, int]:
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(s) for s in tracker.getActiveStageIds()]
    known = [s for s in stages if s is not None]
    return sum(s.numCompletedTasks for s in known), sum(s.numTasks for s in known)
