"""The command line of all jobs: options, signals and exit codes.

SIGTERM ends the job and leaves each table at its last commit.
"""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import date
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pyspark import SparkContext
from pyspark.sql import SparkSession

from socare_spark.analysis import Job
from socare_spark.errors import ConfigurationError, ExitCode, OperatorError, raise_faults
from socare_spark.failures import is_panic, report_crash, report_error, state_of_tables
from socare_spark.lake.lake import Lake
from socare_spark.runner import STUDY, run_jobs
from socare_spark.scratch import scratch_folders
from socare_spark.session import local_folders, open_session
from socare_spark.storage.landing import Landing
from socare_spark.storage.local import LocalStorage
from socare_spark.storage.location import any_location, check_lake_path
from socare_spark.storage.opening import open_storage
from socare_spark.storage.storage import Storage
from socare_spark.tracking.credentials import redacted, redacted_text, without_credentials
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run, new_id

# The package can be in a zip; the submitted file is in the checkout.
_ROOTS = [Path(p).resolve().parent.parent for p in (sys.argv[0], __file__)]
_CONF = next((r / "conf" for r in _ROOTS if (r / "conf" / "datasets").is_dir()), Path("conf"))
# Files of a run are readable by their owner only, whatever the umask of the shell.
_UMASK = 0o077
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


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
    options.add_argument(
        "--lake",
        type=any_location,
        required=True,
        help="folder of the lake: a path, or a URI s3a://, hdfs://, abfss:// or gs://",
    )
    options.add_argument(
        "--landing",
        type=any_location,
        help="folder of the extracts (ingest, places): a path or a URI",
    )
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
    options.add_argument(
        "--unlock",
        action="store_true",
        help="remove the lock of a job that has ended without releasing the lake, without running "
        "the job; only for a lake on a URI",
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
    _end_with_spark()
    try:
        return int(_run_to_exit_code(selected, name, options, progress, after))
    except _TerminatedError as request:
        # If Spark ended first, the console can be closed.
        with suppress(OSError, SystemExit):
            progress.say(f"Ended on request{_state(options.lake)}.")
        return 128 + request.number


def _state(lake: Path | str) -> str:
    """A clause on the tables of a lake on a disk. Other lakes need Spark, which has ended."""
    return f"; {state_of_tables(LocalStorage(lake))}" if isinstance(lake, Path) else ""


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


def _run_to_exit_code(
    jobs: Sequence[Job],
    name: str,
    options: argparse.Namespace,
    progress: Progress,
    after: Callable[[SparkSession, Lake, Sequence[Run], bool], None] | None,
) -> ExitCode:
    """Runs the jobs and converts each exception to a message and an exit code."""
    run: Run | None = None
    try:
        if not options.conf.is_dir():
            raise ConfigurationError(
                f"{options.conf} is not a folder: --conf must name the folder with the council's "
                "configuration."
            )
        if options.dry_run:
            _check_configuration(options.conf)
        with ExitStack() as resources:
            run_id, arguments = new_id(), _arguments_as_text(options)
            check_lake_path(options.lake)
            if isinstance(options.lake, Path):
                # A lake in use is reported at once, before Spark starts.
                local = LocalStorage(options.lake.resolve())
                if options.unlock:
                    return _unlock(local, progress)
                run = Run(name, local, arguments, run_id=run_id)
                resources.enter_context(local.held(name, run_id))
            folders = resources.enter_context(scratch_folders(local_folders(), run_id))
            spark = open_session(name, folders)
            resources.callback(_stop_session, spark)
            _end_on_signals()
            if run is None:
                storage = open_storage(options.lake, spark, folders[0] / "lake")
                if options.unlock:
                    return _unlock(storage, progress)
                run = Run(name, storage, arguments, run_id=run_id)
                resources.enter_context(storage.held(name, run_id))
            landing = options.landing and Landing(
                open_storage(options.landing, spark, folders[0] / "landing")
            )
            exit_code, lake, runs = run_jobs(spark, jobs, run, options, progress, landing=landing)
            if after is not None and runs:
                after(spark, lake, runs, options.show)
            return exit_code
    except OperatorError as error:
        return report_error(error, progress)
    except Exception as error:
        return report_crash(error, run, progress)
    except BaseException as error:
        if not is_panic(error):
            raise
        return report_crash(error, run, progress)


def _unlock(lake: Storage, progress: Progress) -> ExitCode:
    progress.say(lake.unlock())
    return ExitCode.DONE


def _stop_session(spark: SparkSession) -> None:
    with suppress(Exception):
        spark.stop()


def _check_configuration(conf: Path) -> None:
    """Checks all files of the configuration, for `--dry-run`.

    Raises:
        ConfigurationError: a file is invalid.
    """
    # It imports all analyses, which a job without this option does not need.
    from socare_spark.configuration.check import check_configuration  # noqa: PLC0415

    raise_faults(check_configuration(conf).faults)


def _arguments_as_text(options: argparse.Namespace) -> dict[str, str]:
    """Option -> value as given, with secrets redacted."""
    arguments = {k: str(v) for k, v in vars(options).items() if v is not None}
    if "mlflow" in arguments:
        arguments["mlflow"] = redacted(arguments["mlflow"])
    return arguments
