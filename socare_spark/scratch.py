"""Folders for the data that Spark spills: one per run, for its owner only, removed at its end.

A run holds a lock on its folder, which the system releases however the process ends. The next run
removes the folders that have no lock.
"""

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from socare_spark.errors import InfrastructureError

_NAME = re.compile(r"socare-\d{8}T\d{6}-[0-9a-f]{8}")


@contextmanager
def scratch_folders(roots: Sequence[Path], run_id: str) -> Iterator[list[Path]]:
    """Makes a folder of the run below each root, and removes what killed runs left there.

    Args:
        roots: Folders for temporary data, those of `spark.local.dir`.
        run_id: Identifier of the run.

    Raises:
        InfrastructureError: a root cannot be written.
    """
    with ExitStack() as held:
        folders = []
        for root in roots:
            try:
                root.mkdir(parents=True, exist_ok=True)
                remove_leftovers(root)
                folders.append(held.enter_context(_held(root, f"socare-{run_id}")))
            except OSError as error:
                raise InfrastructureError(
                    f"{root} cannot be used for temporary data ({error.strerror}): let "
                    "spark.local.dir name a folder that this user can write."
                ) from None
        yield folders


@contextmanager
def _held(root: Path, name: str) -> Iterator[Path]:
    """A new folder under a lock; it gets its name once it is locked."""
    new = Path(tempfile.mkdtemp(prefix=".socare-", dir=root))
    lock = os.open(new, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = new.rename(root / name)
    except OSError:
        os.close(lock)
        new.rmdir()
        raise
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_leftovers(root: Path) -> list[Path]:
    """Removes this user's folders of ended runs below a root; returns them."""
    found = [path for path in sorted(root.iterdir()) if _NAME.fullmatch(path.name)]
    return [path for path in found if _is_ours(path) and _removed(path)]


def _is_ours(path: Path) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _removed(path: Path) -> bool:
    """Removes a folder unless a run holds its lock."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
