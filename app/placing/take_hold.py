"""Take a hold on a place: one statement decides who gets it, and a refusal says why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from app.allocation.policy.policy import Policy
from app.allocation.ranking.own_region import lawful_home_groups
from app.database.answers import KeptAnswer
from app.database.transaction import Transaction
from app.errors import Conflict, Erased, Fault, Invalid, Missing
from app.placing.holds import HoldView
from app.placing.store import cap_rows
from app.placing.store.claim_place import NewHold, OwnRegionFirst, claim_place
from app.ranking import offers, rankings
from app.ranking.offers import OfferTicket
from app.referrals import referrals
from app.referrals.referrals import ReferralRow

_SHARED = frozenset(HoldView.__slots__) - {"provider_id"}
"""The fields that a new hold and what its sender sees of it share."""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """The offer of a ranking that is wanted, and why, when it is not the first."""

    referral_id: UUID
    ranking_id: UUID
    offer_id: str
    override_reason: str | None


async def take_hold(
    tx: Transaction, request: HoldRequest, *, record: Callable[[HoldView], KeptAnswer]
) -> tuple[HoldView, bool]:
    """Hold any free place of an offer; return the hold, and whether it was asked for first.

    `record` turns the hold into the answer that is kept for repeats: it is stored by the statement
    that takes the place.
    """
    ticket = offers.read_offer_id(tx.keyring, request.ranking_id, request.offer_id)
    if ticket is None:
        await _explain_no_offer(tx, request)
    assert ticket is not None  # noqa: S101 - explained away above
    if ticket.rank > 1 and request.override_reason is None:
        fault = Fault("/overrideReason", "is required for an offer that is not the first")
        raise Invalid(
            fault, code="override_reason_required", detail="Say why this offer and not the first."
        )
    policy = (await tx.snapshots.reference(tx)).policy
    wanted = _new_hold(tx, request, ticket=ticket, policy=policy)
    hold = _view(wanted, at=tx.at)
    answer = record(hold)
    claimed = await claim_place(tx, wanted, answer)
    own_region = None
    if not claimed.referral and wanted.leaves_region:
        own_region = await _own_region(tx, request)
        if own_region is not None:
            await _check_cap(tx, request, group_id=wanted.group_id)
            claimed = await claim_place(tx, wanted, answer, own_region=own_region)
    if not claimed.referral:
        await _explain_refusal(tx, request, flees=own_region is None)
    if not claimed.place:
        raise Conflict("offer_gone", "Those places have just gone; take the next offer.")
    tx.wrote_outbox()
    return hold, claimed.first


def _new_hold(
    tx: Transaction, request: HoldRequest, *, ticket: OfferTicket, policy: Policy
) -> NewHold:
    accepted_by = None
    if ticket.receiver_id == tx.caller.provider:
        accepted_by = "owner"
    elif ticket.automatic_acceptance:
        accepted_by = "automatic"
    minutes = policy.hold_minutes if accepted_by else policy.answer_minutes
    return NewHold(
        hold_id=uuid4(),
        referral_id=request.referral_id,
        provider_id=tx.caller.provider,
        ranking_id=request.ranking_id,
        ranking_minutes=policy.ranking_minutes,
        group_id=ticket.group_id,
        receiver_id=ticket.receiver_id,
        rank=ticket.rank,
        kind=ticket.kind,
        leaves_region=ticket.leaves_region,
        override_reason=request.override_reason if ticket.rank > 1 else None,
        status="accepted" if accepted_by else "pending",
        accepted_by=accepted_by,
        accepted_at=tx.at if accepted_by else None,
        expires_at=tx.at + timedelta(minutes=minutes),
        renewals_left=policy.renewals,
    )


def _view(wanted: NewHold, *, at: datetime) -> HoldView:
    return HoldView(
        **{name: getattr(wanted, name) for name in NewHold.__slots__ if name in _SHARED},
        id=wanted.hold_id,
        reference=None,
        sender_id=wanted.provider_id,
        provider_id=wanted.receiver_id,
        reason=None,
        created_at=at,
    )


async def _own_region(tx: Transaction, request: HoldRequest) -> OwnRegionFirst | None:
    """Return the place groups that must be full before a household leaves its region.

    None for a household that flees. It is looked up only after the first try was refused, so that
    a household in danger waits for none of this.
    """
    row = await _own_referral(tx, request)
    if row.reason == "safety":
        return None
    reference, snapshot = await tx.snapshots.reference(tx), await tx.snapshots.register(tx)
    need = referrals.need_of(referrals.unseal(tx, row).content, reference)
    groups = lawful_home_groups(
        need,
        snapshot.register,
        rankings.lasting_situation(
            need, reference=reference, municipalities=snapshot.register.municipalities, at=tx.at
        ),
        reference.policy,
    )
    return OwnRegionFirst(tuple(UUID(group) for group in groups), snapshot.version)


async def _check_cap(tx: Transaction, request: HoldRequest, *, group_id: UUID) -> None:
    """Refuse if the region's cap was reached after the ranking; callers at once take turns."""
    groups = {group.id: group.region for group in (await tx.snapshots.register(tx)).register.groups}
    region = groups.get(str(group_id))
    if region is not None and not await cap_rows.has_room(tx, region, besides=request.referral_id):
        raise Conflict(
            "ranking_outdated",
            "The region's cap has been reached since this ranking; ask for a new one.",
        )


async def _explain_no_offer(tx: Transaction, request: HoldRequest) -> None:
    await _own_referral(tx, request)
    raise Invalid(Fault("/offerId", "is not an offer of this ranking"))


async def _explain_refusal(tx: Transaction, request: HoldRequest, *, flees: bool) -> None:
    if (await _own_referral(tx, request)).status != "open":
        raise Conflict(
            "referral_not_open", "This referral has a hold or a placement, or is closed."
        )
    if flees:
        raise Conflict(
            "ranking_outdated", "Something changed since this ranking; ask for a new one."
        )
    raise Conflict(
        "ranking_outdated",
        "Something changed since this ranking, or came free in the household's own region;"
        " ask for a new one.",
    )


async def _own_referral(tx: Transaction, request: HoldRequest) -> ReferralRow:
    referral = await referrals.read_sealed(tx, request.referral_id, own=True)
    if referral is None:
        raise Missing
    if referral.key is None:
        raise Erased
    return referral
