"""The ranking alone, without database or wire.

The last rankings that were recorded, made again and timed.
"""

import cProfile
import io
import pstats
import statistics
import time
from collections.abc import Callable, Sequence

from sqlalchemy import text

from app.allocation.ranking.missing_facts import missing_facts
from app.allocation.ranking.rank import RankingInputs
from app.allocation.ranking.replay import digest
from app.database.transaction import Transaction
from app.ranking import rankings
from app.ranking.store import ranking_rows
from benchmarks import cases
from benchmarks.figures import Line, limited, percentile
from benchmarks.ground import Ground

RANKINGS = 100
BAR_MS = 5.0
HEAVIEST = 8


def measure(ground: Ground, *, of: str) -> list[Line]:
    """Time what the last rankings took to decide; print where that went."""
    inputs = ground.act(_inputs)
    ranked = _timed(RankingInputs.rank, inputs)
    facts = _timed(missing_facts, inputs)
    digests = _timed(lambda one: digest(one.rank()), inputs)
    print(
        f"  alone, {of}: rank {_told(ranked)}; what a missing fact could open {_told(facts)};"
        f" rank with digest {_told(digests)}"
    )
    _profile(inputs)
    places = ground.act(cases.count_places)
    return [
        limited(
            f"rank alone, {places:,} places, {of}",
            value=statistics.median(ranked),
            most=BAR_MS,
            unit="ms",
        )
    ]


async def _inputs(
    tx: Transaction,
) -> list[RankingInputs]:
    last = await tx.rows(
        text("SELECT id FROM rankings ORDER BY as_of DESC LIMIT :most"), {"most": RANKINGS}
    )
    read = [await ranking_rows.read(tx, row.id) for row in last]
    return [(await rankings.recompute_ranking(tx, *found)).inputs for found in read if found]


def _timed(act: Callable[[RankingInputs], object], inputs: Sequence[RankingInputs]) -> list[float]:
    """Return the milliseconds that each took."""
    times: list[float] = []
    for one in inputs:
        began = time.perf_counter()
        act(one)
        times.append(1000 * (time.perf_counter() - began))
    return times


def _told(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.2f} ms (p99 {percentile(times, 0.99):.2f})"


def _profile(inputs: Sequence[RankingInputs]) -> None:
    profile = cProfile.Profile()
    profile.enable()
    for one in inputs:
        one.rank()
    profile.disable()
    told = io.StringIO()
    pstats.Stats(profile, stream=told).strip_dirs().sort_stats("tottime").print_stats(HEAVIEST)
    table = told.getvalue().partition("   ncalls")[2]
    print("\n".join(f"    {line}" for line in ("   ncalls" + table).splitlines() if line.strip()))
