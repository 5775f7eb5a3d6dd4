"""Accounts as administrators list, make, change and disable them, but never their own."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, insert, select, tuple_, update

from app.database.transaction import Transaction
from app.models import Account, Credential, Invitation

if TYPE_CHECKING:
    from sqlalchemy import Select


@dataclass(frozen=True, slots=True)
class StaffRow:
    """An account with its sign-in name, and how far it is with its invitation."""

    id: UUID
    roles: list[str]
    provider_id: UUID | None
    region: str | None
    name: str | None
    """What colleagues call it."""
    demo: bool
    created_at: datetime
    disabled_at: datetime | None
    key: bytes | None = field(repr=False)
    sign_in_name: bytes | None = field(repr=False)
    enrolled_at: datetime | None
    invited_until: datetime | None
    """Until when an invitation can be accepted."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """The roles, provider, region and name of an account."""

    roles: tuple[str, ...]
    provider_id: UUID | None
    region: str | None
    name: str | None


_INVITED = (
    select(func.max(Invitation.expires_at))
    .where(
        Invitation.account_id == Account.id,
        Invitation.used_at.is_(None),
        Invitation.expires_at > func.clock_timestamp(),
    )
    .correlate(Account)
    .scalar_subquery()
)


def _read() -> "Select[*tuple[Any, ...]]":
    return select(
        Account.id,
        Account.roles,
        Account.provider_id,
        Account.region,
        Account.name,
        Account.demo,
        Account.created_at,
        Account.disabled_at,
        Credential.key,
        Credential.name.label("sign_in_name"),
        Credential.enrolled_at,
        _INVITED.label("invited_until"),
    ).outerjoin(Credential, Credential.account_id == Account.id)


async def list_accounts(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None, provider_id: UUID | None
) -> list[StaffRow]:
    """Return accounts, the newest first, of one provider if it is given."""
    wanted = _read().order_by(Account.created_at.desc(), Account.id.desc()).limit(limit)
    if provider_id is not None:
        wanted = wanted.where(Account.provider_id == provider_id)
    if after is not None:
        wanted = wanted.where(tuple_(Account.created_at, Account.id) < tuple_(*after))
    return [StaffRow(*row) for row in await tx.rows(wanted)]


async def read(tx: Transaction, account_id: UUID) -> StaffRow | None:
    """Return an account."""
    row = await tx.row(_read().where(Account.id == account_id))
    return None if row is None else StaffRow(*row)


async def find_by_name(tx: Transaction, name_key: bytes) -> StaffRow | None:
    """Return the account that signs in by this name."""
    row = await tx.row(_read().where(Credential.name_key == name_key))
    return None if row is None else StaffRow(*row)


async def add(tx: Transaction, account_id: UUID, row: AccountRow, *, demo: bool) -> None:
    """Store a new account."""
    await tx.run(insert(Account).values(id=account_id, demo=demo, **_values(row)))


async def set_name(tx: Transaction, account_id: UUID, name: str | None) -> None:
    """Store the name of an account at work."""
    await tx.run(update(Account).where(Account.id == account_id).values(name=name))


def _values(row: AccountRow) -> dict[str, Any]:
    return {
        "roles": list(row.roles),
        "provider_id": row.provider_id,
        "region": row.region,
        "name": row.name,
    }
