"""Tracebacks in the log of a run."""

from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from socare_spark.contracts.periods import Calendar
from socare_spark.errors import ExitCode, InfrastructureError
from socare_spark.failures import report_crash
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
