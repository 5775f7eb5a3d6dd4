"""Vacancies: when a place comes free, desks whose households could go there are told."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.database import counters, outbox, register
from app.database.transaction import Transaction
from app.errors import Unreadable
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.ranking.store import vacancy_rows
from app.ranking.store.vacancy_rows import Chance, PendingVacancy, VacancyRow
from app.reference import load
from app.referrals import referrals
from app.referrals.referrals import ReferralRow, UnsealedReferral

RANKED_AT_ONCE = 20
"""Referrals ranked in one transaction: a long list must not keep other work waiting."""
TOLD = "waiting"


async def list_for(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[VacancyRow]:
    """Return what came free at the caller's provider, newest first, with counts only."""
    return await vacancy_rows.list_for(tx, tx.caller.provider, limit=limit, after=after)


async def rank_next_waiting(tx: Transaction) -> bool:
    """Rank the next waiting referrals for what came free; return whether more may be left.

    Each referral is ranked once for everything that came free. The ranking is recorded only if
    some of that is lawful: the referral's provider is told, and can hold an offer of it as of any
    ranking. The owner of what came free learns for how many it is lawful, once all are ranked.
    """
    came_free = await vacancy_rows.lock_pending(tx)
    if not came_free or await counters.read(tx, "register") != tx.register_version:
        # What came free may be newer than the register of this transaction: try again.
        return bool(came_free)
    snapshot = await tx.snapshots.register(tx)
    waiting = await referrals.list_next_open(tx, after=came_free[0].reached, most=RANKED_AT_ONCE)
    chances: list[Chance] = []
    lawful_for = Counter({vacancy.id: 0 for vacancy in came_free})
    for row in waiting:
        found = await _rank(tx, row)
        lawful = {} if found is None else _lawful(found[1], came_free, row.id)
        lawful_for.update(lawful.keys())
        if found is not None and lawful:
            chances.append(
                Chance(rankings.ranking_row(*found, snapshot=snapshot), min(lawful.values()))
            )
    await _tell(tx, chances)
    done = len(waiting) < RANKED_AT_ONCE
    reached = waiting[-1].id if waiting else None
    wanted = await vacancy_rows.add_counts(tx, lawful_for, reached=reached, done=done)
    for provider_id, vacancy_id in wanted.items() if done else ():
        await outbox.add(tx, kind=TOLD, subject=str(vacancy_id), audience=[provider_id])
    return True


async def rank_where_zones_ended(tx: Transaction) -> bool:
    """Rank some of those who wait and a danger zone of whom has ended since they were ranked.

    Whose desk could hold an offer now is told, as of what came free. Returns whether more may be
    left; who has been ranked since is found no more.
    """
    snapshot, chances = await tx.snapshots.register(tx), list[Chance]()
    after: UUID | None = None
    while waiting := await referrals.list_next_open(tx, after=after, most=RANKED_AT_ONCE):
        after = waiting[-1].id
        ranked = await vacancy_rows.last_ranked(tx, [row.id for row in waiting])
        for row in waiting:
            if row.id not in ranked or not await _zone_ended(tx, row, since=ranked[row.id]):
                continue
            found = await _rank(tx, row)
            if found is not None:
                rank = 1 if found[1].ranking.offers else None
                chances.append(Chance(rankings.ranking_row(*found, snapshot=snapshot), rank))
        if len(chances) >= RANKED_AT_ONCE:
            break
    await _tell(tx, chances)
    return bool(waiting)


async def _zone_ended(tx: Transaction, row: ReferralRow, *, since: datetime) -> bool:
    try:
        content = referrals.unseal(tx, row).content
        need = referrals.need_of(content, await tx.snapshots.reference(tx))
    except (Unreadable, LookupError):
        return False
    then, today = map(load().country.day_of, (since, tx.at))
    return any(zone.has_ended(today) and not zone.has_ended(then) for zone in need.danger_zones)


async def _rank(
    tx: Transaction, row: ReferralRow
) -> tuple[UnsealedReferral, RecordedRanking] | None:
    try:
        referral = referrals.unseal(tx, row)
        return referral, await rankings.compute_ranking(tx, referral, limited=False)
    except (Unreadable, LookupError):
        # A referral that no key opens, or that names a place no map has any more, must not keep
        # the others waiting.
        return None


def _lawful(
    ranked: RecordedRanking, came_free: Sequence[PendingVacancy], referral_id: UUID
) -> dict[UUID, int]:
    """Return the rank of each lawful vacancy, except those that this household left itself."""
    ranks = {place.group.id: offer.rank for offer in ranked.fold() for place in offer.places}
    return {
        vacancy.id: ranks[str(vacancy.group_id)]
        for vacancy in came_free
        if vacancy.left_by != referral_id and str(vacancy.group_id) in ranks
    }


async def _tell(tx: Transaction, chances: Sequence[Chance]) -> None:
    if not chances:
        return
    # Written last: a hold on one of these referrals waits while its ranking is written, but not
    # while it is computed.
    await register.record(tx, await tx.snapshots.register(tx))
    await vacancy_rows.record(tx, chances)
    for ranking in (chance.ranking for chance in chances if chance.rank is not None):
        await outbox.add(
            tx, kind=TOLD, subject=str(ranking.referral_id), audience=[ranking.provider_id]
        )


async def prune_vacancies(tx: Transaction) -> None:
    """Forget what came free long ago."""
    await vacancy_rows.prune(tx)
