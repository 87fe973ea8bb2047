"""The folder of the extracts: its files on this machine, and their locations for Spark."""

from functools import cached_property
from pathlib import Path

from socare_spark.storage.local import LocalStorage
from socare_spark.storage.storage import Storage, StoredFile


class Landing:
    """The landing folder.

    Attributes:
        storage: The storage of the folder.
    """

    def __init__(self, storage: Storage | Path) -> None:
        """Opens a landing folder.

        Args:
            storage: The storage, or the path of a folder of this machine.
        """
        self.storage = LocalStorage(storage) if isinstance(storage, Path) else storage
        self._copied: dict[str, StoredFile] = {}

    def __str__(self) -> str:
        """The folder, as messages name it."""
        return self.storage.location

    def exists(self) -> bool:
        """Whether the folder exists. An object store has no folders without files."""
        disk = self.storage.disk
        if disk is not None:
            return disk.is_dir()
        return bool(self.storage.names()) and not self.storage.is_file("")

    @cached_property
    def folder(self) -> Path:
        """A folder of this machine with all files: the landing folder, or a copy for this run."""
        if self.storage.disk is None:
            self._copied = {file.name: file for file in self.storage.files()}
        return self.storage.mirror()

    def changed_files(self) -> list[str]:
        """Names of files that changed in the store after they were copied to this machine."""
        if self.storage.disk is not None or not self._copied:
            return []
        now = {file.name: file for file in self.storage.files()}
        return sorted(name for name, file in self._copied.items() if now.get(name) != file)

    def uri(self, path: Path) -> str:
        """The location of a file below `folder` for Spark."""
        return self.storage.uri(path.relative_to(self.folder).as_posix())

    @cached_property
    def rejected(self) -> Storage:
        """The folder of rejected lines, beside the landing folder."""
        return self.storage.beside("rejected")
