"""Referrals, rankings and free places by the thousand, put in directly.

What a run needs before its clock starts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from uuid import UUID, uuid4

from sqlalchemy import insert, text

from app.accounts.store import account_rows
from app.allocation.ranking.fold import FoldedOffer
from app.allocation.ranking.rank import RULES_VERSION
from app.allocation.values import Offer, PlaceGroup
from app.database import counters, register
from app.database.caller import Role
from app.database.transaction import Transaction
from app.demo import demo
from app.models import Ranking
from app.ranking import offers
from app.ranking.store.ranking_rows import RankingRow
from app.reference import load
from app.registry.names import read_key
from app.registry.store import bulk
from app.seal import Keyring
from app.simulation.country.households import Households
from app.simulation.country.values import DemoCountry, DemoReferral
from benchmarks.ground import Ground, NotPrepared
from benchmarks.wire import request

DESKS = 8


@dataclass(frozen=True, slots=True)
class Desk:
    """An intake desk of a provider, with its token."""

    provider_id: UUID
    token: str


def open_desks(ground: Ground) -> tuple[Desk, ...]:
    """Return intake desks at several providers."""

    async def slugs(tx: Transaction) -> dict[str, UUID]:
        found = (await account_rows.slugs(tx))[:DESKS]
        return {
            slug: id_
            for slug in found
            if (id_ := await account_rows.provider_id(tx, slug)) is not None
        }

    return tuple(
        Desk(id_, ground.token(Role.INTAKE_WORKER, provider=slug))
        for slug, id_ in ground.act(slugs).items()
    )


@dataclass(frozen=True, slots=True)
class Case:
    """A referral of a desk."""

    referral_id: UUID
    desk: Desk


def add_cases(ground: Ground, desks: Sequence[Desk], *, count: int, seed: int) -> tuple[Case, ...]:
    """Put in open referrals: households drawn with the seed, in turn at each desk."""
    households = Households(load(), seed=seed)
    keyring = ground.keyring()
    cases = tuple(Case(uuid4(), desk) for desk in islice(cycle(desks), count))
    drawn = tuple(
        DemoReferral(
            id=case.referral_id,
            provider_id=case.desk.provider_id,
            created_minutes_ago=0,
            safety_plan=False,
            call_back="000-555 01 01",
            barred_providers=(),
            case=households.draw(),
        )
        for case in cases
    )

    async def add(tx: Transaction) -> None:
        country = DemoCountry(seed, (), (), (), drawn)
        batch = demo.rows_of(country, keyring=keyring, names=await read_key(tx), at=tx.at)
        for row in batch.referrals:
            row["reference"] = row["id"].hex  # speakable ones of several draws would meet
        await bulk.add(tx, batch)

    ground.act(add)
    return cases


def ranking_requests(cases: Sequence[Case]) -> list[bytes]:
    """Return the requests that rank the places for each case."""
    return [
        request(
            "POST",
            f"/v1/referrals/{case.referral_id}/rankings",
            headers={"Authorization": f"Bearer {case.desk.token}"},
        )
        for case in cases
    ]


def enlarge(ground: Ground, *, more: int, taken_percent: int = 0) -> None:
    """Add places like those there to every group of the register, some of them taken."""

    async def add(tx: Transaction) -> None:
        added = await tx.run(
            text("""
            INSERT INTO places (id, provider_id, site_id, group_id)
            SELECT gen_random_uuid(), s.provider_id, s.id, g.id
            FROM place_groups AS g JOIN sites AS s ON s.id = g.site_id CROSS JOIN generate_series(1, :more)
            WHERE g.places > 0
            """),
            {"more": more},
        )
        _expect(added, least=more, of="places added")
        claimed = await tx.run(
            text("""
            INSERT INTO claims (place_id, group_id, kind, claimed_until)
            SELECT p.id, p.group_id, CASE WHEN taken THEN 'occupied' END,
                   CASE WHEN taken THEN 'infinity' ELSE '-infinity' END::timestamptz
            FROM (SELECT id, group_id, row_number() OVER (ORDER BY id) % 100 < :taken_percent AS taken FROM places) AS p
            WHERE NOT EXISTS (SELECT FROM claims AS c WHERE c.place_id = p.id)
            """),
            {"taken_percent": taken_percent},
        )
        _expect(claimed, least=added, of="claims of new places")
        await tx.run(
            text("UPDATE place_groups SET places = places + :more WHERE places > 0"), {"more": more}
        )
        await counters.advance(tx, "register")

    ground.act(add)
    ground.owner("VACUUM ANALYZE")


def free_all(ground: Ground) -> None:
    """End every hold and free every place ever held, so that runs find the same."""
    ground.owner(
        (
            "UPDATE holds SET status = 'released', resolved_at = clock_timestamp() WHERE "
            "resolved_at IS NULL"
        ),
        (
            "UPDATE claims SET kind = NULL, hold_id = NULL, claimed_until = '-infinity' WHERE "
            "kind = 'hold'"
        ),
        (
            "UPDATE referrals SET status = 'ended', hold_id = NULL, held_until = NULL WHERE "
            "status = 'held'"
        ),
        # Thousands of places that come free at once, and as many open referrals, are this run's
        # doing: the worker does not rank the ones for the others.
        "UPDATE vacancies SET counted_at = clock_timestamp() WHERE counted_at IS NULL",
        "VACUUM ANALYZE claims, referrals, holds, answers, outbox, rankings",
    )
    if left := ground.act(_held):
        message = f"{left} places are still held"
        raise NotPrepared(message)


async def _held(tx: Transaction) -> int:
    return (await tx.rows(text("SELECT count(*) FROM claims WHERE kind = 'hold'")))[0][0]


def hold_requests(ground: Ground, cases: Sequence[Case]) -> list[bytes]:
    """Record a ranking for each case; return the request that holds its first offer.

    Each is in the next group.

    The rankings have no inputs: they are here to be held, not to be read. All flee: who does not
    would be kept in the own region by what is free there.
    """
    keyring = ground.keyring()

    async def prepare(tx: Transaction) -> list[bytes]:
        _expect(
            await tx.run(text("UPDATE referrals SET reason = 'safety' WHERE status = 'open'")),
            least=len(cases),
            of="open referrals that flee",
        )
        reference = await tx.snapshots.reference(tx)
        snapshot = await tx.snapshots.register(tx)
        await register.record(tx, snapshot)
        wanted = await _free_groups(tx, snapshot.register.groups, count=len(cases))
        rows = [
            RankingRow(
                id=uuid4(),
                referral_id=case.referral_id,
                provider_id=case.desk.provider_id,
                referral_version=1,
                register_version=snapshot.version,
                as_of=tx.at,
                policy_hash=reference.policy_hash,
                register_hash=snapshot.hash,
                rules_version=RULES_VERSION,
                digest="",
                sealed=b"",
            )
            for case in cases
        ]
        await tx.run_each(insert(Ranking), [asdict(row) for row in rows])
        return [
            _hold(case, keyring, ranking_id=row.id, group=group)
            for case, row, group in zip(cases, rows, wanted, strict=True)
        ]

    return ground.act(prepare)


async def _free_groups(
    tx: Transaction, groups: Iterable[PlaceGroup], *, count: int
) -> list[PlaceGroup]:
    """Return the group of each of as many free places, in no order of the groups.

    Neighbours among the requests so rarely meet in one.
    """
    free = await tx.rows(
        text("SELECT group_id FROM claims WHERE claimed_until <= clock_timestamp()")
    )
    _expect(len(free), least=count, of="free places")
    by_id = {group.id: group for group in groups}
    return [by_id[str(row.group_id)] for row in sorted(free, key=lambda _: uuid4())[:count]]


def _expect(found: int, *, least: int, of: str) -> None:
    if found < least:
        message = f"{found} {of} and not {least}"
        raise NotPrepared(message)


def _hold(case: Case, keyring: Keyring, *, ranking_id: UUID, group: PlaceGroup) -> bytes:
    offer = Offer(
        group=group,
        rank=1,
        band="ample",
        score=0,
        points=(),
        free=1,
        cross_regional=True,
        clearance_km=None,
        margin_km=None,
        freshness="fresh",
    )
    folded = FoldedOffer(
        places=(offer,),
        rank=1,
        score=0,
        points=(),
        clearance_km=None,
        margin_km=None,
        freshness="fresh",
        features=(),
        asks_threat_level=False,
    )
    body = {
        "referralId": str(case.referral_id),
        "rankingId": str(ranking_id),
        "offerId": offers.issue_offer_id(keyring, ranking_id, folded),
    }
    headers = {"Authorization": f"Bearer {case.desk.token}", "Idempotency-Key": uuid4().hex}
    return request("POST", "/v1/holds", headers=headers, body=body)


async def count_groups(tx: Transaction) -> int:
    """Return how many groups of places the register has."""
    return (await tx.rows(text("SELECT count(*) FROM place_groups WHERE places > 0")))[0][0]


async def count_places(tx: Transaction) -> int:
    """Return how many places there are."""
    return (await tx.rows(text("SELECT count(*) FROM places")))[0][0]
