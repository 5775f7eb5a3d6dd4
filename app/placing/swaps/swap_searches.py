"""Search for swaps: moves of others that give a household in acute danger a lawful place.

The caller's provider may know nothing of the households that would move: the result names the
providers that would be asked, and only its own referral's move.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from app.allocation.policy.policy import Policy
from app.allocation.swaps import swaps
from app.allocation.swaps.moves import FreePlaces, Mover
from app.allocation.swaps.swaps import Leg, Search, Swap
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, TooOften
from app.placing.store import swap_candidates, swap_search_rows
from app.placing.store.swap_candidates import CandidateHousehold
from app.placing.swaps import swap_snapshot
from app.placing.swaps.swap_snapshot import SwapSnapshot
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral
from app.seal import SealBroken


@dataclass(frozen=True, slots=True)
class FoundSwap:
    """A swap as its searcher may see it, with the move of the own referral only."""

    rank: int
    moves: int
    school_changes: int
    own: Leg
    provider_id: str
    """The provider that the own referral would go to."""
    region: str
    kind: str
    asked: tuple[str, ...]
    """The ids of the providers that would have to consent."""


@dataclass(frozen=True, slots=True)
class SwapSearchResult:
    """A recorded search, and the swaps that it found."""

    id: UUID
    referral_id: UUID
    as_of: datetime
    search: Search
    swaps: tuple[FoundSwap, ...]


async def search_swaps(
    tx: Transaction, referral_id: UUID, *, max_legs: int | None
) -> SwapSearchResult:
    """Search for the best swaps for one of the caller's referrals, and record the search."""
    referral = await referrals.read(tx, referral_id, lock=True)
    reference = await tx.snapshots.reference(tx)
    policy = _limit_legs(reference.policy, max_legs=max_legs)
    need = referrals.need_of(referral.content, reference)
    if not swaps.may_search(need):
        raise Conflict(
            "not_acute_safety", "Others are asked to move only for someone in acute danger."
        )
    if wait := await swap_search_rows.wait_s(tx, referral_id, per_hour=policy.rankings_per_hour):
        raise TooOften(retry_after=wait)
    async with swap_candidates.as_exchange(tx):
        seen = await swap_snapshot.read_snapshot(tx, referral_id)
        own = await _where(tx, referral, quiet_days=policy.swap_quiet_days)
        others = await swap_candidates.list_willing(
            tx, referral_id, quiet_days=policy.swap_quiet_days
        )
        movers = await _movers(tx, others, seen)
    group_id, declined = own.group_id if own else None, seen.now.declined_sites
    wanting = seen.mover(referral_id, need, group_id=group_id, declined=declined)
    result = _solve(wanting, movers, seen, policy=policy)
    households = {str(household.id): household for household in (*others, *([own] if own else []))}
    search_id = await _record(tx, referral, result, households)
    found = tuple(
        _view(rank, swap, households, seen) for rank, swap in enumerate(result.swaps, start=1)
    )
    return SwapSearchResult(search_id, referral_id, tx.at, result, found)


def _limit_legs(policy: Policy, *, max_legs: int | None) -> Policy:
    """Return the policy with a lower limit on legs if one is given; refuse a higher one."""
    if max_legs is not None and max_legs > policy.swap_max_legs:
        raise Invalid(
            Fault("/maxLegs", f"must be at most {policy.swap_max_legs}, as the policy says")
        )
    return replace(policy, swap_max_legs=max_legs or policy.swap_max_legs)


async def _record(
    tx: Transaction,
    referral: UnsealedReferral,
    result: Search,
    households: Mapping[str, CandidateHousehold],
) -> UUID:
    id_ = uuid4()
    documents = [_document(swap, households) for swap in result.swaps]
    await swap_search_rows.add(
        tx,
        id_,
        referral_id=referral.id,
        provider_id=referral.case.provider_id,
        found=len(result.swaps),
        sealed=referral.key.seal_json(documents, row=str(id_)),
    )
    return id_


def _solve(
    wanting: Mover, movers: Sequence[Mover], seen: SwapSnapshot, *, policy: Policy
) -> Search:
    """Solve the search among the place groups of the last register read; newer ones can wait."""
    known = {group.id for group in seen.register.register.groups}
    free = {group_id: count for group_id, count in seen.now.free.items() if group_id in known}
    places = FreePlaces(seen.register.register, free)
    return swaps.search(
        wanting,
        movers=[mover for mover in movers if mover.group_id in known],
        places=places,
        policy=policy,
    )


async def _where(
    tx: Transaction, referral: UnsealedReferral, *, quiet_days: int
) -> CandidateHousehold | None:
    """Return the household of a referral where it lives; None if it waits."""
    if referral.status == "open":
        return None
    if referral.status != "placed":
        raise Conflict("referral_not_open", "This referral has a hold, or is closed.")
    household = await swap_candidates.read_household(tx, referral.id, quiet_days=quiet_days)
    if household is None:
        raise Conflict(
            "not_to_be_moved",
            "This household is on its way, was moved a short while ago, or is in a swap already.",
        )
    return household


async def _movers(
    tx: Transaction,
    households: Sequence[CandidateHousehold],
    seen: SwapSnapshot,
) -> list[Mover]:
    declined = await swap_candidates.declined_sites(tx, [household.id for household in households])
    nobody: frozenset[str] = frozenset()
    movers: list[Mover] = []
    for one in households:
        try:
            content, _ = referrals.unseal_content(tx, one, key=one.key, sealed=one.sealed)
        except SealBroken:
            continue  # nobody can say where this household would be safe
        need = referrals.need_of(content, seen.reference)
        movers.append(
            seen.mover(one.id, need, group_id=one.group_id, declined=declined.get(one.id, nobody))
        )
    return movers


def _document(swap: Swap, households: Mapping[str, CandidateHousehold]) -> dict[str, Any]:
    """Return the document of a swap, to be sealed: each household's move and its target."""
    targets = [households[leg.referral_id].place_id for leg in swap.legs[1:]]
    last = None if swap.free_group else households[swap.legs[0].referral_id].place_id
    return {
        "children": swap.school_changes,
        "group": swap.free_group,
        "legs": [
            {
                "referral": leg.referral_id,
                "placement": _text(
                    households[leg.referral_id].placement_id if leg.from_group else None
                ),
                "place": _text(place_id),
            }
            for leg, place_id in zip(swap.legs, (*targets, last), strict=True)
        ],
    }


def _view(
    rank: int, swap: Swap, households: Mapping[str, CandidateHousehold], seen: SwapSnapshot
) -> FoundSwap:
    groups = {group.id: group for group in seen.register.register.groups}
    own = swap.legs[0]
    there = groups[own.to_group]
    asked = {groups[leg.to_group].provider_id for leg in swap.legs}
    asked |= {str(households[leg.referral_id].receiver_id) for leg in swap.legs if leg.from_group}
    return FoundSwap(
        rank=rank,
        moves=len(swap.legs),
        school_changes=swap.school_changes,
        own=own,
        provider_id=there.provider_id,
        region=there.region,
        kind=there.kind,
        asked=tuple(sorted(asked)),
    )


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)
