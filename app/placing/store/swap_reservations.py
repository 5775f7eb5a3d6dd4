"""Reservations for swaps: locks in order, checks of each move, and what is written.

Everybody who reserves for several households locks in one order: referrals by id, then claims by
place, then the free place. An act on one household locks its referral first, and one claim
after it: no circle can come of that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Integer, Uuid, bindparam, func, text, update
from sqlalchemy.dialects.postgresql import insert

from app import metrics
from app.database.transaction import Transaction
from app.models import Claim, Hold, Referral, Swap, SwapLeg
from app.models.states import hold_live
from app.placing.store import hold_changes
from app.placing.store.swap_candidates import AGREED, MOVED, UNDERWAY, in_swap

IDS = bindparam("ids", type_=ARRAY(Uuid()))
_LOCK_REFERRALS = text(
    "SELECT id FROM referrals WHERE id = ANY (:ids) ORDER BY id FOR UPDATE"
).bindparams(IDS)
_LOCK_CLAIMS = text(
    "SELECT place_id FROM claims WHERE place_id = ANY (:ids) ORDER BY place_id FOR UPDATE"
).bindparams(IDS)

# A row for each leg that can still be: each household waiting, or living where it lived when it was
# found, in no other swap, with no other place held for it, and not moved within the quiet time.
_FIT = text(f"""
SELECT r.id, r.provider_id, p.receiver_id
FROM unnest(:referrals, :placements, :homes, :asked) AS leg (referral_id, placement_id, home, asked)
JOIN referrals AS r ON r.id = leg.referral_id
LEFT JOIN placements AS p ON p.id = leg.placement_id AND p.referral_id = r.id
                         AND p.status = 'arrived'
LEFT JOIN claims AS c ON c.placement_id = p.id AND c.successor_id IS NULL
                      AND (leg.home IS NULL OR c.place_id = leg.home)
WHERE CASE WHEN leg.placement_id IS NULL
      THEN r.status = 'open' OR (r.status = 'held' AND r.held_until <= clock_timestamp())
      ELSE c.place_id IS NOT NULL AND NOT {UNDERWAY} AND NOT {MOVED}
           AND (NOT leg.asked OR {AGREED}) END
  AND NOT EXISTS (SELECT FROM holds AS h WHERE h.referral_id = r.id AND {hold_live("h")}
                  AND h.swap_id IS DISTINCT FROM :swap_id)
  AND NOT {in_swap("l.referral_id = r.id AND l.swap_id <> :swap_id")}
""").bindparams(  # noqa: S608 - the conditions are constants
    *(bindparam(name, type_=ARRAY(Uuid())) for name in ("referrals", "placements", "homes")),
    bindparam("asked", type_=ARRAY(Boolean())),
    bindparam("swap_id", type_=Uuid()),
    bindparam("quiet_days", type_=Integer()),
)

_FREE = """
SELECT c.place_id, p.site_id, p.provider_id, g.kind
FROM claims AS c JOIN places AS p ON p.id = c.place_id JOIN place_groups AS g ON g.id = c.group_id
WHERE c.group_id = :group_id AND c.claimed_until <= (SELECT clock_timestamp())
ORDER BY c.claimed_until LIMIT 1 FOR UPDATE OF c
"""
_FREE_UNLOCKED, _FREE_WAITING = text(f"{_FREE} SKIP LOCKED"), text(_FREE)
_PLACES = text("""
SELECT p.id AS place_id, p.site_id, p.provider_id, g.kind
FROM places AS p JOIN place_groups AS g ON g.id = p.group_id WHERE p.id = ANY (:ids)
""").bindparams(IDS)
_NOTE_LAPSED = text("SELECT note_lapsed(:referral_id, :place_id)").bindparams(
    bindparam("referral_id", type_=Uuid()), bindparam("place_id", type_=Uuid())
)


@dataclass(frozen=True, slots=True)
class TargetPlace:
    """A place that a household of a swap moves to."""

    place_id: UUID
    site_id: UUID
    provider_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class HouseholdMove:
    """A household of a swap: where it lives, if anywhere, and if it must have agreed before."""

    referral_id: UUID
    placement_id: UUID | None
    home: UUID | None
    """The place that must still be its own; None if nobody moves there."""
    asked: bool


async def lock_all(
    tx: Transaction, *, referrals: Collection[UUID], places: Collection[UUID]
) -> None:
    """Lock the households of a swap, and then the places that they go to or leave."""
    await tx.rows(_LOCK_REFERRALS, {"ids": list(referrals)})
    await tx.rows(_LOCK_CLAIMS, {"ids": list(places)})


async def check_moves(
    tx: Transaction, moves: Sequence[HouseholdMove], *, swap_id: UUID, quiet_days: int
) -> Mapping[UUID, tuple[UUID, UUID | None]] | None:
    """Return each household's sender and present shelter; None if a move is impossible now."""
    values = {
        "referrals": [move.referral_id for move in moves],
        "placements": [move.placement_id for move in moves],
        "homes": [move.home for move in moves],
        "asked": [move.asked for move in moves],
        "swap_id": swap_id,
        "quiet_days": quiet_days,
    }
    rows = await tx.rows(_FIT, values)
    return (
        {row.id: (row.provider_id, row.receiver_id) for row in rows}
        if len(rows) == len(moves)
        else None
    )


