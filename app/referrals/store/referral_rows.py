"""Referrals: the row in the clear, and the sealed content beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    and_,
    any_,
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
from sqlalchemy.dialects.postgresql import insert

from app.database.pool import Row
from app.database.transaction import Transaction
from app.models import Alternative, Referral, ReferralSecret, Shield
from app.models.states import hold_live, placement_coming


@dataclass(frozen=True, slots=True)
class AlternativeInUse:
    """The alternative that a household has until a place is found."""

    id: UUID
    kind: str
    responsible_id: UUID
    started_at: datetime
    until: date | None
    nights_over_at: datetime | None
    next_check_at: datetime


MOST_CLOSED = 100
_USED = tuple(field.name for field in fields(AlternativeInUse))


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """A referral as it is stored, its content `sealed` with the data key wrapped in `key`.

    An erased referral has neither.
    """

    id: UUID
    provider_id: UUID
    reference: str
    status: str
    urgency: str
    reason: str
    origin: str
    version: int
    created_at: datetime
    updated_at: datetime
    hold_id: UUID | None
    closed_because: str | None
    """Why it needs no place any more, as a code; None unless withdrawn."""
    closed_at: datetime | None
    key: bytes | None
    sealed: bytes | None
    named: list[UUID]
    """The only colleagues who may see it; empty without a shield."""
    alternative: AlternativeInUse | None


def _hold_lapsed() -> ColumnElement[bool]:
    return and_(Referral.status == "held", Referral.held_until <= func.clock_timestamp())


# A hold that has run out leaves its referral open, whether it has been noted yet or not.
_STATUS = case((_hold_lapsed(), "open"), else_=Referral.status).label("status")
_LIVE_HOLD = case((_hold_lapsed(), None), else_=Referral.hold_id).label("hold_id")

_NAMED = func.array(
    select(Shield.account_id)
    .where(Shield.referral_id == Referral.id, Shield.until.is_(None))
    .order_by(Shield.account_id)
    .scalar_subquery(),
    type_=ARRAY(Uuid),
)

_READ = (
    select(
        Referral.id,
        Referral.provider_id,
        Referral.reference,
        _STATUS,
        Referral.urgency,
        Referral.reason,
        Referral.origin,
        Referral.version,
        Referral.created_at,
        Referral.updated_at,
        _LIVE_HOLD,
        Referral.closed_because,
        Referral.closed_at,
        ReferralSecret.key,
        ReferralSecret.sealed,
        _NAMED,
        *(getattr(Alternative, name).label(f"alternative_{name}") for name in _USED),
    )
    .outerjoin(ReferralSecret, ReferralSecret.referral_id == Referral.id)
    .outerjoin(
        Alternative, and_(Alternative.referral_id == Referral.id, Alternative.ended_at.is_(None))
    )
    .order_by(Referral.created_at.desc(), Referral.id.desc())
)

# Built once: building a statement costs more than running it.
_BY_ID = Referral.id == bindparam("id")
_OF_PROVIDER = Referral.provider_id == bindparam("provider_id")
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ONE, _OWN = _READ.where(_BY_ID), _READ.where(_BY_ID, _OF_PROVIDER)
_SEVERAL = _READ.where(Referral.id == any_(_IDS))
_LOCK = select(Referral.id).where(_BY_ID).with_for_update()
_LOCK_OWN = _LOCK.where(_OF_PROVIDER)


async def read(
    tx: Transaction, referral_id: UUID, *, provider_id: UUID | None = None, lock: bool = False
) -> ReferralRow | None:
    """Return a referral, of any provider or of one; locked if asked."""
    values = {"id": referral_id}
    if provider_id is not None:
        values["provider_id"] = provider_id
    if lock:
        # Lock first, read then: the row may have changed while we waited.
        await tx.rows(_LOCK if provider_id is None else _LOCK_OWN, values)
    row = await tx.row(_ONE if provider_id is None else _OWN, values)
    return None if row is None else _referral(row)


async def list_for(
    tx: Transaction,
    provider_id: UUID,
    *,
    status: str | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[ReferralRow]:
    """Return a provider's referrals, newest first, none of them erased."""
    statement = _READ.where(
        Referral.provider_id == provider_id, ReferralSecret.key.is_not(None)
    ).limit(limit)
    if status is not None:
        statement = statement.where(_STATUS.is_not_distinct_from(status))
    if after is not None:
        statement = statement.where(tuple_(Referral.created_at, Referral.id) < tuple_(*after))
    return [_referral(row) for row in await tx.rows(statement)]


# In the statement itself and not beside it: only so is the index of those who are not placed known
# to fit.
_NOT_PLACED = Referral.status.in_([literal_column("'open'"), literal_column("'held'")])
_KEPT = ReferralSecret.key.is_not(None)
_WAITING = _READ.where(
    _NOT_PLACED, _OF_PROVIDER, _KEPT, or_(Referral.status == "open", _hold_lapsed())
)
_OPEN = (
    _READ.where(_NOT_PLACED, Referral.status == "open", _KEPT)
    .order_by(None)
    .order_by(Referral.created_at, Referral.id)
    .limit(bindparam("most"))
)
_REACHED = (
    select(Referral.created_at, Referral.id)
    .where(Referral.id == bindparam("reached"))
    .scalar_subquery()
)


