"""Commits to several tables atomically, also across a crash or power failure.

Delta commits one table at a time. Before the first write of a group, the current versions of its
tables are written to a file. After the last write all new files are synced to disk, and then the
file is deleted. An unfinished group is rolled back by this process or by the next run: all log
entries newer than the recorded versions are removed, so an incomplete entry is never read. Only the
holder of the lake's lock can write or roll back.

The lake also records the version of each extract table after a run (`versions.json`). The next run
stops if such a table is missing or has another version. `maintain` must not delete data files
inside the group that replaces them because a rollback needs them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import unquote

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from socare_spark.errors import DataError
from socare_spark.lake.lake import LOG, Lake
from socare_spark.storage.storage import Storage, read_existing

_JOURNAL = "unfinished.json"
_VERSIONS = "versions.json"
_NUMBER = re.compile(r"\d{20}")
POINTER = "_last_checkpoint"

Versions = Mapping[str, int | None]


@contextmanager
def atomic_commits(
    spark: SparkSession, lake: Lake, tables: Iterable[str], *, keep: bool = False
) -> Iterator[None]:
    """Makes the writes in its block atomic. An exception rolls them back.

    After the loss of the lake's lock nothing is changed any more: the next holder rolls back.

    Args:
        spark: The session.
        lake: The lake.
        tables: Paths (`zone/name`) of the tables that the block can write.
        keep: Whether to record the versions of the tables in `versions.json`. Tables that are
            already recorded there are always updated.
    """
    lake.storage.check_held()
    before = {name: lake.version(name) for name in tables}
    write_durably(lake.storage, _JOURNAL, before)
    try:
        yield
        lake.storage.sync(_written_files(lake, before))
        lake.storage.check_held()
        note_versions(lake, before if keep else before.keys() & noted_versions(lake).keys())
    except BaseException:
        roll_back(spark, lake)
        raise
    # After a loss of the lock the journal can be that of the next holder.
    lake.storage.check_held()
    lake.storage.remove([_JOURNAL], durable=True)


def roll_back(spark: SparkSession, lake: Lake) -> list[str]:
    """Restores the tables of an unfinished group to their versions before it.

    The function can be interrupted and repeated at any point because the journal is deleted last.

    Returns:
        Paths of the tables that had changed; empty if no group is unfinished.

    Raises:
        InfrastructureError: the lock of the lake is lost.
    """
    lake.storage.check_held()
    journal = lake.storage.read(_JOURNAL)
    if journal is None:
        return []
    versions: dict[str, int | None] = json.loads(journal)
    changed = [name for name, version in versions.items() if lake.version(name) != version]
    for name, version in versions.items():
        _restore_version(lake.storage, name, version)
    recorded = noted_versions(lake)
    # The versions before the group are recorded even for a missing table, so `check_versions` finds
    # it.
    _save_versions(lake, {name: version for name, version in versions.items() if name in recorded})
    # The session can have the removed commits in its cache, or can have ended.
    with suppress(Py4JError, OSError, AttributeError, TypeError):
        spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]
    lake.storage.remove([_JOURNAL], durable=True)
    return changed


def has_unfinished_commits(lake: Lake) -> bool:
    """Whether a group of writes is unfinished and not rolled back."""
    return lake.storage.is_file(_JOURNAL)


def noted_versions(lake: Lake) -> dict[str, int | None]:
    """Path -> version of each extract table after the last run."""
    content = lake.storage.read(_VERSIONS)
    versions: dict[str, int | None] = {} if content is None else json.loads(content)
    return versions


def note_versions(lake: Lake, tables: Iterable[str]) -> None:
    """Records the current versions of tables in `versions.json`.

    `atomic_commits` calls this itself. A job that commits to `restricted/` outside a group must
    call it.
    """
    _save_versions(lake, {name: lake.version(name) for name in tables})


def _save_versions(lake: Lake, versions: Versions) -> None:
    recorded = noted_versions(lake)
    updated = {
        n: version for n, version in (recorded | dict(versions)).items() if version is not None
    }
    if updated != recorded:
        write_durably(lake.storage, _VERSIONS, updated)


def check_versions(lake: Lake) -> None:
    """Checks that the extract tables have the versions recorded by the last run.

    Raises:
        DataError: a table is missing or has another version.
    """
    current = {name: lake.version(name) for name in noted_versions(lake)}
    differences = [
        f"{name}: version {version} expected, "
        + ("the table is missing" if current[name] is None else f"version {current[name]} found")
        for name, version in noted_versions(lake).items()
        if current[name] != version
    ]
    if differences:
        raise DataError(
            "The lake has changed since the last run, so no job runs. Restore these tables or the "
            "whole lake from a backup made after that run, or create a new lake and ingest all "
            "files.\n  " + "\n  ".join(differences)
        )


def _restore_version(storage: Storage, table: str, version: int | None) -> None:
    """Removes the commits of a table that are newer than a version; the whole table for None."""
    if version is None:
        storage.remove_tree(table, durable=True)
        return
    log = _log_files(storage, table)
    newer = [(number, name) for name, number in log.items() if number is not None]
    newer = [(number, name) for number, name in newer if number > version]
    if newer:
        # Newest first, so the log has no gap if this is interrupted. The pointer only names the
        # newest checkpoint; without it readers list the folder.
        names = [name for _, name in sorted(newer, reverse=True)]
        storage.remove([*names, *_pointers(log)], durable=True)


def _log_files(storage: Storage, table: str) -> dict[str, int | None]:
    """The files of a Delta log with the highest version in their names; None for no version."""
    found: dict[str, int | None] = {}
    for name in storage.names(f"{table}/{LOG}"):
        versions = [int(number) for number in _NUMBER.findall(name)]
        found[f"{table}/{LOG}/{name}"] = max(versions, default=None)
    return found


def _pointers(log: Iterable[str]) -> list[str]:
    return [name for name in log if POINTER in name]


def _written_files(lake: Lake, before: Versions) -> list[str]:
    """All files that a group wrote, of each table the data before the log."""
    files: list[str] = []
    for name, version in before.items():
        if lake.version(name) in (None, version):
            continue
        log = _log_files(lake.storage, name)
        numbered = {path: number for path, number in log.items() if number is not None}
        newer = [path for path, number in numbered.items() if version is None or number > version]
        for path in newer:
            files += _data_files_of_commit(lake.storage, name, path)
        files += [*newer, *_pointers(log)]
    return files


def _data_files_of_commit(storage: Storage, table: str, log_file: str) -> list[str]:
    """The data files that a commit of a table added."""
    name = log_file.rpartition("/")[2]
    if not name.endswith(".json") or name.startswith("."):
        return []
    lines = read_existing(storage, log_file).splitlines()
    actions = [json.loads(line) for line in lines if line]
    return [f"{table}/{unquote(a['add']['path'])}" for a in actions if "add" in a]


def write_durably(storage: Storage, name: str, values: Mapping[str, object]) -> None:
    """Writes a JSON file that is whole also after a power cut."""
    text = json.dumps(values, indent=2, sort_keys=True)
    storage.write(name, text.encode(), durable=True)
