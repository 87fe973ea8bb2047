"""A storage on a disk: the contract of all storages, modes of files, and the lock."""

import os

import pytest
from storage_contract import StorageContract

from socare_spark.errors import InfrastructureError, LockedError
from socare_spark.storage.local import LocalStorage


class TestLocalStorage(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path):
        return LocalStorage(tmp_path / "storage")


def test_files_are_for_their_owner_whatever_the_umask(tmp_path):
    storage = LocalStorage(tmp_path)
    before = os.umask(0)
    try:
        storage.write("a/x", b"1", durable=True)
        with storage.replacement("a/y") as path:
            path.write_bytes(b"2")
    finally:
        os.umask(before)
    modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "x": 0o600, "y": 0o600}


def test_one_job_at_a_time_has_the_lock_and_others_name_it(tmp_path):
    storage = LocalStorage(tmp_path / "lake")
    with storage.held("ingest"):
        held = rf"in use by the job ingest, process {os.getpid()} on"
        with pytest.raises(LockedError, match=held), storage.held("places"):
            pass
    with storage.held("places"):
        pass


def test_no_lock_remains_to_be_removed(tmp_path):
    storage = LocalStorage(tmp_path)
    with storage.held("ingest"):
        storage.check_held()
        assert "the operating system releases the lock" in storage.unlock()
        with pytest.raises(LockedError), storage.held("places"):
            pass


def test_a_lake_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match="cannot be written"):  # noqa: SIM117
        with LocalStorage(tmp_path / "file" / "lake").held("ingest"):
            pass


def test_a_file_that_cannot_be_read_is_no_missing_file(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        LocalStorage(tmp_path).read("x")
