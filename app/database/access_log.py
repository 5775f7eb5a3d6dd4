"""The access log: rows that are only ever added (fields of NEN 7513)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from app.database import outbox
from app.database.caller import GRANTED, AccessEntry
from app.database.connections.lines import Said
from app.database.statements import command
from app.database.transaction import Transaction
from app.models import AccessLogEntry


def of_actor(
    actor: str,
    action: str,
    object_type: str,
    object_id: UUID | None,
    *,
    purpose: str | None = None,
    referral_ids: tuple[UUID, ...] = (),
) -> AccessEntry:
    """Return the entry for an act of the operator or the worker.

    It has no account and no request.
    """
    return AccessEntry(
        action=action,
        outcome=GRANTED,
        account_id=None,
        roles=(actor,),
        provider_id=None,
        purpose=purpose,
        object_type=object_type,
        object_id=object_id,
        referral_ids=referral_ids,
        source=None,
        request_id=None,
    )


_ADD_NUMBERED = insert(AccessLogEntry).returning(AccessLogEntry.id)
_ADD = insert(
    AccessLogEntry
).inline()  # without an account, no one may read the entry of their refusal


async def add(tx: Transaction, entry: AccessEntry) -> None:
    """Write an entry."""
    await tx.run(_ADD, _values(entry))


def add_last(tx: Transaction, entry: AccessEntry) -> None:
    """Write an entry together with the commit: no entry, no commit."""
    values = _values(entry)
    tx.say_last(Said(*command(_ADD, values).call(values)))


async def add_numbered(tx: Transaction, entry: AccessEntry) -> int:
    """Write an entry and return the event's id."""
    return (await tx.rows(_ADD_NUMBERED, _values(entry)))[0].id


async def add_notice(tx: Transaction, entry: AccessEntry, *, provider_id: UUID) -> int:
    """Write an entry and notify a provider of it; return the event's id."""
    event = await add_numbered(tx, entry)
    await outbox.add(tx, kind="access", subject=str(event), audience=[provider_id])
    return event


async def one_at_a_time(tx: Transaction, account_id: UUID) -> None:
    """Make an account's limited acts wait for each other until the transaction ends."""
    await tx.rows(select(func.pg_advisory_xact_lock(func.hashtextextended(str(account_id), 0))))


async def wait(
    tx: Transaction, account_id: UUID, *, action: str, most: int, tries: bool = False
) -> int:
    """Return the whole seconds until an account may do something again, 0 for now.

    `most` an hour are granted. With `tries` refused ones count as well, if they gave a purpose: the
    purpose of those that were told to wait does not.
    """
    clock = func.clock_timestamp()
    # Worked out once, in a sub-select: only so the index leads past all that is older.
    hour_ago = select(clock - timedelta(hours=1)).scalar_subquery()
    recent = (
        select(AccessLogEntry.at)
        .where(
            AccessLogEntry.account_id == account_id,
            AccessLogEntry.at > hour_ago,
            AccessLogEntry.action == action,
            AccessLogEntry.purpose.is_not(None) if tries else AccessLogEntry.outcome == GRANTED,
        )
        .order_by(AccessLogEntry.at.desc())
        .offset(most - 1)
        .limit(1)
    )
    row = await tx.row(
        select(
            func.ceil(
                func.extract("epoch", recent.scalar_subquery() + timedelta(hours=1) - clock)
            ).label("seconds")
        )
    )
    return 0 if row is None or row.seconds is None else max(1, int(row.seconds))


def _values(entry: AccessEntry) -> dict[str, Any]:
    return {
        "action": entry.action,
        "outcome": entry.outcome,
        "account_id": entry.account_id,
        "roles": entry.roles,
        "provider_id": entry.provider_id,
        "purpose": entry.purpose,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "referral_ids": entry.referral_ids,
        "source": entry.source,
        "request_id": entry.request_id,
        "told_id": entry.told_id,
    }
