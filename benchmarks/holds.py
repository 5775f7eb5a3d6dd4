"""Holds: Plek with every wall on, beside the same by hand and a bare route that writes."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from uuid import UUID, uuid4

from app import clock
from benchmarks import cases, round_trips
from benchmarks.comparison import ROUNDS, Side, in_turn
from benchmarks.figures import Line, Runs, compared, limited, spent
from benchmarks.ground import Ground, opened_ground, serving_bare, serving_byhand, serving_plek
from benchmarks.wire import request

CLIENTS = 16
WARM = 200
HOLDS = 2_000
BAR, AIM = 0.5, 0.8
MOST_TIMES = 2.0
"""As much time on a core as by hand, at most."""
MOST_ROUND_TRIPS = 2
SEED = 1
HAND = "byhand"
GROUPS = 400


def measure(*, rounds: int = ROUNDS, holds: int = HOLDS) -> list[Line]:
    """Measure holds a second on all sides, and count Plek's round trips to the database."""
    print(f"hold: {CLIENTS} clients, {rounds} rounds of {holds:,} holds, each of another referral")
    with (
        opened_ground() as ground,
        serving_bare(ground, rows=rounds * (WARM + holds)) as bare,
        serving_byhand(ground) as hand,
    ):
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

        def hand_prepares(_turn: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
            requests = by_hand(ground, holds=WARM + holds)
            return requests[:WARM], requests[WARM:]

        def bare_prepares(turn: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
            first = turn * (WARM + holds) + 1
            requests = [writing(place) for place in range(first, first + WARM + holds)]
            return requests[:WARM], requests[WARM:]

        with serving_plek(ground.folder) as served:
            sides = [
                Side("bare", bare, bare_prepares, 201),
                Side("by hand", hand, hand_prepares, 201),
                Side("Plek", served, plek_prepares, 201),
            ]
            runs = in_turn(ground, sides, clients=CLIENTS, rounds=rounds)
    return _lines(*runs, trips=len(trips))


def _lines(bare: Runs, hand: Runs, plek: Runs, *, trips: int) -> list[Line]:
    of_bare = [f"{runs.rate / bare.rate:.2f}" for runs in (plek, hand)]
    print(f"  of the bare route: Plek {of_bare[0]}, by hand {of_bare[1]}")
    what = f"hold, {CLIENTS} clients, by hand"
    return [
        compared(what, bare=hand, plek=plek, bar=BAR, aim=AIM),
        *(
            spent(f"{what}: {name}", figure=figure, beside=hand, plek=plek, most=MOST_TIMES)
            for name, figure in (("application", "application_ms"), ("PostgreSQL", "postgres_ms"))
        ),
        limited(
            "round trips of a hold", value=trips, most=MOST_ROUND_TRIPS, unit="trips", below=False
        ),
    ]


def make_room(ground: Ground, *, places: int) -> None:
    """Add enough free places for these holds, spread over all groups."""
    groups = ground.act(cases.count_groups)
    cases.enlarge(ground, more=-(-places // groups))


def writing(place: int) -> bytes:
    """Return a request that takes a row of the bare application."""
    return request("POST", "/write", body={"place": place, "taker": str(uuid4())})


def by_hand(ground: Ground, *, holds: int) -> list[bytes]:
    """Prepare as many referrals, rankings and free places by hand; return what holds each."""
    tables = "tokens, sites, place_groups, referrals, rankings, holds, claims, answers, outbox"
    ground.owner(f"TRUNCATE {tables}, access_log CASCADE", database=HAND)
    now = clock.now()
    desks = [(token_urlsafe(32), uuid4(), uuid4()) for _ in range(cases.DESKS)]
    drawn = [(*desks[turn % len(desks)], uuid4(), uuid4()) for turn in range(holds)]
    site, groups = uuid4(), [uuid4() for _ in range(GROUPS)]
    day = now + timedelta(days=1)
    rows: dict[str, list[tuple[object, ...]]] = {
        "tokens": [
            (hashlib.sha256(token.encode()).digest(), account, provider, ["intake_worker"], day)
            for token, account, provider in desks
        ],
        "sites": [(site, "GM0518", 1)],
        "place_groups": [(group, site) for group in groups],
        "referrals": [
            (referral, provider, "open", "safety") for _, _, provider, referral, _ in drawn
        ],
        "rankings": [(ranking, referral, 1, 1, now) for *_, referral, ranking in drawn],
        "claims": [
            (uuid4(), groups[turn % GROUPS], None, datetime.min.replace(tzinfo=UTC))
            for turn in range(holds + GROUPS)
        ],
    }
    for table, records in rows.items():
        ground.copy(table, records, database=HAND)
    ground.owner("VACUUM ANALYZE", database=HAND)
    return [
        _holding(token, provider, referral, ranking, groups[turn % GROUPS])
        for turn, (token, _, provider, referral, ranking) in enumerate(drawn)
    ]


def _holding(token: str, provider: UUID, referral: UUID, ranking: UUID, group: UUID) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
    body = {
        "referralId": str(referral),
        "rankingId": str(ranking),
        "offerId": f"{group}.{provider}",
    }
    return request("POST", "/holds", headers=headers, body=body)
