"""Who is where, or on the way there, for those who have to look again whether it is safe."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)

from app import metrics
from app.database.transaction import Transaction
from app.models import Hold, Placement

_LIVE_HOLD = (Hold.resolved_at.is_(None), Hold.expires_at > func.clock_timestamp())
_LIVE_PLACEMENT = or_(
    Placement.status.in_(("underway", "arrived")),
    and_(Placement.status == "no_show", Placement.safety_checked_at.is_(None)),
)
"""Also where they did not come and nobody knows yet whether they are safe: they may come after all."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A live hold or placement: a place that a household has, or may come to yet."""

    kind: str
    """`hold` or `placement`."""
    id: UUID
    place_id: UUID
    provider_id: UUID
    receiver_id: UUID
    unsafe: bool


def _lives(
    table: type[Hold] | type[Placement], *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    return select(
        literal(table.__tablename__.removesuffix("s")).label("kind"),
        table.id,
        table.place_id,
        table.provider_id,
        table.receiver_id,
        table.unsafe_since.is_not(None).label("unsafe"),
    ).where(*conditions)


async def list_of_referral(tx: Transaction, referral_id: UUID) -> list[Promise]:
    """Return the live hold and placement of a locked referral."""
    lives = union_all(
        _lives(Hold, Hold.referral_id == referral_id, *_LIVE_HOLD),
        _lives(Placement, Placement.referral_id == referral_id, _LIVE_PLACEMENT),
    )
    return [Promise(*row) for row in await tx.rows(lives.order_by("id"))]


async def mark_safety(tx: Transaction, life: Promise, *, unsafe: bool) -> None:
    """Note since when a place has not been safe for a household, or that it is again."""
    table = Hold if life.kind == "hold" else Placement
    since = case((literal(unsafe), func.clock_timestamp()), else_=None)
    await tx.run(update(table).where(table.id == life.id).values(unsafe_since=since))


# --- everybody at an own site: whoever acts there need not see them, so the database's own functions do

_EVERYBODY = text("SELECT * FROM everybody_at(:site_id)")
_MARK = text("SELECT mark_unsafe(:site_id, :life, :unsafe)")
_TURN_AWAY = text("SELECT turn_away(:site_id, :because)")
_RAISE = text("SELECT raise_alarm(:site_id)")


@dataclass(frozen=True, slots=True)
class HouseholdAtSite:
    """Somebody at a site, or with a place held there, as far as their danger has to be compared with it: sealed."""

    life_id: UUID
    """Of the hold or the placement."""
    place_id: UUID
    unsafe: bool
    hidden: bool
    """Whether they are shielded from the caller, whose entry in the access log must not name them either."""
    id: UUID
    """Of the referral."""
    urgency: str
    reason: str
    origin: str
    key: bytes
    sealed: bytes


async def list_everybody_at(tx: Transaction, site_id: UUID) -> list[HouseholdAtSite]:
    """Return everybody at an own site, shielded or not, their referrals locked; nobody where it is not the caller's."""
    return [HouseholdAtSite(*row) for row in await tx.rows(_EVERYBODY, {"site_id": site_id})]


async def mark_safety_at(
    tx: Transaction, site_id: UUID, present: HouseholdAtSite, *, unsafe: bool
) -> None:
    """Note likewise of somebody at an own site, and tell both providers."""
    await tx.rows(_MARK, {"site_id": site_id, "life": present.life_id, "unsafe": unsafe})
    tx.wrote_outbox()


async def turn_away(tx: Transaction, site_id: UUID, *, because: str) -> None:
    """Decline every live hold at an own site, shielded or not; their places are free, and their referrals open."""
    turned = (await tx.rows(_TURN_AWAY, {"site_id": site_id, "because": because}))[0].turn_away
    tx.after_commit.append(partial(metrics.count_holds, ("declined",) * turned))
    tx.wrote_outbox()


async def alarm_site(tx: Transaction, site_id: UUID) -> None:
    """Tell both providers of everybody who is at an own site, or on the way there, that they should look."""
    await tx.rows(_RAISE, {"site_id": site_id})
    tx.wrote_outbox()
