"""Commits that a store accepts once, and the check that it does."""

import errno
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from socare_spark.errors import ConfigurationError, InfrastructureError
from socare_spark.storage.storage import Storage

# The columns of a table whose commits have metadata and no rows.
NO_ROWS = pa.schema([("nothing", pa.string())])
# Folder of the check, in front of a random part.
_PROBE = ".probe-"
# Writers and rounds of the check. Each writer looks for newer versions before it writes, so they
# must do it at the same time for the store to decide.
_WRITERS, _ROUNDS = 6, 3
# In the messages of delta-rs for missing rights and for unknown credentials.
_NO_RIGHTS = "The operation lacked"


def commit_once(table: DeltaTable, metadata: str) -> None:
    """Commits a version without rows at the first attempt, or fails.

    Other threads run meanwhile, which is not so for all operations of delta-rs.
    """
    properties = CommitProperties(custom_metadata={"userMetadata": metadata}, max_commit_retries=0)
    table.create_write_transaction([], "append", NO_ROWS, commit_properties=properties)


@contextmanager
def reported_errors(location: str) -> Iterator[None]:
    """Raises an error of delta-rs without its message, which can contain a secret.

    Args:
        location: The lake, as messages name it.

    Raises:
        InfrastructureError: the store cannot be read or written.
        PermissionError: the store does not permit it.
    """
    try:
        yield
    except (DeltaError, OSError) as error:
        # Errors of the storage have a number and no message of a library.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if _NO_RIGHTS in str(error):
            raise PermissionError(errno.EACCES, "Permission denied", location) from None
        raise InfrastructureError(
            f"The lock of the lake {location} cannot be read or written by delta-rs "
            f"({type(error).__name__}): check that the store can be reached, and that the "
            "credentials in Spark's configuration may read, write and list it."
        ) from None


def check_conditional_writes(storage: Storage) -> None:
    """Checks that a store refuses to write a file that another writer has just made.

    Several writers commit the same version of a new table at the same time. One of them must
    succeed. The table is removed afterwards.

    Raises:
        ConfigurationError: the store accepted several writers.
        InfrastructureError: the store cannot be read or written.
        PermissionError: the store does not permit it.
    """
    name, options = f"{_PROBE}{uuid.uuid4().hex}", storage.delta_options()
    uri, barrier = storage.uri(name), threading.Barrier(_WRITERS)

    def commits(number: int) -> bool:
        try:
            table = DeltaTable(uri, storage_options=options)
        finally:
            barrier.wait()
        try:
            commit_once(table, str(number))
        except CommitFailedError:
            return False
        return True

    try:
        with reported_errors(storage.location):
            DeltaTable.create(uri, NO_ROWS, mode="error", storage_options=options)
            with ThreadPoolExecutor(_WRITERS) as pool:
                winners = [sum(pool.map(commits, range(_WRITERS))) for _ in range(_ROUNDS)]
    finally:
        storage.remove_tree(name)
    if not any(winners):
        raise ConfigurationError(
            f"The store of {storage.location} refuses every conditional write, so no job can hold "
            "its lock: allow conditional writes (for S3: PutObject with If-None-Match)."
        )
    if max(winners) > 1:
        raise ConfigurationError(
            f"The store of {storage.location} lets two writers make the same file, so it cannot "
            "keep two jobs apart: use a store with conditional writes (for S3: PutObject with "
            "If-None-Match), or a newer version of this store."
        )
