"""The course of a swap: legs complete as people arrive, and one that fails lets go of what depended on it.

Whoever acts on a placement locks the swap that it is part of first, and the referral after that:
two legs that end at the same moment wait for each other there, and nowhere else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.database import outbox
from app.database.transaction import Transaction
from app.placing import holds
from app.placing.store import hold_changes, placement_rows, swap_reservations, swap_rows
from app.placing.store.swap_candidates import as_exchange
from app.placing.store.swap_rows import LegRow, SwapRow
from app.referrals.store import referral_rows

PROPOSED = frozenset({"proposed", "expired"})
"""Before anything but a free place was kept; one that ran out may not have been noted yet."""


@dataclass(frozen=True, slots=True)
class LockedSwap:
    """A swap, locked, and its legs."""

    swap: SwapRow
    legs: Sequence[LegRow]

    def arriving(self, placement_id: UUID) -> LegRow | None:
        """Return the live leg that became a placement."""
        return next((leg for leg in self.legs if leg.live and leg.next_id == placement_id), None)

    def leaving(self, placement_id: UUID) -> LegRow | None:
        """Return the live leg of the household that lives at a placement."""
        return next(
            (leg for leg in self.legs if leg.live and leg.placement_id == placement_id), None
        )


async def lock_swap_of(tx: Transaction, id_: UUID) -> LockedSwap | None:
    """Lock the live swap of a placement or a referral, and return it; None where there is none."""
    async with as_exchange(tx):
        swap_id = await swap_rows.live_of(tx, id_)
        if swap_id is None:
            return None
        swap = await swap_rows.read(tx, swap_id, lock=True)
        assert swap is not None  # noqa: S101 - a foreign key says so
        return LockedSwap(swap, await swap_rows.legs(tx, swap_id))


async def note_arrival(tx: Transaction, course: LockedSwap | None, placement_id: UUID) -> None:
    """Note that the household of a leg has arrived; with the last one the swap is complete."""
    leg = None if course is None else course.arriving(placement_id)
    if course is None or leg is None:
        return
    async with as_exchange(tx):
        await swap_rows.end_leg(tx, leg.id, outcome="arrived")
        if not any(other.live for other in course.legs if other.id != leg.id):
            await swap_rows.resolve(tx, course.swap.id, status="completed")
        await notify_concerned(tx, course.swap.id, course.legs)


async def note_no_show(tx: Transaction, course: LockedSwap | None, placement_id: UUID) -> None:
    """Let go of what depended on a household that did not come, and is safe where it is."""
    leg = None if course is None else course.arriving(placement_id)
    if course is not None and leg is not None:
        async with as_exchange(tx):
            await _break_off(tx, course, leg, outcome="no_show")


async def note_departure(
    tx: Transaction, course: LockedSwap | None, placement_id: UUID, *, goes_on: bool
) -> None:
    """Note that a household has left where it lived: for its next place, or else out of the swap.

    A swap that was only proposed cannot be any more.
    """
    leg = None if course is None else course.leaving(placement_id)
    if course is None or leg is None:
        return
    async with as_exchange(tx):
        if course.swap.status in PROPOSED:
            await end_swap(tx, course.swap, course.legs, status="broken", reason=None)
        elif not goes_on:
            await _cancel(tx, leg)
            await _break_off(tx, course, leg, outcome="cancelled")


async def end_proposed(tx: Transaction, course: LockedSwap | None) -> None:
    """End the swap that was proposed, where somebody in it needs no place any more, or a place cannot be given."""
    if course is not None and course.swap.status in PROPOSED:
        async with as_exchange(tx):
            await end_swap(tx, course.swap, course.legs, status="broken", reason=None)


async def end_proposed_at(tx: Transaction, site_id: UUID) -> None:
    """End the swaps that were proposed with a place at a site where nobody is safe any more."""
    async with as_exchange(tx):
        referral_ids = await swap_rows.proposed_at(tx, site_id)
    for referral_id in referral_ids:
        await end_proposed(tx, await lock_swap_of(tx, referral_id))


async def end_swap(
    tx: Transaction, swap: SwapRow, legs: Sequence[LegRow], *, status: str, reason: str | None
) -> None:
    """End a swap that is proposed, as the exchange: the place that was kept with it is free."""
    for leg in legs:
        if leg.hold_id is not None and await hold_changes.resolve(
            tx, leg.hold_id, status="released", reason=None
        ):
            await outbox.add(
                tx,
                kind="hold",
                subject=str(leg.hold_id),
                audience=[leg.provider_id, leg.receiving_id],
            )
            await holds.notify_availability(tx, site_id=leg.site_id, owner_id=leg.receiving_id)
    await swap_rows.resolve(tx, swap.id, status=status, reason=reason)
    await notify_concerned(tx, swap.id, legs)


async def notify_concerned(tx: Transaction, swap_id: UUID, legs: Collection[LegRow]) -> None:
    """Tell every provider concerned that a swap has changed."""
    concerned = {provider_id for leg in legs for provider_id in leg.concerned}
    await outbox.add(tx, kind="swap", subject=str(swap_id), audience=sorted(concerned))


async def _break_off(tx: Transaction, course: LockedSwap, failed: LegRow, *, outcome: str) -> None:
    """End a leg, and those whose place does not come free because of it: their households stay where they are."""
    leg: LegRow | None = failed
    over: set[UUID] = set()
    while leg is not None:
        over.add(leg.id)
        await swap_rows.end_leg(tx, leg.id, outcome=outcome)
        if leg.next_id is not None:
            await swap_reservations.release_successor(tx, leg.next_id)
        leg, outcome = await _depends_on(tx, course, leg, over=over), "cancelled"
        if leg is not None:
            await _cancel(tx, leg)
            lives = leg.placement_id is not None and await placement_rows.home_of(
                tx, leg.placement_id
            )
            if not lives:
                await referral_rows.set_status(tx, leg.referral_id, "open")
    await swap_rows.break_off(tx, course.swap.id)
    await notify_concerned(tx, course.swap.id, course.legs)


async def _depends_on(
    tx: Transaction, course: LockedSwap, leg: LegRow, *, over: Collection[UUID]
) -> LegRow | None:
    """Return the leg to the place where this one's household goes on living, if it does; in a cycle each but once."""
    home = None if leg.placement_id is None else await placement_rows.home_of(tx, leg.placement_id)
    if home is None:
        return None
    return next(
        (one for one in course.legs if one.live and one.id not in over and one.place_id == home),
        None,
    )


async def _cancel(tx: Transaction, leg: LegRow) -> None:
    assert leg.next_id is not None  # noqa: S101 - every leg of a swap that is reserved has one
    await placement_rows.change(
        tx, leg.next_id, expected="underway", values={"status": "cancelled"}
    )
    if await hold_changes.free(tx, leg.next_id):
        await holds.notify_availability(tx, site_id=leg.site_id, owner_id=leg.receiving_id)
    await outbox.add(
        tx, kind="placement", subject=str(leg.next_id), audience=[leg.provider_id, leg.receiving_id]
    )
