"""Promises, live holds and placements, whose safety is checked again when facts change."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    case,
    func,
    literal,
    literal_column,
    select,
    text,
    union_all,
    update,
)

from app import metrics
from app.database.transaction import Transaction
from app.models import Hold, Placement
from app.models.states import hold_live
from app.placing.store.placement_rows import COMING

_LIVE_HOLD = literal_column(hold_live("holds"), Boolean())


@dataclass(frozen=True, slots=True)
class Promise:
    """A live hold or placement: a place that a household has or may still come to."""

    kind: str
    """`hold` or `placement`."""
    id: UUID
    place_id: UUID
    provider_id: UUID
    receiver_id: UUID
    unsafe: bool


def _promises(
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
    found = union_all(
        _promises(Hold, Hold.referral_id == referral_id, _LIVE_HOLD),
        _promises(Placement, Placement.referral_id == referral_id, COMING),
    )
    return [Promise(*row) for row in await tx.rows(found.order_by("id"))]


async def mark_safety(tx: Transaction, promise: Promise, *, unsafe: bool) -> None:
    """Note since when a promised place has been unsafe, or that it is safe again."""
    table = Hold if promise.kind == "hold" else Placement
    since = case((literal(unsafe), func.clock_timestamp()), else_=None)
    await tx.run(update(table).where(table.id == promise.id).values(unsafe_since=since))


# --- everybody at an own site: the caller need not see them, so functions of the database act

_EVERYBODY = text("SELECT * FROM everybody_at(:site_id)")
_MARK = text("SELECT mark_unsafe(:site_id, :life, :unsafe)")
_TURN_AWAY = text("SELECT turn_away(:site_id, :because)")
_RAISE = text("SELECT raise_alarm(:site_id)")


@dataclass(frozen=True, slots=True)
class HouseholdAtSite:
    """A household with a promise at a site, and what its danger check needs, sealed."""

    promise_id: UUID
    """The id of the hold or placement."""
    place_id: UUID
    unsafe: bool
    hidden: bool
    """Whether it is shielded from the caller, whose log entry must not name it either."""
    id: UUID
    """The id of the referral."""
    urgency: str
    reason: str
    origin: str
    key: bytes
    sealed: bytes


async def list_everybody_at(tx: Transaction, site_id: UUID) -> list[HouseholdAtSite]:
    """Lock and return the households at a site of the caller's, shielded or not."""
    return [HouseholdAtSite(*row) for row in await tx.rows(_EVERYBODY, {"site_id": site_id})]


async def mark_safety_at(
    tx: Transaction, site_id: UUID, household: HouseholdAtSite, *, unsafe: bool
) -> None:
    """Do so for a household at an own site, and alarm both providers."""
    await tx.rows(_MARK, {"site_id": site_id, "life": household.promise_id, "unsafe": unsafe})
    tx.wrote_outbox()


async def turn_away(tx: Transaction, site_id: UUID, *, because: str) -> None:
    """Decline every live hold at an own site, shielded or not, and reopen the referrals."""
    turned = (await tx.rows(_TURN_AWAY, {"site_id": site_id, "because": because}))[0].turn_away
    tx.after_commit.append(partial(metrics.count_holds, ("declined",) * turned))
    tx.wrote_outbox()


async def alarm_site(tx: Transaction, site_id: UUID) -> None:
    """Alarm both providers of every household at an own site or on the way there."""
    await tx.rows(_RAISE, {"site_id": site_id})
    tx.wrote_outbox()
