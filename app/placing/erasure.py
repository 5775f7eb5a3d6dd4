"""Erasing a referral: its key is destroyed, and with it whatever that sealed; what only counts things stays."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias
from uuid import UUID

from app.database import access_log, outbox
from app.database.transaction import Transaction
from app.errors import OperatorError
from app.placing import holds
from app.placing.erasure_list import ErasureList, ErasureRecord
from app.placing.store import erasures, hold_changes
from app.placing.store.erasures import ErasureCandidate

REQUEST, RETENTION, RESTORE = "request", "retention", "restore"
"""Why something was erased: somebody asked, the policy's days were over, or a backup had brought it back."""
AT_ONCE = 100
"""How many the retention job erases in one transaction."""

Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Opens a transaction of the owner."""

HAS_A_PLACE = {
    "underway": "is on the way to a place. Record the arrival or the no-show first",
    "arrived": "is in a place. Record the departure first",
    "no_show": "did not come, and the place is kept until somebody has made sure that they are safe. Record that first",
}


async def erase_referral(
    tx: Transaction, name: str, *, listed: ErasureList
) -> tuple[ErasureCandidate, bool]:
    """Erase a referral, named by id or speakable code; return it, and whether this was the first time.

    It is written to the list first: there may be more on the list than was erased, never less.
    OperatorError where there is no such referral, or its household has a place.
    """
    referral_id = await _found(tx, name)
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
    """Erase referrals that have been over for longer than the policy keeps them, so many at once; return how many."""
    await erasures.empty_answers(
        tx
    )  # those that were still being given while their referral was erased
    policy = (await tx.snapshots.reference(tx)).policy
    ids = await erasures.lock_overdue(tx, days=policy.retention_days, most=AT_ONCE)
    if ids:
        await _list(tx, ids, cause=RETENTION, listed=listed)
        await _destroy(tx, ids, cause=RETENTION)
    return len(ids)


async def erase_again(begin: Begin, ids: Sequence[UUID]) -> int:
    """Erase those of a list that the database has, and does not know as erased; return how many.

    Whatever stands against it: they were erased once, and what a backup says of them is the past. A
    hold is given back; a placement stays, so that its provider can end it.
    """
    if not ids:
        return 0
    async with begin() as tx:
        forgotten = await erasures.find_not_erased(tx, ids)
    again = 0
    for id_ in forgotten:
        async with begin() as tx:
            before = await erasures.read_candidate(tx, id_, lock=True)
            if before is not None:
                await _give_back(tx, before)
                again += len(await _destroy(tx, [id_], cause=RESTORE))
    return again


async def complete_list(tx: Transaction, *, listed: ErasureList) -> None:
    """Write to a list what the database knows and it does not: other hosts have erased, and have lists of their own."""
    known = await asyncio.to_thread(listed.read)
    missing = await erasures.find_unlisted(tx, known.ids)
    if missing:
        await asyncio.to_thread(
            listed.add, [ErasureRecord(one.referral_id, one.cause, one.at) for one in missing]
        )


async def take_over_list(tx: Transaction, ids: Sequence[UUID], *, listed: ErasureList) -> None:
    """Put those of another host's list on this one: this database, too, may be restored to a time before."""
    known = set((await asyncio.to_thread(listed.read)).ids)
    missing = [id_ for id_ in ids if id_ not in known]
    if missing:
        await _list(tx, missing, cause=RESTORE, listed=listed)


async def _found(tx: Transaction, name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return await erasures.find_by_reference(tx, name.strip().lower())


def _refuse_placed(before: ErasureCandidate) -> None:
    if before.held_until is not None:
        raise OperatorError(
            f"A place is held for referral {before.reference} until {before.held_until:%Y-%m-%d %H:%M} UTC. Withdraw "
            "the referral, release the hold or let it run out first; nothing was erased."
        )
    if before.placement is not None:
        raise OperatorError(
            f"The household of referral {before.reference} {HAS_A_PLACE[before.placement]}; nothing was erased."
        )


async def _list(tx: Transaction, ids: Sequence[UUID], *, cause: str, listed: ErasureList) -> None:
    await asyncio.to_thread(listed.add, [ErasureRecord(id_, cause, tx.at) for id_ in ids])


async def _destroy(tx: Transaction, ids: Sequence[UUID], *, cause: str) -> list[UUID]:
    """Destroy what is sealed of those that nobody has erased yet; return them."""
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
    """Release the hold of a referral that a backup brought back, if there is one that still lives."""
    if before.hold_id is None or before.receiver_id is None or before.site_id is None:
        return
    await hold_changes.resolve(tx, before.hold_id, status="released", reason=None)
    audience = [before.provider_id, before.receiver_id]
    await outbox.add(tx, kind="hold", subject=str(before.hold_id), audience=audience)
    await holds.notify_availability(tx, site_id=before.site_id, owner_id=before.receiver_id)
