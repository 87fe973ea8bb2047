"""A storage in a folder of this machine or of a mounted share.

Files that it makes are readable by their owner only, whatever the umask. Folders have
the mode of the umask.
"""

import fcntl
import json
import os
import shlex
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from socare_spark.errors import InfrastructureError, LockedError
from socare_spark.storage.local_files import fsync, replacement
from socare_spark.storage.storage import StoredFile, checksum

_LOCK = ".lock"
_OTHERS = 0o077
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class LocalStorage:
    """A folder of this machine; `Storage` describes the methods.

    Attributes:
        root: The folder.
    """

    root: Path

    def path(self, name: str = "") -> Path:
        """The path of a file or a folder."""
        return self.root / name

    @property
    def location(self) -> str:
        """The folder, as messages name it."""
        return str(self.root)

    @property
    def disk(self) -> Path | None:
        """The folder."""
        return self.root

    def beside(self, name: str) -> "LocalStorage":
        """The storage of another folder that has the same parent."""
        return LocalStorage(self.root.resolve().parent / name)

    def uri(self, name: str = "") -> str:
        """The absolute path of a file or a folder."""
        return str(self.path(name).resolve())

    def delta_options(self) -> dict[str, str]:
        """The options with which delta-rs reads and writes tables."""
        # Some mounted shares have no hard links. The lock allows one writer.
        return {"allow_unsafe_rename": "true"}

    def read(self, name: str) -> bytes | None:
        """The content of a file; None if there is no such file."""
        try:
            return self.path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        """Writes a file as a whole or not at all."""
        with self.replacement(name) as partial, partial.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if durable:
            fsync(self.path(name).parent)

    @contextmanager
    def replacement(self, name: str) -> Iterator[Path]:
        """Provides a file beside a stored file that replaces it when the block ends."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacement(path) as partial:
            os.close(os.open(partial, _NEW_FILE, 0o600))
            yield partial

    def names(self, folder: str = "") -> list[str]:
        """Names in a folder; none if it is missing."""
        try:
            return os.listdir(self.path(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def files(self, folder: str = "") -> list[StoredFile]:
        """All files below a folder, in the order of the parts of their names."""
        found = []
        for path in sorted(self.path(folder).rglob("*")):
            if path.is_file():
                status = path.stat()
                name = path.relative_to(self.root).as_posix()
                found.append(StoredFile(name, status.st_size, status.st_mtime))
        return found

    def is_file(self, name: str) -> bool:
        """Whether there is a file of this name."""
        # A name that is too long, or a folder that is not readable, is no error here.
        return os.path.isfile(self.path(name))

    def remove(self, names: Iterable[str], *, durable: bool = False) -> None:
        """Removes files in the given order."""
        folders = set()
        for name in names:
            path = self.path(name)
            with suppress(NotADirectoryError):
                path.unlink(missing_ok=True)
            folders.add(path.parent)
        if durable:
            for folder in filter(Path.is_dir, folders):
                fsync(folder)

    def remove_tree(self, folder: str, *, durable: bool = False) -> None:
        """Removes a folder with all its files."""
        path = self.path(folder)
        if path.exists():
            shutil.rmtree(path)
            if durable:
                fsync(path.parent)

    def remove_empty(self, folder: str) -> None:
        """Removes a folder if it has no entry."""
        path = self.path(folder)
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()

    def fetch(self, name: str) -> Path:
        """The file itself."""
        return self.path(name)

    def mirror(self) -> Path:
        """The folder itself."""
        return self.root

    @property
    def drafts(self) -> Path:
        """The folder itself."""
        return self.root

    def keep(self, path: Path) -> str:
        """Returns the name of a file, which is in its place already."""
        return path.relative_to(self.root).as_posix()

    def sync(self, names: Iterable[str]) -> None:
        """Syncs files to disk in the given order, and then their folders."""
        folders: set[Path] = set()
        for name in names:
            path = self.path(name)
            # Hadoop has a checksum file beside each file and verifies it when it reads.
            for written in (path, self.path(checksum(name))):
                if written.exists():
                    fsync(written)
            folders |= {p for p in path.parents if p.is_relative_to(self.root)}
        # Deepest folders first: a folder must be on disk before its entry in the parent.
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            fsync(folder)

    @contextmanager
    def held(self, job: str, run_id: str = "") -> Iterator[None]:
        """Holds the lock. The operating system releases it when the process ends."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = self.path(_LOCK).open("a+", encoding="utf-8")
        except OSError as error:
            raise InfrastructureError(
                f"The lake {self.root} cannot be written ({error.strerror}): check the path and "
                "its permissions."
            ) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LockedError(
                    f"The lake {self.root} is in use{self._holder()}: run again when that job has "
                    "ended."
                ) from None
            file.seek(0)
            file.truncate()
            holder = {"job": job, "run": run_id, "host": socket.gethostname(), "pid": os.getpid()}
            json.dump(holder, file)
            file.flush()
            yield

    def lock_holder(self) -> str | None:
        """A clause on the job that holds the lock; None if no job holds it."""
        try:
            with self.path(_LOCK).open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return f"in use{self._holder()}"
        return None

    def check_held(self) -> None:
        """Does nothing: a process cannot lose the lock."""

    def unlock(self) -> str:
        """Returns a sentence only: no lock remains of a job that has ended."""
        return (
            f"The lake {self.root} is on a disk, where the operating system releases the lock when "
            "the process of its job ends. Nothing was changed."
        )

    def _holder(self) -> str:
        try:
            holder = json.loads(self.path(_LOCK).read_text("utf-8"))
            return f" by the job {holder['job']}, process {holder['pid']} on {holder['host']}"
        except (OSError, ValueError, KeyError):
            return ""

    def exposure(self) -> str | None:
        """A warning if other users of the machine have access to the folder; None otherwise."""
        if not self.root.is_dir():
            return None
        mode = self.root.stat().st_mode & 0o777
        if not mode & _OTHERS:
            return None
        return (
            f"{self.root} is open to other users (mode {mode:o}) and contains exact data: "
            f"close it with chmod -R go-rwx {shlex.quote(str(self.root))}"
        )
