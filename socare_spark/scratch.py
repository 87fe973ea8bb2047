"""Folders for temporary data of Spark: one for each run, owner-only, removed at its end.

A run holds a lock on its folder. The operating system releases the lock when the process ends. The
next run removes folders without a lock.
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
    """Creates a folder of the run below each root and removes the folders of ended runs.

    Args:
        roots: Folders for temporary data, those of `spark.local.dir`.
        run_id: Id of the run.

    Yields:
        The folders of the run.

    Raises:
        InfrastructureError: a root cannot be written.
    """
    with ExitStack() as locks:
        folders = []
        for root in roots:
            try:
                root.mkdir(parents=True, exist_ok=True)
                remove_leftovers(root)
                folders.append(locks.enter_context(_locked_folder(root, f"socare-{run_id}")))
            except OSError as error:
                raise InfrastructureError(
                    f"{root} cannot be used for temporary data ({error.strerror}): set "
                    "spark.local.dir to a folder that this user can write."
                ) from None
        yield folders


@contextmanager
def _locked_folder(root: Path, name: str) -> Iterator[Path]:
    """Creates a folder and locks it for the block. The folder gets its name after the lock."""
    temporary = Path(tempfile.mkdtemp(prefix=".socare-", dir=root))
    lock = os.open(temporary, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = temporary.rename(root / name)
    except OSError:
        os.close(lock)
        temporary.rmdir()
        raise
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_leftovers(root: Path) -> list[Path]:
    """Removes this user's folders of ended runs below a root. Returns the removed folders."""
    folders = [path for path in sorted(root.iterdir()) if _NAME.fullmatch(path.name)]
    return [path for path in folders if _is_own_folder(path) and _remove_unless_locked(path)]


def _is_own_folder(path: Path) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _remove_unless_locked(path: Path) -> bool:
    """Removes a folder unless a run holds its lock. Returns whether it was removed."""
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
