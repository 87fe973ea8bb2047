"""The job `maintain`: compacts tables and deletes old versions and files without a source.

Tables are changed in one group of commits. Files are deleted after it, so the lake is readable if
the run is interrupted at any point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from socare_spark.analysis import Context, Job
from socare_spark.errors import DataError
from socare_spark.ingest.ledger import PEOPLE
from socare_spark.lake.table import Zone
from socare_spark.lake.transaction import atomic_commits, has_unfinished_commits
from socare_spark.maintenance import leftovers, tables
from socare_spark.maintenance.people import people_with_records
from socare_spark.maintenance.settings import MaintenanceSettings, read_maintenance
from socare_spark.plurals import counted

_NAME = "maintain"


@dataclass(frozen=True)
class _Leftovers:
    """Files and folders to delete beside the tables."""

    pictures: Sequence[str]
    rejected: Sequence[str]
    runs: Sequence[str]
    staging: Sequence[str]

    def counts(self) -> dict[str, int]:
        """Kind -> number of files or folders."""
        return {
            "pictures": len(self.pictures),
            "rejected": len(self.rejected),
            "runs": len(self.runs),
            "staging": len(self.staging),
        }


def _run(context: Context) -> None:
    if has_unfinished_commits(context.lake):
        raise DataError(
            "A group of commits is unfinished and not rolled back: run the same command again."
        )
    settings = read_maintenance(context.conf)
    names = context.lake.tables(*Zone)
    before = {name: tables.usage(context.lake, name) for name in names}
    with context.progress.step(f"{_NAME}: people and compaction"):
        _change_tables(context, settings)
    with context.progress.step(f"{_NAME}: old versions", of=len(names)) as step:
        for name in names:
            _delete_old_versions(context, settings, name)
            step.advance()
        _clear_log_cache(context)
    _delete_leftovers(context, settings)
    _report(context, before)


def _change_tables(context: Context, settings: MaintenanceSettings) -> None:
    """Removes people without records and compacts tables, in one group of commits."""
    lake, counts = context.lake, context.run.counts
    people = people_with_records(context.spark, lake)
    small = _with_small_files(context, settings)
    touched = [*small, *([] if people is None or PEOPLE.path in small else [PEOPLE.path])]
    counts[f"{_NAME}/people_removed"] = 0
    counts[f"{_NAME}/tables_compacted"] = 0
    if not touched:
        return
    with atomic_commits(context.spark, lake, touched):
        if people is not None:
            people_before = lake.count(PEOPLE)
            lake.replace(PEOPLE, people, context.commit_metadata())
            counts[f"{_NAME}/people_removed"] = people_before - lake.count(PEOPLE)
        for name in small:
            if name != PEOPLE.path or people is None:
                tables.compact(lake, name, target_bytes=settings.small_file_bytes)
                counts[f"{_NAME}/tables_compacted"] += 1
    for name in touched:
        commit = lake.last_commit(name)
        if commit is not None:
            context.run.outputs[name] = {"version": commit.version, "rows": commit.rows}


def _with_small_files(context: Context, settings: MaintenanceSettings) -> list[str]:
    return [
        name
        for name in context.lake.tables(*Zone)
        if tables.needs_compaction(
            context.lake,
            name,
            small_bytes=settings.small_file_bytes,
            small_files=settings.small_files,
        )
    ]


def _delete_old_versions(context: Context, settings: MaintenanceSettings, name: str) -> None:
    """Deletes the data files and log entries of a table that no kept version needs."""
    lake, days = context.lake, settings.versions_days
    lake.storage.check_held()
    tables.remove_data_files(lake, name, tables.unused_files(lake, name, days=days))
    tables.write_checkpoint(lake, name)
    log_files = tables.old_log_files(lake, name, days=days, now=datetime.now(UTC))
    tables.remove_log_files(lake, log_files)


def _clear_log_cache(context: Context) -> None:
    """Clears the session's cache of Delta logs, which can have deleted entries."""
    jvm = context.spark._jvm
    if jvm is not None:
        jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


