"""Agreements with households in a place: to return to their region, to move for others."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.placing.store import agreement_rows, placement_rows
from app.placing.store.agreement_rows import MoveAgreementRow
from app.placing.store.placement_rows import PlacementRow
from app.reference import load

# --- to return: for a household that left its region for lack of capacity, not for safety


def plan_return(
    return_by: date | None, *, reason: str, cross_regional: bool
) -> Mapping[str, date | datetime | None]:
    """Return the columns of a day of return, with the moment at which it begins.

    A household that needs no agreement to return has none: a day for it is refused.
    """
    if return_by is None:
        return {"return_by": None, "return_at": None}
    if reason != "capacity" or not cross_regional:
        raise Invalid(
            Fault("/returnBy", "is only for those who left their region for want of capacity")
        )
    return {"return_by": return_by, "return_at": load().country.midnight(return_by)}


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
