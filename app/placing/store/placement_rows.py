"""Placements: under way, arrived, ended; delays of departures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.database.caller import GRANTED
from app.database.transaction import Transaction
from app.models import (
    AccessLogEntry,
    AccessLogReferral,
    BlockerPeriod,
    Due,
    Placement,
    Referral,
    Site,
    Stay,
)
from app.models.states import LIVE, placement_awaited, placement_coming

AWAITED = literal_column(placement_awaited("placements"), Boolean())
COMING = literal_column(placement_coming("placements"), Boolean())
MISSED = ("expected_arrival", "no_show_unchecked")
"""The dues of a household that is missed once their moment has come."""
LEFT_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class PlacementRow:
    """A placement as both providers may see it: `provider_id` sends, `receiver_id` receives."""

    id: UUID
    stay_id: UUID
    referral_id: UUID
    hold_id: UUID
    previous_id: UUID | None
    began_id: UUID | None
    provider_id: UUID
    receiver_id: UUID
    place_id: UUID
    site_id: UUID
    kind: str
    status: str
    reason: str
    origin: str
    origin_region: str
    receiving: str
    cross_regional: bool
    expected_at: datetime | None
    arrived_at: datetime | None
    no_show_at: datetime | None
    safety_checked_at: datetime | None
    departed_at: datetime | None
    destination: str | None
    blockers: list[str]
    expected_departure: date | None
    ready_to_leave_since: date | None
    unsafe_since: datetime | None
    missed_since: datetime | None
    """Since when they have been missed, while they may still come."""
    arrival_withdrawn_at: datetime | None
    return_by: date | None
    created_at: datetime
    compromised: bool
    """Whether the site is compromised while they are there or on their way."""
    blocked_since: Mapping[str, str]
    """The codes of what delays their departure now, each with its beginning (RFC 3339)."""

    @property
    def live(self) -> bool:
        """Whether they are there or on their way."""
        return self.status in LIVE

    @property
    def awaited(self) -> bool:
        """Whether they may still come: on their way, or a no-show whose safety is unchecked."""
        return self.status == "underway" or (
            self.status == "no_show" and self.safety_checked_at is None
        )

    @property
    def return_agreement(self) -> str:
        """How the agreement to go back to their region stands: agreed, missing or not_needed."""
        if self.reason != "capacity" or not self.cross_regional:
            return "not_needed"
        return "missing" if self.return_by is None else "agreed"

    @property
    def began_with(self) -> UUID:
        """The placement with which their time at the provider began."""
        return self.began_id or self.id


_COMPUTED: Mapping[str, ColumnElement[Any]] = {
    "missed_since": select(func.min(Due.due_at))
    .where(
        Due.subject_id == Placement.id,
        Due.kind.in_(MISSED),
        Due.ended_at.is_(None),
        Due.due_at <= func.clock_timestamp(),
    )
    .scalar_subquery(),
    "compromised": and_(
        Placement.status.in_(LIVE),
        exists().where(Site.id == Placement.site_id, Site.compromised_since.is_not(None)),
    ),
    "blocked_since": func.coalesce(
        select(func.json_object_agg(BlockerPeriod.code, BlockerPeriod.since, type_=JSON))
        .where(BlockerPeriod.placement_id == Placement.id, BlockerPeriod.until.is_(None))
        .scalar_subquery(),
        text("'{}'::json"),
        type_=JSON,
    ),
}
_COLUMNS = tuple(
    _COMPUTED[name].label(name) if name in _COMPUTED else getattr(Placement, name)
    for name in PlacementRow.__slots__
)
_READ = select(*_COLUMNS).order_by(Placement.created_at.desc(), Placement.id.desc())


def _concerns(provider_id: UUID) -> ColumnElement[bool]:
    return or_(Placement.provider_id == provider_id, Placement.receiver_id == provider_id)


async def read(
    tx: Transaction, placement_id: UUID, *, provider_id: UUID, lock: bool = False
) -> PlacementRow | None:
    """Return a placement that a provider sent or received; lock its referral and it, if asked."""
    wanted = (Placement.id == placement_id, _concerns(provider_id))
    statement = _READ.where(*wanted)
    if lock:
        referral = (
            select(Referral.id).join(Placement, Placement.referral_id == Referral.id).where(*wanted)
        )
        await tx.rows(referral.with_for_update(of=Referral))
        statement = statement.with_for_update(of=Placement)
    row = await tx.row(statement)
    return None if row is None else PlacementRow(*row)


async def list_for(
    tx: Transaction,
    provider_id: UUID,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[PlacementRow]:
    """Return the placements that a provider sent or received, newest first."""
    statement = _READ.where(_concerns(provider_id)).limit(limit)
    if status is not None:
        statement = statement.where(Placement.status == status)
    if after is not None:
        statement = statement.where(tuple_(Placement.created_at, Placement.id) < tuple_(*after))
    return [PlacementRow(*row) for row in await tx.rows(statement)]


async def list_awaited_sent(tx: Transaction, provider_id: UUID) -> list[PlacementRow]:
    """Return the placements that a provider sent and that may still arrive, newest first."""
    statement = _READ.where(Placement.provider_id == provider_id, AWAITED)
    return [PlacementRow(*row) for row in await tx.rows(statement)]


async def list_left(tx: Transaction, provider_id: UUID, *, since: datetime) -> list[PlacementRow]:
    """Return placements that ended with a provider since a moment, the last to leave first."""
    left = _READ.where(Placement.receiver_id == provider_id, Placement.departed_at >= since)
    left = left.order_by(None).order_by(Placement.departed_at.desc(), Placement.id)
    return [PlacementRow(*row) for row in await tx.rows(left.limit(LEFT_AT_ONCE))]


async def newest_of(
    tx: Transaction, referral_id: UUID, *, provider_id: UUID
) -> PlacementRow | None:
    """Return the newest placement of a referral that a provider sent, whatever became of it."""
    own = (Placement.referral_id == referral_id, Placement.provider_id == provider_id)
    row = await tx.row(_READ.where(*own).limit(1))
    return None if row is None else PlacementRow(*row)


async def add(tx: Transaction, placement: Mapping[str, Any]) -> bool:
    """Store a placement under way, and the stay that it begins.

    False if another placement already leaves the same place.
    """
    if placement["previous_id"] is None:
        await tx.run(
            insert(Stay).values(
                id=placement["stay_id"],
                referral_id=placement["referral_id"],
                provider_id=placement["provider_id"],
            )
        )
    new = insert(Placement).values(
        **placement, status="underway", created_at=func.clock_timestamp()
    )
    # Without a conflict target: the row in conflict may be one that this provider cannot see.
    return await tx.run(new.on_conflict_do_nothing()) == 1


_AGAIN = {
    "status": "underway",
    "no_show_at": None,
    "ready_to_leave_since": None,
    "expected_departure": None,
}
"""The columns of a no-show that is expected again; the departure planned before is void."""


async def expect_again(tx: Transaction, placement_id: UUID) -> bool | None:
    """Put a no-show on its way again; False if its safety was checked.

    None if the household has gone on to another place in the same stay, even one that the caller
    cannot see.
    """
    unchecked = (Placement.status == "no_show", Placement.safety_checked_at.is_(None))
    again = update(Placement).where(Placement.id == placement_id, *unchecked).values(**_AGAIN)
    try:
        async with tx.attempt():
            return await tx.run(again) == 1
    except asyncpg.IntegrityConstraintViolationError:
        return None


async def change(
    tx: Transaction, placement_id: UUID, *, expected: str, values: Mapping[str, Any]
) -> bool:
    """Change a placement that has the expected status; False where it has another."""
    return (
        await tx.run(
            update(Placement)
            .where(Placement.id == placement_id, Placement.status == expected)
            .values(**values)
        )
        == 1
    )


async def home_of(tx: Transaction, placement_id: UUID) -> UUID | None:
    """Return the place where a household lives by a placement; None if it has left."""
    row = await tx.row(
        select(Placement.place_id).where(
            Placement.id == placement_id, Placement.status == "arrived"
        )
    )
    return None if row is None else row.place_id


_WENT_ON_INSIDE = text("SELECT went_on_inside(:id)").bindparams(bindparam("id", type_=Uuid()))


async def went_on_inside(tx: Transaction, placement_id: UUID) -> bool:
    """Whether a household left a placement for another place of the same provider.

    The caller need not see where it is now.
    """
    return (await tx.rows(_WENT_ON_INSIDE, {"id": placement_id}))[0].went_on_inside


_TAKE_BACK = text("SELECT take_back_departure(:id) AS answer").bindparams(
    bindparam("id", type_=Uuid())
)
_COULD_BE_THERE = text("SELECT could_be_there(:id, :at) AS could").bindparams(
    bindparam("id", type_=Uuid()), bindparam("at", type_=DateTime(timezone=True))
)


async def take_back_departure(tx: Transaction, placement_id: UUID) -> str:
    """Let a household live again where it did not leave; return what the database says of it."""
    answer: str = (await tx.rows(_TAKE_BACK, {"id": placement_id}))[0].answer
    tx.wrote_outbox()
    return answer


async def could_be_there(tx: Transaction, placement_id: UUID, *, at: datetime) -> bool:
    """Whether from a moment on nobody else had the place."""
    return (await tx.rows(_COULD_BE_THERE, {"id": placement_id, "at": at}))[0].could


@dataclass(frozen=True, slots=True)
class DaysAround:
    """Between which moments a household can have been at a placement."""

    began_at: datetime | None
    """When it came to this provider, at this placement or one before it; None before that."""
    left_before: datetime | None
    """When it had left where it was before, as recorded there; None if nothing was before."""
    came_next: datetime | None
    """When it came to where it was next; None if nothing came after."""

    def hold(self, at: datetime) -> bool:
        """Whether a moment lies between where it was before and where it was next."""
        return (self.left_before is None or self.left_before <= at) and (
            self.came_next is None or at <= self.came_next
        )


_DAYS_AROUND = text("SELECT * FROM days_around(:id)").bindparams(bindparam("id", type_=Uuid()))
_LEAVE_WHEN_ARRIVED = text("SELECT leave_when_arrived(:id)").bindparams(
    bindparam("id", type_=Uuid())
)


async def days_around(tx: Transaction, placement_id: UUID) -> DaysAround:
    """Return between which moments a household was here, and lock its days.

    It was elsewhere before and after, at whatever provider, seen by the caller or not.
    """
    return DaysAround(*(await tx.rows(_DAYS_AROUND, {"id": placement_id}))[0])


async def leave_when_arrived(tx: Transaction, placement_id: UUID) -> None:
    """Let a household that moved inside a provider have left as it arrived here."""
    await tx.run(_LEAVE_WHEN_ARRIVED, {"id": placement_id})


async def lives_somewhere(tx: Transaction, referral_id: UUID) -> bool:
    """Whether the household of a referral lives in a place that it came to with it."""
    lives = select(Placement.id).where(
        Placement.referral_id == referral_id, Placement.status == "arrived"
    )
    return await tx.row(lives) is not None


async def address_was_seen(tx: Transaction, site_id: UUID, referral_id: UUID) -> bool:
    """Whether the caller's desk has seen the address of a site for a referral."""
    seen = (
        select(AccessLogEntry.id)
        .join(AccessLogReferral, AccessLogReferral.entry_id == AccessLogEntry.id)
        .where(
            AccessLogReferral.referral_id == referral_id,
            AccessLogEntry.action == "reveal",
            AccessLogEntry.outcome == GRANTED,
            AccessLogEntry.object_id == site_id,
            AccessLogEntry.provider_id == tx.caller.provider,
        )
        .limit(1)
    )
    return await tx.row(seen) is not None


