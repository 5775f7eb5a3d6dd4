"""Figures that tests measure and do not assert, written to build/figures for people."""

import statistics
import time
from types import TracebackType

from tests.web.browser import ROOT

FIGURES = ROOT / "build" / "figures"


class Stopwatch:
    """A stopwatch for several runs of the same thing."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begun = 0.0
        self._ms: list[float] = []

    def __enter__(self) -> None:
        """Begin a run."""
        self._begun = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End a run; one that failed is no figure."""
        del error, trace
        if kind is None:
            self._ms.append((time.perf_counter() - self._begun) * 1000)

    def report(self) -> None:
        """Write down the median and the slowest run."""
        FIGURES.mkdir(parents=True, exist_ok=True)
        middle, slowest = statistics.median(self._ms), max(self._ms)
        name = self._what.replace(" ", "-")
        line = (
            f"{self._what}: median {middle:.0f} ms, slowest {slowest:.0f} ms, of {len(self._ms)}\n"
        )
        (FIGURES / f"{name}.txt").write_text(line, encoding="utf-8")
