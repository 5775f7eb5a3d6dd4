"""Erase referrals: destroy their keys, and with them all that is sealed; keep the counts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from app.database import access_log, outbox
from app.database.transaction import Transaction
from app.errors import OperatorError
from app.placing import holds
from app.placing.erasure_list import ErasureList, ErasureRecord
from app.placing.store import erasures, hold_changes
from app.placing.store.erasures import ErasureCandidate, RemainingRows

REQUEST, RETENTION, RESTORE = "request", "retention", "restore"
"""Causes of an erasure: a request, the policy's days over, or a restored backup."""
AT_ONCE = 100
"""Referrals that the retention job erases in one transaction."""

Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Opens a transaction of the database's owner."""

HAS_A_PLACE = {
    "underway": "is on the way to a place. Record the arrival or the no-show first",
    "arrived": "is in a place. Record the departure first",
    "no_show": "did not come, and the place is kept until somebody has made sure that they are"
    " safe. Record that first",
}


@dataclass(frozen=True, slots=True)
class ErasedAgain:
    """How many referrals of a list were erased again, and the codes of those that were spared."""

    count: int
    spared: tuple[str, ...]


async def erase_referral(
    tx: Transaction, name: str, *, listed: ErasureList
) -> tuple[ErasureCandidate, bool]:
    """Erase a referral, named by id or speakable code; return it, and whether it was new.

    It is written to the list first: the list may name more than was erased, never less. Raises
    OperatorError if there is no such referral, or if its household has a place.
    """
    referral_id = await _id_of(tx, name)
    before = (
        None if referral_id is None else await erasures.read_candidate(tx, referral_id, lock=True)
    )
    if before is None:
        raise OperatorError(f"There is no referral {name}.")
    if before.erased_at is not None:
        return before, False
    _refuse_placed(before)
    await _list(tx, [before.id], cause=REQUEST, listed=listed)
    await _destroy(tx, [before.id], cause=REQUEST)
    return before, True


async def erase_overdue(tx: Transaction, *, listed: ErasureList) -> int:
    """Erase a batch of referrals closed for longer than the policy's days; return how many."""
    # Answers may still have been given while their referral was being erased.
    await erasures.empty_answers(tx)
    policy = (await tx.snapshots.reference(tx)).policy
    ids = await erasures.lock_overdue(tx, days=policy.retention_days, most=AT_ONCE)
    if ids:
        await _list(tx, ids, cause=RETENTION, listed=listed)
        await _destroy(tx, ids, cause=RETENTION)
    return len(ids)


async def erase_again(
    begin: Begin, ids: Sequence[UUID], *, listed_at: Mapping[UUID, datetime] | None = None
) -> ErasedAgain:
    """Erase the listed referrals that a restored database has back.

    Neither a hold nor a place prevents that: they were erased once, and the backup tells of the
    past. A hold is given back; a placement stays, so that its provider can end it. But a hold or a
    place that began after the referral was listed (`listed_at`) is no past: that erasure was taken
    back before its end, and they are spared.
    """
    if not ids:
        return ErasedAgain(0, ())
    async with begin() as tx:
        forgotten = await erasures.find_not_erased(tx, ids)
    again, spared = 0, list[str]()
    for id_ in forgotten:
        async with begin() as tx:
            before = await erasures.read_candidate(tx, id_, lock=True)
            if before is None:
                continue
            if _lives_since(before, (listed_at or {}).get(id_)):
                spared.append(before.reference)
                continue
            await _give_back(tx, before)
            again += len(await _destroy(tx, [id_], cause=RESTORE))
    return ErasedAgain(again, tuple(spared))


def _lives_since(before: ErasureCandidate, listed_at: datetime | None) -> bool:
    """Whether a hold or a place began after a moment, which a list has in whole seconds."""
    if before.placed_at is None or listed_at is None:
        return False
    return before.placed_at >= listed_at + timedelta(seconds=1)


async def complete_list(tx: Transaction, *, listed: ErasureList) -> None:
    """Add to a list the erasures that only the database knows, made on other hosts."""
    known = await asyncio.to_thread(listed.read)
    missing = await erasures.find_unlisted(tx, known.ids)
    if missing:
        await asyncio.to_thread(listed.add, missing)


async def take_over_list(tx: Transaction, ids: Sequence[UUID], *, listed: ErasureList) -> None:
    """Add the ids of another host's list to this one: this database may be restored as well."""
    known = set((await asyncio.to_thread(listed.read)).ids)
    missing = [id_ for id_ in ids if id_ not in known]
    if missing:
        await _list(tx, missing, cause=RESTORE, listed=listed)


async def _id_of(tx: Transaction, name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return await erasures.find_by_reference(tx, name.strip().lower())


def _refuse_placed(before: ErasureCandidate) -> None:
    if before.held_until is not None:
        raise OperatorError(
            f"A place is held for referral {before.reference} until"
            f" {before.held_until:%Y-%m-%d %H:%M} UTC. Withdraw the referral, release the hold or"
            " let it run out first; nothing was erased."
        )
    if before.placement is not None:
        raise OperatorError(
            f"The household of referral {before.reference} {HAS_A_PLACE[before.placement]};"
            " nothing was erased."
        )


async def _list(tx: Transaction, ids: Sequence[UUID], *, cause: str, listed: ErasureList) -> None:
    await asyncio.to_thread(listed.add, [ErasureRecord(id_, cause, tx.at) for id_ in ids])


async def _destroy(tx: Transaction, ids: Sequence[UUID], *, cause: str) -> list[UUID]:
    """Destroy what is sealed of the referrals not erased yet; return their ids."""
    new = await erasures.record(tx, ids, cause=cause)
    await erasures.destroy(tx, new)
    await erasures.empty_answers(tx)
    for id_ in new:
        entry = access_log.of_actor(
            tx.actor, "erase", "referral", id_, purpose=cause, referral_ids=(id_,)
        )
        await access_log.add(tx, entry)
    return new


async def _give_back(tx: Transaction, before: ErasureCandidate) -> None:
    """Release the live hold, if any, of a referral that a backup brought back."""
    if before.hold_id is None or before.receiver_id is None or before.site_id is None:
        return
    await hold_changes.resolve(tx, before.hold_id, status="released", reason=None)
    audience = [before.provider_id, before.receiver_id]
    await outbox.add(tx, kind="hold", subject=str(before.hold_id), audience=audience)
    await holds.notify_availability(tx, site_id=before.site_id, owner_id=before.receiver_id)


async def count_remaining(tx: Transaction, referral_id: UUID) -> RemainingRows:
    """Return how many rows of an erased referral stay, with nobody in them."""
    return await erasures.count_remaining(tx, referral_id)
