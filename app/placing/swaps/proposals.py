"""Proposals of swaps: propose, consent to a leg, refuse; each provider sees its own legs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.database import outbox
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.placing import incoming_household
from app.placing.store import placement_rows, swap_reservations, swap_rows, swap_search_rows
from app.placing.store.swap_candidates import as_exchange
from app.placing.store.swap_reservations import HouseholdMove, TargetPlace
from app.placing.store.swap_rows import SIDES, LegRow, SwapRow
from app.placing.swaps import swap_legs, swap_snapshot
from app.placing.swaps.swap_course import end_swap, notify_concerned
from app.placing.swaps.swap_legs import swap_expired, swap_gone
from app.referrals import referrals


@dataclass(frozen=True, slots=True)
class LegView:
    """A leg as one of its providers sees it; `coming` is who would come, for the receiver."""

    row: LegRow
    region: str
    """The region that the household would move to."""
    coming: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class SwapView:
    """A swap as a provider concerned sees it, with its own legs."""

    swap: SwapRow
    legs: tuple[LegView, ...]


async def read(tx: Transaction, swap_id: UUID) -> SwapView:
    """Return a swap with the legs that concern the caller's provider."""
    legs = await _own_legs(tx, swap_id)
    swap = await swap_rows.read(tx, swap_id)
    assert swap is not None  # noqa: S101 - a foreign key says so
    return await _view(tx, swap, legs)


