"""Ranking places, recorded: Plek beside a bare route that says hello in JSON."""

from collections.abc import Sequence

from benchmarks import alone, cases
from benchmarks.comparison import ROUNDS, Side, in_turn
from benchmarks.figures import Line, Runs, compared, limited
from benchmarks.ground import Ground, opened_ground, serving_bare, serving_plek
from benchmarks.wire import request

CLIENTS = 8
WARM = 100
RANKINGS = 1_000
HELLOS = 5_000
BAR, AIM = 0.1, 0.2
P99_BAR_MS = 100.0
SEED = 100
HELLO = request("GET", "/hello")


def measure(*, rounds: int = ROUNDS, rankings: int = RANKINGS) -> list[Line]:
    """Measure rankings a second over the demo country, as it is and with every group free."""
    print(
        f"ranking: {CLIENTS} clients, {rounds} rounds of {rankings:,} rankings, each of another "
        "referral"
    )
    with (
        opened_ground() as ground,
        serving_bare(ground, rows=1) as bare,
        serving_plek(ground.folder) as served,
    ):
        desks = cases.open_desks(ground)

        def plek_prepares(turn: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
            drawn = cases.add_cases(ground, desks, count=WARM + rankings, seed=SEED + turn)
            ground.owner("VACUUM ANALYZE referrals, referral_secrets, rankings")
            requests = cases.ranking_requests(drawn)
            return requests[:WARM], requests[WARM:]

        sides = [
            Side("bare", bare, lambda _: ([HELLO] * WARM, [HELLO] * HELLOS), 200),
            Side("Plek", served, plek_prepares, 201),
        ]
        bare_runs, plek_runs = in_turn(ground, sides, clients=CLIENTS, rounds=rounds)
        lines = [
            *_lines(ground, bare_runs, plek_runs, of="as they are"),
            *alone.measure(ground, of="as they are"),
        ]
        cases.enlarge(ground, more=1)
        print("  and with a free place more in every group:")
        bare_runs, plek_runs = in_turn(ground, sides, clients=CLIENTS, rounds=rounds)
        lines += [
            *_lines(ground, bare_runs, plek_runs, of="all free"),
            *alone.measure(ground, of="all free"),
        ]
    return lines


def _lines(ground: Ground, bare: Runs, plek: Runs, *, of: str) -> list[Line]:
    places = ground.act(cases.count_places)
    what = f"ranking, {places:,} places, {of}"
    return [
        compared(what, bare=bare, plek=plek, bar=BAR, aim=AIM),
        limited(f"{what}: p99", value=plek.median("p99_ms"), most=P99_BAR_MS, unit="ms", runs=plek),
    ]