def _find_leftovers(context: Context, settings: MaintenanceSettings) -> _Leftovers:
    lake = context.lake
    try:
        pictures = leftovers.unnamed_pictures(lake)
    except (ValueError, KeyError, OSError):
        pictures = []
        context.run.warnings.append(
            "A state file of an analysis (working/.NAME.json) cannot be read, so no picture was "
            "removed: run the analyses again."
        )
    rejected: list[str] = []
    if context.landing is not None and context.landing.exists():
        rejected = leftovers.rejected_without_source(lake, context.landing)
    else:
        context.run.warnings.append(
            "Rejected lines without a source were not removed: give --landing to remove them."
        )
    runs = leftovers.expired_runs(
        lake, days=settings.runs_days, now=datetime.now(UTC), keep=context.run.run_id
    )
    return _Leftovers(pictures, rejected, runs, leftovers.stale_staging(lake))


def _delete_leftovers(context: Context, settings: MaintenanceSettings) -> None:
    leftover_files = _find_leftovers(context, settings)
    storage = context.lake.storage
    storage.check_held()
    storage.remove(leftover_files.pictures)
    if context.landing is not None:
        context.landing.rejected.remove(leftover_files.rejected)
    for folder in (*leftover_files.runs, *leftover_files.staging):
        storage.remove_tree(folder)
    for kind, count in leftover_files.counts().items():
        context.run.counts[f"{_NAME}/{kind}_removed"] = count


def _report(context: Context, before: dict[str, tables.Usage]) -> None:
    """Records the files and bytes of each table and prints the totals."""
    counts = context.run.counts
    after = {name: tables.usage(context.lake, name) for name in before}
    for name, old in before.items():
        counts[f"{_NAME}/files_before/{name}"] = old.files
        counts[f"{_NAME}/files_after/{name}"] = after[name].files
        counts[f"{_NAME}/bytes_before/{name}"] = old.bytes
        counts[f"{_NAME}/bytes_after/{name}"] = after[name].bytes
    files = [sum(u.files for u in x.values()) for x in (before, after)]
    size = [sum(u.bytes for u in x.values()) for x in (before, after)]
    counts[f"{_NAME}/bytes_before"], counts[f"{_NAME}/bytes_after"] = size
    removed = {
        kind: int(counts[f"{_NAME}/{kind}_removed"])
        for kind in ("people", "pictures", "rejected", "runs", "staging")
    }
    context.progress.say(
        f"{_NAME}: {counted(len(before), 'table')}, {int(counts[f'{_NAME}/tables_compacted'])} "
        f"compacted, {counted(files[0], 'file')} before and {files[1]:,} after, "
        f"{size[0] / 1e6:,.1f} MB before and {size[1] / 1e6:,.1f} MB after"
    )
    listed = ", ".join(f"{kind} {count}" for kind, count in removed.items())
    context.progress.say(f"{_NAME}: removed {listed}")


def _plan(context: Context) -> Sequence[str]:
    """Lists the actions of a run. Compaction creates further unused files, which are not listed."""
    settings, lake = read_maintenance(context.conf), context.lake
    lines = []
    if people_with_records(context.spark, lake) is not None:
        lines.append(f"removes people without records from {PEOPLE.path}")
    lines += [f"compacts {name}" for name in _with_small_files(context, settings)]
    for name in lake.tables(*Zone):
        unused = tables.unused_files(lake, name, days=settings.versions_days)
        if unused:
            lines.append(f"removes {len(unused)} unused files of {name}")
    counts = _find_leftovers(context, settings).counts()
    lines += [f"removes {count} {kind}" for kind, count in counts.items() if count]
    return lines or ["nothing to do"]


JOB = Job(
    _NAME,
    "Compact tables and remove old versions, people without records and files without a source.",
    _run,
    _plan,
    (PEOPLE,),
)
