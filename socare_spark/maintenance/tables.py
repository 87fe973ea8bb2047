"""Compaction, removal of old data files and removal of old log entries of Delta tables.

Guarantee: the newest version of a table holds the same rows before and after, and keeps the note of
the commit that wrote them. Data files and log entries are deleted outside a group of commits only,
because an undo needs them.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    WriterProperties,
)

from socare_spark.lake.lake import Lake
from socare_spark.lake.table import Zone
from socare_spark.lake.transaction import fsync

_VERSION = re.compile(r"\.?(\d{20})\.(json|crc|checkpoint)")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")
_ZONES = (Zone.RESTRICTED, Zone.REFERENCE, Zone.WORKING)


@dataclass(frozen=True)
class Usage:
    """The files below a folder."""

    files: int
    bytes: int


def tables_of(lake: Lake) -> list[str]:
    """Every table of the lake as `zone/name`, by name."""
    logs = [log for zone in _ZONES for log in (lake.root / zone).rglob("_delta_log")]
    names = [log.parent.relative_to(lake.root).as_posix() for log in logs]
    return sorted(name for name in names if lake.exists(name))


def usage(folder: Path) -> Usage:
    """How many files a folder holds, at any depth, and their size."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Usage(len(sizes), sum(sizes))


def needs_compaction(lake: Lake, table: str, *, small_bytes: int, small_files: int) -> bool:
    """Whether a partition of a table has too many small files."""
    files = pa.table(_open(lake, table).get_add_actions(flatten=True))
    small = files.filter(pc.less(files["size_bytes"], small_bytes))
    partitions = [name for name in small.column_names if name.startswith("partition.")]
    rows = small.select(partitions).to_pylist() if partitions else [{}] * len(small)
    counts = Counter(json.dumps(row, default=str) for row in rows)
    return max(counts.values(), default=0) >= small_files


def compact(lake: Lake, table: str, *, target_bytes: int) -> None:
    """Writes the small files of each partition as few files, in one commit without new rows.

    The commit repeats the note of the commit before it and adds which version holds the same rows,
    so whatever was up to date stays up to date.
    """
    last = lake.last_commit(table)
    if last is None:
        return
    note = {**last.metadata, "same_rows_as": str(lake.rows_version(table))}
    if last.rows is not None:
        note["rows"] = str(last.rows)
    _open(lake, table).optimize.compact(
        target_size=target_bytes,
        writer_properties=WriterProperties(compression="ZSTD"),
        commit_properties=CommitProperties(
            custom_metadata={"userMetadata": json.dumps(note, sort_keys=True)}
        ),
        post_commithook_properties=PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    )


def unused_files(lake: Lake, table: str, *, days: int) -> list[Path]:
    """Data files that no version refers to which is younger than some days."""
    found = _open(lake, table).vacuum(
        retention_hours=days * 24, enforce_retention_duration=False, dry_run=True, full=True
    )
    paths = [lake.folder(table) / unquote(name) for name in found]
    return [path for path in paths if path.is_file()]


def remove_data_files(folder: Path, files: list[Path]) -> None:
    """Deletes data files of a table with their checksums, and folders that are empty then."""
    for path in files:
        path.unlink()
        _checksum(path).unlink(missing_ok=True)
    for path in {path.parent for path in files} - {folder}:
        if not any(path.iterdir()):
            path.rmdir()


def old_log_files(lake: Lake, table: str, *, days: int, now: datetime) -> list[Path]:
    """Log entries that no version needs which was current during the last days."""
    log = lake.folder(table) / "_delta_log"
    base = _oldest_needed(log, lake.version(table) or 0, now - timedelta(days=days))
    return [path for number, path in _numbered(log) if number < base]


def write_checkpoint(lake: Lake, table: str) -> None:
    """Writes a checkpoint of the newest version, on disk, where older entries exist."""
    log, version = lake.folder(table) / "_delta_log", lake.version(table) or 0
    checkpoint = log / f"{version:020d}.checkpoint.parquet"
    if checkpoint.exists() or not any(number < version for number, _ in _numbered(log)):
        return
    _open(lake, table).create_checkpoint()
    # Hadoop refuses a file whose checksum is that of an earlier state.
    _checksum(log / "_last_checkpoint").unlink(missing_ok=True)
    for path in (checkpoint, log / "_last_checkpoint", log):
        fsync(path)


def remove_log_files(files: list[Path]) -> None:
    """Deletes log entries, the oldest first: what is left is a log without a gap."""
    for path in sorted(files, key=lambda path: path.name.lstrip(".")):
        path.unlink()


def _oldest_needed(log: Path, newest: int, cutoff: datetime) -> int:
    """The newest checkpointed version that was current at a time; 0 where there is none."""
    checkpoints = [int(m[1]) for p in log.iterdir() if (m := _CHECKPOINT.fullmatch(p.name))]
    whole = [n for n in checkpoints if n <= newest and _written(log, n) <= cutoff.timestamp()]
    return max(whole, default=0)


def _written(log: Path, version: int) -> float:
    entry = log / f"{version:020d}.json"
    return entry.stat().st_mtime if entry.exists() else float("inf")


def _numbered(log: Path) -> Iterator[tuple[int, Path]]:
    for path in log.iterdir():
        found = _VERSION.match(path.name)
        if found:
            yield int(found[1]), path


def _open(lake: Lake, table: str) -> DeltaTable:
    # Not every mounted share has hard links; the lake's lock lets one writer in at a time.
    return DeltaTable(lake.folder(table), storage_options={"allow_unsafe_rename": "true"})


def _checksum(path: Path) -> Path:
    return path.with_name(f".{path.name}.crc")
