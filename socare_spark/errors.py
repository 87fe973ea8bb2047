"""The operator's fault against ours, and the exit codes that tell them apart.

An `OperatorError` is a sentence for the person who runs the job: what was found, what is allowed
and what to do next. It is printed without a trace and never holds a cell's value. Any other
exception is a fault of this project: it ends the job with `Exit.FAULT` and its trace goes to the
run's log file.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a job's exit code means to whoever scheduled it."""

    DONE = 0
    FAULT = 1
    CONFIGURATION = 2
    DATA = 3
    NOT_PERMITTED = 4
    LOCKED = 5
    INFRASTRUCTURE = 6


class OperatorError(Exception):
    """Something the person who runs the job can put right; its text is one sentence or two."""

    exit_code = ExitCode.CONFIGURATION


class ConfigurationError(OperatorError):
    """A file under the configuration folder, an argument or the environment is not usable."""


class DataError(OperatorError):
    """Data was refused, or is not there."""

    exit_code = ExitCode.DATA


class MissingInputError(DataError):
    """A job lacks what it works on; the other jobs of a study go on, and it is no fault."""


class NotPermittedError(OperatorError):
    """A key or a purpose does not allow what was asked."""

    exit_code = ExitCode.NOT_PERMITTED


class LockedError(OperatorError):
    """Another job works on this lake."""

    exit_code = ExitCode.LOCKED


class InfrastructureError(OperatorError):
    """A disk, a network or a service failed: the same command may succeed later."""

    exit_code = ExitCode.INFRASTRUCTURE
