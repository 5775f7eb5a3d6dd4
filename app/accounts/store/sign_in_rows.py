"""Credentials, invitations and sessions, read as the actor `signing` or by their owner."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Interval,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from app.database.transaction import Transaction
from app.models import Account, Credential, Invitation, RecoveryCode

if TYPE_CHECKING:
    from sqlalchemy.sql import Executable


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """The credentials of an account, sealed as they are stored."""

    account_id: UUID
    key: bytes = field(repr=False)
    name: bytes = field(repr=False)
    password: str | None = field(repr=False)
    second_factor: bytes | None = field(repr=False)
    used_step: int
    enrolled_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A live session; its id is that of its token."""

    id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    """When it ends if it stays idle."""
    ends_at: datetime
    """When it ends in any case."""
    device: str


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session may be idle, and how long it may last."""

    idle: timedelta
    longest: timedelta


_COLUMNS = tuple(getattr(Credential, name) for name in CredentialRow.__slots__)
_OPEN = text(
    "SELECT open_session(:of_account, :hashed, :idle, :longest, :on_device, :admits_demo) AS id"
).bindparams(
    bindparam("of_account", type_=Uuid()),
    bindparam("hashed", type_=LargeBinary()),
    bindparam("idle", type_=Interval()),
    bindparam("longest", type_=Interval()),
    bindparam("on_device", type_=Text()),
    bindparam("admits_demo", type_=Boolean()),
)
_KEEP = text("SELECT keep_session(:hashed, :idle)").bindparams(
    bindparam("hashed", type_=LargeBinary()), bindparam("idle", type_=Interval())
)
_PROVE = text("SELECT prove_session(:of_token, :of_account)").bindparams(
    bindparam("of_token", type_=Uuid()), bindparam("of_account", type_=Uuid())
)
_LISTED = text("SELECT * FROM sessions_of(:of_account)").bindparams(
    bindparam("of_account", type_=Uuid())
)
_END = text("SELECT end_sessions(:of_account, :only_this) AS ended").bindparams(
    bindparam("of_account", type_=Uuid()), bindparam("only_this", type_=Uuid())
)
_PRUNE = text("SELECT prune_sessions(:kept) AS gone").bindparams(
    bindparam("kept", type_=Interval())
)


async def find_by_name(tx: Transaction, name_key: bytes) -> CredentialRow | None:
    """Return the credentials of the account that signs in by this name."""
    return await _credential(tx, select(*_COLUMNS).where(Credential.name_key == name_key))


async def read(tx: Transaction, account_id: UUID) -> CredentialRow | None:
    """Return the credentials of an account."""
    return await _credential(tx, select(*_COLUMNS).where(Credential.account_id == account_id))


async def _credential(tx: Transaction, wanted: "Executable") -> CredentialRow | None:
    row = await tx.row(wanted)
    return None if row is None else CredentialRow(*row)


async def add(tx: Transaction, row: CredentialRow, *, name_key: bytes) -> None:
    """Store the sign-in name of an account; a name that is taken raises an integrity error."""
    values: dict[str, Any] = {
        "account_id": row.account_id,
        "name_key": name_key,
        "key": row.key,
        "name": row.name,
    }
    await tx.run(insert(Credential).values(**values))


async def is_taken(tx: Transaction, name_key: bytes) -> bool:
    """Whether an account signs in by this name."""
    return (
        await tx.row(select(Credential.account_id).where(Credential.name_key == name_key))
        is not None
    )


async def enrol(
    tx: Transaction, account_id: UUID, *, password: str, second_factor: bytes, step: int
) -> None:
    """Store a new password and second factor; `step` is that of the code that proved it works."""
    await tx.run(
        update(Credential)
        .where(Credential.account_id == account_id)
        .values(
            password=password,
            second_factor=second_factor,
            used_step=step,
            enrolled_at=func.clock_timestamp(),
        )
    )


async def set_password(tx: Transaction, account_id: UUID, password: str) -> None:
    """Store a new password, or the same one hashed with other parameters."""
    await tx.run(
        update(Credential).where(Credential.account_id == account_id).values(password=password)
    )


async def set_second_factor(
    tx: Transaction, account_id: UUID, second_factor: bytes, *, step: int
) -> None:
    """Store a new second factor; `step` is that of the code that proved it works."""
    changed = update(Credential).where(Credential.account_id == account_id)
    await tx.run(changed.values(second_factor=second_factor, used_step=step))


async def use_step(tx: Transaction, account_id: UUID, *, step: int, proven: bool) -> bool:
    """Use the code of a step up, unless it or a later one was used; the row decides a race."""
    used = await tx.run(
        update(Credential)
        .where(
            Credential.account_id == account_id,
            Credential.used_step < step,
            literal(proven, Boolean()),
        )
        .values(used_step=step)
    )
    return used == 1


async def use_recovery_code(
    tx: Transaction, account_id: UUID, hashed: bytes, *, proven: bool
) -> bool:
    """Use a recovery code up, unless it was used before."""
    mine = RecoveryCode.account_id == account_id
    return (
        await tx.run(
            delete(RecoveryCode).where(
                mine, RecoveryCode.hash == hashed, literal(proven, Boolean())
            )
        )
        == 1
    )


async def add_recovery_codes(tx: Transaction, account_id: UUID, hashes: Sequence[bytes]) -> None:
    """Store new recovery codes; older ones end."""
    await tx.run(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    await tx.run_each(
        insert(RecoveryCode), [{"account_id": account_id, "hash": hashed} for hashed in hashes]
    )


async def recovery_codes_left(tx: Transaction, account_id: UUID) -> int:
    """Return how many recovery codes are left."""
    counted = (
        select(func.count()).select_from(RecoveryCode).where(RecoveryCode.account_id == account_id)
    )
    return (await tx.rows(counted))[0][0]


async def invited_account(tx: Transaction, hashed: bytes) -> UUID | None:
    """Return the account of an invitation that can still be accepted."""
    wanted = (
        select(Invitation.account_id)
        .join(Account, Account.id == Invitation.account_id)
        .where(Invitation.hash == hashed, *_OPEN_STILL, Account.disabled_at.is_(None))
    )
    row = await tx.row(wanted)
    return None if row is None else row.account_id


async def use_invitation(tx: Transaction, hashed: bytes) -> bool:
    """Use an invitation up; False if it was used before, or has expired."""
    used = (
        update(Invitation)
        .where(Invitation.hash == hashed, *_OPEN_STILL)
        .values(used_at=func.clock_timestamp())
    )
    return await tx.run(used) == 1


_OPEN_STILL = (
    Invitation.used_at.is_(None),
    Invitation.opened_at.is_not(None),
    Invitation.expires_at > func.clock_timestamp(),
)


async def open_session(
    tx: Transaction,
    account_id: UUID,
    *,
    hashed: bytes,
    span: SessionLimits,
    device: str,
    admits_demo: bool,
) -> UUID | None:
    """Open a session; None if the account may not come in."""
    values = {
        "of_account": account_id,
        "hashed": hashed,
        "idle": span.idle,
        "longest": span.longest,
        "on_device": device,
        "admits_demo": admits_demo,
    }
    return (await tx.rows(_OPEN, values))[0].id


async def keep_session(tx: Transaction, hashed: bytes, *, idle: timedelta) -> None:
    """Restart the idle time of a session of the caller."""
    await tx.rows(_KEEP, {"hashed": hashed, "idle": idle})


async def prove_session(tx: Transaction, token_id: UUID, *, account_id: UUID) -> None:
    """Note that the second factor was proved in a session of an account."""
    await tx.rows(_PROVE, {"of_token": token_id, "of_account": account_id})


async def sessions_of(tx: Transaction, account_id: UUID) -> list[SessionRow]:
    """Return the live sessions of an account, the one seen last first."""
    return [SessionRow(*row) for row in await tx.rows(_LISTED, {"of_account": account_id})]


async def end_sessions(tx: Transaction, account_id: UUID, *, only: UUID | None = None) -> int:
    """End the sessions of an account, or one of them; return how many there were."""
    return (await tx.rows(_END, {"of_account": account_id, "only_this": only}))[0].ended


async def prune(tx: Transaction, *, kept: timedelta) -> None:
    """Forget sessions and invitations that ended some time ago."""
    await tx.rows(_PRUNE, {"kept": kept})
    await tx.run(delete(Invitation).where(Invitation.expires_at < func.clock_timestamp() - kept))
