"""Confirming a hold: the household is on its way, to its first place or from one place to the next."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from app.database import outbox
from app.database.transaction import Transaction
from app.errors import Conflict, Missing
from app.placing import place_check, returns
from app.placing.holds import part_of_swap
from app.placing.placements import notify_providers
from app.placing.store import cap_rows, hold_changes, hold_rows, placement_rows
from app.placing.store.hold_rows import HoldRow
from app.placing.store.placement_rows import PlacementRow
from app.referrals import referrals
from app.referrals.store import referral_rows
from app.referrals.store.referral_rows import ReferralRow
from app.words import N_

CLOSED_HOLD = {
    "pending": ("not_accepted", N_("The receiving provider has not accepted yet.")),
    "declined": ("not_accepted", N_("The receiving provider declined.")),
    "no_answer": ("not_accepted", N_("The receiving provider did not answer in time.")),
    "expired": ("hold_expired", N_("This hold has run out.")),
    "released": ("hold_expired", N_("This hold was released.")),
    "placed": ("already_placed", N_("This hold became a placement.")),
}

FOLLOW_ON = "follow_on"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Which hold is confirmed, when they are expected, what they leave for it, and by when they go back, if so."""

    hold_id: UUID
    expected_at: datetime | None = None
    previous_id: UUID | None = None
    return_by: date | None = None


async def confirm_hold(
    tx: Transaction,
    wanted: Confirmation,
) -> PlacementRow:
    """Confirm an accepted hold: the household is on its way. What they leave stays theirs until they have arrived."""
    hold = await hold_rows.read(tx, wanted.hold_id, provider_id=tx.caller.provider, lock=True)
    if hold is None or hold.provider_id != tx.caller.provider:
        raise Missing
    if hold.swap_id is not None:
        raise part_of_swap()
    previous = None if wanted.previous_id is None else await _previous(tx, wanted.previous_id)
    if hold.status != "accepted":
        raise Conflict(*CLOSED_HOLD[hold.status])
    referral = await referral_rows.read(tx, hold.referral_id)
    assert referral is not None  # noqa: S101 - a foreign key says so
    receiving = await _check_still_lawful(tx, hold, referral)
    placement = await _new(
        tx, hold, referral, wanted=wanted, previous=previous, receiving=receiving
    )
    returns.check(
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


async def _previous(tx: Transaction, placement_id: UUID) -> PlacementRow:
    """Return the placement that a household is to leave: one in which they are now, for either of its providers."""
    previous = await placement_rows.read(
        tx, placement_id, provider_id=tx.caller.provider, lock=True
    )
    if previous is None:
        raise Missing
    if previous.status != "arrived":
        raise Conflict("placement_status", "They are not in the place that they are to leave.")
    return previous


async def _new(
    tx: Transaction,
    hold: HoldRow,
    referral: ReferralRow,
    *,
    wanted: Confirmation,
    previous: PlacementRow | None,
    receiving: str,
) -> dict[str, Any]:
    origin_region = (await tx.snapshots.reference(tx)).region_of(referral.origin)
    return {
        **in_stay(referral, previous),
        "id": uuid4(),
        "referral_id": hold.referral_id,
        "hold_id": hold.id,
        "provider_id": hold.provider_id,
        "receiver_id": hold.receiver_id,
        "place_id": hold.place_id,
        "site_id": hold.site_id,
        "kind": hold.kind,
        "origin": referral.origin,
        "origin_region": origin_region,
        "receiving": receiving,
        "cross_regional": origin_region != receiving,
        "expected_at": wanted.expected_at,
        "return_by": wanted.return_by,
    }


def in_stay(referral: ReferralRow, previous: PlacementRow | None) -> dict[str, Any]:
    """Return what a placement has of its stay: a new one, or that of the placement before it."""
    if previous is None:
        return {
            "stay_id": uuid4(),
            "previous_id": None,
            "began_id": None,
            "reason": referral.reason,
        }
    if previous.origin != referral.origin:
        # Else moving on could make a household one of the region that it was taken in by.
        raise Conflict(
            "another_origin",
            "This stay has another municipality of origin: correct it, and rank again.",
        )
    return {
        "stay_id": previous.stay_id,
        "previous_id": previous.id,
        "began_id": previous.began_with,
        # Whoever had to leave for safety still had to when the time comes for a regular place.
        "reason": previous.reason if referral.reason == FOLLOW_ON else referral.reason,
    }


async def _check_still_lawful(
    tx: Transaction,
    hold: HoldRow,
    referral: ReferralRow,
) -> str:
    """Refuse where a rule stands in the way of the place by what is known now; return the place's region."""
    content = referrals.unseal(tx, referral).content
    now = await place_check.check_place(
        tx,
        hold.place_id,
        content,
        capped_regions=await cap_rows.capped_regions(tx, besides=hold.referral_id),
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
        raise Conflict(
            "no_longer_lawful",
            "What is known of the household or of the place has changed. Rank again."
            " In the way: %(rules)s.",
            rules=now.against,
        )
    return now.region
