"""The lock of a lake on a store of Spark: a lease that its holder renews.

The lease is a Delta table without rows: the user metadata of its newest commit name the holder. A
commit of delta-rs without retries is a compare-and-swap: it is refused if the table has a newer
version than the one that was read. So of several jobs that take a free lease, or one that has run
out, one gets it. Commits without rows leave no data files that must be removed later.

No two clocks are compared where it matters. A holder measures by its own clock the time since the
start of its last renewal, and stops commits before a term has passed. Another job takes the lease
over only after it has itself seen, for a whole term, that the table did not change. The time of
day only serves to refuse a job at once, instead of after such a wait, while the recorded end of a
lease is within a term from now; a wrong clock makes a job wait or refuses it, but never admits a
second one. Clocks must run at the same speed. A process that is suspended between the check and
its commit, longer than a sixth of a term, is not stopped; Delta refuses its commit if the other job
has changed the same table.
"""

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from socare_spark.errors import InfrastructureError, LockedError
from socare_spark.storage.conditional_writes import (
    NO_ROWS,
    check_conditional_writes,
    commit_once,
    reported_errors,
)
from socare_spark.storage.storage import Storage

# Seconds after which a lease that is not renewed has run out.
TERM = 120.0
# Parts of a term: a renewal, the next attempt after a failed one, and the last commit.
_RENEWAL, _ATTEMPT, _LAST_COMMIT = 1 / 3, 1 / 12, 5 / 6
_LEASE = ".lease"
# Readers need the log since the last checkpoint. Entries before it are removed after an hour, which
# no reader takes.
_PROPERTIES = {
    "delta.checkpointInterval": "10",
    "delta.logRetentionDuration": "interval 1 hours",
    "delta.enableExpiredLogCleanup": "true",
}
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Holder:
    """The job that holds a lease.

    Attributes:
        job: Name of the job.
        host: Its machine.
        pid: Its process on the machine.
        run_id: Id of its run.
        since: Time at which it took the lease (UTC).
        expires: End of the lease by the clock of the machine, in seconds since 1970.
        term: Seconds after which the lease has run out if it is not renewed.
        token: Random text of this lease.
    """

    job: str
    host: str
    pid: int
    run_id: str
    since: str
    expires: float
    term: float
    token: str

    def __str__(self) -> str:
        """A noun phrase for messages."""
        return (
            f"the job {self.job} (run {self.run_id}), process {self.pid} on {self.host}, "
            f"since {self.since}"
        )


@dataclass(frozen=True)
class _State:
    """A version of the table of a lease and its holder; None for a free lease."""

    version: int
    holder: Holder | None


