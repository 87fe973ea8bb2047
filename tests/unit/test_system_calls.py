"""The system calls of a group of commits come in an order that a power cut cannot spoil."""

import re
import shutil
import subprocess
import sys

import pytest

GROUP = """
import sys
from pathlib import Path
import pyarrow as pa
from deltalake import write_deltalake
from socare_spark.lake.transaction import atomic_commits
from socare_spark.lake.lake import Lake

lake = Lake(Path(sys.argv[1]))
names = ["restricted/one", "restricted/superseded/two"]
with atomic_commits(None, lake, names, keep=True):
    for name in names:
        rows = pa.table({"a": [1, 2], "b": [1, 2]})
        write_deltalake(lake.uri(name), rows, partition_by=["a"])
"""
TRACED = "openat,creat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,fsync,fdatasync"


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """The lake, and the calls on its files in their order: name and paths below the lake."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    root = tmp_path_factory.mktemp("calls")
    trace, lake = root / "trace", root / "lake"
    command = [strace, "-f", "-y", "-s", "4096", "-e", f"trace={TRACED}", "-o", str(trace)]
    ended = subprocess.run(
        [*command, sys.executable, "-c", GROUP, str(lake)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in ended.stderr:
        pytest.skip("this system does not allow strace")
    assert ended.returncode == 0, ended.stderr
    found = []
    for line in trace.read_text().splitlines():
        call = re.match(r"\d+ +(?P<name>\w+)\((?P<rest>.*)", line)
        paths = re.findall(rf'["<]{re.escape(str(lake))}/?([^">]*)[">]', line)
        if call and paths and "ENOENT" not in line:
            found.append((call["name"], call["rest"], paths))
    return lake, found


def first(calls, names, path):
    return next(i for i, (name, _, paths) in enumerate(calls) if name in names and path in paths)


def synced(calls):
    """Path -> the place of its last call that brings it to disk."""
    return {
        path: i
        for i, (name, _, paths) in enumerate(calls)
        if name in ("fsync", "fdatasync")
        for path in paths
    }


def test_transaction_file_is_synced_before_the_first_table_write(calls):
    _, found = calls
    writes = [
        i
        for i, (name, rest, paths) in enumerate(found)
        if name == "openat" and "O_CREAT" in rest and paths[0].startswith("restricted/")
    ]
    assert len(writes) >= 6
    begun = first(found, ("rename", "renameat", "renameat2"), "unfinished.json")
    assert synced(found[:begun])["unfinished.json.partial"] < begun
    assert begun < synced(found[: writes[0]])[""] < writes[0]


def test_all_written_files_are_synced_before_the_transaction_file_is_removed(calls):
    lake, found = calls
    gone = first(found, ("unlink", "unlinkat"), "unfinished.json")
    on_disk = synced(found[:gone])
    written = [path for path in (lake / "restricted").rglob("*")]
    assert sum(path.suffix == ".parquet" for path in written) == 4
    missing = [p for p in written if str(p.relative_to(lake)) not in on_disk]
    assert missing == []
    assert {"restricted", "versions.json.partial", ""} <= on_disk.keys()
    for path in written:
        # A folder's entry for a file counts once the folder itself is brought to disk after it.
        parent = str(path.parent.relative_to(lake))
        if path.is_file():
            assert on_disk[str(path.relative_to(lake))] < on_disk[parent]


def test_lake_folder_is_synced_after_the_transaction_file_is_removed(calls):
    _, found = calls
    gone = first(found, ("unlink", "unlinkat"), "unfinished.json")
    assert synced(found)[""] > gone
