"""Two servers in turn under the same load.

A B A B, so that what else the machine does meets both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.figures import Run, Runs
from benchmarks.ground import Ground, Served
from benchmarks.load import measure

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its server, and what is sent to it in each round."""

    name: str
    served: Served
    prepare: Callable[[int], tuple[Sequence[bytes], Sequence[bytes]]]
    """Given the round: the requests to warm up with, and those to measure."""
    expect: int


def in_turn(
    ground: Ground, sides: Sequence[Side], *, clients: int, rounds: int = ROUNDS
) -> tuple[Runs, ...]:
    """Measure each side in each round; what is said goes to the terminal."""
    runs: tuple[list[Run], ...] = tuple([] for _ in sides)
    for turn in range(rounds):
        for side, found in zip(sides, runs, strict=True):
            found.append(_measured(ground, side, turn=turn, clients=clients))
    results = tuple(Runs(tuple(found)) for found in runs)
    for side, result in zip(sides, results, strict=True):
        print(f"  {side.name}: {result.told()}")
    return results


def _measured(ground: Ground, side: Side, *, turn: int, clients: int) -> Run:
    warm, requests = side.prepare(turn)
    if warm:
        measure(side.served.port, warm, clients=clients, expect=side.expect)
    times = side.served.process.cpu_times()
    postgres = ground.postgres_seconds()
    run = measure(side.served.port, requests, clients=clients, expect=side.expect)
    after = side.served.process.cpu_times()
    application = after.user + after.system - times.user - times.system
    return replace(
        run,
        application_ms=1000 * application / len(requests),
        postgres_ms=1000 * (ground.postgres_seconds() - postgres) / len(requests),
    )