class Lease:
    """The lease of a lake.

    Only `__init__` and the start of `held` and `unlock` need the session of the storage.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        term: float | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        """Prepares a lease without taking it.

        Args:
            storage: The storage of the lake.
            term: Seconds after which the lease runs out if it is not renewed; `TERM` by default.
            on_lost: Called by another thread from the loss of a held lease to the end of the block,
                several times in a term.
        """
        self._storage, self._on_lost = storage, on_lost
        self._term = TERM if term is None else term
        self._location, self._uri = storage.location, storage.uri(_LEASE)
        # An attempt must end before the lease does; delta-rs repeats requests for minutes.
        seconds = f"{max(1, round(self._term * _ATTEMPT))}s"
        limits = {"timeout": seconds, "connect_timeout": seconds, "retry_timeout": seconds}
        self._options = storage.delta_options() | limits
        self._state = _State(-1, None)
        self._mine: Holder | None = None
        self._renewed, self._is_lost = 0.0, False
        self._ended = threading.Event()

    @contextmanager
    def held(self, job: str, run_id: str) -> Iterator[None]:
        """Holds the lease, and renews it in a thread; once for each object.

        Args:
            job: Name of the job, for the message to other jobs.
            run_id: Id of the run.

        Raises:
            LockedError: another job holds the lease.
            ConfigurationError: the store cannot keep two jobs apart.
            InfrastructureError: the store cannot be read or written.
            PermissionError: the store does not permit it.
        """
        with reported_errors(self._location):
            self._acquire(job, run_id)
        thread = threading.Thread(target=self._renew_until_end, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(self._term * _ATTEMPT)
            # A thread that does not end waits for the store. The lease runs out by itself.
            if not thread.is_alive():
                self._release()

    def check(self) -> None:
        """Checks that a lease that was taken is held and will be during a commit.

        Raises:
            InfrastructureError: the lease is lost.
        """
        if self._mine is not None and self._renewed + self._term * _LAST_COMMIT < _now():
            self._is_lost = True
        if self._is_lost:
            raise InfrastructureError(
                f"This run has lost the lock of the lake {self._location}: it was not renewed in "
                "time, or was removed by --unlock. Another job can write now, so this run stops "
                "before its next commit. Check that no other job runs, and run the same command "
                "again."
            )

    def holder(self) -> Holder | None:
        """The job that holds the lease or has not released it; None if there is none.

        Raises:
            InfrastructureError: the store cannot be read.
        """
        with reported_errors(self._location):
            return self._read().holder if self._exists() else None

    def unlock(self) -> Holder | None:
        """Ends the lease of another job. If that job runs, it stops before its next commit.

        Returns:
            The job that had the lease; None if there was none.

        Raises:
            LockedError: the lease changed at this moment.
            InfrastructureError: the store cannot be read or written.
        """
        with reported_errors(self._location):
            if not self._exists():
                return None
            found = self._read()
            if found.holder is not None:
                newest = self._swap(found, None)
                if newest.holder is not None:
                    raise self._in_use(newest.holder)
            return found.holder

    def _acquire(self, job: str, run_id: str) -> None:
        state = self._open()
        if state.holder is not None:
            state = self._outlast(state, state.holder)
        started = _now()
        mine = Holder(
            job=job,
            host=socket.gethostname(),
            pid=os.getpid(),
            run_id=run_id,
            since=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
            expires=time.time() + self._term,
            term=self._term,
            token=uuid.uuid4().hex,
        )
        self._state = self._swap(state, mine)
        if self._state.holder != mine:
            raise self._in_use(self._state.holder)
        self._mine, self._renewed = mine, started

    def _outlast(self, seen: _State, other: Holder) -> _State:
        """Waits until the lease of another job has run out or is released.

        Raises:
            LockedError: the lease has not run out, was renewed, or was taken by another job.
        """
        if 0 < other.expires - time.time() <= other.term:
            raise self._in_use(other)
        _LOGGER.warning(
            "The lock of the lake %s was not released by %s. Its term seems to have run out: this "
            "run waits %.0f s to see that it is not renewed.",
            self._location,
            other,
            other.term,
        )
        end = _now() + other.term
        while _now() < end:
            time.sleep(other.term * _ATTEMPT)
            newest = self._read()
            if newest.version != seen.version:
                if newest.holder is None:
                    return newest
                raise self._in_use(newest.holder)
        return seen

    def _renew_until_end(self) -> None:
        """Renews the lease until its end or its loss, and then reports the loss until its end."""
        wait = self._term * _RENEWAL
        while not self._ended.wait(wait):
            # A panic of delta-rs is no `Exception`. The next attempt can succeed.
            with suppress(BaseException):
                self._renew()
            try:
                self.check()
            except InfrastructureError:
                break
            is_late = _now() - self._renewed >= self._term * _RENEWAL
            wait = self._term * (_ATTEMPT if is_late else _RENEWAL)
        while self._on_lost is not None and not self._ended.is_set():
            self._on_lost()
            self._ended.wait(self._term * _ATTEMPT)

    def _renew(self) -> None:
        mine = self._mine
        if mine is None:
            return
        started = _now()
        renewed = replace(mine, expires=time.time() + self._term)
        self._state = self._swap(self._state, renewed)
        newest = self._state.holder
        if newest == renewed:
            self._mine, self._renewed = renewed, started
        elif newest is None or newest.token != mine.token:
            self._is_lost = True

    def _release(self) -> None:
        """Ends the own lease. After an error it runs out by itself."""
        mine, self._mine = self._mine, None
        with suppress(DeltaError, OSError):
            # A late commit of an earlier attempt can come between.
            for _ in range(2):
                holder = self._state.holder
                if mine is None or holder is None or holder.token != mine.token:
                    break
                self._state = self._swap(self._state, None)

    def _swap(self, seen: _State, holder: Holder | None) -> _State:
        """Replaces the holder, unless the table has a newer version than the one that was seen.

        Returns:
            The newest state. A commit can have been made although its answer, or the work on the
            log after it, failed.
        """
        try:
            table = DeltaTable(self._uri, version=seen.version, storage_options=self._options)
            commit_once(table, json.dumps({} if holder is None else asdict(holder)))
        except (DeltaError, OSError):
            return self._read()
        return _State(seen.version + 1, holder)

    def _read(self) -> _State:
        table = DeltaTable(self._uri, storage_options=self._options)
        text = table.history(1)[0].get("userMetadata")
        values = json.loads(text) if text else {}
        return _State(table.version(), Holder(**values) if values else None)

    def _exists(self) -> bool:
        return bool(self._storage.names(f"{_LEASE}/_delta_log"))

    def _open(self) -> _State:
        """The newest state. The first job of a lake makes the table."""
        if not self._exists():
            check_conditional_writes(self._storage)
            # Another job can make it at the same time.
            with suppress(DeltaError):
                DeltaTable.create(
                    self._uri,
                    NO_ROWS,
                    mode="error",
                    configuration=_PROPERTIES,
                    storage_options=self._options,
                )
        return self._read()

    def _in_use(self, holder: Holder | None) -> LockedError:
        by = "another job" if holder is None else str(holder)
        return LockedError(
            f"The lake {self._location} is in use by {by}: run again when that job has ended. If "
            f"it has ended without releasing the lake, its lock runs out "
            f"{self._term if holder is None else holder.term:.0f} s after its end; --unlock "
            "removes it at once."
        )


def _now() -> float:
    """Seconds of a clock that also runs while the machine is suspended, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
