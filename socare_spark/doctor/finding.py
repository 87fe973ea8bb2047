"""Findings of the job `doctor`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from socare_spark.errors import ExitCode, OperatorError


@dataclass(frozen=True)
class Finding:
    """A finding.

    Attributes:
        subject: The part of the environment.
        text: What was found, and for a fault what to do.
        code: The exit code that jobs would end with; `DONE` if all is well.
    """

    subject: str
    text: str
    code: ExitCode = ExitCode.DONE

    def __str__(self) -> str:
        """A line, or several for a message of several."""
        mark = "ok    " if self.code == ExitCode.DONE else "FAULT "
        return f"{mark} {self.subject:<12} {self.text}"


def findings_of(subject: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings of a check; an error of the check is a finding as well.

    Messages of libraries are withheld, because they can contain secrets and data.
    """
    try:
        yield from check()
    except OperatorError as error:
        yield Finding(subject, str(error), error.exit_code)
    except PermissionError as error:
        text = f"access is denied ({error.strerror}): check the permissions and the credentials"
        yield Finding(subject, text, ExitCode.NOT_PERMITTED)
    except OSError as error:
        text = f"cannot be reached ({error.strerror or type(error).__name__})"
        yield Finding(subject, text, ExitCode.INFRASTRUCTURE)
    except Exception as error:
        yield Finding(subject, f"the check failed ({type(error).__name__})", ExitCode.FAULT)


def worst_code(findings: Iterable[Finding]) -> ExitCode:
    """The highest exit code of findings."""
    return max((finding.code for finding in findings), default=ExitCode.DONE)
