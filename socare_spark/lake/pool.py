"""A thread pool whose threads have all ended when its block is left."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any


class _Pool(ThreadPoolExecutor):
    """Keeps its futures to wait for. A thread's `join` cannot be resumed after a signal."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.futures: list[Future[Any]] = []

    def submit(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self.futures.append(future)
        return future


@contextmanager
def worker_pool(workers: int) -> Iterator[Executor]:
    """Provides a pool of threads.

    After an error, work that has not begun is cancelled. A signal does not end the wait for the
    threads, because a rollback must not run beside a thread that still commits.

    Args:
        workers: Number of threads.
    """
    pool = _Pool(workers)
    try:
        yield pool
    except BaseException:
        for future in pool.futures:
            future.cancel()
        raise
    finally:
        _wait_for_all(pool)


def _wait_for_all(pool: _Pool) -> None:
    try:
        wait(pool.futures)
    except BaseException:
        for future in pool.futures:
            future.cancel()
        wait(pool.futures)
        raise
    finally:
        pool.shutdown(wait=False)
