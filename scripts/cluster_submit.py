"""Runs spark-submit in cluster mode and ends with the exit code of the job.

In this mode spark-submit ends with 0 or 1, whatever the job ends with. The manager of the cluster
reports the exit code of the driver in the output of spark-submit. scripts/submit calls this.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from socare_spark.errors import ExitCode

# YARN reports the code of the driver; Kubernetes that of the container.
_CODES = (
    re.compile(r"User application exited with status (\d+)"),
    re.compile(r"^\s*exit code: (\d+)\s*$"),
)
# Kubernetes reports each container of the pod. The driver's name is that of the pod template, or
# Spark's.
_CONTAINER = re.compile(r"^\s*container name: (\S+)\s*$")
_DRIVERS = ("spark", "spark-kubernetes-driver")
# The name of the running application, with which an operator ends it.
_APPLICATIONS = (
    (re.compile(r"Submitted application (application_\w+)"), "yarn application -kill {}"),
    (
        re.compile(r"submission ID (\S+:\S+)"),
        "spark-submit --master k8s://https://HOST:PORT --kill {}",
    ),
)
# Names of settings with a secret as value, and names that contain only a reference to one.
_SECRET = re.compile(
    r"secret|password|token|access[.]?key|account[.]key|encryption[.]key|socare[._]key(?!_file)|sas[.]",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"secretKeyRef|[.]secrets[.]|provider|tokenfile|[.]enabled$", re.IGNORECASE)
_NOT_STARTED = (
    "The job did not report an exit code: its driver was not started, or was ended from outside. "
    "See the messages of the cluster above, and the log of the driver there."
)


class CodeReader:
    """Finds the exit code of the job and the name of the application in the output of spark-submit.

    Attributes:
        code: The exit code of the driver; None if the output has none yet.
        end_command: The command that ends the application; None if it has no name yet.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        self.end_command: str | None = None
        self._is_driver = True

    def read(self, line: str) -> None:
        """Reads a line of the output."""
        if container := _CONTAINER.search(line):
            self._is_driver = container[1] in _DRIVERS
        for pattern in _CODES:
            if self._is_driver and (found := pattern.search(line)):
                self.code = int(found[1])
        for pattern, command in _APPLICATIONS:
            if found := pattern.search(line):
                self.end_command = command.format(found[1])

    def exit_code(self, submitted: int) -> int:
        """The exit code to end with.

        Args:
            submitted: The exit code of spark-submit.

        Returns:
            The code of the job; that of an infrastructure error if spark-submit failed without it.
        """
        if self.code is not None:
            return self.code
        return ExitCode.INFRASTRUCTURE if submitted else ExitCode.DONE


def secret_settings(settings: Mapping[str, str]) -> list[str]:
    """Names of the settings that have a secret as value.

    Args:
        settings: Name -> value, as in a properties file.
    """
    return sorted(
        name
        for name, value in settings.items()
        if _SECRET.search(name) and not _REFERENCE.search(name) and value
    )


def read_settings(path: Path) -> dict[str, str]:
    """The settings of a properties file."""
    settings = {}
    # A line that ends with a backslash continues.
    text = re.sub(r"\\\n\s*", "", path.read_text("utf-8"))
    for line in text.splitlines():
        name, _, value = re.sub(r"^\s*(\S+?)\s*[\s=:]\s*", "\\1\0", line).partition("\0")
        if name and not name.lstrip().startswith(("#", "!")):
            settings[name] = value.strip()
    return settings


def refusal_of_secrets(path: Path) -> str | None:
    """A message if a properties file has secrets, which a cluster would show in clear text."""
    names = secret_settings(read_settings(path))
    if not names:
        return None
    return (
        f"{path} has a secret in {', '.join(names)}. In cluster mode, settings are stored in clear "
        "text on the cluster: remove it, and use a role, the secret of a pod, or Hadoop's "
        "credential provider (docs/platforms.md)."
    )


def run(command: Sequence[str]) -> int:
    """Runs spark-submit, prints its output, and returns the exit code of the job."""
    reader = CodeReader()
    process = subprocess.Popen(  # noqa: S603 - the command of scripts/submit
        command, stderr=subprocess.PIPE, text=True, errors="replace"
    )

    def end(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)
        # The job continues on the cluster.
        if reader.end_command:
            print(f"The job continues. To end it: {reader.end_command}", file=sys.stderr)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    _copy(process.stderr or (), reader)
    submitted = process.wait()
    if submitted < 0:
        return 128 - submitted
    if reader.code is None and submitted:
        print(_NOT_STARTED, file=sys.stderr)
    return reader.exit_code(submitted)


def _copy(lines: Iterable[str], reader: CodeReader) -> None:
    for line in lines:
        reader.read(line)
        if "Using incubator modules" not in line:
            sys.stderr.write(line)
            sys.stderr.flush()


def main() -> int:
    """Runs the command of the arguments; the first argument is the properties file."""
    refusal = refusal_of_secrets(Path(sys.argv[1]))
    if refusal:
        print(refusal, file=sys.stderr)
        return ExitCode.CONFIGURATION
    return run(sys.argv[2:])


if __name__ == "__main__":
    raise SystemExit(main())
