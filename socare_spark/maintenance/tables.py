"""Compacts Delta tables and deletes their old data files and log entries.

Guarantee: the newest version of a table has the same rows before and after, and the metadata of the
commit that wrote them. Data files and log entries are deleted only outside a group of commits
because a rollback needs them.
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
    """Number and total size of the files below a folder.

    Attributes:
        files: Number of files.
        bytes: Size in bytes.
    """

    files: int
    bytes: int


def tables_of(lake: Lake) -> list[str]:
    """Paths (`zone/name`) of all tables of the lake, sorted."""
    logs = [log for zone in _ZONES for log in (lake.root / zone).rglob("_delta_log")]
    names = [log.parent.relative_to(lake.root).as_posix() for log in logs]
    return sorted(name for name in names if lake.exists(name))


def usage(folder: Path) -> Usage:
    """Number and size of all files below a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Usage(len(sizes), sum(sizes))


def needs_compaction(lake: Lake, table: str, *, small_bytes: int, small_files: int) -> bool:
    """Whether a partition of a table has too many small files.

    Args:
        lake: The lake.
        table: Path of the table.
        small_bytes: Size in bytes below which a file is small.
        small_files: Number of small files from which compaction is needed.
    """
    files = pa.table(_open(lake, table).get_add_actions(flatten=True))
    small = files.filter(pc.less(files["size_bytes"], small_bytes))
    partitions = [name for name in small.column_names if name.startswith("partition.")]
    rows = small.select(partitions).to_pylist() if partitions else [{}] * len(small)
    counts = Counter(json.dumps(row, default=str) for row in rows)
    return max(counts.values(), default=0) >= small_files


def compact(lake: Lake, table: str, *, target_bytes: int) -> None:
    """Merges the small files of each partition in one commit without new rows.

    The commit repeats the metadata of the commit before it and adds the version with the same rows,
    so outputs that were up to date remain so.

    Args:
        lake: The lake.
        table: Path of the table.
        target_bytes: Target size of a file in bytes.
    """
    last = lake.last_commit(table)
    if last is None:
        return
    metadata = {**last.metadata, "same_rows_as": str(lake.rows_version(table))}
    if last.rows is not None:
        metadata["rows"] = str(last.rows)
    _open(lake, table).optimize.compact(
        target_size=target_bytes,
        writer_properties=WriterProperties(compression="ZSTD"),
        commit_properties=CommitProperties(
            custom_metadata={"userMetadata": json.dumps(metadata, sort_keys=True)}
        ),
        post_commithook_properties=PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    )


def unused_files(lake: Lake, table: str, *, days: int) -> list[Path]:
    """Data files that no version of the last `days` days refers to."""
    names = _open(lake, table).vacuum(
        retention_hours=days * 24, enforce_retention_duration=False, dry_run=True, full=True
    )
    paths = [lake.folder(table) / unquote(name) for name in names]
    return [path for path in paths if path.is_file()]


def remove_data_files(folder: Path, files: list[Path]) -> None:
    """Deletes data files of a table, their checksum files and folders that become empty."""
    for path in files:
        path.unlink()
        _checksum(path).unlink(missing_ok=True)
    for path in {path.parent for path in files} - {folder}:
        if not any(path.iterdir()):
            path.rmdir()


def old_log_files(lake: Lake, table: str, *, days: int, now: datetime) -> list[Path]:
    """Log files that no version of the last `days` days needs."""
    log = lake.folder(table) / "_delta_log"
    base = _oldest_needed(log, lake.version(table) or 0, now - timedelta(days=days))
    return [path for number, path in _numbered(log) if number < base]


def write_checkpoint(lake: Lake, table: str) -> None:
    """Writes a checkpoint of the newest version, synced to disk, if older log entries exist."""
    log, version = lake.folder(table) / "_delta_log", lake.version(table) or 0
    checkpoint = log / f"{version:020d}.checkpoint.parquet"
    if checkpoint.exists() or not any(number < version for number, _ in _numbered(log)):
        return
    _open(lake, table).create_checkpoint()
    # Hadoop rejects a file whose checksum file is outdated.
    _checksum(log / "_last_checkpoint").unlink(missing_ok=True)
    for path in (checkpoint, log / "_last_checkpoint", log):
        fsync(path)


def remove_log_files(files: list[Path]) -> None:
    """Deletes log files, the oldest first, so the log has no gap if this is interrupted."""
    for path in sorted(files, key=lambda path: path.name.lstrip(".")):
        path.unlink()


def _oldest_needed(log: Path, newest: int, cutoff: datetime) -> int:
    """The newest checkpointed version written before the cutoff; 0 if there is none."""
    checkpoints = [int(m[1]) for p in log.iterdir() if (m := _CHECKPOINT.fullmatch(p.name))]
    candidates = [n for n in checkpoints if n <= newest and _written(log, n) <= cutoff.timestamp()]
    return max(candidates, default=0)


def _written(log: Path, version: int) -> float:
    entry = log / f"{version:020d}.json"
    return entry.stat().st_mtime if entry.exists() else float("inf")


def _numbered(log: Path) -> Iterator[tuple[int, Path]]:
    for path in log.iterdir():
        match = _VERSION.match(path.name)
        if match:
            yield int(match[1]), path


def _open(lake: Lake, table: str) -> DeltaTable:
    # Some mounted shares lack hard links. The rename is safe because the lake's lock admits one
    # writer at a time.
    return DeltaTable(lake.folder(table), storage_options={"allow_unsafe_rename": "true"})


def _checksum(path: Path) -> Path:
    return path.with_name(f".{path.name}.crc")
