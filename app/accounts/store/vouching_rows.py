"""Vouchings: made, used, ended and listed by the database's functions alone."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    Integer,
    Interval,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    text,
)

from app.database.transaction import Transaction

_VOUCH = text("SELECT * FROM vouch(:id, :account_id, :token_id, :hashed, :valid)").bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("account_id", type_=Uuid()),
    bindparam("token_id", type_=Uuid()),
    bindparam("hashed", type_=LargeBinary()),
    bindparam("valid", type_=Interval()),
)
_OPEN = text(
    "SELECT open_vouched_session(:account_id, :code, :hashed, :idle, :device, :admits_demo) AS id"
).bindparams(
    bindparam("account_id", type_=Uuid()),
    bindparam("code", type_=LargeBinary()),
    bindparam("hashed", type_=LargeBinary()),
    bindparam("idle", type_=Interval()),
    bindparam("device", type_=Text()),
    bindparam("admits_demo", type_=Boolean()),
)
_END = text("SELECT end_vouching(:id) AS account_id").bindparams(bindparam("id", type_=Uuid()))
_SEEN = text("SELECT * FROM vouchings_seen(:id, :before_at, :before_id, :limit)").bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("before_at", type_=DateTime(timezone=True)),
    bindparam("before_id", type_=Uuid()),
    bindparam("limit", type_=Integer()),
)


@dataclass(frozen=True, slots=True)
class VouchedRow:
    """What became of vouching, and until when code and session count."""

    outcome: str
    code_until: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class VouchedProof:
    """Who wants to come in, and the hash of the code that was read to them."""

    account_id: UUID
    code: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VouchingRow:
    """A vouching as everyone at the desk sees it."""

    id: UUID
    account_id: UUID
    name: str | None
    vouched_by: UUID
    by_name: str | None
    at: datetime
    code_until: datetime
    ends_at: datetime
    used_at: datetime | None


async def vouch(
    tx: Transaction, id_: UUID, *, account_id: UUID, hashed: bytes, valid: timedelta
) -> VouchedRow:
    """Vouch for a colleague, as the bearer of the caller's token."""
    values = {
        "id": id_,
        "account_id": account_id,
        "token_id": tx.caller.token_id,
        "hashed": hashed,
        "valid": valid,
    }
    return VouchedRow(*(await tx.rows(_VOUCH, values))[0])


async def open_session(
    tx: Transaction,
    proof: VouchedProof,
    *,
    hashed: bytes,
    idle: timedelta,
    device: str,
    admits_demo: bool,
) -> UUID | None:
    """Open the session that was vouched for; None if the code is not this account's."""
    values = {
        "account_id": proof.account_id,
        "code": proof.code,
        "hashed": hashed,
        "idle": idle,
        "device": device,
        "admits_demo": admits_demo,
    }
    return (await tx.rows(_OPEN, values))[0].id


async def end(tx: Transaction, id_: UUID) -> UUID | None:
    """End a vouching of the caller's desk; return whose it was."""
    return (await tx.rows(_END, {"id": id_}))[0].account_id


async def list_seen(
    tx: Transaction,
    *,
    limit: int,
    vouching_id: UUID | None = None,
    after: tuple[datetime, UUID] | None = None,
) -> list[VouchingRow]:
    """Return the vouchings of the caller's desk, the newest first."""
    before_at, before_id = after or (None, None)
    values = {"id": vouching_id, "before_at": before_at, "before_id": before_id, "limit": limit}
    return [VouchingRow(*row) for row in await tx.rows(_SEEN, values)]
