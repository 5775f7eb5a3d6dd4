"""Who is coming, for those who take them in: as it is known now, until they have left or are safe elsewhere."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from app.database.transaction import Transaction
from app.errors import Erased
from app.placing.store.placement_rows import PlacementRow
from app.referrals import referrals
from app.referrals.store import referral_rows
from app.referrals.store.referral_rows import ReferralRow

Content = Mapping[str, Any]


async def of_referral(
    tx: Transaction,
    referral_id: UUID,
) -> Content | None:
    """Return what is known of a household that comes to the caller's provider; None where the caller may not see it.

    Also None where nothing is left to see, as it was erased.
    """
    return (await _known(tx, {referral_id})).get(referral_id)


async def of_placements(
    tx: Transaction,
    rows: Iterable[PlacementRow],
) -> Mapping[UUID, Content]:
    """Return, by placement, who comes to the caller's provider or is there; of others, and of what is over, nothing."""
    received = [
        row
        for row in rows
        if row.receiver_id == tx.caller.provider and (row.awaited or row.status == "arrived")
    ]
    known = await _known(tx, {row.referral_id for row in received})
    return {row.id: known[row.referral_id] for row in received if row.referral_id in known}


async def _known(
    tx: Transaction,
    ids: set[UUID],
) -> dict[UUID, Content]:
    rows = await referral_rows.read_several(tx, sorted(ids)) if ids else []
    found = {row.id: _opened(tx, row) for row in rows}
    return {id_: content for id_, content in found.items() if content is not None}


def _opened(
    tx: Transaction,
    row: ReferralRow,
) -> Content | None:
    try:
        return referrals.unseal(tx, row).content
    except Erased:
        return None
