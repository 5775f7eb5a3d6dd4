"""What the measurements say.

Percentiles, medians, ratios, and the table that shows them. Pure.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that this share of all values does not exceed.

    0.0 of none at all.
    """
    if not values:
        return 0.0
    ordered = sorted(values)
    # Counted in millionths: 0.99 * 100 is more than 99 to a machine.
    return ordered[max(0, -(-round(share * 1_000_000) * len(ordered) // 1_000_000) - 1)]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the load generator against one server."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    generator_share: float
    """How much of one core the load generator took: far below 1, or it is the bottleneck."""
    application_ms: float = 0.0
    """Time on a core per request: the application's process."""
    postgres_ms: float = 0.0
    """As above: all of PostgreSQL's processes."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Runs:
    """Several runs against one server; each figure is the median of theirs."""

    runs: tuple[Run, ...]

    def median(self, name: str) -> float:
        """Return the median of one figure of the runs."""
        return statistics.median(getattr(run, name) for run in self.runs)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.median("rate")

    @property
    def on_a_core(self) -> str:
        """Time on a core of a request in milliseconds: of the application, and of PostgreSQL."""
        return f"{self.median('application_ms'):.2f} + {self.median('postgres_ms'):.2f}"

    def told(self) -> str:
        """Say how long a request took, and where."""
        rates = "/".join(f"{run.rate:,.0f}" for run in self.runs)
        return (
            f"{rates} a second; p50 {self.median('p50_ms'):.1f} ms, p99 "
            f"{self.median('p99_ms'):.1f} ms; "
            f"on a core per request: application {self.median('application_ms'):.2f} ms, "
            f"PostgreSQL {self.median('postgres_ms'):.2f} ms; "
            f"load generator {100 * self.median('generator_share'):.0f}% of a core"
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    What was measured on both sides, against the bar and the aim of docs/design.md, section 8.
    """

    what: str
    bare: str
    plek: str
    ratio: float | None
    bar: str
    aim: str
    met: bool
    reached_aim: bool | None
    """None where the design names no aim beyond the bar."""
    on_a_core: str = ""
    """Time on a core of application and PostgreSQL, where servers were measured."""

    def cells(self) -> tuple[str, ...]:
        """Return the line as words."""
        verdict = "bar met" if self.met else "bar NOT met"
        if self.reached_aim is not None:
            verdict += ", aim met" if self.reached_aim else ", aim not met"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.what, self.bare, self.plek, ratio, self.bar, self.aim, self.on_a_core, verdict)


HEADINGS = ("what", "beside", "Plek", "ratio", "bar", "aim", "on a core, ms", "")


def compared(what: str, *, bare: Runs, plek: Runs, bar: float, aim: float) -> Line:
    """Return the line of two rates: the ratio of their medians."""
    ratio = plek.rate / bare.rate
    return Line(
        what,
        bare=f"{bare.rate:,.0f}/s",
        plek=f"{plek.rate:,.0f}/s",
        ratio=ratio,
        bar=f"≥ {bar:g}",
        aim=f"≥ {aim:g}",
        met=ratio >= bar,
        reached_aim=ratio >= aim,
        on_a_core=f"{plek.on_a_core} (beside: {bare.on_a_core})",
    )


def spent(what: str, *, figure: str, beside: Runs, plek: Runs, most: float) -> Line:
    """Return the line of a time on a core: how many times that of the other side."""
    theirs, ours = beside.median(figure), plek.median(figure)
    ratio = ours / theirs
    return Line(
        what,
        bare=f"{theirs:.2f} ms",
        plek=f"{ours:.2f} ms",
        ratio=ratio,
        bar=f"≤ {most:g}",
        aim="",
        met=ratio <= most,
        reached_aim=None,
    )


def limited(
    what: str,
    *,
    value: float,
    most: float,
    unit: str,
    below: bool = True,
    runs: Runs | None = None,
) -> Line:
    """Return the line of a figure that must stay below a limit, or at most reach it."""
    return Line(
        what,
        bare="",
        plek=f"{value:,.2f} {unit}" if value < 10 else f"{value:,.0f} {unit}",
        ratio=None,
        bar=f"{'<' if below else '≤'} {most:g} {unit}",
        aim="",
        met=value < most if below else value <= most,
        reached_aim=None,
        on_a_core="" if runs is None else runs.on_a_core,
    )


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a table for a terminal."""
    rows = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