async def municipality_of(tx: Transaction, site_id: UUID) -> str:
    """Return the municipality of a site."""
    return (await tx.rows(select(Site.municipality).where(Site.id == site_id)))[0].municipality


# --- what delays a departure ------------------------------------------------------------

_ID = bindparam("id", type_=Uuid())
_CODES = bindparam("codes", type_=ARRAY(Text))
_DAY = bindparam("day", type_=Date())

_BLOCKERS = (
    text("""
UPDATE blocker_periods SET until = clock_timestamp()
WHERE placement_id = :id AND until IS NULL AND code <> ALL (:codes)
""").bindparams(_ID, _CODES),
    text("""
INSERT INTO blocker_periods (placement_id, code)
SELECT :id, code FROM unnest(:codes) AS code ON CONFLICT DO NOTHING
""").bindparams(_ID, _CODES),
)
_READY = (
    text("""
UPDATE ready_periods SET until = clock_timestamp()
WHERE placement_id = :id AND until IS NULL AND since IS DISTINCT FROM :day
""").bindparams(_ID, _DAY),
    text("""
INSERT INTO ready_periods (placement_id, since)
SELECT :id, :day WHERE :day IS NOT NULL ON CONFLICT DO NOTHING
""").bindparams(_ID, _DAY),
)


async def note_blockers(tx: Transaction, placement_id: UUID, *, codes: Sequence[str]) -> None:
    """Note what delays a departure now: open a period for each new code, close those gone."""
    for statement in _BLOCKERS:
        await tx.run(statement, {"id": placement_id, "codes": list(codes)})


async def note_ready(tx: Transaction, placement_id: UUID, *, since: date | None) -> None:
    """Note the day since which a household has been ready to leave; None if it is not ready."""
    for statement in _READY:
        await tx.run(statement, {"id": placement_id, "day": since})
