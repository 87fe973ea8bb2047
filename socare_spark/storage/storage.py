"""The interface to a folder with files: the lake, the folder of rejected lines."""

import errno
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class StoredFile:
    """A file of a storage.

    Attributes:
        name: Path below the storage, with forward slashes.
        size: Size in bytes.
        modified: Time of the last change, in seconds since 1970.
    """

    name: str
    size: int
    modified: float


class Storage(Protocol):
    """A folder with files.

    Names are paths below the folder with forward slashes; the empty name is the folder itself. The
    folders of a file need not exist. A method raises `OSError` if the storage fails.
    """

    @property
    def location(self) -> str:
        """The folder, as messages name it."""

    @property
    def disk(self) -> Path | None:
        """The folder if it is on a disk of this machine; None elsewhere."""

    def beside(self, name: str) -> "Storage":
        """The storage of another folder that has the same parent."""

    def uri(self, name: str = "") -> str:
        """A file or a folder as Spark and delta-rs are given it."""

    def delta_options(self) -> dict[str, str]:
        """The options with which delta-rs reads and writes tables."""

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None if there is no such file."""

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        """Writes a small file as a whole or not at all.

        Args:
            name: The file; it is replaced if it exists.
            data: The content.
            durable: Whether the file survives a power cut after the return.
        """

    def replacement(self, name: str) -> AbstractContextManager[Path]:
        """Provides a file of this machine that replaces a stored file when the block ends.

        After an error the stored file is unchanged.
        """

    def names(self, folder: str = "") -> list[str]:
        """Names in a folder, without the folder's own and without order; none if it is missing."""

    def files(self, folder: str = "") -> list[StoredFile]:
        """All files below a folder, in the order of the parts of their names."""

    def is_file(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def remove(self, names: Iterable[str], *, durable: bool = False) -> None:
        """Removes files in the given order. A missing file is no error.

        Args:
            names: The files.
            durable: Whether the files stay removed after a power cut.
        """

    def remove_tree(self, folder: str, *, durable: bool = False) -> None:
        """Removes a folder with all its files. A missing folder is no error."""

    def remove_empty(self, folder: str) -> None:
        """Removes a folder if it has no entry."""

    def fetch(self, name: str) -> Path:
        """A file of this machine with the content of a stored file."""

    def mirror(self) -> Path:
        """A folder of this machine with all files, under their names."""

    @property
    def drafts(self) -> Path:
        """The folder of this machine in which files are made that `keep` stores."""

    def keep(self, path: Path) -> str:
        """Stores a file below `drafts` under the same name, and returns the name."""

    def sync(self, names: Iterable[str]) -> None:
        """Makes files that other programs wrote survive a power cut, in the given order."""

    def held(self, job: str, run_id: str = "") -> AbstractContextManager[None]:
        """Holds the lock of the storage, so that one job at a time writes to it.

        Args:
            job: Name of the job, for the message to other jobs.
            run_id: Id of its run.

        Raises:
            LockedError: another job holds the lock.
            ConfigurationError: the store cannot keep two jobs apart.
            InfrastructureError: the storage cannot be written.
        """

    def check_held(self) -> None:
        """Checks, before a commit, that a lock that `held` took is still held.

        Raises:
            InfrastructureError: the lock is lost.
        """

    def lock_holder(self) -> str | None:
        """A clause on the job that holds the lock; None if no job holds it."""

    def unlock(self) -> str:
        """Removes the lock of a job that has ended without releasing it.

        Returns:
            A sentence on the job that had the lock.
        """

    def exposure(self) -> str | None:
        """A warning if other users of the machine can read the files; None otherwise."""


def read_existing(storage: Storage, name: str) -> bytes:
    """The content of a small file.

    Raises:
        FileNotFoundError: there is no such file.
    """
    content = storage.read(name)
    if content is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return content


def checksum(name: str) -> str:
    """Name of the file in which Hadoop has the checksum of a file on a disk."""
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}.{file}.crc"
