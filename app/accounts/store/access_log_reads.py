"""The access log as it is read: all of it, by referral, or what an owner is notified of.

Row-level security stands in front of every row, and decides as well who sees which entries.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, exists, select, text, tuple_
from sqlalchemy import Uuid as UuidType

from app.database.transaction import Transaction
from app.models import AccessLogEntry, AccessLogReferral, Referral

NEWEST = 2**63 - 1
"""An event's id beyond all others."""
OLDEST = 0


@dataclass(frozen=True, slots=True)
class AccessLogRow:
    """An entry of the access log, without its referrals: a reader of one may not see the rest."""

    id: int
    at: datetime
    action: str
    outcome: str
    account_id: UUID | None
    roles: list[str]
    provider_id: UUID | None
    purpose: str | None
    object_type: str
    object_id: UUID | None
    source: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AccessLogFilter:
    """The wanted entries: from `since` to before `until`, and by each field that is not None."""

    action: str | None = None
    outcome: str | None = None
    account_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


_COLUMNS = tuple(getattr(AccessLogEntry, name) for name in AccessLogRow.__slots__)
_NAMES = ", ".join(AccessLogRow.__slots__)


async def list_entries(
    tx: Transaction, wanted: AccessLogFilter, *, limit: int, after: tuple[datetime, int] | None
) -> list[AccessLogRow]:
    """Return entries, newest first, from after a position in that order."""
    log = AccessLogEntry
    statement = select(*_COLUMNS).order_by(log.at.desc(), log.id.desc()).limit(limit)
    if wanted.action is not None:
        statement = statement.where(log.action == wanted.action)
    if wanted.outcome is not None:
        statement = statement.where(log.outcome == wanted.outcome)
    if wanted.account_id is not None:
        statement = statement.where(log.account_id == wanted.account_id)
    if wanted.since is not None:
        statement = statement.where(log.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(log.at < wanted.until)
    if after is not None:
        statement = statement.where(tuple_(log.at, log.id) < tuple_(*after))
    return [AccessLogRow(*row) for row in await tx.rows(statement)]


async def is_own(tx: Transaction, referral_id: UUID, *, provider_id: UUID) -> bool:
    """Whether a referral is this provider's and may be seen, erased or not."""
    own = exists().where(Referral.id == referral_id, Referral.provider_id == provider_id)
    return bool((await tx.rows(select(own)))[0][0])


async def list_of_referral(
    tx: Transaction, referral_id: UUID, *, limit: int, before: int = NEWEST
) -> list[AccessLogRow]:
    """Return the entries that name a referral, newest first."""
    named = AccessLogReferral
    statement = (
        select(*_COLUMNS)
        .join(named, named.entry_id == AccessLogEntry.id)
        .where(named.referral_id == referral_id, named.entry_id < before)
        .order_by(named.entry_id.desc())
        .limit(limit)
    )
    return [AccessLogRow(*row) for row in await tx.rows(statement)]


# The newest of all sites, each by an index. The codes are part of the statement: only then does the
# planner know that the partial indexes have all such rows.
_NOTICES = text(f"""
SELECT {_NAMES} FROM (
  SELECT l.* FROM sites AS s CROSS JOIN LATERAL (
    SELECT {_NAMES} FROM access_log
    WHERE object_id = s.id AND object_type = 'site'
      AND action IN ('reveal', 'give_back', 'propose', 'approve', 'reject')
      AND id < :before AND id > :after
    ORDER BY id DESC LIMIT :limit
  ) AS l WHERE s.provider_id = :provider_id
  UNION ALL
  SELECT * FROM (
    SELECT {_NAMES} FROM access_log
    WHERE provider_id = :provider_id AND action IN ('break_glass', 'take_over', 'raise')
      AND id < :before AND id > :after
    ORDER BY id DESC LIMIT :limit
  ) AS l
  UNION ALL
  SELECT * FROM (
    SELECT {_NAMES} FROM access_log
    WHERE told_id = :provider_id AND told_id IS NOT NULL AND id < :before AND id > :after
    ORDER BY id DESC LIMIT :limit
  ) AS l
) AS notices ORDER BY id DESC LIMIT :limit
""").bindparams(  # noqa: S608 - made of the names above
    bindparam("provider_id", type_=UuidType()),
    bindparam("before", type_=BigInteger()),
    bindparam("after", type_=BigInteger()),
    bindparam("limit", type_=BigInteger()),
)


async def list_notices(
    tx: Transaction, provider_id: UUID, *, limit: int, before: int = NEWEST, after: int = OLDEST
) -> list[AccessLogRow]:
    """Return what a provider's coordinators are told of, newest first.

    Who asked for an address of its sites, proposed, approved or rejected one, broke its glass, or
    looked at where one of its households flees from.
    """
    values = {"provider_id": provider_id, "limit": limit, "before": before, "after": after}
    return [AccessLogRow(*row) for row in await tx.rows(_NOTICES, values)]
