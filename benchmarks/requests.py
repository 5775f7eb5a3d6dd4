"""What a request costs before and after its act.

The cheapest authenticated route beside a bare one.
"""

from collections.abc import Sequence

from benchmarks import cases
from benchmarks.comparison import ROUNDS, Side, in_turn
from benchmarks.figures import Line, limited
from benchmarks.ground import opened_ground, serving_bare, serving_plek
from benchmarks.wire import request

CLIENTS = 8
WARM = 300
REQUESTS = 4_000
BAR_MS = 0.35
HELLO = request("GET", "/hello")


def measure(*, rounds: int = ROUNDS, requests: int = REQUESTS) -> list[Line]:
    """Measure an empty list of holds, with every wall on, beside a bare route that says hello."""
    print(f"request: {CLIENTS} clients, {rounds} rounds of {requests:,} requests")
    with (
        opened_ground() as ground,
        serving_bare(ground, rows=1) as bare,
        serving_plek(ground.folder) as served,
    ):
        token = cases.open_desks(ground)[0].token
        asked = request("GET", "/v1/holds?limit=1", headers={"Authorization": f"Bearer {token}"})

        def repeated(one: bytes) -> tuple[Sequence[bytes], Sequence[bytes]]:
            return [one] * WARM, [one] * requests

        sides = [
            Side("bare", bare, lambda _: repeated(HELLO), 200),
            Side("Plek", served, lambda _: repeated(asked), 200),
        ]
        _, plek = in_turn(ground, sides, clients=CLIENTS, rounds=rounds)
    return [
        limited(
            "cheapest authenticated request, application",
            value=plek.median("application_ms"),
            most=BAR_MS,
            unit="ms",
            runs=plek,
        )
    ]
