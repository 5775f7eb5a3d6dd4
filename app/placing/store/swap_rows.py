"""Swaps and their legs: as providers concerned read them, and how they end."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    TextClause,
    Uuid,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)

from app import metrics
from app.database.transaction import Transaction
from app.models import Placement, Swap, SwapLeg
from app.models.states import swap_lapsed

SIDES = ("household", "leaving", "receiving")
"""The sides of a leg: the household, the provider that it leaves, and its receiver."""
BATCH = 100


@dataclass(frozen=True, slots=True)
class SwapRow:
    """A swap by the database's clock: one that ran out says so, noted as such or not."""

    id: UUID
    provider_id: UUID
    status: str
    reason: str | None
    moves: int
    children: int
    expires_at: datetime
    created_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class LegRow:
    """A leg, the move of one household; `next_id` is the placement that it became."""

    id: UUID
    swap_id: UUID
    turn: int
    referral_id: UUID
    provider_id: UUID
    placement_id: UUID | None
    leaving_id: UUID | None
    place_id: UUID
    site_id: UUID
    kind: str
    receiving_id: UUID
    household_at: datetime | None
    leaving_at: datetime | None
    receiving_at: datetime | None
    hold_id: UUID | None
    live: bool
    outcome: str | None
    next_id: UUID | None

    def asks(self, side: str) -> UUID | None:
        """Return the provider that says yes for a side, if the leg has that side.

        The provider where a household lives, or whose desk it waits at, speaks for the household.
        """
        if side == "household":
            return self.leaving_id or self.provider_id
        return self.leaving_id if side == "leaving" else self.receiving_id

    def waits_for(self, side: str) -> bool:
        """Whether a side has not consented yet."""
        return self.asks(side) is not None and getattr(self, f"{side}_at") is None

    @property
    def status(self) -> str:
        """Open, or what became of it."""
        return self.outcome or "open"

    @property
    def consents(self) -> dict[str, datetime | None]:
        """When each side that is asked consented; None while it has not."""
        return {side: getattr(self, f"{side}_at") for side in SIDES if self.asks(side) is not None}

    def asks_of(self, provider_id: UUID) -> list[str]:
        """Return the sides whose consent a provider still has to give."""
        return [
            side
            for side in SIDES
            if self.live and self.waits_for(side) and self.asks(side) == provider_id
        ]

    @property
    def concerned(self) -> set[UUID]:
        """The providers that the leg concerns."""
        return {
            self.provider_id,
            self.receiving_id,
            *([self.leaving_id] if self.leaving_id else []),
        }


_LAPSED = literal_column(swap_lapsed("swaps"), Boolean())
_SWAP = select(
    Swap.id,
    Swap.provider_id,
    case((_LAPSED, "expired"), else_=Swap.status).label("status"),
    Swap.reason,
    Swap.moves,
    Swap.children,
    Swap.expires_at,
    Swap.created_at,
    Swap.resolved_at,
).order_by(Swap.created_at.desc(), Swap.id.desc())
_LEG = (
    select(
        *(getattr(SwapLeg, name) for name in LegRow.__slots__ if name != "next_id"),
        Placement.id.label("next_id"),
    )
    .outerjoin(Placement, Placement.hold_id == SwapLeg.hold_id)
    .order_by(SwapLeg.swap_id, SwapLeg.turn)
)


_LIVE_OF = text("""
SELECT l.swap_id FROM swap_legs AS l WHERE l.live AND l.referral_id = :id
UNION ALL SELECT l.swap_id FROM swap_legs AS l WHERE l.live AND l.placement_id = :id
UNION ALL SELECT l.swap_id FROM swap_legs AS l JOIN placements AS p ON p.hold_id = l.hold_id
          WHERE l.live AND p.id = :id
LIMIT 1
""").bindparams(bindparam("id", type_=Uuid()))


def _concerns(provider_id: UUID) -> ColumnElement[bool]:
    columns = (SwapLeg.provider_id, SwapLeg.leaving_id, SwapLeg.receiving_id)
    return or_(*(column == provider_id for column in columns))


async def legs(tx: Transaction, swap_id: UUID, *, provider_id: UUID | None = None) -> list[LegRow]:
    """Return the legs of a swap in order, or only those that concern one provider."""
    statement = _LEG.where(SwapLeg.swap_id == swap_id)
    if provider_id is not None:
        statement = statement.where(_concerns(provider_id))
    return [LegRow(*row) for row in await tx.rows(statement)]


async def live_of(tx: Transaction, id_: UUID) -> UUID | None:
    """Return the swap that has a live leg of a referral, or from or to a placement."""
    row = await tx.row(_LIVE_OF, {"id": id_})
    return None if row is None else row.swap_id


