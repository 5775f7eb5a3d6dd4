"""What a long start is doing, told every few seconds until it is done."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

EVERY_S = 4.0
"""Silence that a person at a terminal does not yet take for a fault."""


class Progress:
    """The task at hand, and how far it is where that is known."""

    def __init__(self, say: Callable[[str], None], *, every_s: float = EVERY_S) -> None:
        """Tell through `say`, as long as `telling` lasts."""
        self._say, self._every_s = say, every_s
        self._began = monotonic()
        self._now: tuple[str, int | None] = ("Starting", None)

    def reach(self, task: str, share: float | None = None) -> None:
        """Note what is being done now, and which share of the whole is done."""
        if task != self._now[0]:
            self._began = monotonic()
        self._now = (task, None if share is None else min(99, int(100 * share)))

    @property
    def percent(self) -> int | None:
        """How far it is, where that is known."""
        return self._now[1]

    def sentence(self) -> str:
        """Return what is being done and how far it is, or for how long."""
        task, percent = self._now
        return f"{task} ... " + (
            f"{monotonic() - self._began:.0f} s" if percent is None else f"{percent}%"
        )

    @contextmanager
    def telling(self) -> Generator[None]:
        """Say so every few seconds, until the block ends."""
        over = threading.Event()

        def tell() -> None:
            while not over.wait(self._every_s):
                self._say(self.sentence())

        telling = threading.Thread(target=tell, daemon=True)
        telling.start()
        try:
            yield
        finally:
            over.set()
            telling.join()
