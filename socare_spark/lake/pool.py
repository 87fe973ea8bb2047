"""Threads that write side by side, and have ended whenever their block is left."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any


class _Pool(ThreadPoolExecutor):
    """Remembers its work: a thread's own `join` does not wait again once a signal broke it."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.given: list[Future[Any]] = []

    def submit(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self.given.append(future)
        return future


@contextmanager
def worker_pool(workers: int) -> Iterator[Executor]:
    """A pool of threads.

    After an error the work that has not begun is dropped. A signal while the pool waits does not
    end the wait: an undo must not run beside a thread that still commits.
    """
    pool = _Pool(workers)
    try:
        yield pool
    except BaseException:
        for future in pool.given:
            future.cancel()
        raise
    finally:
        _wait_for_all(pool)


def _wait_for_all(pool: _Pool) -> None:
    try:
        wait(pool.given)
    except BaseException:
        for future in pool.given:
            future.cancel()
        wait(pool.given)
        raise
    finally:
        pool.shutdown(wait=False)
