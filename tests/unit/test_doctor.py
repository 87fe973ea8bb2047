"""Findings of doctor, and the view of an executor."""

import errno

import pytest

from socare_spark.doctor.finding import Finding, findings_of, worst_code
from socare_spark.errors import ConfigurationError, ExitCode, LockedError
from socare_spark.executor_view import missing_files


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigurationError("set it"), ExitCode.CONFIGURATION, "set it"),
        (LockedError("in use"), ExitCode.LOCKED, "in use"),
        (
            PermissionError(errno.EACCES, "AccessDenied", "x"),
            ExitCode.NOT_PERMITTED,
            "AccessDenied",
        ),
        (ConnectionError(errno.EIO, "UnknownHost", "x"), ExitCode.INFRASTRUCTURE, "UnknownHost"),
        (ValueError("a cell"), ExitCode.FAULT, "ValueError"),
    ],
)
def test_an_error_of_a_check_is_a_finding(error, code, text):
    def check():
        yield Finding("lake", "first")
        raise error

    first, second = findings_of("lake", check)
    assert first == Finding("lake", "first")
    assert second.code == code
    assert text in str(second)
    assert str(second).startswith("FAULT")
    assert "a cell" not in str(second)


def test_the_highest_code_is_the_exit_code():
    codes = [ExitCode.DONE, ExitCode.INFRASTRUCTURE, ExitCode.CONFIGURATION]
    assert worst_code([Finding("a", "b", code) for code in codes]) == ExitCode.INFRASTRUCTURE
    assert worst_code([]) == ExitCode.DONE


def test_a_file_of_another_size_is_another_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"123")
    assert missing_files({str(path): 3}) == ()
    assert missing_files({str(path): 4, str(tmp_path / "b"): 0}) == (
        str(path),
        str(tmp_path / "b"),
    )
