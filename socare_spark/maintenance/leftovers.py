"""Finds files without a source in the lake and in the folder of rejected lines.

These are pictures that no analysis names, rejected lines of deleted files, folders of runs past
their retention, and staged rows of an interrupted run.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from socare_spark.ingest.ledger import LEDGER, read_ledger
from socare_spark.ingest.rejected_lines import REFUSED, REJECTED, rejected_folder, rejected_names
from socare_spark.ingest.staging import staging_folder
from socare_spark.lake.lake import Lake

_RUN = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")


def unnamed_pictures(lake: Lake) -> list[Path]:
    """Pictures and maps that no analysis state names.

    Raises:
        ValueError: the state of an analysis cannot be read, so no picture may be deleted.
    """
    named_pictures: set[Path] = set()
    for path in (lake.root / "working").glob(".*.json"):
        state = json.loads(path.read_text("utf-8"))
        named_pictures.update(lake.root / picture for picture in state["pictures"])
    files = [p for folder in (lake.pictures, lake.maps) for p in folder.rglob("*") if p.is_file()]
    return sorted(path for path in files if path not in named_pictures)


def rejected_without_source(lake: Lake, landing: Path) -> list[Path]:
    """Rejected lines and refusal reasons of files that are neither loaded nor in landing.

    Only files in the ledger of this lake are considered: another landing folder in the same place
    shares the folder of rejected lines.
    """
    folder = rejected_folder(landing)
    in_ledger = {
        name: row["file"]
        for row in (lake.to_dicts(LEDGER, "file", "dataset") if lake.exists(LEDGER) else [])
        for name in rejected_names(row["file"], row["dataset"])
    }
    accepted = frozenset(
        name
        for entry in read_ledger(lake).current.values()
        for name in rejected_names(entry.file, entry.dataset)
    )
    paths = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        for ending, kept in ((REJECTED, accepted), (REFUSED, frozenset[str]())):
            if not name.endswith(ending):
                continue
            named = name.removesuffix(ending)
            source = in_ledger.get(named)
            if source is not None and named not in kept and not (landing / source).is_file():
                paths.append(path)
    return paths


def expired_runs(lake: Lake, *, days: int, now: datetime, keep: str) -> list[Path]:
    """Folders of runs that began before the retention period.

    Args:
        lake: The lake.
        days: Retention period in days.
        now: The current time.
        keep: Id of a run whose folder is always kept.
    """
    folder = lake.root / "runs"
    runs = sorted(p for p in folder.glob("*") if p.is_dir() and _RUN.fullmatch(p.name))
    cutoff = now - timedelta(days=days)
    return [path for path in runs if path.name != keep and _began(path) < cutoff]


def _began(run: Path) -> datetime:
    return datetime.strptime(run.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def stale_staging(lake: Lake) -> list[Path]:
    """The folder of staged rows, which exists only after an interrupted run."""
    folder = staging_folder(lake)
    return [folder] if folder.exists() else []
