"""Files of this machine: digests, files that replace others as a whole, and files on disk."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Added to the name of a file while it is written.
PARTIAL = ".partial"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as stored, which may be compressed.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacement(path: Path, ending: str = PARTIAL) -> Iterator[Path]:
    """Provides the path of a new file that replaces another one when the block ends.

    Readers see the old file or the complete new one. After an error the new file is removed and the
    old one is unchanged.

    Args:
        path: The file to replace; it need not exist.
        ending: Added to the name of the file for the new one.
    """
    partial = path.with_name(f"{path.name}{ending}")
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def fsync(path: Path) -> None:
    """Syncs a file, or the entries of a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
