"""Growth: a hundred times the places at the same sites, and millions of past claims."""

from collections.abc import Sequence

from benchmarks import cases, plans
from benchmarks.cases import Desk
from benchmarks.comparison import Side, in_turn
from benchmarks.figures import Line, Runs
from benchmarks.ground import Ground, Served, opened_ground, serving_plek

CLIENTS = 8
RANKINGS = 400
ROUNDS = 3
PLACES = 100_000
PAST = 1_000_000
TAKEN_PERCENT = 100
"""What is added is taken: the offers stay the same, and a full group must not be read to its end to
know that."""
PLACES_BAR, PAST_BAR = 1.5, 1.2
SEED = 300
# One referral and one ranking for each hundred of them: what a place has behind it is what counts
# here.
PAST_HOLDS = """
INSERT INTO holds (id, referral_id, provider_id, receiver_id, place_id, site_id, kind, ranking_id, rank,
                   status, accepted_by, accepted_at, expires_at, renewals_left, created_at, resolved_at)
SELECT gen_random_uuid(), r.id, r.provider_id, p.provider_id, p.id, p.site_id, 'crisis', k.id, 1,
       (ARRAY['placed', 'declined', 'expired', 'released'])[1 + n % 4], 'person', long_ago, long_ago, 2,
       long_ago, long_ago
FROM generate_series(1, {past}) AS n
CROSS JOIN LATERAL (SELECT clock_timestamp() - make_interval(mins => 60 + n / 4) AS long_ago) AS t
JOIN (SELECT id, provider_id, site_id, row_number() OVER () AS turn FROM places) AS p
  ON p.turn = 1 + n % (SELECT count(*) FROM places)
JOIN (SELECT id, provider_id, row_number() OVER () AS turn FROM referrals WHERE status = 'ended') AS r
  ON r.turn = 1 + n % (SELECT count(*) FROM referrals WHERE status = 'ended')
CROSS JOIN (SELECT id FROM rankings LIMIT 1) AS k
"""
PAST_STAYS = """
WITH placed AS (SELECT h.*, gen_random_uuid() AS stay_id FROM holds AS h WHERE h.status = 'placed'),
stay AS (INSERT INTO stays (id, referral_id, provider_id) SELECT stay_id, referral_id, provider_id FROM placed)
INSERT INTO placements (id, stay_id, referral_id, hold_id, provider_id, receiver_id, place_id, site_id, kind, status,
                        reason, origin, origin_region, receiving, cross_regional, arrived_at, departed_at, created_at)
SELECT gen_random_uuid(), stay_id, referral_id, id, provider_id, receiver_id, place_id, site_id, kind, 'ended',
       'safety', m.code, m.region, m.region, false, created_at, created_at, created_at
FROM placed CROSS JOIN (SELECT code, region FROM municipalities LIMIT 1) AS m
"""


def measure(*, places: int = PLACES, past: int = PAST) -> list[Line]:
    """Measure rankings as the country grows at fixed sites, and then as its past grows.

    The design's past is 10,000,000 claims: `--past 10000000`. To put them in takes far longer than
    to measure.
    """
    with opened_ground() as ground:
        desks = cases.open_desks(ground)
        few = _rankings(ground, desks, of="the demo country", more=0)
        groups = ground.act(cases.count_groups)
        # The same groups, the same sites, the same offers: only more places behind each.
        many = _rankings(ground, desks, of="the same sites, many places", more=places // groups)
        explain(ground, desks)
        _remember(ground, desks, past=past)
        old = _rankings(ground, desks, of=f"and {past:,} claims that are over", more=0)
        explain(ground, desks)
        total = ground.act(cases.count_places)
    return [
        _grown(f"ranking, {total:,} places at the same sites", few, many, bar=PLACES_BAR),
        _grown(f"ranking, {past:,} past claims", many, old, bar=PAST_BAR),
    ]


def _rankings(ground: Ground, desks: Sequence[Desk], *, of: str, more: int) -> Runs:
    if more:
        cases.enlarge(ground, more=more, taken_percent=TAKEN_PERCENT)
    print(f"scale: {of}: {ground.act(cases.count_places):,} places")
    with serving_plek(ground.folder) as served:
        return in_turn(ground, [_side(ground, desks, served)], clients=CLIENTS, rounds=ROUNDS)[0]


def _side(ground: Ground, desks: Sequence[Desk], served: Served) -> Side:
    def prepare(turn: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
        requests = cases.ranking_requests(
            cases.add_cases(ground, desks, count=RANKINGS + 50, seed=SEED + turn)
        )
        return requests[:50], requests[50:]

    return Side("Plek", served, prepare, 201)


def _remember(ground: Ground, desks: Sequence[Desk], *, past: int) -> None:
    """Give the places a past.

    Holds that are over, a quarter of them stays that have ended.
    """
    cases.add_cases(ground, desks, count=max(1, past // 100), seed=SEED - 1)
    ground.change(
        "UPDATE referrals SET status = 'ended' WHERE status = 'open'", least=max(1, past // 100)
    )
    ground.change(PAST_HOLDS.format(past=past), least=past)
    ground.change(PAST_STAYS, least=past // 4)
    ground.owner("VACUUM ANALYZE")


def _grown(what: str, before: Runs, after: Runs, *, bar: float) -> Line:
    """Return the line of how much longer the same takes, in time on a core.

    That is what the growth costs.
    """
    then, now = (
        runs.median("application_ms") + runs.median("postgres_ms") for runs in (before, after)
    )
    return Line(
        what,
        bare=f"{then:.2f} ms",
        plek=f"{now:.2f} ms",
        ratio=now / then,
        bar=f"≤ {bar:g}",
        aim="flat",
        met=now / then <= bar,
        reached_aim=now / then <= 1.05,
        on_a_core=f"{after.on_a_core} (before: {before.on_a_core})",
    )


def explain(ground: Ground, desks: Sequence[Desk]) -> None:
    """Print how PostgreSQL answers each statement of a ranking."""
    case = cases.add_cases(ground, desks[:1], count=1, seed=SEED - 2)[0]
    print("\n".join(f"    {line}" for line in plans.of_a_ranking(ground, case)))
