"""Finds files without a source in the lake and in the folder of rejected lines.

These are pictures that no analysis names, rejected lines of deleted files, folders of runs past
their retention, and staged rows of an interrupted run.
"""

import fnmatch
import json
import re
from datetime import UTC, datetime, timedelta

from socare_spark.ingest.ledger import LEDGER, read_ledger
from socare_spark.ingest.rejected_lines import REFUSED, REJECTED, rejected_names
from socare_spark.ingest.staging import STAGE
from socare_spark.lake.lake import MAPS, PICTURES, Lake
from socare_spark.lake.table import Zone
from socare_spark.storage.landing import Landing
from socare_spark.storage.storage import read_existing
from socare_spark.tracking.run import RUNS

_RUN = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")


def unnamed_pictures(lake: Lake) -> list[str]:
    """Names of pictures and maps that no analysis state names.

    Raises:
        ValueError: the state of an analysis cannot be read, so no picture may be deleted.
    """
    named_pictures: set[str] = set()
    for name in fnmatch.filter(lake.storage.names(Zone.WORKING), ".*.json"):
        state = json.loads(read_existing(lake.storage, f"{Zone.WORKING}/{name}"))
        named_pictures.update(state["pictures"])
    files = [file.name for folder in (PICTURES, MAPS) for file in lake.storage.files(folder)]
    return sorted(name for name in files if name not in named_pictures)


def rejected_without_source(lake: Lake, landing: Landing) -> list[str]:
    """Names of rejected lines and reasons of files that are neither loaded nor in landing.

    Only files in the ledger of this lake are considered: another landing folder in the same place
    shares the folder of rejected lines.
    """
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
    names = []
    for name in (file.name for file in landing.rejected.files()):
        for ending, kept in ((REJECTED, accepted), (REFUSED, frozenset[str]())):
            if not name.endswith(ending):
                continue
            named = name.removesuffix(ending)
            source = in_ledger.get(named)
            if source is not None and named not in kept and not landing.storage.is_file(source):
                names.append(name)
    return names


def expired_runs(lake: Lake, *, days: int, now: datetime, keep: str) -> list[str]:
    """Names of the folders of runs that began before the retention period.

    Args:
        lake: The lake.
        days: Retention period in days.
        now: The current time.
        keep: Id of a run whose folder is always kept.
    """
    runs = sorted(name for name in lake.storage.names(RUNS) if _RUN.fullmatch(name))
    cutoff = now - timedelta(days=days)
    return [f"{RUNS}/{run}" for run in runs if run != keep and _began(run) < cutoff]


def _began(run: str) -> datetime:
    return datetime.strptime(run[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def stale_staging(lake: Lake) -> list[str]:
    """Name of the folder of staged rows, which exists only after an interrupted run."""
    return [STAGE] if lake.storage.names(STAGE) else []
