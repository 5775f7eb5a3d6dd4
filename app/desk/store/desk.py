"""What an intake desk has in hand: its live holds, who is on the way, and how far one referral has come."""

from uuid import UUID

from sqlalchemy import select

from app.database.transaction import Transaction
from app.models import Hold, Placement
from app.placing.store import hold_rows, placement_rows
from app.placing.store.hold_rows import HoldRow
from app.placing.store.placement_rows import PlacementRow


async def live_holds(tx: Transaction, provider_id: UUID) -> list[HoldRow]:
    """Return the live holds that a provider's desk asked for, that which ends first in front."""
    found = await hold_rows.of_desk(tx, Hold.provider_id == provider_id, Hold.resolved_at.is_(None))
    return sorted((row for row in found if row.live), key=lambda row: (row.expires_at, row.id))


async def last_hold(tx: Transaction, referral_id: UUID, *, provider_id: UUID) -> HoldRow | None:
    """Return the newest hold of one of a provider's referrals, live or over."""
    newest = (
        select(Hold.id)
        .where(Hold.referral_id == referral_id, Hold.provider_id == provider_id)
        .order_by(Hold.created_at.desc(), Hold.id.desc())
        .limit(1)
    )
    return next(iter(await hold_rows.of_desk(tx, Hold.id == newest.scalar_subquery())), None)


async def under_way(tx: Transaction, provider_id: UUID) -> list[PlacementRow]:
    """Return the placements that a provider sent and that have not arrived yet, newest first."""
    return await placement_rows.of_desk(
        tx, Placement.provider_id == provider_id, placement_rows.AWAITED
    )


async def last_placement(
    tx: Transaction, referral_id: UUID, *, provider_id: UUID
) -> PlacementRow | None:
    """Return the newest placement of a referral that a provider sent, whatever became of it."""
    found = await placement_rows.of_desk(
        tx, Placement.referral_id == referral_id, Placement.provider_id == provider_id
    )
    return next(iter(found), None)
