"""Take a hold on a place: one statement decides who gets it, and a refusal says why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from app.allocation.policy.policy import Policy
from app.allocation.ranking.case import HIGHEST_THREAT_LEVEL
from app.allocation.ranking.own_region import lawful_home_groups
from app.database import access_log
from app.database.answers import KeptAnswer
from app.database.caller import AccessEntry
from app.database.transaction import Transaction
from app.errors import Conflict, Erased, Fault, Invalid, Missing
from app.placing import referral_changes
from app.placing.holds import HoldView
from app.placing.stays import FOLLOW_ON
from app.placing.store import cap_rows
from app.placing.store.claim_place import NewHold, OwnRegionFirst, claim_place
from app.ranking import offers, rankings
from app.ranking.offers import OfferTicket
from app.referrals import referrals
from app.referrals.referrals import ReferralRow
from app.words import N_

CHANGED = N_("Something changed since this ranking; ask for a new one.")
_SHARED = frozenset(HoldView.__slots__) - {"provider_id"}
"""The fields that a new hold and what its sender sees of it share."""


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """The offer of a ranking that is wanted, and why, when it is not the first.

    `threat_level` is the answer that is given with it, if any.
    """

    referral_id: UUID
    ranking_id: UUID
    offer_id: str
    override_reason: str | None
    threat_level: int | None = None


@dataclass(frozen=True, slots=True)
class TakenHold:
    """A hold, and whether it was asked for first."""

    hold: HoldView
    first: bool


async def take_hold(
    tx: Transaction, request: HoldRequest, *, record: Callable[[HoldView], KeptAnswer]
) -> TakenHold | Conflict:
    """Hold any free place of an offer, the best fitting one first.

    `record` turns the hold into the answer that is kept for repeats: it is stored by the statement
    that takes the place.

    A refusal that is returned, and not raised, leaves something to commit: that the threat is too
    high for this offer stays known.
    """
    ticket = await _read_ticket(tx, request)
    if ticket.asks_threat_level or request.threat_level is not None:
        refusal = await _answer_threat_level(tx, request, ticket=ticket)
        if refusal is not None:
            return refusal
    policy = (await tx.snapshots.reference(tx)).policy
    groups = await _groups(tx, request, ticket=ticket)
    wanted = _new_hold(tx, request, ticket=ticket, groups=groups, policy=policy)
    hold = _view(wanted, at=tx.at)
    answer = record(hold)
    claimed = await claim_place(tx, wanted, answer)
    own_region = None
    if not claimed.referral and wanted.leaves_region:
        own_region = await _own_region(tx, request)
        if own_region is not None:
            await _check_cap(tx, request, group_id=wanted.group_ids[0])
            claimed = await claim_place(tx, wanted, answer, own_region=own_region)
    if not claimed.referral:
        await _explain_refusal(tx, request, flees=own_region is None)
    if not claimed.place:
        raise Conflict("offer_gone", "Those places have just gone; take the next offer.")
    tx.wrote_outbox()
    return TakenHold(hold, claimed.first)


async def _read_ticket(tx: Transaction, request: HoldRequest) -> OfferTicket:
    """Return what an offer's id says; refuse an offer below the first without a reason."""
    ticket = offers.read_offer_id(tx.keyring, request.ranking_id, request.offer_id)
    if ticket is None:
        await _own_referral(tx, request)
        raise Invalid(Fault("/offerId", "is not an offer of this ranking"))
    if ticket.rank > 1 and request.override_reason is None:
        fault = Fault("/overrideReason", "is required for an offer that is not the first")
        raise Invalid(
            fault, code="override_reason_required", detail="Say why this offer and not the first."
        )
    return ticket


async def _answer_threat_level(
    tx: Transaction, request: HoldRequest, *, ticket: OfferTicket
) -> Conflict | None:
    """Write down how high the threat is, as it was said with a hold; it outdates no ranking.

    Refuse an openly known address without an answer, and return the refusal where the answer, which
    stays, forbids one.
    """
    referral = await referrals.read(tx, request.referral_id, lock=True)
    if referral.status != "open":
        raise _not_open()
    known = referral.content["threat_level"]
    level = known if request.threat_level is None else request.threat_level
    if level is None:
        raise Invalid(
            Fault("/answers/threatLevel", "is required for an openly known address"),
            code="threat_level_required",
            detail="Say how high the threat is: it is openly known where this place is.",
        )
    forbidden = ticket.known_address and level == HIGHEST_THREAT_LEVEL
    if level != known:
        content = {**referral.content, "threat_level": level}
        await referral_changes.change_referral(tx, referral, content=content)
        await access_log.add(tx, _change_of(tx, referral.id))
        if known is not None and level == HIGHEST_THREAT_LEVEL and not forbidden:
            # Rankings made at the lower level offer openly known addresses that ask nothing.
            return Conflict("ranking_outdated", CHANGED)
        if not forbidden:
            await rankings.keep_rankings(tx, referral.id)
    if not forbidden:
        return None
    return Conflict(
        "no_longer_safe",
        "At this threat nobody goes to an openly known address. The answer is kept: ask for a new"
        " ranking.",
        rules=("secrecy",),
    )


def _change_of(tx: Transaction, referral_id: UUID) -> AccessEntry:
    return tx.caller.entry("change", "referral", referral_id, referral_ids={referral_id})


async def _groups(
    tx: Transaction, request: HoldRequest, *, ticket: OfferTicket
) -> tuple[UUID, ...]:
    """Return the groups of places behind an offer: the ranking has those that no id names."""
    if not ticket.more:
        return ticket.group_ids
    ranked = await rankings.read(tx, request.ranking_id)
    rest = offers.group_ids(ranked.fold()[ticket.rank - 1])
    return tuple(dict.fromkeys((*ticket.group_ids, *rest)))


def _new_hold(
    tx: Transaction,
    request: HoldRequest,
    *,
    ticket: OfferTicket,
    groups: tuple[UUID, ...],
    policy: Policy,
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
        group_ids=groups,
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
    """Refuse if the region's cap was reached after the ranking; callers at once take turns.

    Who moves on may live there already: that is looked at when it is confirmed.
    """
    if (await _own_referral(tx, request)).reason == FOLLOW_ON:
        return
    groups = {group.id: group.region for group in (await tx.snapshots.register(tx)).register.groups}
    region = groups.get(str(group_id))
    if region is not None and not await cap_rows.has_room(tx, region, besides=request.referral_id):
        raise Conflict(
            "ranking_outdated",
            "The region's cap has been reached since this ranking; ask for a new one.",
        )


async def _explain_refusal(tx: Transaction, request: HoldRequest, *, flees: bool) -> None:
    if (await _own_referral(tx, request)).status != "open":
        raise _not_open()
    if flees:
        raise Conflict("ranking_outdated", CHANGED)
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


def _not_open() -> Conflict:
    return Conflict("referral_not_open", "This referral has a hold or a placement, or is closed.")
