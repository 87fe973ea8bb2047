"""The behaviour that a lease has on every store. A subclass has the fixture `storage`, empty.

This file is also the program of the processes that the tests start.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import socare_spark
from socare_spark.errors import InfrastructureError, LockedError
from socare_spark.storage import lease as lease_module
from socare_spark.storage.conditional_writes import check_conditional_writes
from socare_spark.storage.lease import Lease

PROCESSES, SECONDS = 3, 2


class Shared:
    """The storage of a lease that exists, for a process without a session."""

    def __init__(self, values):
        self.location, self._uri, self._options = values

    def uri(self, _name):
        return self._uri

    def delta_options(self):
        return self._options

    def names(self, _folder):
        return ["00000000000000000000.json"]


def started(storage, work, term, folder):
    """Starts a process that works on the lease of a storage."""
    shared = (storage.location, storage.uri(".lease"), storage.delta_options())
    root = str(Path(socare_spark.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, __file__, work, json.dumps(shared), str(term), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )


class LeaseContract:
    # The commits of a slow store need a longer term.
    term = 3.0

    def lease(self, storage, **options):
        return Lease(storage, term=self.term, **options)

    def refusal(self, storage):
        """The message to a second job."""
        with pytest.raises(LockedError) as error, self.lease(storage).held("places", "run 2"):
            pass
        return str(error.value)

    def test_one_job_at_a_time_holds_it_and_others_name_that_job(self, storage):
        with self.lease(storage).held("ingest", "run 1"):
            message = self.refusal(storage)
            assert message.startswith(f"The lake {storage.location} is in use by the job ingest")
            assert (
                f"(run run 1), process {os.getpid()} on {os.uname().nodename}, since 2" in message
            )
            assert self.lease(storage).holder().job == "ingest"
        assert self.lease(storage).holder() is None
        with self.lease(storage).held("places", "run 2"):
            assert self.lease(storage).holder().job == "places"

    def test_it_is_renewed_while_it_is_held(self, storage):
        lease = self.lease(storage)
        with lease.held("ingest", "run 1"):
            end = time.monotonic() + 1.3 * self.term
            while time.monotonic() < end:
                lease.check()
                time.sleep(self.term / 20)
            assert "in use by the job ingest" in self.refusal(storage)

    def test_of_several_processes_one_at_a_time_holds_it(self, storage, tmp_path):
        with self.lease(storage).held("ingest", "run 1"):
            pass
        processes = [started(storage, "race", self.term, tmp_path) for _ in range(PROCESSES)]
        results = [json.loads(process.communicate()[0]) for process in processes]
        assert [process.returncode for process in processes] == [0] * PROCESSES
        assert sum(result["together"] for result in results) == 0
        assert sum(result["held"] for result in results) >= 2
        assert sum(result["refused"] for result in results) >= 2

    def test_the_lease_of_a_killed_process_is_taken_over_when_it_has_run_out(
        self, storage, tmp_path
    ):
        with self.lease(storage).held("ingest", "run 1"):
            pass
        process = started(storage, "hold", self.term, tmp_path)
        assert process.stdout.readline() == "held\n"
        process.kill()
        process.communicate()
        killed = time.monotonic()
        assert f"process {process.pid} on" in self.refusal(storage)
        expires = self.lease(storage).holder().expires
        time.sleep(max(0, expires - time.time()) + 0.01)
        with self.lease(storage).held("places", "run 2"):
            assert time.monotonic() - killed > self.term
            assert self.lease(storage).holder().job == "places"

    def test_a_late_clock_of_the_holder_admits_no_second_job(self, storage, monkeypatch):
        clock = time.time
        with monkeypatch.context() as patch:
            patch.setattr(lease_module.time, "time", lambda: clock() - 3600)
            first = self.lease(storage)
            with first.held("ingest", "run 1"):
                patch.undo()
                assert "in use by the job ingest" in self.refusal(storage)
                first.check()

    def test_a_job_whose_lease_is_removed_loses_it_and_keeps_off_the_next(self, storage):
        losses = []
        first = self.lease(storage, on_lost=lambda: losses.append(1))
        with first.held("ingest", "run 1"):
            assert self.lease(storage).unlock().job == "ingest"
            with self.lease(storage).held("places", "run 2"):
                end = time.monotonic() + self.term
                while not losses and time.monotonic() < end:
                    time.sleep(0.02)
                assert losses
                with pytest.raises(InfrastructureError, match="lost the lock of the lake"):
                    first.check()
                first._release()
                assert self.lease(storage).holder().job == "places"

    def test_a_lease_without_a_holder_is_not_unlocked(self, storage):
        assert self.lease(storage).unlock() is None
        with self.lease(storage).held("ingest", "run 1"):
            pass
        assert self.lease(storage).unlock() is None

    def test_the_store_keeps_two_writers_of_a_file_apart(self, storage):
        check_conditional_writes(storage)
        assert [name for name in storage.names("") if name.startswith(".probe")] == []


@contextmanager
def _alone(folder):
    """Yields whether no other process is in such a block."""
    file = Path(folder) / "inside"
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        yield False
        return
    try:
        yield True
    finally:
        file.unlink()


def _race(storage, term, folder):
    counts = {"held": 0, "refused": 0, "together": 0}
    end = time.monotonic() + max(SECONDS, term)
    while time.monotonic() < end:
        try:
            with Lease(storage, term=term).held("race", str(os.getpid())), _alone(folder) as alone:
                counts["held"] += 1
                counts["together"] += not alone
                time.sleep(0.02)
        except LockedError:
            counts["refused"] += 1
    sys.stdout.write(json.dumps(counts))


def _hold(storage, term, _folder):
    with Lease(storage, term=term).held("hold", "run"):
        sys.stdout.write("held\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            time.sleep(600)


if __name__ == "__main__":
    {"race": _race, "hold": _hold}[sys.argv[1]](
        Shared(json.loads(sys.argv[2])), float(sys.argv[3]), sys.argv[4]
    )
