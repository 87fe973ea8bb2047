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
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from socare_spark.errors import DataError
from socare_spark.files import replacement
from socare_spark.lake.lake import Lake

_JOURNAL = "unfinished.json"
_VERSIONS = "versions.json"
_NUMBER = re.compile(r"\d{20}")

Versions = Mapping[str, int | None]


@contextmanager
def atomic_commits(
    spark: SparkSession, lake: Lake, tables: Iterable[str], *, keep: bool = False
) -> Iterator[None]:
    """Makes the writes in its block atomic. An exception rolls them back.

    Args:
        spark: The session.
        lake: The lake.
        tables: Paths (`zone/name`) of the tables that the block can write.
        keep: Whether to record the versions of the tables in `versions.json`. Tables that are
            already recorded there are always updated.
    """
    lake.root.mkdir(parents=True, exist_ok=True)
    before = {name: lake.version(name) for name in tables}
    write_durably(lake.root / _JOURNAL, before)
    try:
        yield
        _fsync_tables(lake, before)
        note_versions(lake, before if keep else before.keys() & noted_versions(lake).keys())
    except BaseException:
        roll_back(spark, lake)
        raise
    (lake.root / _JOURNAL).unlink()
    fsync(lake.root)


def roll_back(spark: SparkSession, lake: Lake) -> list[str]:
    """Restores the tables of an unfinished group to their versions before it.

    The function can be interrupted and repeated at any point because the journal is deleted last.

    Returns:
        Paths of the tables that had changed; empty if no group is unfinished.
    """
    journal = lake.root / _JOURNAL
    if not journal.exists():
        return []
    versions: dict[str, int | None] = json.loads(journal.read_text("utf-8"))
    changed = [name for name, version in versions.items() if lake.version(name) != version]
    for name, version in versions.items():
        _restore_version(lake.folder(name), version)
    recorded = noted_versions(lake)
    # The versions before the group are recorded even for a missing table, so `check_versions` finds
    # it.
    _save_versions(lake, {name: version for name, version in versions.items() if name in recorded})
    # The session can have the removed commits in its cache, or can have ended.
    with suppress(Py4JError, OSError, AttributeError, TypeError):
        spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]
    journal.unlink()
    fsync(lake.root)
    return changed


def has_unfinished_commits(lake: Lake) -> bool:
    """Whether a group of writes is unfinished and not rolled back."""
    return (lake.root / _JOURNAL).exists()


def noted_versions(lake: Lake) -> dict[str, int | None]:
    """Path -> version of each extract table after the last run."""
    path = lake.root / _VERSIONS
    if not path.exists():
        return {}
    versions: dict[str, int | None] = json.loads(path.read_text("utf-8"))
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
        write_durably(lake.root / _VERSIONS, updated)


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


def _restore_version(folder: Path, version: int | None) -> None:
    """Removes the commits of a table that are newer than a version; the whole table for None."""
    if version is None:
        if folder.exists():
            shutil.rmtree(folder)
            fsync(folder.parent)
        return
    log = folder / "_delta_log"
    if not log.is_dir():
        return
    newer = [(number, path) for number, path in _log_files(log) if number > version]
    # Newest first, so the log has no gap if this is interrupted.
    for _, path in sorted(newer, reverse=True):
        path.unlink()
    if newer:
        # This file only points to the newest checkpoint; without it readers list the folder.
        for path in log.glob("*_last_checkpoint*"):
            path.unlink()
        fsync(log)


def _log_files(log: Path) -> list[tuple[int, Path]]:
    """The files of a Delta log with a version in their names, each with its highest version."""
    numbers = ((_NUMBER.findall(path.name), path) for path in log.iterdir())
    return [(max(map(int, versions)), path) for versions, path in numbers if versions]


def _fsync_tables(lake: Lake, before: Versions) -> None:
    """Syncs all files and folders that a group wrote to disk, data before log."""
    folders: set[Path] = set()
    for name, version in before.items():
        if lake.version(name) in (None, version):
            continue
        table, log = lake.folder(name), lake.folder(name) / "_delta_log"
        newer = [p for n, p in _log_files(log) if version is None or n > version]
        files = [path for log_file in newer for path in _data_files_of_commit(table, log_file)]
        pointers = log.glob("*_last_checkpoint*")
        for path in [*files, *newer, *pointers]:
            # Hadoop has a checksum file beside each file and verifies it when it reads.
            for written in (path, path.with_name(f".{path.name}.crc")):
                if written.exists():
                    fsync(written)
            folders |= {p for p in path.parents if p.is_relative_to(lake.root)}
    # Deepest folders first: a folder must be on disk before its entry in the parent.
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        fsync(folder)


def _data_files_of_commit(table: Path, log_file: Path) -> list[Path]:
    """The data files that a commit of a table added."""
    if log_file.suffix != ".json" or log_file.name.startswith("."):
        return []
    actions = [json.loads(line) for line in log_file.read_text("utf-8").splitlines() if line]
    return [table / unquote(a["add"]["path"]) for a in actions if "add" in a]


def write_durably(path: Path, values: Mapping[str, object]) -> None:
    """Writes a JSON file atomically and syncs it to disk."""
    with replacement(path) as partial, partial.open("w", encoding="utf-8") as file:
        json.dump(values, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    fsync(path.parent)


def fsync(path: Path) -> None:
    """Syncs a file, or the entries of a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
