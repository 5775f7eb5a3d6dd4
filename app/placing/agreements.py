"""Agreements to move: the provider where a household lives has asked it, and notes only that it would."""

from uuid import UUID

from app.database.transaction import Transaction
from app.errors import Conflict, Missing
from app.placing import placements
from app.placing.store import agreement_rows
from app.placing.store.agreement_rows import MoveAgreementRow
from app.placing.store.placement_rows import PlacementRow


async def read(tx: Transaction, placement_id: UUID) -> MoveAgreementRow:
    """Return what a household that the caller's provider sent or received agreed to, while it counts."""
    await placements.read(tx, placement_id)
    found = await agreement_rows.read(tx, placement_id)
    if found is None:
        raise Missing
    return found


async def agree(tx: Transaction, placement_id: UUID) -> MoveAgreementRow:
    """Note that a household would move if that helps another; it lapses after the policy's days."""
    placement = await _living_here(tx, placement_id)
    if placement.status != "arrived":
        raise Conflict(
            "placement_status",
            "This placement is not %(placement_status)s.",
            placement_status="arrived",
        )
    policy = (await tx.snapshots.reference(tx)).policy
    return await agreement_rows.agree(tx, placement, days=policy.swap_agreement_days)


async def withdraw(tx: Transaction, placement_id: UUID) -> None:
    """Forget that a household would move; doing so again changes nothing."""
    await _living_here(tx, placement_id)
    await agreement_rows.withdraw(tx, placement_id)


async def _living_here(tx: Transaction, placement_id: UUID) -> PlacementRow:
    placement = await placements.read(tx, placement_id, lock=True)
    if placement.receiver_id != tx.caller.provider:
        raise Missing
    return placement
