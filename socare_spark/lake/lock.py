"""Locks a lake so that one job at a time writes to it."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socare_spark.errors import InfrastructureError, LockedError


@contextmanager
def locked(root: Path, job: str) -> Iterator[None]:
    """Holds the lock of a lake. The operating system releases it when the process ends.

    Args:
        root: Folder of the lake; it is created if missing.
        job: Name of the job, for the message to other jobs.

    Raises:
        LockedError: another job holds the lock.
        InfrastructureError: the folder cannot be created or written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        file = (root / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(
            f"The lake {root} cannot be written ({error.strerror}): check the path and its "
            "permissions."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LockedError(
                f"The lake {root} is in use{_holder(file.name)}: run again when that job has ended."
            ) from None
        file.seek(0)
        file.truncate()
        json.dump({"job": job, "host": socket.gethostname(), "pid": os.getpid()}, file)
        file.flush()
        yield


def _holder(path: str) -> str:
    try:
        holder = json.loads(Path(path).read_text("utf-8"))
        return f" by the job {holder['job']}, process {holder['pid']} on {holder['host']}"
    except (OSError, ValueError, KeyError):
        return ""
