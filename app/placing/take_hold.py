"""Taking a place: one statement decides who gets it, and a refusal says why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from app.allocation.policy.policy import Policy
from app.allocation.ranking.own_region import lawful_home_groups
from app.database import answers
from app.database.transaction import Transaction
from app.errors import Conflict, Erased, Fault, Invalid, Missing
from app.placing.holds import HoldView
from app.placing.store import cap_rows, hold_rows, leaving
from app.placing.store.hold_rows import Asker, NewHold
from app.ranking import offers, rankings
from app.referrals import referrals
from app.referrals.store import referral_rows
from app.referrals.store.referral_rows import ReferralRow


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Which offer of which ranking is wanted, and why that one when it is not the first."""

    referral_id: UUID
    ranking_id: UUID
    offer_id: str
    override_reason: str | None


async def take_hold(
    tx: Transaction,
    request: HoldRequest,
    *,
    record: Callable[[HoldView], answers.Answer],
) -> tuple[HoldView, bool]:
    """Hold any free place of an offer; return the hold, and whether this was the first time it was asked for.

    `record` turns the hold into the answer that is kept for repeats, in the same statement that
    takes the place.
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
    wanted = _wanted(tx, request, ticket=ticket, policy=(await tx.snapshots.reference(tx)).policy)
    hold = _new(wanted, at=tx.at)
    asker = Asker(tuple(sorted(tx.caller.roles)), tx.caller.source, tx.caller.request_id)
    answer = record(hold)
    taken = await hold_rows.take_place(tx, wanted, answer, asker)
    go_first = None
    if not taken.referral and wanted.leaves_region:
        go_first = await _go_first(tx, request)
        if go_first is not None:
            await _check_cap(tx, request, group_id=wanted.group_id)
            taken = await leaving.take(tx, wanted, answer, asker, go_first)
    if not taken.referral:
        await _explain_refusal(tx, request, flees=go_first is None)
    if not taken.place:
        raise Conflict("offer_gone", "Those places have just gone; take the next offer.")
    tx.wrote_outbox()
    return hold, taken.first


def _wanted(
    tx: Transaction,
    request: HoldRequest,
    *,
    ticket: offers.OfferTicket,
    policy: Policy,
) -> NewHold:
    accepted_by = (
        "owner"
        if ticket.receiver_id == tx.caller.provider
        else "automatic"
        if ticket.automatic_acceptance
        else None
    )
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


def _new(wanted: NewHold, *, at: datetime) -> HoldView:
    return HoldView(
        id=wanted.hold_id,
        status=wanted.status,
        referral_id=wanted.referral_id,
        reference=None,
        sender_id=wanted.provider_id,
        provider_id=wanted.receiver_id,
        kind=wanted.kind,
        rank=wanted.rank,
        override_reason=wanted.override_reason,
        reason=None,
        accepted_by=wanted.accepted_by,
        created_at=at,
        expires_at=wanted.expires_at,
        renewals_left=wanted.renewals_left,
    )


async def _go_first(
    tx: Transaction,
    request: HoldRequest,
) -> leaving.OwnRegionGroups | None:
    """Return what must be full in the own region before this household leaves it; None for one that flees.

    Looked up only once the first try was refused: whoever flees waits for nothing of this.
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
    return leaving.OwnRegionGroups(tuple(UUID(group) for group in groups), snapshot.version)


async def _check_cap(tx: Transaction, request: HoldRequest, *, group_id: UUID) -> None:
    """Refuse where the region's cap has been reached since: of those who ask at once, one after the other."""
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
    referral = await referral_rows.read(tx, request.referral_id, provider_id=tx.caller.provider)
    if referral is None:
        raise Missing
    if referral.key is None:
        raise Erased
    return referral
