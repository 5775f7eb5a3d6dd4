"""When something comes free: whoever waits for it is told that it is lawful, and how it ranks; nobody is placed."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.allocation.values import Ranking
from app.database import counters, outbox, register
from app.database.transaction import Transaction
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.ranking.store import vacancy_rows
from app.ranking.store.vacancy_rows import Chance, PendingVacancy, VacancyRow
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral
from app.referrals.store import referral_rows
from app.referrals.store.referral_rows import ReferralRow
from app.seal import SealBroken

RANKED_AT_ONCE = 20
"""Referrals in one transaction of the worker: a long list must not keep other work waiting."""
TOLD = "waiting"


async def list_for(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[VacancyRow]:
    """Return what came free at the caller's provider's sites, newest first, each with a number and nobody in it."""
    return await vacancy_rows.list_for(tx, tx.caller.provider, limit=limit, after=after)


async def rank_next_waiting(
    tx: Transaction,
) -> bool:
    """Rank the next of those who wait, each once for all that came free; return whether there may be more to do.

    A ranking is recorded only where something of it is lawful: its own provider is told, and can
    hold an offer of it like of any other. The owner of what came free learns for how many that is
    so, once all have been ranked.
    """
    came_free = await vacancy_rows.lock_pending(tx)
    if not came_free or await counters.read(tx, "register") != tx.register_version:
        return bool(
            came_free
        )  # what came free may be newer than the register of this transaction: once more
    snapshot = await tx.snapshots.register(tx)
    waiting = await referral_rows.list_open_after(tx, came_free[0].reached, most=RANKED_AT_ONCE)
    chances: list[Chance] = []
    lawful_for = Counter({vacancy.id: 0 for vacancy in came_free})
    for row in waiting:
        found = await _ranked(tx, row)
        lawful = {} if found is None else _lawful(found[1].ranking, came_free, row.id)
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


async def _ranked(
    tx: Transaction,
    row: ReferralRow,
) -> tuple[UnsealedReferral, RecordedRanking] | None:
    try:
        referral = referrals.unseal(tx, row)
        return referral, await rankings.compute_ranking(tx, referral, limited=False)
    except (SealBroken, LookupError):
        # One that no key opens, or that names what is on no map any more, must not keep all others
        # waiting.
        return None


def _lawful(
    ranking: Ranking, came_free: Sequence[PendingVacancy], referral_id: UUID
) -> dict[UUID, int]:
    """Return what of that which came free is lawful, with its rank; nobody is told of what they left themselves."""
    ranks = {offer.group.id: offer.rank for offer in ranking.offers}
    return {
        vacancy.id: ranks[str(vacancy.group_id)]
        for vacancy in came_free
        if vacancy.left_by != referral_id and str(vacancy.group_id) in ranks
    }


async def _tell(tx: Transaction, chances: Sequence[Chance]) -> None:
    if not chances:
        return
    # Written last: a hold on one of these referrals waits for whoever writes its ranking, but not
    # for the reckoning.
    await register.record(tx, await tx.snapshots.register(tx))
    await vacancy_rows.record(tx, chances)
    for chance in chances:
        ranking = chance.ranking
        await outbox.add(
            tx, kind=TOLD, subject=str(ranking.referral_id), audience=[ranking.provider_id]
        )
