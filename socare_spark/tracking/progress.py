"""Reports the progress of a job: current step, its size, completed Spark tasks and elapsed time.

On a terminal a status line is updated. Elsewhere one line is printed at the end of each step.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.status import Status


@dataclass
class Step:
    """A running step.

    Attributes:
        title: Title of the step.
        of: Number of parts; None if unknown.
        done: Number of completed parts.
    """

    title: str
    of: int | None
    done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def advance(self) -> None:
        """Counts one more completed part."""
        with self._lock:
            self.done += 1


class Progress:
    """Reports steps on a console.

    Args:
        console: The console; standard error by default, so output is separate from results.
        tasks: Returns completed and total Spark tasks of the active stages.
    """

    def __init__(
        self,
        console: Console | None = None,
        tasks: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self.tasks = tasks
        self._began = time.monotonic()
        self._status_lock = threading.Lock()

    def say(self, text: str) -> None:
        """Prints one line with the elapsed time."""
        self.console.print(f"[dim]{self._elapsed()}[/dim] {escape(text)}")

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes:02d}:{seconds:02d}"

    @contextmanager
    def step(self, title: str, of: int | None = None) -> Iterator[Step]:
        """Reports a step while its block runs and prints one line when it ends.

        Args:
            title: Title of the step.
            of: Number of parts; None if unknown.
        """
        step, began = Step(title, of), time.monotonic()
        has_status = self.console.is_terminal and self._status_lock.acquire(blocking=False)
        try:
            if has_status:
                with self._status_line(step):
                    yield step
            else:
                yield step
        finally:
            if has_status:
                self._status_lock.release()
        size = f" ({step.done} of {of})" if of else ""
        self.say(f"{title}{size}, {time.monotonic() - began:.1f} s")

    @contextmanager
    def _status_line(self, step: Step) -> Iterator[None]:
        ended = threading.Event()
        with self.console.status(escape(step.title)) as status:
            thread = threading.Thread(target=self._refresh, args=(step, status, ended), daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()

    def _refresh(self, step: Step, status: Status, ended: threading.Event) -> None:
        while not ended.wait(0.5):
            size = f" {step.done} of {step.of}," if step.of else ""
            done, total = self.tasks() if self.tasks else (0, 0)
            tasks = f" tasks {done}/{total}," if total else ""
            status.update(f"{escape(step.title)}:{size}{tasks} {self._elapsed()}")
