"""Holds as their two sides may read them, by the database's clock.

An act that changes a hold locks in this order: referral, claim, hold. `now()` is the start of the
transaction and decides nothing: every deadline is compared with `clock_timestamp()`, and a claim is
changed only while it is still that of the hold.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Executable,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    tuple_,
    union,
)

from app.database.transaction import Transaction
from app.models import Hold, Placement, Referral
from app.placing.store.placement_rows import COMING


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold by the database's clock: one that ran out says so, noted as such or not."""

    id: UUID
    referral_id: UUID
    provider_id: UUID
    receiver_id: UUID
    place_id: UUID
    site_id: UUID
    kind: str
    ranking_id: UUID
    rank: int
    override_reason: str | None
    status: str
    accepted_by: str | None
    accepted_at: datetime | None
    reason: str | None
    expires_at: datetime
    renewals_left: int
    unsafe_since: datetime | None
    created_at: datetime
    decline_withdrawn_at: datetime | None
    swap_id: UUID | None
    """The swap that it is part of; it changes only with the swap."""
    referral_reference: str | None
    """None for a receiver once the hold is over."""
    comes_yet: bool
    """Whether it became a placement whose household may still come, or is there."""

    @property
    def live(self) -> bool:
        """Whether the hold still keeps its place."""
        return self.status in {"pending", "accepted"}

    @property
    def told_all(self) -> bool:
        """Whether the receiver may know everything: a person accepted, or they are on their way."""
        return self.accepted_by in {"person", "owner"} or self.comes_yet

    def stands_since(self, moment: datetime) -> bool:
        """Whether a person accepted it before a moment, and nothing has made it unsafe since."""
        return (
            self.accepted_by == "person"
            and self.accepted_at is not None
            and self.accepted_at < moment
            and self.unsafe_since is None
        )


# By the database's clock, whether it has been noted yet or not.
_STATUS = case(
    (or_(Hold.resolved_at.is_not(None), Hold.expires_at > func.clock_timestamp()), Hold.status),
    (Hold.status == "pending", "no_answer"),
    else_="expired",
)
_READ = (
    select(
        Hold.id,
        Hold.referral_id,
        Hold.provider_id,
        Hold.receiver_id,
        Hold.place_id,
        Hold.site_id,
        Hold.kind,
        Hold.ranking_id,
        Hold.rank,
        Hold.override_reason,
        _STATUS,
        Hold.accepted_by,
        Hold.accepted_at,
        Hold.reason,
        Hold.expires_at,
        Hold.renewals_left,
        Hold.unsafe_since,
        Hold.created_at,
        Hold.decline_withdrawn_at,
        Hold.swap_id,
        Referral.reference,
        and_(Hold.status == "placed", exists().where(Placement.hold_id == Hold.id, COMING)),
    )
    .outerjoin(Referral, Referral.id == Hold.referral_id)
    .order_by(Hold.created_at.desc(), Hold.id.desc())
)


def _concerns(provider_id: UUID | BindParameter[UUID]) -> ColumnElement[bool]:
    return or_(Hold.provider_id == provider_id, Hold.receiver_id == provider_id)


async def read(
    tx: Transaction, hold_id: UUID, *, provider_id: UUID, lock: bool = False
) -> HoldRow | None:
    """Return a hold that a provider sent or received; lock its referral first, if asked."""
    wanted = (Hold.id == hold_id, _concerns(provider_id))
    if lock:
        # Lock first, read then: the hold may have changed while we waited.
        referral = select(Referral.id).join(Hold, Hold.referral_id == Referral.id).where(*wanted)
        await tx.rows(referral.with_for_update(of=Referral))
    row = await tx.row(_READ.where(*wanted))
    return None if row is None else HoldRow(*row)


async def list_for(
    tx: Transaction,
    provider_id: UUID,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[HoldRow]:
    """Return the holds that a provider sent or received, newest first."""
    values: dict[str, object] = {"provider_id": provider_id, "limit": limit}
    if status is not None:
        values["status"] = status
    if after is not None:
        values["after_at"], values["after_id"] = after
    rows = await tx.rows(_list(by_status=status is not None, after=after is not None), values)
    return [HoldRow(*row) for row in rows]


@cache
def _list(*, by_status: bool, after: bool) -> Executable:
    """Return the statement of a list, made once: it takes its values by name.

    Each side's newest are found by an index; of both together the newest are read.
    """
    provider_id = bindparam("provider_id", type_=Uuid())
    limit = bindparam("limit", type_=Integer())
    wanted: list[ColumnElement[bool]] = []
    if by_status:
        wanted.append(_STATUS == bindparam("status", type_=Text()))  # noqa: SIM300 - no constant
    if after:
        at, id_ = (
            bindparam("after_at", type_=DateTime(timezone=True)),
            bindparam("after_id", type_=Uuid()),
        )
        wanted.append(tuple_(Hold.created_at, Hold.id) < tuple_(at, id_))
    newest = (
        select(Hold.id)
        .where(side == provider_id, *wanted)
        .order_by(Hold.created_at.desc(), Hold.id.desc())
        .limit(limit)
        for side in (Hold.provider_id, Hold.receiver_id)
    )
    sides = union(*(select(one.subquery().c.id) for one in newest)).subquery()
    return _READ.where(Hold.id.in_(select(sides.c.id))).limit(limit)


async def list_live_sent(tx: Transaction, provider_id: UUID) -> list[HoldRow]:
    """Return the live holds that a provider asked for, the first to expire first."""
    statement = _READ.where(Hold.provider_id == provider_id, Hold.resolved_at.is_(None))
    found = [HoldRow(*row) for row in await tx.rows(statement)]
    return sorted((row for row in found if row.live), key=lambda row: (row.expires_at, row.id))


async def newest_of(tx: Transaction, referral_id: UUID, *, provider_id: UUID) -> HoldRow | None:
    """Return the newest hold of one of a provider's referrals, live or over."""
    own = (Hold.referral_id == referral_id, Hold.provider_id == provider_id)
    row = await tx.row(_READ.where(*own).limit(1))
    return None if row is None else HoldRow(*row)
