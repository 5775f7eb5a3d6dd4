"""Published policies: added, read and listed, never changed or deleted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, Text, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.database import counters
from app.models import Policy

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from app.database.statements import Statements

LEAD = timedelta(minutes=1)
"""The shortest time from a policy's publication to its beginning, so that it is known."""


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy as it is stored."""

    hash: str
    version: str
    valid_from: datetime
    document: dict[str, Any]


_COLUMNS = (Policy.hash, Policy.version, Policy.valid_from, Policy.document)
_VALUES = (
    bindparam("hash", type_=Text),
    bindparam("version", type_=Text),
    bindparam("valid_from", type_=DateTime(timezone=True)),
    bindparam("document", type_=JSONB),
)
# The guard stands in the very statement: the clock decides who is too late. The first policy may
# have begun long ago.
_ADD = (
    insert(Policy)
    .from_select(
        list(PolicyRow.__slots__),
        select(*_VALUES).where(
            or_(
                bindparam("valid_from", type_=DateTime(timezone=True))
                >= func.clock_timestamp() + LEAD,
                ~exists().select_from(Policy),
            )
        ),
    )
    .on_conflict_do_nothing()
    .returning(Policy.hash)
)


async def add(tx: "Statements", row: PolicyRow) -> bool:
    """Add a policy; return False if it begins too early or is not the only one of its kind.

    Hash, version and beginning must each be new. Of several that are added at once each is decided
    on after the one before.
    """
    await counters.lock(tx, "reference")
    values = {name: getattr(row, name) for name in PolicyRow.__slots__}
    return await tx.row(_ADD, values) is not None


async def alike(tx: "Statements", row: PolicyRow) -> list[PolicyRow]:
    """Return the policies that have the hash, the version or the beginning of this one."""
    same = or_(
        Policy.hash == row.hash, Policy.version == row.version, Policy.valid_from == row.valid_from
    )
    return await _rows(tx, select(*_COLUMNS).where(same))


async def find_policy(tx: "Statements", name: str) -> PolicyRow | None:
    """Return the policy with this version or hash."""
    found = await _rows(
        tx, select(*_COLUMNS).where(or_(Policy.hash == name, Policy.version == name))
    )
    return found[0] if found else None


async def list_policies(
    tx: "Statements", *, limit: int, before: datetime | None
) -> list[PolicyRow]:
    """Return policies, the one that begins last first."""
    wanted = select(*_COLUMNS).order_by(Policy.valid_from.desc()).limit(limit)
    return await _rows(tx, wanted if before is None else wanted.where(Policy.valid_from < before))


async def in_force(tx: "Statements") -> str | None:
    """Return the hash of the policy that was in force when the transaction began."""
    begun = (
        select(Policy.hash)
        .where(Policy.valid_from <= tx.at)
        .order_by(Policy.valid_from.desc())
        .limit(1)
    )
    row = await tx.row(begun)
    return None if row is None else row.hash


async def since(tx: "Statements", at: datetime) -> list[PolicyRow]:
    """Return the policy in force at a moment and all later ones, in their order.

    Before the first one begins, that one is in force.
    """
    in_force = select(func.max(Policy.valid_from)).where(Policy.valid_from <= at).scalar_subquery()
    first = select(func.min(Policy.valid_from)).scalar_subquery()
    wanted = select(*_COLUMNS).where(Policy.valid_from >= func.coalesce(in_force, first))
    return await _rows(tx, wanted.order_by(Policy.valid_from))


async def _rows(tx: "Statements", wanted: "Executable") -> list[PolicyRow]:
    return [PolicyRow(*row) for row in await tx.rows(wanted)]
