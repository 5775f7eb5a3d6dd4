"""Shields: the only colleagues who may see a referral, and those who broke the glass.

Row-level security alone hides what a shield hides: every query reads as if there were none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from app.database.transaction import Transaction
from app.models import Shield


@dataclass(frozen=True, slots=True)
class Colleague:
    """An account in use at the caller's provider."""

    account_id: UUID
    name: str
    """The account's name at work; empty if it has none."""
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShieldedReferral:
    """A shielded referral."""

    referral_id: UUID
    named: frozenset[UUID]
    """The accounts that are named."""


_WHO = func.colleagues().table_valued(
    column("account_id", Uuid()), column("name", Text()), column("roles", ARRAY(Text))
)
_NAME = func.coalesce(_WHO.c.name, "")
_COLLEAGUES = select(_WHO.c.account_id, _NAME.label("name"), _WHO.c.roles).order_by(
    _NAME, _WHO.c.account_id
)


async def colleagues(
    tx: Transaction, *, limit: int | None = None, after: tuple[str, UUID] | None = None
) -> list[Colleague]:
    """Return the accounts in use at the caller's provider, by name, nameless ones first."""
    statement = _COLLEAGUES.limit(limit)
    if after is not None:
        statement = statement.where(tuple_(_NAME, _WHO.c.account_id) > tuple_(*map(literal, after)))
    return [
        Colleague(row.account_id, row.name, tuple(row.roles)) for row in await tx.rows(statement)
    ]


_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:provider_id, 1))").bindparams(
    bindparam("provider_id", type_=Text())
)


async def lock_provider(tx: Transaction, provider_id: UUID) -> None:
    """Make a provider's acts on shields wait for each other until the transaction ends.

    Otherwise a glass broken while its shield is removed could be all that is left of the shield,
    and hide the referral from those who were named; and of many guesses at once each would count
    as the first.
    """
    await tx.rows(_ALONE, {"provider_id": str(provider_id)})


async def named_colleagues(tx: Transaction, referral_id: UUID) -> frozenset[UUID]:
    """Return the accounts that a shield names; none without a shield."""
    statement = select(Shield.account_id).where(
        Shield.referral_id == referral_id, Shield.until.is_(None)
    )
    return frozenset(row.account_id for row in await tx.rows(statement))


async def name_colleagues(
    tx: Transaction,
    referral_id: UUID,
    *,
    provider_id: UUID,
    reference: str,
    accounts: Collection[UUID],
) -> None:
    """Let only these accounts see a referral, and those who broke the glass for now.

    In this order: the caller is named before others are removed, and never loses sight of what is
    being changed.
    """
    rows = [
        {
            "referral_id": referral_id,
            "account_id": account_id,
            "provider_id": provider_id,
            "reference": reference,
        }
        for account_id in sorted(accounts)
    ]
    lasting = {"broken_because": None, "until": None}
    await tx.run(
        insert(Shield)
        .values(rows)
        .on_conflict_do_update(
            index_elements=["referral_id", "account_id"],
            set_=lasting,
            where=Shield.until.is_not(None),
        )
    )
    await tx.run(
        delete(Shield).where(
            Shield.referral_id == referral_id,
            Shield.provider_id == provider_id,
            Shield.account_id.not_in(accounts),
            or_(Shield.until.is_(None), Shield.until <= func.clock_timestamp()),
        )
    )


async def remove_shield(tx: Transaction, referral_id: UUID, *, provider_id: UUID) -> None:
    """Let every colleague see a referral again."""
    await tx.run(
        delete(Shield).where(Shield.referral_id == referral_id, Shield.provider_id == provider_id)
    )


async def find_by_reference(
    tx: Transaction, reference: str, *, provider_id: UUID
) -> ShieldedReferral | None:
    """Return a provider's shielded referral by its speakable code."""
    statement = select(Shield.referral_id, Shield.account_id).where(
        Shield.reference == reference, Shield.provider_id == provider_id, Shield.until.is_(None)
    )
    rows = await tx.rows(statement)
    return (
        ShieldedReferral(rows[0].referral_id, frozenset(row.account_id for row in rows))
        if rows
        else None
    )


@dataclass(frozen=True, slots=True)
class GlassRequest:
    """A look through a shield: account, referral, reason (a code), and end."""

    referral_id: UUID
    account_id: UUID
    provider_id: UUID
    reference: str
    because: str
    minutes: int


async def break_glass(tx: Transaction, glass: GlassRequest) -> datetime:
    """Let an account that is not named see a referral for a while; return until when."""
    until = func.clock_timestamp() + timedelta(minutes=glass.minutes)
    broken = insert(Shield).values(
        referral_id=glass.referral_id,
        account_id=glass.account_id,
        provider_id=glass.provider_id,
        reference=glass.reference,
        broken_because=glass.because,
        until=until,
    )
    again = {"broken_because": broken.excluded.broken_because, "until": broken.excluded.until}
    statement = broken.on_conflict_do_update(
        index_elements=["referral_id", "account_id"], set_=again
    )
    return (await tx.rows(statement.returning(Shield.until)))[0].until
