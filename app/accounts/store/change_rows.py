"""Changes of accounts, through the database's functions alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, Integer, Interval, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.accounts.store.staff_rows import AccountRow
from app.database.transaction import Transaction

_ASK = text(
    "SELECT * FROM ask_account_change("
    ":id, :account_id, :act, :roles, :provider_id, :region, :invitation, :valid)"
).bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("account_id", type_=Uuid()),
    bindparam("act", type_=Text()),
    bindparam("roles", type_=ARRAY(Text())),
    bindparam("provider_id", type_=Uuid()),
    bindparam("region", type_=Text()),
    bindparam("invitation", type_=LargeBinary()),
    bindparam("valid", type_=Interval()),
)
_REFUSE = text("SELECT refuse_account_change(:id) AS outcome").bindparams(
    bindparam("id", type_=Uuid())
)
_DISABLE = text("SELECT disable_account(:id) AS done").bindparams(bindparam("id", type_=Uuid()))
_DUE = text("SELECT let_due_take_effect(:most) AS done").bindparams(
    bindparam("most", type_=Integer())
)
_SEEN = text(
    "SELECT * FROM account_changes_seen(:account_id, :change_id, :before_at, :before_id, :limit)"
).bindparams(
    bindparam("account_id", type_=Uuid()),
    bindparam("change_id", type_=Uuid()),
    bindparam("before_at", type_=DateTime(timezone=True)),
    bindparam("before_id", type_=Uuid()),
    bindparam("limit", type_=Integer()),
)


@dataclass(frozen=True, slots=True)
class AskedRow:
    """From when on what was asked counts."""

    effective_at: datetime
    waits: bool
    told_id: UUID | None
    """The provider that it opens to the account."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change of an account at a provider, as everyone there sees it."""

    id: UUID
    account_id: UUID
    name: str | None
    """What colleagues call the account."""
    provider_id: UUID
    act: str
    asked_at: datetime
    effective_at: datetime
    roles: list[str]
    by_account: UUID | None
    by_administrator: bool
    outcome: str | None
    refused_by: UUID | None
    decided_at: datetime | None

    @property
    def waits(self) -> bool:
        """Whether it has yet to take effect, and can be refused."""
        return self.outcome is None


async def ask(
    tx: Transaction,
    id_: UUID,
    *,
    account_id: UUID,
    act: str,
    wanted: AccountRow | None,
    invitation: tuple[bytes, timedelta] | None,
) -> AskedRow | None:
    """Ask for a change; None if the caller keeps no such account."""
    hashed, valid = invitation or (None, None)
    values = {
        "id": id_,
        "account_id": account_id,
        "act": act,
        "roles": None if wanted is None else list(wanted.roles),
        "provider_id": None if wanted is None else wanted.provider_id,
        "region": None if wanted is None else wanted.region,
        "invitation": hashed,
        "valid": valid,
    }
    row = await tx.row(_ASK, values)
    return None if row is None else AskedRow(*row)


async def refuse(tx: Transaction, id_: UUID) -> str:
    """Refuse a change at the caller's provider; return `refused`, `missing` or `decided`."""
    return (await tx.rows(_REFUSE, {"id": id_}))[0].outcome


async def disable(tx: Transaction, account_id: UUID) -> bool:
    """Disable an account; False if the caller keeps no such account."""
    return (await tx.rows(_DISABLE, {"id": account_id}))[0].done


async def let_due_take_effect(tx: Transaction, *, most: int) -> int:
    """Let changes take effect whose moment has come; return how many did."""
    return (await tx.rows(_DUE, {"most": most}))[0].done


async def list_seen(
    tx: Transaction,
    *,
    limit: int,
    account_id: UUID | None = None,
    change_id: UUID | None = None,
    after: tuple[datetime, UUID] | None = None,
) -> list[ChangeRow]:
    """Return the changes that the caller may see, the newest first."""
    before_at, before_id = after or (None, None)
    values = {
        "account_id": account_id,
        "change_id": change_id,
        "before_at": before_at,
        "before_id": before_id,
        "limit": limit,
    }
    return [ChangeRow(*row) for row in await tx.rows(_SEEN, values)]
