"""Confirm a hold: the household sets out for its first place or for the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.database import outbox
from app.database.transaction import Transaction
from app.errors import Conflict, Missing
from app.placing import place_check
from app.placing.agreements import plan_return
from app.placing.caps import SAFETY
from app.placing.holds import part_of_swap
from app.placing.placements import notify_providers
from app.placing.stays import FOLLOW_ON, HeldPlace, new_placement
from app.placing.store import cap_rows, hold_changes, hold_rows, placement_rows
from app.placing.store.hold_rows import HoldRow
from app.placing.store.placement_rows import PlacementRow
from app.referrals import referrals
from app.referrals.referrals import ReferralRow
from app.words import N_

CLOSED_HOLD = {
    "pending": ("not_accepted", N_("The receiving provider has not accepted yet.")),
    "declined": ("not_accepted", N_("The receiving provider declined.")),
    "no_answer": ("not_accepted", N_("The receiving provider did not answer in time.")),
    "expired": ("hold_expired", N_("This hold has run out.")),
    "released": ("hold_expired", N_("This hold was released.")),
    "placed": ("already_placed", N_("This hold became a placement.")),
}
NOT_LAWFUL = (
    "no_longer_lawful",
    N_(
        "What is known of the household or of the place has changed. Rank again."
        " In the way: %(rules)s."
    ),
)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The hold to confirm, when they are expected, the placement they leave, and their return."""

    hold_id: UUID
    expected_at: datetime | None = None
    previous_id: UUID | None = None
    return_by: date | None = None


async def confirm_hold(tx: Transaction, wanted: Confirmation) -> PlacementRow:
    """Turn an accepted hold into a placement under way.

    The place that the household leaves stays theirs until they have arrived.
    """
    hold = await hold_rows.read(tx, wanted.hold_id, provider_id=tx.caller.provider, lock=True)
    if hold is None or hold.provider_id != tx.caller.provider:
        raise Missing
    if hold.swap_id is not None:
        raise part_of_swap()
    previous = None if wanted.previous_id is None else await _previous(tx, wanted.previous_id)
    if hold.status != "accepted":
        raise Conflict(*CLOSED_HOLD[hold.status])
    referral = await referrals.read_sealed(tx, hold.referral_id)
    assert referral is not None  # noqa: S101 - a foreign key says so
    receiving = await _check_still_lawful(tx, hold, referral, previous)
    placement = await new_placement(
        tx, _held_place(hold), referral, previous=previous, receiving=receiving
    )
    if referral.reason == FOLLOW_ON:
        await _check_cap_of_stay(tx, placement, previous)
    placement["expected_at"] = wanted.expected_at
    placement |= plan_return(
        wanted.return_by, reason=placement["reason"], cross_regional=placement["cross_regional"]
    )
    if not await placement_rows.add(tx, placement):
        raise Conflict(
            "already_moving_on", "They are on their way from there to another place already."
        )
    if not await hold_changes.confirm(tx, hold.id, placement_id=placement["id"]):
        raise Conflict(*CLOSED_HOLD["expired"])
    await outbox.add(
        tx, kind="hold", subject=str(hold.id), audience=[hold.provider_id, hold.receiver_id]
    )
    return await notify_providers(tx, placement["id"], freed=False)


async def _check_cap_of_stay(
    tx: Transaction, placement: Mapping[str, Any], previous: PlacementRow | None
) -> None:
    """Refuse who moves on into a region whose cap is reached.

    A household that lives in the region is there already, and one that fled is never kept away.
    """
    receiving, reason = placement["receiving"], placement["reason"]
    there_already = previous is not None and previous.receiving == receiving
    if there_already or reason == SAFETY or not placement["cross_regional"]:
        return
    if not await cap_rows.has_room(tx, receiving, besides=placement["referral_id"]):
        raise Conflict(*NOT_LAWFUL, rules=("cap",))


async def _previous(tx: Transaction, placement_id: UUID) -> PlacementRow:
    """Return the arrived placement that they leave, if the caller is one of its sides."""
    previous = await placement_rows.read(
        tx, placement_id, provider_id=tx.caller.provider, lock=True
    )
    if previous is None:
        raise Missing
    if previous.status != "arrived":
        raise Conflict("placement_status", "They are not in the place that they are to leave.")
    return previous


def _held_place(hold: HoldRow) -> HeldPlace:
    return HeldPlace(
        hold_id=hold.id,
        referral_id=hold.referral_id,
        provider_id=hold.provider_id,
        receiver_id=hold.receiver_id,
        place_id=hold.place_id,
        site_id=hold.site_id,
        kind=hold.kind,
    )


async def _check_still_lawful(
    tx: Transaction, hold: HoldRow, referral: ReferralRow, previous: PlacementRow | None
) -> str:
    """Refuse a place that is not lawful by what is known now; return its region.

    No cap keeps a household out of the region where it lives.
    """
    capped = await cap_rows.capped_regions(tx, besides=hold.referral_id)
    now = await place_check.check_place(
        tx,
        hold.place_id,
        referrals.unseal(tx, referral).content,
        capped_regions=capped if previous is None else capped - {previous.receiving},
    )
    place_check.refuse_unsafe(
        now,
        site=N_("Nobody is safe at that site any more. Rank again."),
        danger=N_(
            "What is known of the danger has changed: this place is not safe any more. Rank again."
        ),
        rules=now.against,
    )
    if now.against:
        raise Conflict(*NOT_LAWFUL, rules=now.against)
    return now.region
