"""Holding places: Plek with every wall on beside a bare route that updates, inserts and commits."""

from collections.abc import Sequence
from uuid import uuid4

from benchmarks import cases, round_trips
from benchmarks.comparison import ROUNDS, Side, in_turn
from benchmarks.figures import Line, compared, limited
from benchmarks.ground import Ground, opened_ground, serving_bare, serving_plek
from benchmarks.wire import request

CLIENTS = 16
WARM = 200
HOLDS = 2_000
BAR, AIM = 0.5, 1.0
MOST_ROUND_TRIPS = 4
SEED = 1


def measure(*, rounds: int = ROUNDS, holds: int = HOLDS) -> list[Line]:
    """Measure holds a second on both sides, and count Plek's round trips to the database."""
    print(f"hold: {CLIENTS} clients, {rounds} rounds of {holds:,} holds, each of another referral")
    with opened_ground() as ground, serving_bare(ground, rows=rounds * (WARM + holds)) as bare:
        make_room(ground, places=WARM + holds)
        desks = cases.open_desks(ground)
        trips = round_trips.of_a_hold(ground, desks)
        print(f"  round trips of one hold, one line each: {' · '.join(trips)}")

        def plek_prepares(turn: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
            cases.free_all(ground)
            drawn = cases.add_cases(ground, desks, count=WARM + holds, seed=SEED + turn)
            requests = cases.hold_requests(ground, drawn)
            ground.owner("VACUUM ANALYZE referrals, rankings")
            return requests[:WARM], requests[WARM:]

        def bare_prepares(turn: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
            first = turn * (WARM + holds) + 1
            requests = [writing(place) for place in range(first, first + WARM + holds)]
            return requests[:WARM], requests[WARM:]

        with serving_plek(ground.folder) as served:
            sides = [
                Side("bare", bare, bare_prepares, 201),
                Side("Plek", served, plek_prepares, 201),
            ]
            bare_runs, plek_runs = in_turn(ground, sides, clients=CLIENTS, rounds=rounds)
    return [
        compared(f"hold, {CLIENTS} clients", bare=bare_runs, plek=plek_runs, bar=BAR, aim=AIM),
        limited(
            "round trips of a hold",
            value=len(trips),
            most=MOST_ROUND_TRIPS,
            unit="trips",
            below=False,
        ),
    ]


def make_room(ground: Ground, *, places: int) -> None:
    """Add enough free places for these holds, spread over all groups."""
    groups = ground.act(cases.count_groups)
    cases.enlarge(ground, more=-(-places // groups))


def writing(place: int) -> bytes:
    """Return a request that takes a row of the bare application."""
    return request("POST", "/write", body={"place": place, "taker": str(uuid4())})
