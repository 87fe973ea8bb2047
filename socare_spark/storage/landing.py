"""The folder of the extracts: its files on this machine, and their locations for Spark."""

from functools import cached_property
from pathlib import Path

from socare_spark.storage.local import LocalStorage
from socare_spark.storage.storage import Storage


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

    def __str__(self) -> str:
        """The folder, as messages name it."""
        return self.storage.location

    def exists(self) -> bool:
        """Whether the folder exists. An object store has no folders without files."""
        disk = self.storage.disk
        return bool(self.storage.names()) if disk is None else disk.is_dir()

    @cached_property
    def folder(self) -> Path:
        """A folder of this machine with all files: the landing folder, or a copy for this run."""
        return self.storage.mirror()

    def uri(self, path: Path) -> str:
        """The location of a file below `folder` for Spark."""
        return self.storage.uri(path.relative_to(self.folder).as_posix())

    @cached_property
    def rejected(self) -> Storage:
        """The folder of rejected lines, beside the landing folder."""
        return self.storage.beside("rejected")
