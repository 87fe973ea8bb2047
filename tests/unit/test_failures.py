"""Exit codes and messages of failures, and tracebacks in the log of a run."""

import errno
from io import StringIO

import pandas as pd
import pytest
from deltalake.exceptions import DeltaError
from rich.console import Console

from socare_spark.contracts.periods import Calendar
from socare_spark.errors import ExitCode, InfrastructureError
from socare_spark.failures import report_crash
from socare_spark.runner import _finish
from socare_spark.storage.local import LocalStorage
from socare_spark.tracking.progress import Progress
from socare_spark.tracking.run import Run


def raised(action):
    with pytest.raises((ValueError, KeyError), match=r"\w") as caught:
        action()
    return caught.value


@pytest.mark.parametrize(
    ("action", "is_logged"),
    [
        (lambda: pd.Series(["SMITH"]).astype("float64"), False),
        (lambda: pd.Series({"a": 1})["SMITH"], False),
        (lambda: Calendar().last("SMITH"), True),
    ],
)
def test_messages_of_libraries_are_not_logged(tmp_path, action, is_logged):
    run = Run("use", LocalStorage(tmp_path), {})
    error = raised(action)
    assert report_crash(error, run, Progress(Console(quiet=True))) == ExitCode.FAULT
    log = run.storage.read(run.log).decode()
    assert type(error).__name__ in log
    assert (str(error) in log) == is_logged


def test_an_error_after_the_loss_of_the_lock_is_reported_as_that_loss(tmp_path, monkeypatch):
    def check_held(_):
        raise InfrastructureError("This run has lost the lock.")

    monkeypatch.setattr(LocalStorage, "check_held", check_held)
    run, console = Run("use", LocalStorage(tmp_path), {}), Console(record=True, file=StringIO())
    code = report_crash(ValueError("a cancelled query"), run, Progress(console))
    assert code == ExitCode.INFRASTRUCTURE
    assert console.export_text().strip() == "This run has lost the lock."
    assert run.storage.read(run.log) is None


@pytest.mark.parametrize(
    ("error", "code", "named"),
    [
        (PermissionError(errno.EACCES, "AccessDeniedException", "s3a://b/x"), 4, "s3a://b/x"),
        (PermissionError(errno.EACCES, "Permission denied", "/lake/x"), 4, "denied, /lake/x"),
        (OSError("Generic S3 error: ... returned 403 Forbidden: SECRET"), 4, "OSError"),
        (ConnectionError(errno.EIO, "AWSStatus500Exception", "s3a://b/x"), 6, "AWSStatus500"),
        (DeltaError("Generic S3 error: SECRET: error sending request"), 6, "DeltaError"),
        (OSError(errno.ENOSPC, "No space left on device"), 6, "No space left"),
        (DeltaError("Invalid table version: 7"), 1, ""),
        # A message that is not of a store can contain a cell.
        (ValueError("403 Forbidden SECRET"), 1, ""),
    ],
)
def test_faults_of_stores_have_their_exit_codes(tmp_path, error, code, named):
    run = Run("use", LocalStorage(tmp_path), {})
    console = Console(record=True, file=StringIO(), width=500)
    assert report_crash(error, run, Progress(console)) == code
    text = console.export_text()
    assert named in text
    assert "SECRET" not in text


class GoneStorage(LocalStorage):
    """A storage that is on no disk of this machine and does not answer."""

    disk = None

    def write(self, name, data, *, durable=False):
        raise ConnectionError(errno.EIO, "ConnectException", name)


def test_a_store_that_failed_is_not_asked_again(tmp_path, capsys):
    run, console = Run("use", GoneStorage(tmp_path), {}), Console(record=True, file=StringIO())
    error = ConnectionError(errno.EIO, "ConnectException", "x")
    assert report_crash(error, run, Progress(console)) == ExitCode.INFRASTRUCTURE
    assert "run the same command again" in " ".join(console.export_text().split())
    assert capsys.readouterr().err == ""
    _finish(run, "failed", ExitCode.INFRASTRUCTURE)
    with pytest.raises(ConnectionError):
        _finish(run, "done", ExitCode.DONE)
