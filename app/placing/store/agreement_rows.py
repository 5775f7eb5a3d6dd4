"""Agreements to move.

A row says that a household would move. There is no row for one that would not, and none says why.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.database.transaction import Transaction
from app.models import MoveAgreement

if TYPE_CHECKING:
    from app.placing.store.placement_rows import PlacementRow


@dataclass(frozen=True, slots=True)
class MoveAgreementRow:
    """An agreement that the household of a placement would move, with its beginning and end."""

    placement_id: UUID
    agreed_at: datetime
    lapses_at: datetime


_COLUMNS = (MoveAgreement.placement_id, MoveAgreement.agreed_at, MoveAgreement.lapses_at)


async def read(tx: Transaction, placement_id: UUID) -> MoveAgreementRow | None:
    """Return an agreement to move that has not lapsed."""
    live = MoveAgreement.lapses_at > func.clock_timestamp()
    row = await tx.row(select(*_COLUMNS).where(MoveAgreement.placement_id == placement_id, live))
    return None if row is None else MoveAgreementRow(*row)


async def agree(tx: Transaction, placement: "PlacementRow", *, days: int) -> MoveAgreementRow:
    """Record that a household would move, for some days from now; it replaces what was before."""
    moments = {
        "agreed_at": func.clock_timestamp(),
        "lapses_at": func.clock_timestamp() + timedelta(days=days),
    }
    statement = insert(MoveAgreement).values(
        placement_id=placement.id,
        referral_id=placement.referral_id,
        provider_id=placement.provider_id,
        receiver_id=placement.receiver_id,
        **moments,
    )
    again = statement.on_conflict_do_update(index_elements=["placement_id"], set_=moments)
    return MoveAgreementRow(*(await tx.rows(again.returning(*_COLUMNS)))[0])


async def withdraw(tx: Transaction, placement_id: UUID) -> None:
    """Delete an agreement to move."""
    await tx.run(delete(MoveAgreement).where(MoveAgreement.placement_id == placement_id))


async def prune(tx: Transaction) -> None:
    """Delete the agreements to move that have lapsed."""
    await tx.run(delete(MoveAgreement).where(MoveAgreement.lapses_at <= func.clock_timestamp()))
