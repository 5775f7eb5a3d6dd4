"""Legs of a swap: check each by every hard rule, record its ranking, and reserve them all.

It is done as the exchange, under the locks of placing/store/swap_reservations.py: all legs or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.allocation.ranking.rank import RankingInputs
from app.database import register
from app.database.transaction import Transaction
from app.errors import Conflict
from app.placing.stays import HeldPlace, new_placement
from app.placing.store import placement_rows, swap_candidates, swap_reservations
from app.placing.store.swap_reservations import HouseholdMove
from app.placing.store.swap_rows import LegRow, SwapRow
from app.placing.swaps import swap_snapshot
from app.placing.swaps.swap_snapshot import SwapSnapshot
from app.ranking import rankings
from app.referrals import referrals
from app.referrals.referrals import ReferralRow, UnsealedReferral


@dataclass(frozen=True, slots=True)
class CheckedLeg:
    """A leg that is lawful by a recorded ranking, and the rank of its place there."""

    referral: ReferralRow
    ranking_id: UUID
    rank: int
    region: str


def swap_gone() -> Conflict:
    """Return the refusal of a swap that is no longer possible, for a household not named."""
    return Conflict("swap_gone", "Something changed since this swap was found; search again.")


async def check_leg(
    tx: Transaction,
    referral_id: UUID,
    place_id: UUID,
    *,
    seen: SwapSnapshot,
) -> CheckedLeg:
    """Rank for a household as if its place were free, and record it; refuse an unlawful move."""
    referral = await referrals.read_sealed(tx, referral_id)
    if referral is None or referral.key is None or referral.sealed is None:
        raise swap_gone()
    content, key = referrals.unseal_content(tx, referral, key=referral.key, sealed=referral.sealed)
    need = referrals.need_of(content, seen.reference)
    declined = await swap_candidates.declined_sites(tx, [referral_id])
    group = (await register.place_standing(tx, place_id)).group
    if group not in seen.register.register.groups:  # it changed while we waited for the locks
        raise swap_gone()
    free = {**seen.now.free, group.id: max(1, seen.now.free.get(group.id, 0))}
    moment = seen.situation_of(need, declined=declined.get(referral_id, frozenset()), free=free)
    case = UnsealedReferral(referral, content, key)
    inputs = RankingInputs(need, seen.register.register, moment, seen.reference.policy)
    ranked = rankings.apply_newest_rules(case, inputs, reference=seen.reference)
    offer = next((offer for offer in ranked.ranking.offers if offer.group.id == group.id), None)
    if offer is None:
        raise Conflict("no_longer_lawful", "One of the moves is not lawful any more; search again.")
    await rankings.record_ranking(tx, case, ranked, snapshot=seen.register)
    return CheckedLeg(referral, ranked.id, offer.rank, offer.group.region)


async def reserve_legs(tx: Transaction, swap: SwapRow, legs: Sequence[LegRow]) -> None:
    """Reserve every leg of a swap that all have consented to, or refuse and reserve none."""
    await swap_reservations.lock_all(
        tx, referrals=[leg.referral_id for leg in legs], places=[leg.place_id for leg in legs]
    )
    policy = (await tx.snapshots.reference(tx)).policy
    # Nobody moves to where the first household lives, except the last one of a cycle.
    homes = [
        legs[-1].place_id if legs[-1].hold_id is None else None,
        *(leg.place_id for leg in legs[:-1]),
    ]
    moves = [
        HouseholdMove(leg.referral_id, leg.placement_id, home, asked=False)
        for leg, home in zip(legs, homes, strict=True)
    ]
    if (
        await swap_reservations.check_moves(
            tx, moves, swap_id=swap.id, quiet_days=policy.swap_quiet_days
        )
        is None
    ):
        raise swap_gone()
    seen = await swap_snapshot.read_snapshot(tx, legs[0].referral_id)
    for leg, after in zip(legs, (*legs[1:], legs[0]), strict=True):
        checked = await check_leg(tx, leg.referral_id, leg.place_id, seen=seen)
        await _reserve(
            tx, swap, leg, checked, occupant=after.placement_id if leg.hold_id is None else None
        )
    if not await swap_reservations.mark_reserved(tx, swap.id):
        raise swap_expired()


def swap_expired() -> Conflict:
    """Return the refusal of an act on a swap that has expired."""
    return Conflict("swap_expired", "This swap has run out: not everybody consented in time.")


async def _reserve(
    tx: Transaction, swap: SwapRow, leg: LegRow, checked: CheckedLeg, *, occupant: UUID | None
) -> None:
    hold_id = leg.hold_id or uuid4()
    if leg.hold_id is None:
        await swap_reservations.add_hold(
            tx, hold_values(swap.id, leg, checked, hold_id=hold_id, expires_at=swap.expires_at)
        )
        await swap_reservations.note_hold(tx, leg.id, hold_id)
    placement = await _placement(tx, leg, checked, hold_id=hold_id)
    placement_id = placement["id"]
    if not await placement_rows.add(tx, placement):
        raise swap_gone()
    if occupant is None:
        reserved = await swap_reservations.give_place(
            tx, hold_id, ranking_id=checked.ranking_id, rank=checked.rank, placement_id=placement_id
        )
    else:
        reserved = await swap_reservations.reserve_after(
            tx, leg.place_id, occupant=occupant, placement_id=placement_id
        )
    if not reserved:
        raise swap_gone()
    if leg.placement_id is None:
        await swap_reservations.place_referral(tx, leg.referral_id)


def hold_values(
    swap_id: UUID, leg: LegRow, checked: CheckedLeg, *, hold_id: UUID, expires_at: datetime
) -> dict[str, Any]:
    """Return the columns that every hold of a leg has."""
    return {
        "id": hold_id,
        "referral_id": leg.referral_id,
        "provider_id": leg.provider_id,
        "receiver_id": leg.receiving_id,
        "place_id": leg.place_id,
        "site_id": leg.site_id,
        "kind": leg.kind,
        "ranking_id": checked.ranking_id,
        "rank": checked.rank,
        "expires_at": expires_at,
        "swap_id": swap_id,
    }


async def _placement(
    tx: Transaction, leg: LegRow, checked: CheckedLeg, *, hold_id: UUID
) -> dict[str, Any]:
    previous = None
    if leg.placement_id is not None:
        previous = await placement_rows.read(tx, leg.placement_id, provider_id=leg.provider_id)
        if previous is None or previous.origin != checked.referral.origin:
            raise swap_gone()
    held = HeldPlace(
        hold_id=hold_id,
        referral_id=leg.referral_id,
        provider_id=leg.provider_id,
        receiver_id=leg.receiving_id,
        place_id=leg.place_id,
        site_id=leg.site_id,
        kind=leg.kind,
    )
    return await new_placement(
        tx, held, checked.referral, previous=previous, receiving=checked.region
    )
