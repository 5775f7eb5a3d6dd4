"""Agreements with households in a place: to return to their region, to move for others."""

from datetime import date
from uuid import UUID

from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.placing.store import agreement_rows, placement_rows
from app.placing.store.agreement_rows import AT_ONCE, MoveAgreementRow
from app.placing.store.placement_rows import PlacementRow
from app.reference import load

# --- to return: for a household that left its region for lack of capacity, not for safety


def check_return_by(return_by: date | None, *, reason: str, cross_regional: bool) -> None:
    """Refuse a day of return for a household that needs no agreement to return."""
    if return_by is not None and (reason != "capacity" or not cross_regional):
        raise Invalid(
            Fault("/returnBy", "is only for those who left their region for want of capacity")
        )


async def remind_of_returns(tx: Transaction) -> bool:
    """Remind both providers once of returns whose day has come; return whether more are due."""
    today = load().country.day_of(tx.at)
    reminded = await agreement_rows.remind_of_returns(tx, today=today)
    if reminded:
        tx.wrote_outbox()
    return reminded == AT_ONCE


# --- to move: asked beforehand by the provider where the household lives


async def read_move_agreement(tx: Transaction, placement_id: UUID) -> MoveAgreementRow:
    """Return the agreement to move of a household that the caller's provider sent or received."""
    await _read(tx, placement_id)
    found = await agreement_rows.read(tx, placement_id)
    if found is None:
        raise Missing
    return found


async def agree_to_move(tx: Transaction, placement_id: UUID) -> MoveAgreementRow:
    """Record that a household would move if that helps another, for the policy's days."""
    placement = await _lock_received(tx, placement_id)
    if placement.status != "arrived":
        raise Conflict(
            "placement_status",
            "This placement is not %(placement_status)s.",
            placement_status="arrived",
        )
    policy = (await tx.snapshots.reference(tx)).policy
    return await agreement_rows.agree(tx, placement, days=policy.swap_agreement_days)


async def withdraw_move_agreement(tx: Transaction, placement_id: UUID) -> None:
    """Forget that a household would move; a second time changes nothing."""
    await _lock_received(tx, placement_id)
    await agreement_rows.withdraw(tx, placement_id)


async def prune_move_agreements(tx: Transaction) -> None:
    """Forget the agreements to move that have lapsed."""
    await agreement_rows.prune(tx)


async def _lock_received(tx: Transaction, placement_id: UUID) -> PlacementRow:
    placement = await _read(tx, placement_id, lock=True)
    if placement.receiver_id != tx.caller.provider:
        raise Missing
    return placement


async def _read(tx: Transaction, placement_id: UUID, *, lock: bool = False) -> PlacementRow:
    row = await placement_rows.read(tx, placement_id, provider_id=tx.caller.provider, lock=lock)
    if row is None:
        raise Missing
    return row
