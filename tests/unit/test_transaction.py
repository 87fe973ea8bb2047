"""A group of commits is whole or undone, wherever the power goes; no session is needed."""

import os
import shutil
from contextlib import suppress

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from socare_spark.errors import DataError
from socare_spark.lake import transaction
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.lake.transaction import (
    atomic_commits,
    check_versions,
    has_unfinished_commits,
    roll_back,
)

ONE, TWO, NEW = (
    TableSpec(Zone.RESTRICTED, name, "A row.", (ColumnSpec("a", "string", "A text."),))
    for name in ("one", "superseded/two", "new")
)


def enters(lake, table, text):
    write_deltalake(lake.storage.path(table.path), pa.table({"a": [text]}), mode="append")


def held(lake):
    return {
        t.name: sorted(r["a"] for r in lake.to_dicts(t)) if lake.exists(t) else None
        for t in (ONE, TWO, NEW)
    }


OLD_ROWS = {"one": ["old"], "superseded/two": ["old"], "new": None}
NEW_ROWS = {"one": ["new", "old"], "superseded/two": ["new", "old"], "new": ["new"]}


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake")
    with atomic_commits(None, made, [ONE.path, TWO.path], keep=True):
        enters(made, ONE, "old")
        enters(made, TWO, "old")
    return made


def group(lake):
    with atomic_commits(None, lake, [t.path for t in (ONE, TWO, NEW)], keep=True):
        for table in (ONE, TWO, NEW):
            enters(lake, table, "new")


class Disk:
    """Remembers which files and entries of folders are on disk; copies what a power cut leaves."""

    def __init__(self, lake, damage):
        self.lake, self.damage, self.copies = lake, damage, []
        self.entries = {path for path, _ in self._all()}
        self.contents = {number for _, number in self._all()}

    def _all(self):
        return {(p, p.stat().st_ino) for p in self.lake.storage.root.rglob("*")}

    def synced(self, handle):
        path, number = os.readlink(f"/proc/self/fd/{handle}"), os.fstat(handle).st_ino
        self.contents.add(number)
        if os.path.isdir(path):
            self.entries |= {p for p, _ in self._all() if str(p.parent) == path}

    def cut(self):
        """Copies the lake as a power cut at this point may leave it."""
        copy = self.lake.storage.root.with_name(f"cut{len(self.copies)}")
        shutil.copytree(self.lake.storage.root, copy)
        for path, number in sorted(self._all()):
            there = copy / path.relative_to(self.lake.storage.root)
            if not there.exists():
                continue
            if path not in self.entries and self.damage == "lost":
                shutil.rmtree(there) if there.is_dir() else there.unlink()
            elif there.is_file() and number not in self.contents:
                size = 0 if self.damage == "emptied" else there.stat().st_size // 2
                os.truncate(there, size)
        self.copies.append(copy)


@pytest.mark.parametrize("damage", ["lost", "emptied", "torn"])
def test_a_power_cut_at_any_step_leaves_all_old_or_all_new(lake, damage, monkeypatch):
    disk = Disk(lake, damage)
    sync, enter = os.fsync, enters

    def fsync(handle):
        disk.cut()
        sync(handle)
        disk.synced(handle)

    def entered(*arguments):
        enter(*arguments)
        disk.cut()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        patch.setitem(globals(), "enters", entered)
        group(lake)
        disk.cut()
    seen = []
    for copy in disk.copies:
        after = Lake(copy)
        roll_back(None, after)
        check_versions(after)
        seen.append(held(after))
    assert seen[0] == OLD_ROWS
    assert seen[-1] == NEW_ROWS
    assert all(rows in (OLD_ROWS, NEW_ROWS) for rows in seen)


@pytest.mark.parametrize("kind", ["*.json", "*.parquet"])
def test_interrupted_undo_is_repeated(lake, kind, monkeypatch):
    monkeypatch.setattr(transaction, "roll_back", lambda *_: [])
    with suppress(KeyboardInterrupt), atomic_commits(None, lake, [ONE.path, TWO.path, NEW.path]):
        for table in (ONE, TWO, NEW):
            enters(lake, table, "new")
        raise KeyboardInterrupt
    monkeypatch.undo()
    newest = max(lake.storage.path(ONE.path).rglob(kind), key=lambda p: p.stat().st_mtime_ns)
    newest.write_bytes(b"")
    steps = 0
    while has_unfinished_commits(lake):
        steps += 1
        calls = iter(range(steps))
        real = type(newest).unlink

        def unlink(path, *arguments, calls=calls, real=real, **options):
            if next(calls, None) is None:
                raise KeyboardInterrupt
            real(path, *arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(type(newest), "unlink", unlink)
            with suppress(KeyboardInterrupt):
                roll_back(None, lake)
    assert steps > 1
    assert held(lake) == OLD_ROWS
    check_versions(lake)


@pytest.mark.parametrize("harm", ["lost", "older"])
def test_an_undo_does_not_accept_a_table_that_is_lost_or_older(lake, harm, monkeypatch):
    enters(lake, ONE, "more")
    transaction.note_versions(lake, [ONE.path])
    with monkeypatch.context() as patch:
        patch.setattr(transaction, "roll_back", lambda *_: [])
        with suppress(KeyboardInterrupt), atomic_commits(None, lake, [ONE.path, TWO.path]):
            enters(lake, TWO, "new")
            raise KeyboardInterrupt
    if harm == "lost":
        shutil.rmtree(lake.storage.path(ONE.path))
    else:
        (lake.storage.path(ONE.path) / "_delta_log" / f"{1:020}.json").unlink()
    roll_back(None, lake)
    with pytest.raises(DataError, match="restricted/one: version 1 expected"):
        check_versions(lake)
