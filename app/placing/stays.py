"""Stays: a new placement begins one, or continues the stay of the placement before it."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

from app.database.transaction import Transaction
from app.errors import Conflict
from app.placing.store.placement_rows import PlacementRow
from app.referrals.referrals import ReferralRow

FOLLOW_ON = "follow_on"
"""The reason of a referral for the next place within a stay."""


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """What a placement takes over from the hold that it comes from."""

    hold_id: UUID
    referral_id: UUID
    provider_id: UUID
    receiver_id: UUID
    place_id: UUID
    site_id: UUID
    kind: str


async def new_placement(
    tx: Transaction,
    held: HeldPlace,
    referral: ReferralRow,
    *,
    previous: PlacementRow | None,
    receiving: str,
) -> dict[str, Any]:
    """Return the row of a placement in a region, in a new stay or in that of `previous`."""
    origin_region = (await tx.snapshots.reference(tx)).region_of(referral.origin)
    return {
        **_stay(referral, previous),
        **asdict(held),
        "id": uuid4(),
        "origin": referral.origin,
        "origin_region": origin_region,
        "receiving": receiving,
        "cross_regional": origin_region != receiving,
        "expected_at": None,
    }


def _stay(referral: ReferralRow, previous: PlacementRow | None) -> dict[str, Any]:
    if previous is None:
        return {
            "stay_id": uuid4(),
            "previous_id": None,
            "began_id": None,
            "reason": referral.reason,
        }
    if previous.origin != referral.origin:
        # Otherwise moving on could turn a household into one of the region that took it in.
        raise Conflict(
            "another_origin",
            "This stay has another municipality of origin: correct it, and rank again.",
        )
    return {
        "stay_id": previous.stay_id,
        "previous_id": previous.id,
        "began_id": previous.began_with,
        "reason": reason_of(referral, previous),
    }


def reason_of(referral: ReferralRow, stay: PlacementRow) -> str:
    """Return the reason of a placement within a stay, or of its first, by its referral.

    A household that had to leave for safety still had to when it gets its regular place.
    """
    return stay.reason if referral.reason == FOLLOW_ON else referral.reason