async def list_for(
    tx: Transaction,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[SwapRow]:
    """Return the swaps with a leg that concerns the caller's provider, newest first."""
    return await swap_rows.list_for(tx, tx.caller.provider, status=status, limit=limit, after=after)


async def propose_swap(tx: Transaction, search_id: UUID, *, rank: int) -> SwapView:
    """Propose a swap that a search found, and hold the free place at the end of a chain."""
    policy = (await tx.snapshots.reference(tx)).policy
    found = await swap_search_rows.read(
        tx, search_id, provider_id=tx.caller.provider, minutes=policy.ranking_minutes
    )
    if found is None:
        raise Missing
    referral = await referrals.read(tx, found.referral_id)
    options = referral.key.unseal_json(found.sealed, row=str(search_id))
    if rank > len(options):
        raise Invalid(Fault("/rank", "is not that of a swap which this search found"))
    if not found.new:
        raise Conflict("search_outdated", "This search is too old; search again.")
    expires_at = tx.at + timedelta(minutes=policy.swap_answer_minutes)
    proposal = _Proposal.of(
        options[rank - 1], swap_id=uuid4(), provider_id=tx.caller.provider, expires_at=expires_at
    )
    async with as_exchange(tx):
        await swap_rows.expire(tx, proposal.referral_ids)
        await tx.whole(lambda: _propose(tx, proposal, quiet_days=policy.swap_quiet_days))
        await notify_concerned(tx, proposal.swap_id, await swap_rows.legs(tx, proposal.swap_id))
    return await read(tx, proposal.swap_id)


@dataclass(frozen=True, slots=True)
class Consent:
    """A yes to one leg: of the household, or of the provider that it leaves or goes to."""

    leg_id: UUID
    side: str


async def consent_to_leg(tx: Transaction, swap_id: UUID, given: Consent) -> SwapView:
    """Consent to a leg; the last consent reserves every leg, or does not count."""
    own = await _own_legs(tx, swap_id)
    swap = await _lock_open(tx, swap_id)
    leg = next((leg for leg in own if leg.id == given.leg_id), None)
    if leg is None:
        raise Invalid(Fault("/legId", "is not one of your legs of this swap"))
    if leg.asks(given.side) != tx.caller.provider:
        raise Invalid(Fault("/as", "is not yours to say of this leg"))
    await swap_rows.consent(tx, leg.id, side=given.side)
    async with as_exchange(tx):
        legs = await swap_rows.legs(tx, swap_id)
        if not any(leg.waits_for(side) for leg in legs for side in SIDES):
            await tx.whole(lambda: swap_legs.reserve_legs(tx, swap, legs))
            await _notify_reserved(tx, await swap_rows.legs(tx, swap_id))
        await notify_concerned(tx, swap_id, legs)
    return await read(tx, swap_id)


async def refuse_swap(tx: Transaction, swap_id: UUID, *, reason: str) -> SwapView:
    """Refuse a proposed swap: it ends for all, and the place that was held for it is free."""
    await _own_legs(tx, swap_id)
    swap = await _lock_open(tx, swap_id)
    async with as_exchange(tx):
        await end_swap(tx, swap, await swap_rows.legs(tx, swap_id), status="refused", reason=reason)
    return await read(tx, swap_id)


async def sweep_swaps(tx: Transaction) -> int:
    """Note the swaps that ran out and tell their providers; nothing else depends on this."""
    lapsed = await swap_rows.expire(tx)
    if lapsed:
        tx.wrote_outbox()
    return lapsed


async def _own_legs(tx: Transaction, swap_id: UUID) -> list[LegRow]:
    legs = await swap_rows.legs(tx, swap_id, provider_id=tx.caller.provider)
    if not legs:
        raise Missing
    return legs


async def _lock_open(tx: Transaction, swap_id: UUID) -> SwapRow:
    """Lock a swap that is still open to a yes or a no."""
    async with as_exchange(tx):
        swap = await swap_rows.read(tx, swap_id, lock=True)
    assert swap is not None  # noqa: S101 - a foreign key says so
    if swap.status == "expired":
        raise swap_expired()
    if swap.status != "proposed":
        raise Conflict("swap_resolved", "This swap is %(swap_status)s.", swap_status=swap.status)
    return swap


@dataclass(frozen=True, slots=True)
class _Proposal:
    """A swap to be proposed: moves and places by leg, with None for a chain's free place."""

    swap_id: UUID
    provider_id: UUID
    expires_at: datetime
    children: int
    moves: tuple[HouseholdMove, ...]
    places: tuple[UUID | None, ...]
    group_id: UUID | None

    @classmethod
    def of(
        cls, document: Mapping[str, Any], *, swap_id: UUID, provider_id: UUID, expires_at: datetime
    ) -> "_Proposal":
        """Read a proposal from the document that a search has kept."""
        legs = document["legs"]
        places = tuple(_id(leg["place"]) for leg in legs)
        homes = (places[-1], *places[:-1])
        return cls(
            swap_id=swap_id,
            provider_id=provider_id,
            expires_at=expires_at,
            children=document["children"],
            moves=tuple(
                HouseholdMove(UUID(leg["referral"]), _id(leg["placement"]), home, asked=turn > 0)
                for turn, (leg, home) in enumerate(zip(legs, homes, strict=True))
            ),
            places=places,
            group_id=_id(document["group"]),
        )

    @property
    def referral_ids(self) -> list[UUID]:
        return [move.referral_id for move in self.moves]


async def _propose(tx: Transaction, proposal: _Proposal, *, quiet_days: int) -> None:
    taken = [place_id for place_id in proposal.places if place_id is not None]
    await swap_reservations.lock_all(tx, referrals=proposal.referral_ids, places=taken)
    who = await swap_reservations.check_moves(
        tx, proposal.moves, swap_id=proposal.swap_id, quiet_days=quiet_days
    )
    if who is None:
        raise swap_gone()
    free = (
        None
        if proposal.group_id is None
        else await swap_reservations.lock_free_place(tx, proposal.group_id)
    )
    if proposal.group_id is not None and free is None:
        raise swap_gone()
    known = await swap_reservations.read_places(tx, taken)
    targets = [free if place_id is None else known[place_id] for place_id in proposal.places]
    swap = {
        "id": proposal.swap_id,
        "provider_id": proposal.provider_id,
        "moves": len(proposal.moves),
        "children": proposal.children,
        "expires_at": proposal.expires_at,
    }
    if not await swap_reservations.add_swap(tx, swap, _legs(proposal, targets, who)):
        raise swap_gone()
    if free is not None:
        await _hold_free_place(tx, proposal)


def _legs(
    proposal: _Proposal,
    targets: Sequence[TargetPlace | None],
    who: Mapping[UUID, tuple[UUID, UUID | None]],
) -> list[dict[str, Any]]:
    legs: list[dict[str, Any]] = []
    for turn, (move, target) in enumerate(zip(proposal.moves, targets, strict=True), start=1):
        assert target is not None  # noqa: S101 - a free place was found where one is wanted
        provider_id, leaving_id = who[move.referral_id]
        legs.append(
            {
                "id": uuid4(),
                "swap_id": proposal.swap_id,
                "turn": turn,
                "referral_id": move.referral_id,
                "provider_id": provider_id,
                "placement_id": move.placement_id,
                "leaving_id": leaving_id,
                "place_id": target.place_id,
                "site_id": target.site_id,
                "kind": target.kind,
                "receiving_id": target.provider_id,
            }
        )
    return legs


async def _hold_free_place(tx: Transaction, proposal: _Proposal) -> None:
    """Hold a chain's free place for its last household, for which it must be lawful now."""
    last = (await swap_rows.legs(tx, proposal.swap_id))[-1]
    seen = await swap_snapshot.read_snapshot(tx, last.referral_id)
    checked = await swap_legs.check_leg(tx, last.referral_id, last.place_id, seen=seen)
    values = swap_legs.hold_values(
        proposal.swap_id, last, checked, hold_id=uuid4(), expires_at=proposal.expires_at
    )
    await swap_reservations.hold_free_place(tx, last.id, values)
    audience = [last.provider_id, last.receiving_id]
    await outbox.add(tx, kind="hold", subject=str(values["id"]), audience=audience)
    await outbox.add(tx, kind="availability", subject=checked.region, audience=[last.receiving_id])


async def _notify_reserved(tx: Transaction, legs: Sequence[LegRow]) -> None:
    for leg in legs:
        audience = [leg.provider_id, leg.receiving_id]
        await outbox.add(tx, kind="placement", subject=str(leg.next_id), audience=audience)


async def _view(tx: Transaction, swap: SwapRow, legs: Sequence[LegRow]) -> SwapView:
    reference = await tx.snapshots.reference(tx)
    shown: list[LegView] = []
    for row in legs:
        region = reference.region_of(await placement_rows.municipality_of(tx, row.site_id))
        shown.append(LegView(row, region, await _read_incoming(tx, swap, row)))
    return SwapView(swap, tuple(shown))


async def _read_incoming(tx: Transaction, swap: SwapRow, leg: LegRow) -> Mapping[str, Any] | None:
    """Return who would come, for the provider that is asked, while the swap is live.

    Before it said yes, that is what the yes is about.
    """
    if (
        leg.receiving_id != tx.caller.provider
        or not leg.live
        or swap.status not in {"proposed", "reserved", "broken"}
    ):
        return None
    content = (await referrals.read_content(tx, {leg.referral_id})).get(leg.referral_id)
    if content is None or leg.receiving_at is not None:
        return content
    return await incoming_household.read_asked(
        tx, content, place_id=leg.place_id, sender_id=leg.provider_id
    )


async def live_legs_of(tx: Transaction, referral_id: UUID) -> tuple[UUID | None, list[LegRow]]:
    """Return a referral's live swap, and its legs that concern the caller's provider."""
    swap_id = await swap_rows.live_of(tx, referral_id)
    if swap_id is None:
        return None, []
    return swap_id, await swap_rows.legs(tx, swap_id, provider_id=tx.caller.provider)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
