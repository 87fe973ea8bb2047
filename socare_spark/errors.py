"""Errors for the operator and the exit codes of jobs.

An `OperatorError` has a message for the person who runs the job: the finding, the allowed form and
the action. It is printed without a traceback and contains no cell values. Any other exception is an
internal error: the job ends with `ExitCode.FAULT` and the traceback is written to the run log.
"""

from collections.abc import Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of a job, for schedulers."""

    DONE = 0
    FAULT = 1
    CONFIGURATION = 2
    DATA = 3
    NOT_PERMITTED = 4
    LOCKED = 5
    INFRASTRUCTURE = 6


class OperatorError(Exception):
    """An error that the operator can correct; its message is one or two sentences."""

    exit_code = ExitCode.CONFIGURATION


class ConfigurationError(OperatorError):
    """A configuration file, an argument or the environment is invalid.

    Attributes:
        faults: The faults, one or two sentences each; by default the message.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults) or (message,)


def raise_faults(faults: Sequence[str]) -> None:
    """Raises a `ConfigurationError` for one or more faults, with a line for each."""
    if faults:
        raise ConfigurationError("\n".join(faults), faults)


class DataError(OperatorError):
    """Data was refused or is missing."""

    exit_code = ExitCode.DATA


class MissingInputError(DataError):
    """A job lacks its inputs. A study skips the job and continues."""


class MissingSettingsError(MissingInputError):
    """The configuration has no settings of an analysis. A study skips the job and continues."""

    exit_code = ExitCode.CONFIGURATION


class NotPermittedError(OperatorError):
    """The pseudonymisation key is missing, invalid or not the key of the lake."""

    exit_code = ExitCode.NOT_PERMITTED


class LockedError(OperatorError):
    """Another job holds the lock of the lake."""

    exit_code = ExitCode.LOCKED


class InfrastructureError(OperatorError):
    """A disk, a network or a service failed. The same command can succeed later."""

    exit_code = ExitCode.INFRASTRUCTURE
