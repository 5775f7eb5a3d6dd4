"""Looks at where a household flees from, before a person accepts it: logged first."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.database import access_log
from app.database.transaction import Transaction
from app.errors import Missing
from app.placing import incoming_household
from app.placing.store import hold_rows
from app.placing.store.hold_rows import HoldRow
from app.referrals import referrals

DANGER_LOOK = "danger_look"
"""The action as the access log names it."""


async def note_look(tx: Transaction, hold_id: UUID, *, reason: str) -> None:
    """Log that a person at the receiver looks, and tell the sender; commit it before the look."""
    row = await _read_asked_hold(tx, hold_id)
    entry = tx.caller.entry(
        DANGER_LOOK,
        "hold",
        hold_id,
        purpose=reason,
        referral_ids=(row.referral_id,),
        told_id=row.provider_id,
    )
    await access_log.add_notice(tx, entry, provider_id=row.provider_id)


async def read_municipalities(tx: Transaction, hold_id: UUID) -> Mapping[str, Any]:
    """Return the municipalities of origin and danger, in a later transaction than the entry."""
    row = await _read_asked_hold(tx, hold_id)
    content = (await referrals.read_content(tx, {row.referral_id})).get(row.referral_id)
    if content is None:
        raise Missing
    return incoming_household.municipalities(content)


async def _read_asked_hold(tx: Transaction, hold_id: UUID) -> HoldRow:
    """Return a live hold that asks the caller's provider for something."""
    row = await hold_rows.read(tx, hold_id, provider_id=tx.caller.provider)
    if (
        row is None
        or not row.live
        or row.receiver_id != tx.caller.provider
        or row.provider_id == tx.caller.provider
    ):
        raise Missing
    return row
