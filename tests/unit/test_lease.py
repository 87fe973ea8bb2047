"""A lease lets one job write to a lake, and a job that loses it stops before its next commit."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from deltalake.exceptions import DeltaError
from lease_contract import LeaseContract

from socare_spark import cli
from socare_spark.analysis import Job
from socare_spark.errors import ConfigurationError, ExitCode, InfrastructureError
from socare_spark.ingest.stage_files import StageFiles
from socare_spark.ingest.staging import STAGE, remove_stage
from socare_spark.lake.lake import Lake
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone
from socare_spark.lake.transaction import atomic_commits, has_unfinished_commits
from socare_spark.storage import lease as lease_module
from socare_spark.storage.conditional_writes import check_conditional_writes
from socare_spark.storage.lease import Lease
from socare_spark.storage.local import LocalStorage

ONE, TWO = (
    TableSpec(Zone.WORKING, name, "A row.", (ColumnSpec("a", "string", "A text."),))
    for name in ("one", "two")
)
ROWS = pa.table({"a": ["x"]})
CONF = Path(__file__).parents[2] / "conf"


@dataclass(frozen=True)
class Folder(LocalStorage):
    """A folder in which delta-rs makes a file only if there is none, with a lease as lock."""

    lease: Lease | None = None

    @property
    def drafts(self):
        return self.root.with_name("drafts")

    def delta_options(self):
        return {}

    def check_held(self):
        if self.lease is not None:
            self.lease.check()


@pytest.fixture
def storage(tmp_path):
    return Folder(tmp_path / "lake")


class TestLease(LeaseContract):
    pass


def test_a_store_that_lets_two_writers_make_one_file_is_refused(tmp_path):
    # With the options of a lake on a disk delta-rs renames over an existing file.
    storage = LocalStorage(tmp_path)
    with pytest.raises(ConfigurationError, match="conditional writes"):
        check_conditional_writes(storage)
    assert storage.names() == []
    with pytest.raises(ConfigurationError), Lease(storage).held("ingest", "run"):
        pass
    assert storage.names() == []


def test_a_commit_whose_answer_is_lost_counts(storage, monkeypatch):
    commit = lease_module.commit_once

    def commit_without_answer(table, metadata):
        commit(table, metadata)
        raise DeltaError("no answer")

    with Lease(storage).held("ingest", "run"):
        pass
    lease = Lease(storage)
    monkeypatch.setattr(lease_module, "commit_once", commit_without_answer)
    with lease.held("places", "run"):
        version = lease._state.version
        lease._renew()
        assert lease._state.version == version + 1
        lease.check()
    assert Lease(storage).holder() is None


def test_a_lease_that_cannot_be_renewed_ends_before_another_job_can_take_it(storage, monkeypatch):
    losses, clock = [], lease_module._now
    lease = Lease(storage, term=0.6, on_lost=lambda: losses.append(clock() - lease._renewed))
    with lease.held("ingest", "run"):
        monkeypatch.setattr(lease_module, "commit_once", fails)
        end = clock() + 3
        while not losses and clock() < end:
            time.sleep(0.01)
        assert losses
        assert losses[0] >= 0.5
        with pytest.raises(InfrastructureError, match="lost the lock"):
            lease.check()
    # It cannot be held again by a late renewal.
    with pytest.raises(InfrastructureError, match="lost the lock"):
        lease.check()


def fails(*_):
    raise OSError("no connection, secret")


def test_an_error_of_the_store_has_no_message_of_the_library(storage, monkeypatch):
    with Lease(storage).held("ingest", "run"):
        pass
    monkeypatch.setattr(Lease, "_read", fails)
    with pytest.raises(InfrastructureError, match=r"by delta-rs \(OSError\)") as error:
        Lease(storage).holder()
    assert "secret" not in str(error.value)


def test_missing_rights_of_delta_rs_are_reported_as_such(storage, monkeypatch):
    def refuses(*_):
        raise OSError("The operation lacked the necessary privileges to complete: secret")

    with Lease(storage).held("ingest", "run"):
        pass
    monkeypatch.setattr(Lease, "_read", refuses)
    with pytest.raises(PermissionError) as error:
        Lease(storage).holder()
    assert "secret" not in str(error.value)


def test_the_log_of_a_lease_does_not_grow(storage):
    with Lease(storage).held("ingest", "run"):
        pass
    log = storage.root / ".lease" / "_delta_log"
    sizes = []
    for _ in range(4):
        for file in log.iterdir():
            os.utime(file, (1.7e9, 1.7e9))
        lease = Lease(storage)
        with lease.held("ingest", "run"):
            for _ in range(10):
                lease._renew()
        sizes.append(len(list(log.iterdir())))
    # 48 commits, and a checkpoint for every tenth.
    assert max(sizes) < 30
    assert [path.name for path in log.parent.iterdir()] == ["_delta_log"]


def test_a_lost_lease_stops_a_run_before_its_next_commit(storage):
    lease = Lease(storage)
    lake = Lake(Folder(storage.root, lease))
    lake.replace_arrow(ONE, ROWS, {})
    with lease.held("ingest", "run"):
        with pytest.raises(InfrastructureError, match="lost the lock"):  # noqa: SIM117
            with atomic_commits(None, lake, [ONE.path, TWO.path]):
                lake.replace_arrow(ONE, ROWS, {})
                Lease(storage).unlock()
                lease._renew()
                lake.replace_arrow(TWO, ROWS, {})
        # The next holder undoes the group. This run must not, because the other can have done so.
        assert has_unfinished_commits(lake)
        assert (lake.version(ONE), lake.version(TWO)) == (1, None)
        for write in (lake.append_arrow, lake.replace_arrow):
            with pytest.raises(InfrastructureError, match="lost the lock"):
                write(ONE, ROWS, {})
        with pytest.raises(InfrastructureError, match="lost the lock"):
            lake.replace(ONE, None, {})
        # The staged rows can be those of the next holder.
        storage.write(f"{STAGE}/visits/rows.parquet", b"1")
        with pytest.raises(InfrastructureError, match="lost the lock"):
            StageFiles(lake.storage, f"{STAGE}/visits").write(None, ())
        remove_stage(lake)
        assert storage.is_file(f"{STAGE}/visits/rows.parquet")


def test_a_lease_lost_at_the_end_of_a_group_leaves_it_unfinished(storage):
    lease = Lease(storage)
    lake = Lake(Folder(storage.root, lease))
    with lease.held("ingest", "run"):
        with pytest.raises(InfrastructureError, match="lost the lock"):  # noqa: SIM117
            with atomic_commits(None, lake, [ONE.path]):
                lake.replace_arrow(ONE, ROWS, {})
                Lease(storage).unlock()
                lease._renew()
        assert has_unfinished_commits(lake)
        assert lake.version(ONE) == 0


def unlock(lake):
    """Runs a job that must not start with `--unlock`."""

    def works(_):
        raise AssertionError("the job ran")

    job = Job("works", "Works.", works, lambda _: [], ())
    return cli.main(job, ["--lake", lake, "--conf", str(CONF), "--unlock"])


def test_unlock_ends_the_lease_of_a_remote_lake_and_runs_no_job(
    tmp_path, storage, monkeypatch, capsys
):
    class Remote(Folder):
        def unlock(self):
            return f"Was held by {Lease(self).unlock()}."

    monkeypatch.setattr(cli, "open_session", lambda *_: SimpleNamespace(stop=lambda: None))
    monkeypatch.setattr(cli, "local_folders", lambda: [tmp_path])
    monkeypatch.setattr(cli, "open_storage", lambda *_: Remote(storage.root))
    with Lease(storage).held("ingest", "run"):
        assert unlock("s3a://lakes/lake") == ExitCode.DONE
        assert Lease(storage).holder() is None
    assert "Was held by the job ingest (run run), process" in capsys.readouterr().err
    assert storage.names() == [".lease"]


def test_unlock_of_a_local_lake_needs_no_session_and_changes_nothing(tmp_path, capsys):
    assert unlock(str(tmp_path / "lake")) == ExitCode.DONE
    assert "the operating system releases the lock" in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []
