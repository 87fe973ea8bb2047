"""Telling what a job does while it does it: step, of how many, Spark tasks done, time gone.

On a terminal a rich status line moves; elsewhere every step is one line when it ends.
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
    """A step under way; a step with a known size is advanced."""

    title: str
    of: int | None
    done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def advance(self) -> None:
        """One more part is done."""
        with self._lock:
            self.done += 1


class Progress:
    """Steps on a console.

    Args:
        console: Where to write; standard error by default, so that results stay apart.
        tasks: Gives Spark tasks done and in all for the stages now running.
    """

    def __init__(
        self,
        console: Console | None = None,
        tasks: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self.tasks = tasks
        self._began = time.monotonic()
        self._quiet = threading.Lock()

    def say(self, text: str) -> None:
        """One line."""
        self.console.print(f"[dim]{self._elapsed()}[/dim] {escape(text)}")

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        return f"{minutes:02d}:{seconds:02d}"

    @contextmanager
    def step(self, title: str, of: int | None = None) -> Iterator[Step]:
        """A step under way; its line is told when it ends."""
        step, began = Step(title, of), time.monotonic()
        moving = self.console.is_terminal and self._quiet.acquire(blocking=False)
        try:
            if moving:
                with self._moving(step):
                    yield step
            else:
                yield step
        finally:
            if moving:
                self._quiet.release()
        size = f" ({step.done} of {of})" if of else ""
        self.say(f"{title}{size}, {time.monotonic() - began:.1f} s")

    @contextmanager
    def _moving(self, step: Step) -> Iterator[None]:
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
