"""Dues, their sights, and the ringing of those whose moment has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    text,
    tuple_,
)

from app.database.transaction import Transaction
from app.models import Due, Referral


@dataclass(frozen=True, slots=True)
class DueRow:
    """A due as those see it whose work it is.

    The referral is there for an account that may see it.
    """

    id: UUID
    kind: str
    subject_id: UUID
    provider_id: UUID | None
    due_at: datetime
    opened_at: datetime
    rings_at: datetime | None
    rung_at: datetime | None
    ended_at: datetime | None
    referral_id: UUID | None
    reference: str | None
    desk_id: UUID | None
    """The provider of the referral."""


@dataclass(frozen=True, slots=True)
class SightRow:
    """An account that has seen a due, or has taken it on until a moment."""

    due_id: UUID
    account_id: UUID
    name: str | None
    """None for a colleague who has left, and for an administrator."""
    seen_at: datetime
    taken_until: datetime | None


@dataclass(frozen=True, slots=True)
class UnseenRow:
    """How many dues of a provider came to their moment, and how many of them nobody saw."""

    provider_id: UUID
    came: int
    unseen: int


_READ = select(
    Due.id,
    Due.kind,
    Due.subject_id,
    Due.provider_id,
    Due.due_at,
    Due.opened_at,
    Due.rings_at,
    Due.rung_at,
    Due.ended_at,
    Referral.id.label("referral_id"),
    Referral.reference,
    Referral.provider_id.label("desk_id"),
).outerjoin(Referral, Referral.id == Due.referral_id)


def _of(provider_id: UUID | None, kinds: Sequence[str]) -> ColumnElement[bool]:
    whose = Due.provider_id.is_(None) if provider_id is None else Due.provider_id == provider_id
    return whose & Due.kind.in_(kinds)


async def list_live(
    tx: Transaction,
    provider_id: UUID | None,
    *,
    kinds: Sequence[str],
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[DueRow]:
    """Return the live dues of a provider, or of the administrators, the longest due first."""
    statement = (
        _READ.where(_of(provider_id, kinds), Due.ended_at.is_(None))
        .order_by(Due.due_at, Due.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(Due.due_at, Due.id) > tuple_(*after))
    return [DueRow(*row) for row in await tx.rows(statement)]


async def read(
    tx: Transaction, due_id: UUID, provider_id: UUID | None, *, kinds: Sequence[str]
) -> DueRow | None:
    """Return a due of a provider, or of the administrators, live or over."""
    row = await tx.row(_READ.where(Due.id == due_id, _of(provider_id, kinds)))
    return None if row is None else DueRow(*row)


_SIGHTS = text("""
SELECT s.due_id, s.account_id, c.name, s.seen_at, s.taken_until
FROM due_sights AS s LEFT JOIN colleagues() AS c ON c.account_id = s.account_id
WHERE s.due_id = ANY (:ids) ORDER BY s.seen_at, s.account_id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))


async def read_sights(tx: Transaction, due_ids: Sequence[UUID]) -> list[SightRow]:
    """Return who has seen some dues, the first first."""
    return [SightRow(*row) for row in await tx.rows(_SIGHTS, {"ids": list(due_ids)})]


# Who takes it on again does so from now; who has seen it once has seen it.
_SEE = text("""
INSERT INTO due_sights (due_id, account_id, taken_until)
SELECT d.id, :account_id, clock_timestamp() + make_interval(mins => :minutes)
FROM dues AS d WHERE d.id = :id AND d.ended_at IS NULL
ON CONFLICT (due_id, account_id) DO UPDATE SET taken_until = excluded.taken_until
WHERE excluded.taken_until IS NOT NULL
""").bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("account_id", type_=Uuid()),
    bindparam("minutes", type_=Integer()),
)


async def note_sight(
    tx: Transaction, due_id: UUID, account_id: UUID, *, minutes: int | None
) -> bool:
    """Note that an account has seen a live due, or takes it on; False: no news."""
    values = {"id": due_id, "account_id": account_id, "minutes": minutes}
    return await tx.run(_SEE, values) == 1


# A due that an act is just ending is locked: what is left of it is found a second later, and what
# another process has in hand is rung by that one. The administrators have no stream of events.
_RING = text("""
WITH rung AS (
  UPDATE dues
  SET rung_at = clock_timestamp(),
      rings_at = CASE
        WHEN due_at > clock_timestamp() THEN due_at
        ELSE clock_timestamp() + make_interval(
          hours => (SELECT a.hours FROM unnest(:kinds, :hours) AS a (kind, hours)
                    WHERE a.kind = dues.kind)) END
  WHERE id IN (
    SELECT id FROM dues
    WHERE ended_at IS NULL AND rings_at <= (SELECT clock_timestamp())
    ORDER BY rings_at LIMIT :batch FOR UPDATE SKIP LOCKED)
  RETURNING id, kind, provider_id
), told AS (
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'due', id::text, ARRAY[provider_id] FROM rung WHERE provider_id IS NOT NULL
)
SELECT kind, count(*) AS dues FROM rung GROUP BY kind
""").bindparams(
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("hours", type_=ARRAY(Integer)),
    bindparam("batch", type_=Integer()),
)
_RENEW_APPROVALS = text("SELECT renew_approval_dues()")


async def ring(
    tx: Transaction, *, again_hours: Mapping[str, int | None], batch: int
) -> Mapping[str, int]:
    """Ring the dues whose moment has come; return how many by kind.

    Each rings again after its kind's hours.
    """
    values = {"kinds": list(again_hours), "hours": list(again_hours.values()), "batch": batch}
    rung = {row.kind: row.dues for row in await tx.rows(_RING, values)}
    if rung:
        tx.wrote_outbox()
    return rung


async def renew_approvals(tx: Transaction) -> None:
    """Look again whose approval each proposal of a site needs: accounts come and go."""
    await tx.rows(_RENEW_APPROVALS)


async def prune(tx: Transaction, *, days: int) -> None:
    """Forget the dues that ended some days ago, with who had seen them."""
    long_ago = func.clock_timestamp() - func.make_interval(0, 0, 0, days)
    await tx.run(delete(Due).where(Due.ended_at < long_ago))


_UNSEEN = text("""
SELECT provider_id, came, unseen FROM count_unseen_dues(:since, :until) ORDER BY provider_id
""").bindparams(
    bindparam("since", type_=DateTime(timezone=True)),
    bindparam("until", type_=DateTime(timezone=True)),
)


async def count_unseen(tx: Transaction, *, since: datetime, until: datetime) -> list[UnseenRow]:
    """Return how many dues that came to their moment in a span nobody saw, by provider."""
    return [UnseenRow(*row) for row in await tx.rows(_UNSEEN, {"since": since, "until": until})]
