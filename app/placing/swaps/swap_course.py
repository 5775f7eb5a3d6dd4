"""The course of a swap: legs end on arrival, and a failing leg releases those after it.

An act on a placement locks first the swap that it is part of, and then the referral. Two legs
that end at the same moment wait for each other there, and nowhere else.
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
from app.referrals import referrals

PROPOSED = frozenset({"proposed", "expired"})
"""The statuses before its legs are reserved; an expired swap may not be noted as such yet."""


@dataclass(frozen=True, slots=True)
class LockedSwap:
    """A swap that is locked, and its legs."""

    row: SwapRow
    legs: Sequence[LegRow]

    def arriving_leg(self, placement_id: UUID) -> LegRow | None:
        """Return the live leg that became a placement."""
        return next((leg for leg in self.legs if leg.live and leg.next_id == placement_id), None)

    def departing_leg(self, placement_id: UUID) -> LegRow | None:
        """Return the live leg of the household that lives at a placement."""
        return next(
            (leg for leg in self.legs if leg.live and leg.placement_id == placement_id), None
        )


async def lock_swap_of(tx: Transaction, id_: UUID) -> LockedSwap | None:
    """Lock and return the live swap of a placement or a referral, if there is one."""
    async with as_exchange(tx):
        swap_id = await swap_rows.live_of(tx, id_)
        if swap_id is None:
            return None
        row = await swap_rows.read(tx, swap_id, lock=True)
        assert row is not None  # noqa: S101 - a foreign key says so
        return LockedSwap(row, await swap_rows.legs(tx, swap_id))


async def note_arrival(tx: Transaction, swap: LockedSwap | None, placement_id: UUID) -> None:
    """Complete the leg of a household that arrived, and the swap with its last leg."""
    leg = None if swap is None else swap.arriving_leg(placement_id)
    if swap is None or leg is None:
        return
    async with as_exchange(tx):
        await swap_rows.end_leg(tx, leg.id, outcome="arrived")
        if not any(other.live for other in swap.legs if other.id != leg.id):
            await swap_rows.resolve(tx, swap.row.id, status="completed")
        await notify_concerned(tx, swap.row.id, swap.legs)


async def note_no_show(tx: Transaction, swap: LockedSwap | None, placement_id: UUID) -> None:
    """Break off the leg of a household that did not come and is safe where it is."""
    leg = None if swap is None else swap.arriving_leg(placement_id)
    if swap is not None and leg is not None:
        async with as_exchange(tx):
            await _break_off(tx, swap, leg, outcome="no_show")


async def note_departure(
    tx: Transaction, swap: LockedSwap | None, placement_id: UUID, *, goes_on: bool
) -> None:
    """Note that a household has left where it lived, for its next place or out of the swap.

    A swap that was only proposed ends with it.
    """
    leg = None if swap is None else swap.departing_leg(placement_id)
    if swap is None or leg is None:
        return
    async with as_exchange(tx):
        if swap.row.status in PROPOSED:
            await end_swap(tx, swap.row, swap.legs, status="broken", reason=None)
        elif not goes_on:
            await _cancel(tx, leg)
            await _break_off(tx, swap, leg, outcome="cancelled")


async def end_proposed(tx: Transaction, swap: LockedSwap | None) -> None:
    """End a swap that was proposed: a household needs no place, or a place is lost."""
    if swap is not None and swap.row.status in PROPOSED:
        async with as_exchange(tx):
            await end_swap(tx, swap.row, swap.legs, status="broken", reason=None)


async def end_proposed_at(tx: Transaction, site_id: UUID) -> None:
    """End the swaps that were proposed with a place at a compromised site."""
    async with as_exchange(tx):
        referral_ids = await swap_rows.proposed_at(tx, site_id)
    for referral_id in referral_ids:
        await end_proposed(tx, await lock_swap_of(tx, referral_id))


async def end_swap(
    tx: Transaction, swap: SwapRow, legs: Sequence[LegRow], *, status: str, reason: str | None
) -> None:
    """End a proposed swap, acting as the exchange, and free the place that was kept for it."""
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


async def _break_off(tx: Transaction, swap: LockedSwap, failed: LegRow, *, outcome: str) -> None:
    """End a leg, and the legs whose place stays taken because of it."""
    leg: LegRow | None = failed
    over: set[UUID] = set()
    while leg is not None:
        over.add(leg.id)
        await swap_rows.end_leg(tx, leg.id, outcome=outcome)
        if leg.next_id is not None:
            await swap_reservations.release_successor(tx, leg.next_id)
        leg, outcome = await _depends_on(tx, swap, leg, over=over), "cancelled"
        if leg is not None:
            await _cancel(tx, leg)
            lives = leg.placement_id is not None and await placement_rows.home_of(
                tx, leg.placement_id
            )
            if not lives:
                await referrals.set_status(tx, leg.referral_id, "open")
    await swap_rows.break_off(tx, swap.row.id)
    await notify_concerned(tx, swap.row.id, swap.legs)


async def _depends_on(
    tx: Transaction, swap: LockedSwap, leg: LegRow, *, over: Collection[UUID]
) -> LegRow | None:
    """Return the live leg to the place that this household keeps, if it keeps one."""
    home = None if leg.placement_id is None else await placement_rows.home_of(tx, leg.placement_id)
    if home is None:
        return None
    return next(
        (one for one in swap.legs if one.live and one.id not in over and one.place_id == home),
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
