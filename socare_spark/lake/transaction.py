"""Several tables change together or not at all, whatever ends the process or the power.

Delta commits one table at a time. Before the first write of a group, the versions of its tables
are noted in a file. When the group is whole, all that it wrote is brought to disk, and then the
file goes. A group that broke off, in this process or in one that was killed, is undone: the log
entries that are newer than the noted versions are removed, so a torn entry is never read. Only the
holder of the lake's lock may do either.

The lake also keeps the version that each table of extracts was left at (`versions.json`). A table
that is lost, or was changed by something else, stops the next run. `maintain` must not delete data
files inside the group that replaces them: an undo needs them.
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
from socare_spark.lake.lake import Lake

_NOTE = "unfinished.json"
_VERSIONS = "versions.json"
_NUMBER = re.compile(r"\d{20}")

Versions = Mapping[str, int | None]


@contextmanager
def atomic_commits(
    spark: SparkSession, lake: Lake, tables: Iterable[str], *, keep: bool = False
) -> Iterator[None]:
    """A group of writes to the named tables (`zone/name`).

    Args:
        spark: The session.
        lake: The lake.
        tables: The tables that the group may write.
        keep: Whether the tables hold what extracts say, so that their versions are kept from now
            on. A table whose version is kept already stays so in every group.
    """
    lake.root.mkdir(parents=True, exist_ok=True)
    before = {name: lake.version(name) for name in tables}
    write_durably(lake.root / _NOTE, before)
    try:
        yield
        _fsync_tables(lake, before)
        note_versions(lake, before if keep else before.keys() & noted_versions(lake).keys())
    except BaseException:
        roll_back(spark, lake)
        raise
    (lake.root / _NOTE).unlink()
    fsync(lake.root)


def roll_back(spark: SparkSession, lake: Lake) -> list[str]:
    """Brings the tables of an unfinished group back; returns those that had changed.

    It may be broken off and begun again at any point: the note goes last.
    """
    note = lake.root / _NOTE
    if not note.exists():
        return []
    versions: dict[str, int | None] = json.loads(note.read_text("utf-8"))
    changed = [name for name, version in versions.items() if lake.version(name) != version]
    for name, version in versions.items():
        _restore_version(lake.folder(name), version)
    known = noted_versions(lake)
    # The versions from before the group: a table that is lost is found by `check_versions`.
    _save_versions(lake, {name: version for name, version in versions.items() if name in known})
    # The session may remember the commits that are gone; it may itself be gone.
    with suppress(Py4JError, OSError, AttributeError, TypeError):
        spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]
    note.unlink()
    fsync(lake.root)
    return changed


def has_unfinished_commits(lake: Lake) -> bool:
    """Whether a group of writes broke off and has not been undone."""
    return (lake.root / _NOTE).exists()


def noted_versions(lake: Lake) -> dict[str, int | None]:
    """The version that each table of extracts was left at."""
    path = lake.root / _VERSIONS
    if not path.exists():
        return {}
    versions: dict[str, int | None] = json.loads(path.read_text("utf-8"))
    return versions


def note_versions(lake: Lake, tables: Iterable[str]) -> None:
    """Keeps the versions that some tables are at now as those they were left at.

    A job that commits to `restricted/` outside a group calls this; a group calls it by itself.
    """
    _save_versions(lake, {name: lake.version(name) for name in tables})


def _save_versions(lake: Lake, versions: Versions) -> None:
    known = noted_versions(lake)
    now = {n: version for n, version in (known | dict(versions)).items() if version is not None}
    if now != known:
        write_durably(lake.root / _VERSIONS, now)


def check_versions(lake: Lake) -> None:
    """Stops a run that would work on tables that are lost or were changed by something else.

    Raises:
        DataError: a table is not there, or is at another version than the last run left.
    """
    found = {name: lake.version(name) for name in noted_versions(lake)}
    wrong = [
        f"{name}: version {version} expected, "
        + ("the table is not there" if found[name] is None else f"version {found[name]} found")
        for name, version in noted_versions(lake).items()
        if found[name] != version
    ]
    if wrong:
        raise DataError(
            "The lake is not as the last run left it, so no job runs. Restore these tables from a "
            "copy of the lake of that day, or restore the whole lake from one copy, or begin a new "
            "lake and ingest all files.\n  " + "\n  ".join(wrong)
        )


def _restore_version(folder: Path, version: int | None) -> None:
    """Removes the commits of a table that are newer than a version; all of it where None."""
    if version is None:
        if folder.exists():
            shutil.rmtree(folder)
            fsync(folder.parent)
        return
    log = folder / "_delta_log"
    if not log.is_dir():
        return
    newer = [(number, path) for number, path in _log_files(log) if number > version]
    # Newest first: what is left is a log without a gap, however far this comes.
    for _, path in sorted(newer, reverse=True):
        path.unlink()
    if newer:
        # It only says where the newest checkpoint is; without it readers list the folder.
        for path in log.glob("*_last_checkpoint*"):
            path.unlink()
        fsync(log)


def _log_files(log: Path) -> list[tuple[int, Path]]:
    """The files of a Delta log that belong to a version, with the newest version of each."""
    numbers = ((_NUMBER.findall(path.name), path) for path in log.iterdir())
    return [(max(map(int, found)), path) for found, path in numbers if found]


def _fsync_tables(lake: Lake, before: Versions) -> None:
    """Brings all files and folders to disk that a group wrote, data before log."""
    folders: set[Path] = set()
    for name, version in before.items():
        if lake.version(name) in (None, version):
            continue
        table, log = lake.folder(name), lake.folder(name) / "_delta_log"
        newer = [p for n, p in _log_files(log) if version is None or n > version]
        files = [path for log_file in newer for path in _added(table, log_file)]
        pointers = log.glob("*_last_checkpoint*")
        for path in [*files, *newer, *pointers]:
            # Hadoop keeps a checksum beside each file, and reads neither without the other.
            for written in (path, path.with_name(f".{path.name}.crc")):
                if written.exists():
                    fsync(written)
            folders |= {p for p in path.parents if p.is_relative_to(lake.root)}
    # The folder deepest down first: its entry in the one above is worth nothing before.
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        fsync(folder)


def _added(table: Path, log_file: Path) -> list[Path]:
    """The data files that a commit of a table added."""
    if log_file.suffix != ".json" or log_file.name.startswith("."):
        return []
    actions = [json.loads(line) for line in log_file.read_text("utf-8").splitlines() if line]
    return [table / unquote(a["add"]["path"]) for a in actions if "add" in a]


def write_durably(path: Path, values: Mapping[str, object]) -> None:
    """Writes a JSON file whole, replacing an earlier state of it, and brings it to disk."""
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(values, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """Brings a file, or a folder's entries, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
