"""A storage in a folder that Hadoop's file systems reach, through the session's Java process.

It uses the configuration and the identity of Spark. A file is written as a whole: on an object
store by one upload, which shows the object when it is complete; elsewhere under another name, which
is then renamed.
"""

import errno
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import SparkSession

from socare_spark.errors import ConfigurationError
from socare_spark.storage.delta_options import delta_options
from socare_spark.storage.lease import Lease
from socare_spark.storage.local_files import PARTIAL
from socare_spark.storage.storage import StoredFile
from socare_spark.storage.store_faults import StoreFault, java_classes, store_fault

# These have no rename, and show an object when its upload is complete.
_OBJECT_STORES = frozenset({"s3a", "gs"})
# Files that are copied at the same time.
_COPIES = 4
_NO_CLASSES = frozenset(
    {"java.lang.ClassNotFoundException", "org.apache.hadoop.fs.UnsupportedFileSystemException"}
)


class HadoopStorage:
    """A folder of one of Hadoop's file systems; `Storage` describes the methods."""

    def __init__(self, spark: SparkSession, location: str, scratch: Path) -> None:
        """Opens a storage.

        Args:
            spark: The session.
            location: The folder, as a URI.
            scratch: Folder of this machine for copies of files, for the owner only. The caller
                removes it.

        Raises:
            ConfigurationError: Spark has no classes for the scheme.
        """
        self._spark, self._scratch = spark, scratch
        jvm: Any = spark.sparkContext._jvm
        self._jvm, self._hadoop = jvm, jvm.org.apache.hadoop
        self._conf: Any = spark.sparkContext._jsc.hadoopConfiguration()
        root = self._hadoop.fs.Path(location)
        with _translated_errors(location):
            try:
                self._fs = root.getFileSystem(self._conf)
            except Py4JJavaError as error:
                if not _NO_CLASSES.isdisjoint(java_classes(error)):
                    raise self._without_classes(root.toUri().getScheme()) from None
                raise
            uri = self._fs.makeQualified(root).toUri()
        self._scheme, self._authority = uri.getScheme(), uri.getAuthority()
        self._root = uri.getPath().rstrip("/")
        self._lease: Lease | None = None

    @property
    def location(self) -> str:
        """The folder as a URI, as messages name it."""
        return self.uri()

    @property
    def disk(self) -> None:
        """None: the folder is on no disk of this machine."""

    def beside(self, name: str) -> "HadoopStorage":
        """The storage of another folder that has the same parent."""
        parent = self._root.rpartition("/")[0]
        location = self._hadoop.fs.Path(self._scheme, self._authority, f"{parent}/{name}")
        return HadoopStorage(self._spark, location.toString(), self._scratch / "beside" / name)

    def uri(self, name: str = "") -> str:
        """The URI of a file or a folder, without escapes."""
        return str(self._path(name).toString())

    def delta_options(self) -> dict[str, str]:
        """The options with which delta-rs reads and writes tables."""
        return delta_options(self._jvm, self._conf, self._scheme, self._authority)

    def read(self, name: str) -> bytes | None:
        """The content of a file; None if there is no such file."""
        try:
            with _translated_errors(name):
                stream = self._fs.open(self._path(name))
                try:
                    return bytes(self._jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
                finally:
                    stream.close()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        """Writes a file as a whole or not at all."""
        with _translated_errors(name), self._whole(name) as path:
            stream = self._fs.create(path, True)
            try:
                stream.write(bytearray(data))
                if durable and self._scheme not in _OBJECT_STORES:
                    stream.hsync()
            except BaseException:
                self._abort(stream)
                raise
            stream.close()

    @contextmanager
    def replacement(self, name: str) -> Iterator[Path]:
        """Provides a file of this machine that replaces a stored file when the block ends."""
        path = self._new_local("replacements", name)
        try:
            yield path
            self._upload(path, name)
        finally:
            path.unlink(missing_ok=True)

    def names(self, folder: str = "") -> list[str]:
        """Names in a folder; none if it is missing."""
        try:
            with _translated_errors(folder):
                statuses = self._fs.listStatus(self._path(folder))
                found = [status.getPath().getName() for status in statuses]
        except FileNotFoundError:
            return []
        # The list of a file is the file itself.
        is_file = found == [folder.rpartition("/")[2]] and self.is_file(folder)
        return [] if is_file else found

    def files(self, folder: str = "") -> list[StoredFile]:
        """All files below a folder, in the order of the parts of their names."""
        found = []
        try:
            with _translated_errors(folder):
                statuses = self._fs.listFiles(self._path(folder), True)
                while statuses.hasNext():
                    status = statuses.next()
                    path = status.getPath().toUri().getPath()
                    modified = status.getModificationTime() / 1000
                    # The list of a file is the file itself.
                    if path.startswith(f"{self._root}/"):
                        name = path.removeprefix(f"{self._root}/")
                        found.append(StoredFile(name, status.getLen(), modified))
        except FileNotFoundError:
            return []
        return sorted(found, key=lambda file: file.name.split("/"))

    def is_file(self, name: str) -> bool:
        """Whether there is a file of this name."""
        try:
            with _translated_errors(name):
                return bool(self._fs.getFileStatus(self._path(name)).isFile())
        except FileNotFoundError:
            return False

    def remove(self, names: Iterable[str], *, durable: bool = False) -> None:
        """Removes files in the given order; a removal is on all servers when it returns."""
        for name in names:
            with suppress(FileNotFoundError), _translated_errors(name):
                self._fs.delete(self._path(name), False)

    def remove_tree(self, folder: str, *, durable: bool = False) -> None:
        """Removes a folder with all its files, the log of a table first."""
        for name in (f"{folder}/_delta_log", folder):
            with suppress(FileNotFoundError), _translated_errors(name):
                self._fs.delete(self._path(name), True)

    def remove_empty(self, folder: str) -> None:
        """Removes a folder if it has no entry."""
        if not self.names(folder):
            self.remove([folder])

    def fetch(self, name: str) -> Path:
        """A copy of a file on this machine."""
        path = self._new_local("fetched", name)
        with _translated_errors(name):
            self._fs.copyToLocalFile(False, self._path(name), self._local(path), True)
        return path

    def mirror(self) -> Path:
        """A copy of the folder on this machine."""
        folder = self._scratch / "mirror"

        def copy(file: StoredFile) -> None:
            path = folder / file.name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _translated_errors(file.name):
                self._fs.copyToLocalFile(False, self._path(file.name), self._local(path), True)

        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700, exist_ok=True)
        with ThreadPoolExecutor(_COPIES) as pool:
            list(pool.map(copy, self.files()))
        return folder

    @property
    def drafts(self) -> Path:
        """The folder of this machine in which files are made that `keep` stores."""
        return self._scratch / "drafts"

    def keep(self, path: Path) -> str:
        """Stores a file below `drafts` under the same name, and returns the name."""
        name = path.relative_to(self.drafts).as_posix()
        self._upload(path, name)
        return name

    def sync(self, names: Iterable[str]) -> None:
        """Does nothing: the servers have a file when its writer has closed it."""

    def held(self, job: str, run_id: str = "") -> AbstractContextManager[None]:
        """Holds a lease, which is renewed until the block ends."""
        self._lease = Lease(self, on_lost=self._cancel_spark_jobs)
        return self._lease.held(job, run_id)

    def check_held(self) -> None:
        """Checks that the lease is not lost."""
        if self._lease is not None:
            self._lease.check()

    def lock_holder(self) -> str | None:
        """A clause on the job that holds the lease or has not released it."""
        holder = Lease(self).holder()
        return None if holder is None else f"in use by {holder}"

    def unlock(self) -> str:
        """Ends the lease of any job. A job that still runs stops before its next commit."""
        holder = Lease(self).unlock()
        if holder is None:
            return f"The lake {self.location} has no lock. Nothing was changed."
        return f"The lock of the lake {self.location} is removed. It was held by {holder}."

    def _cancel_spark_jobs(self) -> None:
        """Ends running writes, whose commits would come after the loss of the lease.

        A write that has begun can have no Spark job yet, so this is repeated.
        """
        with suppress(Exception):
            self._spark.sparkContext.cancelAllJobs()

    def exposure(self) -> str | None:
        """A warning if other users of HDFS can read the folder; None otherwise."""
        if self._scheme != "hdfs":
            return None
        try:
            with _translated_errors(self.location):
                status = self._fs.getFileStatus(self._path(""))
                mode = int(status.getPermission().toShort()) & 0o777
        except FileNotFoundError:
            return None
        if not mode & 0o077:
            return None
        return (
            f"{self.location} is open to other users (mode {mode:o}) and contains exact data: "
            f"close it with hdfs dfs -chmod -R go-rwx '{self.location}'"
        )

    def _without_classes(self, scheme: str) -> ConfigurationError:
        version = self._hadoop.util.VersionInfo.getVersion()
        package = f"org.apache.hadoop:hadoop-aws:{version}"
        jars = f" {package}" if scheme == "s3a" else ""
        return ConfigurationError(
            f"Spark has no classes for {scheme}://: add the jars of this store{jars} to "
            "spark.jars.packages of the properties file, or their folder as SOCARE_MORE_JARS for "
            "scripts/submit."
        )

    def _path(self, name: str) -> Any:  # noqa: ANN401 - a Java object
        # The constructor of one text would read a colon as the end of a scheme.
        path = f"{self._root}/{name}" if name else self._root
        return self._hadoop.fs.Path(self._scheme, self._authority, path or "/")

    def _local(self, path: Path) -> Any:  # noqa: ANN401 - a Java object
        return self._hadoop.fs.Path("file", None, str(path.absolute()))

    def _new_local(self, kind: str, name: str) -> Path:
        """A new path below scratch whose folder is for the owner only."""
        folder = self._scratch / kind / uuid.uuid4().hex
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(parents=True, mode=0o700)
        return folder / name.rpartition("/")[2]

    @contextmanager
    def _whole(self, name: str) -> Iterator[Any]:
        """Provides the path to write a file to, which becomes the file when the block ends."""
        target = self._path(name)
        if self._scheme in _OBJECT_STORES:
            yield target
            return
        partial = self._path(f"{name}{PARTIAL}")
        # Folders that HDFS makes for a file have the mode of the folder above, not that of Spark.
        self._fs.mkdirs(target.getParent())
        try:
            yield partial
            option = self._hadoop.fs.Options.Rename
            options = self._spark.sparkContext._gateway.new_array(option, 1)  # type: ignore[union-attr]
            options[0] = option.OVERWRITE
            context = self._hadoop.fs.FileContext.getFileContext(target.toUri(), self._conf)
            context.rename(partial, target, options)
        except BaseException:
            with suppress(Exception):
                self._fs.delete(partial, False)
            raise

    def _abort(self, stream: Any) -> None:  # noqa: ANN401 - a Java object
        """Ends a write so that an object store does not take what was written for the object."""
        with suppress(Exception):
            if self._scheme in _OBJECT_STORES:
                stream.abort()
            stream.close()

    def _upload(self, path: Path, name: str) -> None:
        with _translated_errors(name), self._whole(name) as target:
            self._fs.copyFromLocalFile(False, True, self._local(path), target)


@contextmanager
def _translated_errors(name: str) -> Iterator[None]:
    """Raises an error of Java as an `OSError` without its message, which can contain a secret."""
    try:
        yield
    except (Py4JJavaError, CapturedException) as error:
        classes = java_classes(error) or [type(error).__name__]
        text = classes[0].rpartition(".")[2]
        if classes[0] == "java.io.FileNotFoundException":
            raise FileNotFoundError(errno.ENOENT, text, name) from None
        if store_fault(error) is StoreFault.REFUSED:
            raise PermissionError(errno.EACCES, text, name) from None
        raise ConnectionError(errno.EIO, text, name) from None