async def list_waiting(tx: Transaction, provider_id: UUID) -> list[ReferralRow]:
    """Return all open referrals of a provider, none of them erased."""
    return [_referral(row) for row in await tx.rows(_WAITING, {"provider_id": provider_id})]


async def list_open_after(tx: Transaction, reached: UUID | None, *, most: int) -> list[ReferralRow]:
    """Return the next open referrals of all providers, oldest first, none of them erased."""
    if reached is None:
        return [_referral(row) for row in await tx.rows(_OPEN, {"most": most})]
    further = _OPEN.where(tuple_(Referral.created_at, Referral.id) > _REACHED)
    return [_referral(row) for row in await tx.rows(further, {"most": most, "reached": reached})]


def _referral(row: Row) -> ReferralRow:
    known, used = row[: -len(_USED)], row[-len(_USED) :]
    return ReferralRow(
        *known, alternative=AlternativeInUse(*used) if row.alternative_id is not None else None
    )


async def read_several(
    tx: Transaction, ids: Collection[UUID], *, provider_id: UUID | None = None
) -> list[ReferralRow]:
    """Return the referrals among some ids that the caller may see, of all providers or one."""
    if provider_id is None:
        return [_referral(row) for row in await tx.rows(_SEVERAL, {"ids": ids})]
    found = await tx.rows(_SEVERAL.where(_OF_PROVIDER), {"provider_id": provider_id, "ids": ids})
    return [_referral(row) for row in found]


async def add(tx: Transaction, values: Mapping[str, Any], *, key: bytes, sealed: bytes) -> bool:
    """Store a new referral; False if its speakable code is taken."""
    statement = insert(Referral).values(**values, created_at=tx.at, updated_at=tx.at)
    if await tx.run(statement.on_conflict_do_nothing(index_elements=["reference"])) == 0:
        return False
    await tx.run(
        insert(ReferralSecret).values(
            referral_id=values["id"], provider_id=values["provider_id"], key=key, sealed=sealed
        )
    )
    return True


async def change(
    tx: Transaction, referral_id: UUID, values: Mapping[str, Any], *, sealed: bytes
) -> None:
    """Store what is known now; rankings of earlier versions can no longer be held."""
    await tx.run(
        update(Referral)
        .where(Referral.id == referral_id)
        .values(**values, version=Referral.version + 1, updated_at=func.clock_timestamp())
    )
    await tx.run(
        update(ReferralSecret)
        .where(ReferralSecret.referral_id == referral_id)
        .values(sealed=sealed)
    )


async def set_status(tx: Transaction, referral_id: UUID, status: str, **more: object) -> None:
    """Give a referral a status without a hold; an erased one is withdrawn, not reopened."""
    known = exists().where(ReferralSecret.referral_id == referral_id)
    now = case((known, "open"), else_="withdrawn") if status == "open" else status
    changed = await tx.run(
        update(Referral)
        .where(Referral.id == referral_id)
        .values(
            status=now, hold_id=None, held_until=None, updated_at=func.clock_timestamp(), **more
        )
    )
    # The acts see to it that the transaction may change the referral.
    assert changed == 1, "a referral that this transaction may not change"  # noqa: S101


async def close(tx: Transaction, referral_id: UUID, *, because: str) -> None:
    """Withdraw a referral, with the reason why it needs no place any more."""
    at = func.clock_timestamp()
    await set_status(tx, referral_id, "withdrawn", closed_because=because, closed_at=at)


async def reopen(tx: Transaction, referral_id: UUID) -> None:
    """Open a withdrawn referral that was not erased."""
    await set_status(tx, referral_id, "open", closed_because=None, closed_at=None)


async def list_closed(tx: Transaction, provider_id: UUID, *, since: datetime) -> list[ReferralRow]:
    """Return a provider's referrals closed since a moment and not erased, the last first."""
    statement = (
        _READ.where(
            Referral.provider_id == provider_id,
            Referral.status == "withdrawn",
            Referral.closed_at >= since,
            ReferralSecret.key.is_not(None),
        )
        .order_by(None)
        .order_by(Referral.closed_at.desc(), Referral.id)
        .limit(MOST_CLOSED)
    )
    return [_referral(row) for row in await tx.rows(statement)]


_TELL = text(f"""
INSERT INTO outbox (kind, subject, audience)
SELECT 'hold', id::text, ARRAY[provider_id, receiver_id] FROM holds
WHERE referral_id = :referral_id AND {hold_live("holds")}
UNION ALL
SELECT 'placement', id::text, ARRAY[provider_id, receiver_id] FROM placements
WHERE referral_id = :referral_id AND {placement_coming("placements")}
""").bindparams(bindparam("referral_id", type_=Uuid()))  # noqa: S608 - conditions by their names


async def notify_receivers(tx: Transaction, referral_id: UUID) -> None:
    """Tell the receiver of an own referral's live hold or placement that it has changed."""
    if await tx.run(_TELL, {"referral_id": referral_id}):
        tx.wrote_outbox()
