"""News of waiting referrals: their next contact, and what came free for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text

from app.database.transaction import Transaction

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
