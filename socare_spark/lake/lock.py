"""One job at a time works on a lake: folders have no concurrent writers of their own."""

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
    """Holds the lake's lock; the system lets go of it however the process ends.

    Raises:
        LockedError: another job holds it.
        InfrastructureError: the folder cannot be made or written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        file = (root / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(
            f"The lake {root} cannot be written ({error.strerror}): check the path and its rights."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LockedError(
                f"The lake {root} is in use{_holder(file.name)}: run again when it has ended."
            ) from None
        file.seek(0)
        file.truncate()
        json.dump({"job": job, "host": socket.gethostname(), "pid": os.getpid()}, file)
        file.flush()
        yield


def _holder(path: str) -> str:
    try:
        held = json.loads(Path(path).read_text("utf-8"))
        return f" by the job {held['job']}, process {held['pid']} on {held['host']}"
    except (OSError, ValueError, KeyError):
        return ""
