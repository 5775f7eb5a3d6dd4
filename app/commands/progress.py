"""A long start's task at hand, printed every few seconds until it is done."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

EVERY_S = 4.0
"""The longest silence that a person at a terminal does not take for a fault."""


class Progress:
    """The task at hand, and how far it is if that is known."""

    def __init__(self, say: Callable[[str], None], *, every_s: float = EVERY_S) -> None:
        """Print with `say`, for as long as `reports` lasts."""
        self._say, self._every_s = say, every_s
        self._began = monotonic()
        self._now: tuple[str, int | None] = ("Starting", None)

    def reach(self, task: str, share: float | None = None) -> None:
        """Note the task at hand, and the share of the whole that is done."""
        if task != self._now[0]:
            self._began = monotonic()
        self._now = (task, None if share is None else min(99, int(100 * share)))

    @property
    def percent(self) -> int | None:
        """How far it is, if that is known."""
        return self._now[1]

    def sentence(self) -> str:
        """Return a sentence about the task at hand, with how far it is or for how long it lasts."""
        task, percent = self._now
        return f"{task} ... " + (
            f"{monotonic() - self._began:.0f} s" if percent is None else f"{percent}%"
        )

    @contextmanager
    def reports(self) -> Generator[None]:
        """Print the sentence every few seconds, until the block ends."""
        over = threading.Event()

        def tell() -> None:
            while not over.wait(self._every_s):
                self._say(self.sentence())

        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
