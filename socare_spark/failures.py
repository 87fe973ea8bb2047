"""Ends a job that fails: messages to the operator, exit codes and tracebacks.

An error of the operator gives one message and an exit code. Another error writes its traceback to
the run log, without text that can contain cell values.
"""

import sys
import traceback
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.errors import PySparkException

from socare_spark.errors import ExitCode, InfrastructureError, OperatorError
from socare_spark.lake.lake import Lake
from socare_spark.lake.transaction import has_unfinished_commits
from socare_spark.storage.storage import Storage
from socare_spark.storage.store_faults import StoreFault, java_classes, store_fault
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run

_MAX_STACK_FRAMES = 12
_PACKAGE = Path(__file__).parent
_DISK_ERRORS = ("No space left on device", "Read-only file system", "Input/output error")


def state_of_tables(storage: Storage) -> str:
    """Clause on the tables of a lake after a job ended early."""
    if has_unfinished_commits(Lake(storage)):
        return "tables of the last step are incomplete, and the next run restores them first"
    return "every table is at its last commit"


def is_panic(error: BaseException) -> bool:
    """Whether an error is a panic of a Rust library, as delta-rs raises on a full disk."""
    return type(error).__name__ == "PanicException"


def report_error(error: OperatorError, progress: Progress) -> ExitCode:
    """Prints the message of an operator's error. Returns its exit code."""
    progress.console.print(str(error), style="bold red", markup=False)
    return error.exit_code


def report_crash(error: BaseException, run: Run | None, progress: Progress) -> ExitCode:
    """Prints a message for any other error and writes its traceback to the run log.

    Args:
        error: The error.
        run: The run; None before its lake is open.
        progress: Prints the message.

    Returns:
        The exit code.
    """
    if run is not None:
        try:
            run.storage.check_held()
        except InfrastructureError as loss:
            # The loss of the lock ends running queries, which is this error.
            return report_error(loss, progress)
    fault = store_fault(error)
    if _spark_has_ended():
        message = "Spark ended, on request or for lack of memory: run the same command again"
        exit_code = ExitCode.INFRASTRUCTURE
    elif fault is StoreFault.REFUSED:
        message = (
            f"Access was refused ({_description(error)}): check the rights of this user and, for a "
            "store, the credentials in Spark's configuration, and run the same command again"
        )
        exit_code = ExitCode.NOT_PERMITTED
    elif (
        fault is StoreFault.FAILED
        or any(sign in str(error) for sign in _DISK_ERRORS)
        or is_panic(error)
    ):
        message = (
            f"A disk or a connection failed, or a store is full ({_description(error)}): repair it "
            "and run the same command again"
        )
        exit_code = ExitCode.INFRASTRUCTURE
    else:
        message, exit_code = "The job failed because of an internal error", ExitCode.FAULT
    # A store that failed would fail again, after minutes.
    if fault is not None and run is not None and run.storage.disk is None:
        progress.console.print(f"{message}.", style="bold red", markup=False)
        return exit_code
    location = _write_traceback(error, run)
    state = "" if run is None else f"; {state_of_tables(run.storage)}"
    progress.console.print(
        f"{message}{state}. The traceback is in {location}",
        style="bold red",
        markup=False,
    )
    return exit_code


def _description(error: BaseException) -> str:
    """The class of an error and the file that it names, without a message of a library."""
    kind = getattr(error, "strerror", None) or (java_classes(error) or [type(error).__name__])[0]
    name = getattr(error, "filename", None)
    return f"{kind.rpartition('.')[2]}, {name}" if name else kind.rpartition(".")[2]


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


def _write_traceback(error: BaseException, run: Run | None) -> str:
    """Writes the traceback to the run log.

    Only messages of this package are logged. Those of libraries can contain cell values.

    Returns:
        Path of the log, or `standard error` if the log cannot be written.
    """
    text = "".join(traceback.format_tb(error.__traceback__))
    cause: BaseException | None = error
    while cause is not None:
        message = cause if _is_of_this_package(cause) else _redacted_error(cause)
        text += f"{type(cause).__name__}: {message}\n"
        cause = cause.__cause__
    if run is not None:
        with suppress(OSError):
            run.storage.write(run.log, text.encode())
            return f"{run.storage.location}/{run.log}"
    sys.stderr.write(text)
    return "standard error"


def _is_of_this_package(error: BaseException) -> bool:
    """Whether the package raised an error, and not a library that it calls."""
    if isinstance(error, PySparkException | Py4JError | pa.ArrowException | DeltaError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and _PACKAGE in Path(frames[-1].filename).parents and not is_panic(error)


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
        if lines:
            return "\n".join(lines)
    return "(message withheld because it can contain data)"
