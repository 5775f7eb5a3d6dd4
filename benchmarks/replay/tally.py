"""What a replay counts while it goes on, and how it is told at the end. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.figures import percentile


@dataclass(slots=True)
class Tally:
    """Counts of the arrivals' outcomes, and the times of the two acts that people wait for."""

    counts: Counter[str] = field(default_factory=Counter[str])
    flow: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Placements by the household's own region and the region that received it."""
    came_from: Counter[str] = field(default_factory=Counter[str])
    ranking_ms: list[float] = field(default_factory=list[float])
    hold_ms: list[float] = field(default_factory=list[float])
    acknowledged: dict[str, str] = field(default_factory=dict[str, str])
    """The last status that the service acknowledged, by placement."""
    rankings: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Every recorded ranking, with the token that may replay it."""


COUNTED = (
    "arrivals",
    "placed",
    "placed after waiting",
    "waiting at the end",
    "declined",
    "not answered",
    "offers gone",
    "rankings outdated",
    "no-shows",
    "departed",
)


def summary(tally: Tally) -> str:
    """Return the counts and the times."""
    lines = [f"{name:22}{tally.counts[name]:>7,}" for name in COUNTED]
    for name, times in (("ranking", tally.ranking_ms), ("hold", tally.hold_ms)):
        p50, p99 = percentile(times, 0.50), percentile(times, 0.99)
        lines.append(f"{name:22}{len(times):>7,} times: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    return "\n".join(lines)


def flow_table(tally: Tally, names: Mapping[str, str]) -> str:
    """Return who sent and who received, by region."""
    headings = ("region", "arrivals", "stayed", "left", "received", "balance")
    rows: list[tuple[str, ...]] = [headings]
    for code, name in sorted(names.items(), key=lambda known: known[1]):
        stayed = tally.flow[code, code]
        left = sum(count for (origin, to), count in tally.flow.items() if origin == code != to)
        received = sum(count for (origin, to), count in tally.flow.items() if to == code != origin)
        figures = (tally.came_from[code], stayed, left, received)
        rows.append((name, *(str(figure) for figure in figures), f"{received - left:+d}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )
