"""Who is where, or on the way there, for those who have to look again whether it is safe."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, literal, select, text, union_all, update

from app.models import Hold, Placement, Referral

if TYPE_CHECKING:
    from app.store.database import Transaction

_LIVE_HOLD = (Hold.resolved_at.is_(None), Hold.expires_at > func.clock_timestamp())
_LIVE_PLACEMENT = Placement.status.in_(("underway", "arrived"))


@dataclass(frozen=True, slots=True)
class Life:
    """A live hold, or a placement under way or arrived: a place that a household has, or will have."""

    kind: str
    """`hold` or `placement`."""
    id: UUID
    referral_id: UUID
    place_id: UUID
    provider_id: UUID
    receiver_id: UUID
    unsafe: bool


def _lives(table: type[Hold] | type[Placement], *conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(
        literal(table.__tablename__.removesuffix("s")).label("kind"),
        table.id,
        table.referral_id,
        table.place_id,
        table.provider_id,
        table.receiver_id,
        table.unsafe_since.is_not(None).label("unsafe"),
    ).where(*conditions)


async def of_referral(tx: "Transaction", referral_id: UUID) -> list[Life]:
    """Return the live hold and placement of a locked referral."""
    return await _read(
        tx,
        _lives(Hold, Hold.referral_id == referral_id, *_LIVE_HOLD),
        _lives(Placement, Placement.referral_id == referral_id, _LIVE_PLACEMENT),
    )


async def at_site(tx: "Transaction", site_id: UUID) -> list[Life]:
    """Return what lives at a site of those whom the caller may see; their referrals are locked first."""
    there = union_all(
        select(Hold.referral_id).where(Hold.site_id == site_id, *_LIVE_HOLD),
        select(Placement.referral_id).where(Placement.site_id == site_id, _LIVE_PLACEMENT),
    ).subquery()
    referrals = select(Referral.id).where(Referral.id.in_(select(there.c.referral_id)))
    # The newest first, as for a household that moves on from one place here to another.
    await tx.rows(referrals.order_by(Referral.created_at.desc(), Referral.id).with_for_update())
    return await _read(
        tx,
        _lives(Hold, Hold.site_id == site_id, *_LIVE_HOLD),
        _lives(Placement, Placement.site_id == site_id, _LIVE_PLACEMENT),
    )


async def _read(tx: "Transaction", *lives: Select[*tuple[Any, ...]]) -> list[Life]:
    return [Life(*row) for row in await tx.rows(union_all(*lives).order_by("id"))]


async def mark(tx: "Transaction", life: Life, *, unsafe: bool) -> None:
    """Note since when a place has not been safe for a household, or that it is again."""
    table = Hold if life.kind == "hold" else Placement
    since = case((literal(unsafe), func.clock_timestamp()), else_=None)
    await tx.run(update(table).where(table.id == life.id).values(unsafe_since=since))


_RAISE = text("SELECT raise_alarm(:site_id)")


async def tell_site(tx: "Transaction", site_id: UUID) -> None:
    """Tell both providers of everybody who is at an own site, or on the way there, that they should look."""
    await tx.rows(_RAISE, {"site_id": site_id})
    tx.wrote_outbox()
