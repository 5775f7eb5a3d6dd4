"""Accounts and tokens, made and ended by the owner's role alone.

The service itself can only look a token up by its hash.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update

from app.database.transaction import Transaction
from app.models import Account, Provider, ProviderRegion, Region, Token


async def provider_id(tx: Transaction, slug: str) -> UUID | None:
    """Return the id of the provider with this slug."""
    row = await tx.row(select(Provider.id).where(Provider.slug == slug))
    return None if row is None else row.id


async def slugs(tx: Transaction) -> list[str]:
    """Return every provider's slug, in order."""
    return [row.slug for row in await tx.rows(select(Provider.slug).order_by(Provider.slug))]


async def region_exists(tx: Transaction, code: str) -> bool:
    """Whether there is a region with this code."""
    return await tx.row(select(Region.code).where(Region.code == code)) is not None


async def add(
    tx: Transaction,
    account_id: UUID,
    *,
    roles: Sequence[str],
    provider_id: UUID | None,
    region: str | None,
    demo: bool = False,
) -> None:
    """Store a new account."""
    values = {
        "id": account_id,
        "roles": list(roles),
        "provider_id": provider_id,
        "region": region,
        "demo": demo,
    }
    await tx.run(insert(Account).values(**values))


async def provider_in(tx: Transaction, region: str) -> UUID | None:
    """Return the first provider, by slug, that serves a region."""
    serving = select(Provider.id).join(ProviderRegion, ProviderRegion.provider_id == Provider.id)
    row = await tx.row(
        serving.where(ProviderRegion.region == region).order_by(Provider.slug).limit(1)
    )
    return None if row is None else row.id


async def exists(tx: Transaction, account_id: UUID) -> bool:
    """Whether there is such an account."""
    return await tx.row(select(Account.id).where(Account.id == account_id)) is not None


async def set_name(tx: Transaction, account_id: UUID, name: str) -> None:
    """Store the name of an account at work."""
    await tx.run(update(Account).where(Account.id == account_id).values(name=name))


async def add_token(
    tx: Transaction, token_id: UUID, *, account_id: UUID, hashed: bytes, expires_at: datetime
) -> None:
    """Store a new token of an account."""
    values = {"id": token_id, "account_id": account_id, "hash": hashed, "expires_at": expires_at}
    await tx.run(insert(Token).values(**values))


async def revoke_token(tx: Transaction, token_id: UUID) -> bool:
    """End a token now, unless it was revoked before; return whether there is such a token."""
    await tx.run(
        update(Token)
        .where(Token.id == token_id, Token.revoked_at.is_(None))
        .values(revoked_at=func.clock_timestamp())
    )
    return await tx.row(select(Token.id).where(Token.id == token_id)) is not None
