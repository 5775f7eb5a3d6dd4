"""Alternatives, and each provider's capacity to help households where they are."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    bindparam,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.database.transaction import Transaction
from app.models import Alternative, AmbulatoryCapacity


@dataclass(frozen=True, slots=True)
class AlternativeRow:
    """An alternative as it is stored."""

    id: UUID
    referral_id: UUID
    reference: str
    provider_id: UUID
    responsible_id: UUID
    kind: str
    started_at: datetime
    until: date | None
    nights_over_at: datetime | None
    checked_at: datetime | None
    outcome: str | None
    next_check_at: datetime
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many households a provider can help where they are, and how many it helps."""

    capacity: int
    in_use: int


_COLUMNS: tuple[ColumnElement[Any], ...] = tuple(
    getattr(Alternative, name) for name in AlternativeRow.__slots__
)
_READ = select(*_COLUMNS)
_LIVE = Alternative.ended_at.is_(None)


def _concerns(provider_id: UUID) -> ColumnElement[bool]:
    return or_(Alternative.provider_id == provider_id, Alternative.responsible_id == provider_id)


async def add(tx: Transaction, alternative: AlternativeRow) -> bool:
    """Store a new alternative; False if its provider's capacity is used up."""
    return await tx.run(insert(Alternative).values(**asdict(alternative))) == 1


async def in_use(tx: Transaction, referral_id: UUID) -> bool:
    """Whether a referral has an alternative."""
    return (
        await tx.row(select(Alternative.id).where(Alternative.referral_id == referral_id, _LIVE))
        is not None
    )


async def read(
    tx: Transaction, alternative_id: UUID, *, provider_id: UUID, lock: bool = False
) -> AlternativeRow | None:
    """Return an alternative that a provider uses or is responsible for; locked if asked."""
    statement = _READ.where(Alternative.id == alternative_id, _concerns(provider_id))
    row = await tx.row(statement.with_for_update() if lock else statement)
    return None if row is None else AlternativeRow(*row)


async def list_for(
    tx: Transaction, provider_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[AlternativeRow]:
    """Return the alternatives in use that concern a provider, next check first."""
    statement = (
        _READ.where(_concerns(provider_id), _LIVE)
        .order_by(Alternative.next_check_at, Alternative.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(
            tuple_(Alternative.next_check_at, Alternative.id) > tuple_(*after)
        )
    return [AlternativeRow(*row) for row in await tx.rows(statement)]


async def note_check(
    tx: Transaction, alternative_id: UUID, *, outcome: str, next_check_at: datetime
) -> AlternativeRow:
    """Note how a household is, and when the next check is due."""
    return await _change(
        tx,
        alternative_id,
        outcome=outcome,
        checked_at=func.clock_timestamp(),
        next_check_at=next_check_at,
    )


async def end(tx: Transaction, alternative_id: UUID, *, reason: str) -> AlternativeRow:
    """End a live alternative."""
    return await _change(tx, alternative_id, ended_at=func.clock_timestamp(), end_reason=reason)


async def _change(
    tx: Transaction,
    alternative_id: UUID,
    **values: Any,  # noqa: ANN401 - of any column
) -> AlternativeRow:
    changed = update(Alternative).where(Alternative.id == alternative_id, _LIVE).values(**values)
    await tx.run(changed)
    return AlternativeRow(*(await tx.rows(_READ.where(Alternative.id == alternative_id)))[0])


_CAPACITY = text("""
SELECT coalesce((SELECT capacity FROM ambulatory_capacities WHERE provider_id = :provider_id), 0),
       trajectories_in_use(:provider_id)
""").bindparams(bindparam("provider_id", type_=Uuid()))


async def capacity(tx: Transaction, provider_id: UUID) -> Capacity:
    """Return a provider's capacity to help households where they are: 0 until published."""
    return Capacity(*(await tx.rows(_CAPACITY, {"provider_id": provider_id}))[0])


async def set_capacity(tx: Transaction, provider_id: UUID, *, capacity: int) -> None:
    """Publish a provider's capacity to help households where they are."""
    statement = insert(AmbulatoryCapacity).values(provider_id=provider_id, capacity=capacity)
    await tx.run(
        statement.on_conflict_do_update(index_elements=["provider_id"], set_={"capacity": capacity})
    )
