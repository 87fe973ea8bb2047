"""Compacts Delta tables and deletes their old data files and log entries.

Guarantee: the newest version of a table has the same rows before and after, and the metadata of the
commit that wrote them. Data files and log entries are deleted only outside a group of commits
because a rollback needs them.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    CommitProperties,
    PostCommitHookProperties,
    WriterProperties,
)

from socare_spark.lake.lake import LOG, Lake
from socare_spark.lake.transaction import POINTER
from socare_spark.storage.storage import StoredFile, checksum

_VERSION = re.compile(r"\.?(\d{20})\.(json|crc|checkpoint)")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")


@dataclass(frozen=True)
class Usage:
    """Number and total size of the files below a folder.

    Attributes:
        files: Number of files.
        bytes: Size in bytes.
    """

    files: int
    bytes: int


def usage(lake: Lake, table: str) -> Usage:
    """Number and size of all files of a table."""
    sizes = [file.size for file in lake.storage.files(table)]
    return Usage(len(sizes), sum(sizes))


def needs_compaction(lake: Lake, table: str, *, small_bytes: int, small_files: int) -> bool:
    """Whether a partition of a table has too many small files.

    Args:
        lake: The lake.
        table: Path of the table.
        small_bytes: Size in bytes below which a file is small.
        small_files: Number of small files from which compaction is needed.
    """
    files = pa.table(lake.delta(table).get_add_actions(flatten=True))
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
    lake.storage.check_held()
    last = lake.last_commit(table)
    if last is None:
        return
    metadata = {**last.metadata, "same_rows_as": str(lake.rows_version(table))}
    if last.rows is not None:
        metadata["rows"] = str(last.rows)
    lake.delta(table).optimize.compact(
        target_size=target_bytes,
        writer_properties=WriterProperties(compression="ZSTD"),
        commit_properties=CommitProperties(
            custom_metadata={"userMetadata": json.dumps(metadata, sort_keys=True)}
        ),
        post_commithook_properties=PostCommitHookProperties(
            create_checkpoint=False, cleanup_expired_logs=False
        ),
    )


def unused_files(lake: Lake, table: str, *, days: int) -> list[str]:
    """Names of the data files that no version of the last `days` days refers to."""
    names = lake.delta(table).vacuum(
        retention_hours=days * 24, enforce_retention_duration=False, dry_run=True, full=True
    )
    existing = {file.name for file in lake.storage.files(table)}
    return [name for name in (f"{table}/{unquote(name)}" for name in names) if name in existing]


def remove_data_files(lake: Lake, table: str, files: list[str]) -> None:
    """Deletes data files of a table, their checksum files and folders that become empty."""
    lake.storage.remove(name for file in files for name in (file, checksum(file)))
    for folder in {file.rpartition("/")[0] for file in files} - {table}:
        lake.storage.remove_empty(folder)


def old_log_files(lake: Lake, table: str, *, days: int, now: datetime) -> list[str]:
    """Names of the log files that no version of the last `days` days needs."""
    log = _log_files(lake, table)
    base = _oldest_needed(log, lake.version(table) or 0, now - timedelta(days=days))
    return [file.name for number, file in _numbered(log) if number < base]


def write_checkpoint(lake: Lake, table: str) -> None:
    """Writes a checkpoint of the newest version, synced to disk, if older log entries exist."""
    log, version = _log_files(lake, table), lake.version(table) or 0
    folder = f"{table}/{LOG}"
    checkpoint, pointer = f"{folder}/{version:020d}.checkpoint.parquet", f"{folder}/{POINTER}"
    is_needed = any(number < version for number, _ in _numbered(log))
    if not is_needed or any(file.name == checkpoint for file in log):
        return
    lake.delta(table).create_checkpoint()
    # Hadoop rejects a file whose checksum file is outdated.
    lake.storage.remove([checksum(pointer)])
    lake.storage.sync([checkpoint, pointer])


def remove_log_files(lake: Lake, files: list[str]) -> None:
    """Deletes log files, the oldest first, so the log has no gap if this is interrupted."""
    lake.storage.remove(sorted(files, key=lambda name: _base_name(name).lstrip(".")))


def _oldest_needed(log: Sequence[StoredFile], newest: int, cutoff: datetime) -> int:
    """The newest checkpointed version written before the cutoff; 0 if there is none."""
    names = [_base_name(file.name) for file in log]
    checkpoints = [int(m[1]) for name in names if (m := _CHECKPOINT.fullmatch(name))]
    written = {_base_name(file.name): file.modified for file in log}
    candidates = [
        number
        for number in checkpoints
        if number <= newest
        and written.get(f"{number:020d}.json", float("inf")) <= cutoff.timestamp()
    ]
    return max(candidates, default=0)


def _log_files(lake: Lake, table: str) -> list[StoredFile]:
    return lake.storage.files(f"{table}/{LOG}")


def _numbered(log: Sequence[StoredFile]) -> Iterator[tuple[int, StoredFile]]:
    for file in log:
        match = _VERSION.match(_base_name(file.name))
        if match:
            yield int(match[1]), file


def _base_name(name: str) -> str:
    return name.rpartition("/")[2]
