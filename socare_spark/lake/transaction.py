"""Several tables change together or not at all.

Delta commits one table at a time. Before the first write of a group, the versions of its tables
are noted in a file; when the group is whole the file goes. A group that broke, in this process or
in one that was killed, is undone: each table goes back to its noted version. Only the holder of the
lake's lock may do either.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from socare_spark.lake.zones import Lake

_NOTE = "unfinished.json"


@contextmanager
def together(spark: SparkSession, lake: Lake, tables: Iterable[str]) -> Iterator[None]:
    """A group of writes to the named tables (`zone/name`)."""
    note = lake.root / _NOTE
    note.parent.mkdir(parents=True, exist_ok=True)
    versions = {name: lake.version(name) for name in tables}
    partial = note.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(versions, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, note)
    _settle(lake)
    try:
        yield
    except BaseException:
        undo(spark, lake)
        raise
    note.unlink()
    _settle(lake)


def _settle(lake: Lake) -> None:
    """Brings the folder's entries to disk: what was noted must outlast a power cut."""
    folder = os.open(lake.root, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def undo(spark: SparkSession, lake: Lake) -> list[str]:
    """Brings the tables of an unfinished group back; returns those that had changed."""
    note = lake.root / _NOTE
    if not note.exists():
        return []
    versions: dict[str, int | None] = json.loads(note.read_text("utf-8"))
    changed = [name for name, version in versions.items() if lake.version(name) != version]
    for name in changed:
        lake.restore(spark, name, versions[name])
    note.unlink()
    return changed


def unfinished(lake: Lake) -> bool:
    """Whether a group of writes broke off and has not been undone."""
    return (lake.root / _NOTE).exists()
