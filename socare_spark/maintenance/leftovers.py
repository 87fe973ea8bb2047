"""Files that a lake, or the folder of rejected lines, keeps without a source.

These are pictures that no analysis names, rejected lines of files that are gone, folders of runs
past their retention, and staged rows of a run that broke off.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from socare_spark.ingest.ledger import LEDGER, read_ledger
from socare_spark.ingest.rejected_lines import rejected_folder
from socare_spark.ingest.staging import staging_folder
from socare_spark.lake.lake import Lake

_RUN = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
_REJECTED, _REFUSED = ".rejected.csv", ".refused.txt"


def unnamed_pictures(lake: Lake) -> list[Path]:
    """Pictures and maps that the state of no analysis names.

    Raises:
        ValueError: the state of an analysis cannot be read, so nothing is known.
    """
    named: set[Path] = set()
    for path in (lake.root / "working").glob(".*.json"):
        state = json.loads(path.read_text("utf-8"))
        named.update(lake.root / picture for picture in state["pictures"])
    files = [p for folder in (lake.pictures, lake.maps) for p in folder.rglob("*") if p.is_file()]
    return sorted(path for path in files if path not in named)


def rejected_without_source(lake: Lake, landing: Path) -> list[Path]:
    """Rejected lines and refusals of files that are neither in the lake nor in landing any more.

    Files that this lake never had to do with stay: another landing folder beside this one has its
    rejected lines in the same place.
    """
    folder = rejected_folder(landing)
    known = {row["file"] for row in lake.to_dicts(LEDGER, "file")} if lake.exists(LEDGER) else set()
    accepted = frozenset(entry.file for entry in read_ledger(lake).current.values())
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        for ending, held in ((_REJECTED, accepted), (_REFUSED, frozenset[str]())):
            source = name.removesuffix(ending)
            gone = source in known - held and not (landing / source).is_file()
            if source != name and gone:
                found.append(path)
    return found


def expired_runs(lake: Lake, *, days: int, now: datetime, keep: str) -> list[Path]:
    """Folders of runs that began before a retention, but for one run."""
    folder = lake.root / "runs"
    runs = sorted(p for p in folder.glob("*") if p.is_dir() and _RUN.fullmatch(p.name))
    cutoff = now - timedelta(days=days)
    return [path for path in runs if path.name != keep and _began(path) < cutoff]


def _began(run: Path) -> datetime:
    return datetime.strptime(run.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def stale_staging(lake: Lake) -> list[Path]:
    """The folder of staged rows, which is there only after a run that broke off."""
    folder = staging_folder(lake)
    return [folder] if folder.exists() else []