async def proposed_at(tx: Transaction, site_id: UUID) -> list[UUID]:
    """Return one household of each proposed swap that leads to a site, in a fixed order."""
    statement = (
        select(SwapLeg.swap_id, SwapLeg.referral_id)
        .join(Swap, Swap.id == SwapLeg.swap_id)
        .where(SwapLeg.site_id == site_id, SwapLeg.live, Swap.status == "proposed")
        .order_by(SwapLeg.swap_id)
    )
    return [row.referral_id for row in await tx.rows(statement)]


async def read(tx: Transaction, swap_id: UUID, *, lock: bool = False) -> SwapRow | None:
    """Return a swap; locked against changes if asked."""
    if lock:
        # Lock first, read then: it may have changed while we waited.
        await tx.rows(select(Swap.id).where(Swap.id == swap_id).with_for_update())
    row = await tx.row(_SWAP.where(Swap.id == swap_id))
    return None if row is None else SwapRow(*row)


async def list_for(
    tx: Transaction,
    provider_id: UUID,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[SwapRow]:
    """Return the swaps with a leg that concerns a provider, newest first."""
    own = exists().where(SwapLeg.swap_id == Swap.id, _concerns(provider_id))
    statement = _SWAP.where(own).limit(limit)
    if status is not None:
        statement = statement.where(case((_LAPSED, "expired"), else_=Swap.status) == status)
    if after is not None:
        statement = statement.where(tuple_(Swap.created_at, Swap.id) < tuple_(*after))
    return [SwapRow(*row) for row in await tx.rows(statement)]


async def consent(tx: Transaction, leg_id: UUID, *, side: str) -> None:
    """Note a side's consent; the first one counts."""
    column = f"{side}_at"
    await tx.run(
        update(SwapLeg)
        .where(SwapLeg.id == leg_id, SwapLeg.live, getattr(SwapLeg, column).is_(None))
        .values(**{column: func.clock_timestamp()})
    )


async def resolve(
    tx: Transaction, swap_id: UUID, *, status: str, reason: str | None = None
) -> bool:
    """Resolve a swap and its live legs; False if it was resolved before."""
    resolved = await tx.run(
        update(Swap)
        .where(Swap.id == swap_id, Swap.resolved_at.is_(None))
        .values(status=status, reason=reason, resolved_at=func.clock_timestamp())
    )
    if resolved == 0:
        return False
    await tx.run(
        update(SwapLeg)
        .where(SwapLeg.swap_id == swap_id, SwapLeg.live)
        .values(live=False, outcome="void")
    )
    tx.after_commit.append(partial(metrics.count_swaps, (status,)))
    return True


async def end_leg(tx: Transaction, leg_id: UUID, *, outcome: str) -> None:
    """End a leg with its outcome: its household and place may join another swap."""
    await tx.run(update(SwapLeg).where(SwapLeg.id == leg_id).values(live=False, outcome=outcome))


async def break_off(tx: Transaction, swap_id: UUID) -> None:
    """Mark a reserved swap as broken; its other legs go on."""
    broken = await tx.run(
        update(Swap)
        .where(Swap.id == swap_id, Swap.status == "reserved")
        .values(status="broken", resolved_at=func.clock_timestamp())
    )
    tx.after_commit.append(partial(metrics.count_swaps, ("broken",) * broken))


# Swaps that are locked are left for the next round: a new proposal finds them, and is refused.
def _expire(of: str = "") -> TextClause:
    return text(f"""
WITH lapsed AS (
  UPDATE swaps SET status = 'expired', resolved_at = clock_timestamp()
  WHERE id IN (SELECT s.id FROM swaps AS s
               WHERE {swap_lapsed("s")} {of}
               LIMIT :batch FOR UPDATE SKIP LOCKED)
  RETURNING id
), legs AS (
  UPDATE swap_legs SET live = false, outcome = 'void' FROM lapsed WHERE swap_id = lapsed.id
  RETURNING swap_id, ARRAY[provider_id, leaving_id, receiving_id] AS concerned
), told AS (
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'swap', swap_id::text, array_agg(DISTINCT provider_id)
  FROM legs CROSS JOIN LATERAL unnest(concerned) AS provider_id
  WHERE provider_id IS NOT NULL GROUP BY swap_id
)
SELECT id FROM lapsed
""")  # noqa: S608 - made of constants


_EXPIRE_ANY = _expire()
_EXPIRE_OF = _expire(
    "AND EXISTS (SELECT FROM swap_legs AS l"
    " WHERE l.swap_id = s.id AND l.live AND l.referral_id = ANY (:ids))"
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))


async def expire(tx: Transaction, referral_ids: Collection[UUID] | None = None) -> int:
    """Note the swaps of all or some referrals that ran out; return how many."""
    values: dict[str, object] = {"batch": BATCH}
    if referral_ids is not None:
        values["ids"] = list(referral_ids)
    lapsed = len(await tx.rows(_EXPIRE_ANY if referral_ids is None else _EXPIRE_OF, values))
    tx.after_commit.append(partial(metrics.count_swaps, ("expired",) * lapsed))
    return lapsed
