"""News of waiting referrals, and reminders of what is due for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Integer, Text, Uuid, bindparam, text

from app.database.transaction import Transaction

AT_ONCE = 200

_IDS = bindparam("ids", type_=ARRAY(Uuid))
_SINCE = text("""
SELECT r.id, c.due_at AS contact_at,
       k.id AS ranking_id, k.came_free_rank AS rank, k.as_of AS came_free_at
FROM referrals AS r
LEFT JOIN LATERAL (
  SELECT due_at FROM contacts WHERE referral_id = r.id ORDER BY at DESC, id DESC LIMIT 1
) AS c ON true
LEFT JOIN LATERAL (
  SELECT id, came_free_rank, as_of FROM rankings
  WHERE referral_id = r.id AND came_free_rank IS NOT NULL ORDER BY as_of DESC LIMIT 1
) AS k ON true
WHERE r.id = ANY (:ids)
""").bindparams(_IDS)


@dataclass(frozen=True, slots=True)
class WaitingNews:
    """When a waiting referral's next contact is due, and what came free for it last."""

    id: UUID
    contact_at: datetime | None
    ranking_id: UUID | None
    rank: int | None
    came_free_at: datetime | None


async def read_news(tx: Transaction, referral_ids: Sequence[UUID]) -> dict[UUID, WaitingNews]:
    """Return the news of some waiting referrals."""
    return {row.id: WaitingNews(*row) for row in await tx.rows(_SINCE, {"ids": list(referral_ids)})}


# A reminder is noted as it is sent, and sent once; of an overdue alternative once a day, counted
# from when it was due. `nights_over_at` is midnight by the country's clocks.
_REMIND = text("""
WITH alternative AS (
  SELECT a.*, (a.until::timestamp AT TIME ZONE :zone) AS nights_over_at,
         ARRAY[provider_id, responsible_id] AS audience
  FROM alternatives AS a WHERE a.ended_at IS NULL
), overdue AS (
  SELECT referral_id, 'alternative_check' AS what, next_check_at AS since, id AS subject, audience
  FROM alternative
  UNION ALL
  SELECT referral_id, 'alternative_nights', nights_over_at, id, audience
  FROM alternative WHERE until IS NOT NULL
), due AS (
  SELECT referral_id, what, subject, audience,
         since + floor(extract(epoch FROM clock_timestamp() - since) / 86400) * interval '1 day'
           AS due_at
  FROM overdue WHERE since <= clock_timestamp()
  UNION ALL
  SELECT r.id, 'contact', r.id, ARRAY[r.provider_id], c.due_at
  FROM referrals AS r CROSS JOIN LATERAL (
    SELECT due_at FROM contacts WHERE referral_id = r.id ORDER BY at DESC, id DESC LIMIT 1
  ) AS c
  WHERE r.status IN ('open', 'held') AND c.due_at <= clock_timestamp()
), told AS (
  INSERT INTO reminders (referral_id, what, due_at)
  SELECT referral_id, what, due_at FROM due
  WHERE NOT EXISTS (SELECT FROM reminders AS m
                    WHERE (m.referral_id, m.what, m.due_at)
                        = (due.referral_id, due.what, due.due_at))
  ORDER BY due_at LIMIT :most
  ON CONFLICT DO NOTHING RETURNING referral_id, what, due_at
), sent AS (
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'reminder', due.subject::text, due.audience
  FROM due JOIN told USING (referral_id, what, due_at)
)
SELECT count(*) AS told FROM told
""").bindparams(bindparam("zone", type_=Text()), bindparam("most", type_=Integer()))


async def remind(tx: Transaction, *, zone: str, most: int = AT_ONCE) -> int:
    """Remind of contacts and alternatives that are due, each once; return how many."""
    told = (await tx.rows(_REMIND, {"zone": zone, "most": most}))[0].told
    if told:
        tx.wrote_outbox()
    return told


_UNASKED = text("""
SELECT r.id, r.provider_id, r.created_at + make_interval(hours => :hours) AS due_at, s.key, s.sealed
FROM referrals AS r JOIN referral_secrets AS s ON s.referral_id = r.id
WHERE r.status IN ('open', 'held') AND r.status = 'open'
  AND r.created_at <= clock_timestamp() - make_interval(hours => :hours)
  AND NOT EXISTS (SELECT FROM reminders AS m WHERE m.referral_id = r.id AND m.what = 'safety_plan')
ORDER BY r.created_at, r.id LIMIT :most
""").bindparams(bindparam("hours", type_=Integer()), bindparam("most", type_=Integer()))


@dataclass(frozen=True, slots=True)
class UnaskedReferral:
    """A referral that may lack a safety plan: its sealed content says."""

    id: UUID
    provider_id: UUID
    due_at: datetime
    key: bytes
    sealed: bytes


async def find_unasked(
    tx: Transaction, *, hours: int, most: int = AT_ONCE
) -> list[UnaskedReferral]:
    """Return open referrals over some hours old without a reminder of a safety plan."""
    return [
        UnaskedReferral(*row) for row in await tx.rows(_UNASKED, {"hours": hours, "most": most})
    ]


_NOTE = text("""
INSERT INTO reminders (referral_id, what, due_at)
SELECT id, 'safety_plan', due_at FROM unnest(:ids, :due) AS one (id, due_at)
ON CONFLICT DO NOTHING RETURNING referral_id
""").bindparams(_IDS, bindparam("due", type_=ARRAY(DateTime(timezone=True))))


async def note_asked(tx: Transaction, looked_at: Sequence[UnaskedReferral]) -> set[UUID]:
    """Note that referrals were checked for a safety plan; return those not noted before."""
    values = {"ids": [one.id for one in looked_at], "due": [one.due_at for one in looked_at]}
    return {row.referral_id for row in await tx.rows(_NOTE, values)}


_PRUNE = text("""
DELETE FROM reminders AS m USING referrals AS r
WHERE r.id = m.referral_id AND r.status IN ('ended', 'withdrawn')
""")


async def prune(tx: Transaction) -> int:
    """Delete the reminders of closed referrals; return how many."""
    return await tx.run(_PRUNE)