async def lock_free_place(tx: Transaction, group_id: UUID) -> TargetPlace | None:
    """Lock any free place of a group; wait for those that are locked before giving up."""
    for statement in (_FREE_UNLOCKED, _FREE_WAITING):
        row = await tx.row(statement, {"group_id": group_id})
        if row is not None:
            return TargetPlace(*row)
    return None


async def read_places(tx: Transaction, place_ids: Collection[UUID]) -> Mapping[UUID, TargetPlace]:
    """Return some places by id."""
    return {
        row.place_id: TargetPlace(*row) for row in await tx.rows(_PLACES, {"ids": list(place_ids)})
    }


async def add_swap(
    tx: Transaction, swap: Mapping[str, Any], legs: Sequence[Mapping[str, Any]]
) -> bool:
    """Store a proposed swap; False if one of its households or places is in another swap."""
    await tx.run(insert(Swap).values(**swap))
    tx.after_commit.append(partial(metrics.count_swaps, ("proposed",)))
    return await tx.run(insert(SwapLeg).values(list(legs)).on_conflict_do_nothing()) == len(legs)


async def hold_free_place(tx: Transaction, leg_id: UUID, values: Mapping[str, Any]) -> None:
    """Hold a locked free place for the last household of a chain, until the swap's end."""
    await tx.rows(
        _NOTE_LAPSED, {"referral_id": values["referral_id"], "place_id": values["place_id"]}
    )
    await tx.run(insert(Hold).values(**values, status="pending", renewals_left=0))
    await tx.run(
        update(Claim)
        .where(Claim.place_id == values["place_id"])
        .values(
            kind="hold",
            hold_id=values["id"],
            placement_id=None,
            claimed_until=values["expires_at"],
            reason=None,
            expected_until=None,
            since=func.clock_timestamp(),
        )
    )
    await note_hold(tx, leg_id, values["id"])


async def note_hold(tx: Transaction, leg_id: UUID, hold_id: UUID) -> None:
    """Note the hold of a leg."""
    await tx.run(update(SwapLeg).where(SwapLeg.id == leg_id).values(hold_id=hold_id))


async def give_place(
    tx: Transaction, hold_id: UUID, *, ranking_id: UUID, rank: int, placement_id: UUID
) -> bool:
    """Pass the claim on a chain's free place to a placement; False if its hold has run out."""
    if not await hold_changes.hand_over(tx, hold_id, placement_id=placement_id):
        return False
    values = _accepted_columns() | {"ranking_id": ranking_id, "rank": rank}
    await tx.run(
        update(Hold).where(Hold.id == hold_id, Hold.resolved_at.is_(None)).values(**values)
    )
    tx.after_commit.append(partial(metrics.count_holds, ("placed",)))
    return True


async def reserve_after(
    tx: Transaction, place_id: UUID, *, occupant: UUID, placement_id: UUID
) -> bool:
    """Reserve a place for after its occupant; False if they have left or it is reserved."""
    statement = update(Claim).where(
        Claim.place_id == place_id, Claim.placement_id == occupant, Claim.successor_id.is_(None)
    )
    return await tx.run(statement.values(successor_id=placement_id)) == 1


async def release_successor(tx: Transaction, placement_id: UUID) -> None:
    """Release the reservation of a place for after its occupant."""
    await tx.run(update(Claim).where(Claim.successor_id == placement_id).values(successor_id=None))


async def add_hold(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Store the hold of a leg whose place is not free yet, as placed from the first."""
    await tx.run(insert(Hold).values(**values, **_accepted_columns(), renewals_left=0))


def _accepted_columns() -> dict[str, Any]:
    """Return the columns of a hold that persons on both sides have accepted."""
    now = func.clock_timestamp()
    return {"status": "placed", "accepted_by": "person", "accepted_at": now, "resolved_at": now}


async def place_referral(tx: Transaction, referral_id: UUID) -> None:
    """Mark a referral that waited as placed."""
    await tx.run(
        update(Referral)
        .where(Referral.id == referral_id)
        .values(status="placed", hold_id=None, held_until=None, updated_at=func.clock_timestamp())
    )


async def mark_reserved(tx: Transaction, swap_id: UUID) -> bool:
    """Mark a swap as reserved; False if it had run out."""
    tx.after_commit.append(partial(metrics.count_swaps, ("reserved",)))
    return (
        await tx.run(
            update(Swap)
            .where(
                Swap.id == swap_id,
                Swap.status == "proposed",
                Swap.expires_at > func.clock_timestamp(),
            )
            .values(status="reserved")
        )
        == 1
    )
