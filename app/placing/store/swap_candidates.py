"""Candidates for a swap: the households that agreed to move, read as the exchange.

All of it is read as the actor `exchange`, whom row-level security shows the households that agreed
beforehand, and those that are part of a swap. What comes of it is shown to nobody but in the words
of placing/swaps/swap_searches.py.
"""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Uuid, bindparam, text

from app.database.transaction import Transaction
from app.models.states import decline_bars, swap_lapsed

EXCHANGE = "exchange"

_ACTING = text("SELECT acting() AS actor")
_ACT = text("SELECT set_config('plek.actor', :actor, true)")


@asynccontextmanager
async def as_exchange(tx: Transaction) -> AsyncGenerator[None]:
    """Act as the exchange, for all concerned by a swap, while the block lasts."""
    before = (await tx.rows(_ACTING))[0].actor
    await tx.rows(_ACT, {"actor": EXCHANGE})
    try:
        yield
    finally:
        # A transaction that has failed takes back the setting as well.
        with suppress(asyncpg.PostgresError):
            await tx.rows(_ACT, {"actor": before})


def in_swap(of: str) -> str:
    """Whether a leg `l` is live, in a swap that has not run out."""
    return f"""EXISTS (SELECT FROM swap_legs AS l JOIN swaps AS s ON s.id = l.swap_id
        WHERE l.live AND {of} AND NOT {swap_lapsed("s")})"""


MOVED = """EXISTS (SELECT FROM placements AS q JOIN holds AS h ON h.id = q.hold_id
        WHERE q.stay_id = p.stay_id AND (h.swap_id IS NOT NULL OR q.previous_id IS NOT NULL)
          AND q.arrived_at > clock_timestamp() - make_interval(days => :quiet_days))"""
AGREED = """EXISTS (SELECT FROM move_agreements AS a
        WHERE a.placement_id = p.id AND a.lapses_at > clock_timestamp())"""
UNDERWAY = (
    "EXISTS (SELECT FROM placements AS n WHERE n.stay_id = p.stay_id AND n.status = 'underway')"
)

_HOUSEHOLDS = f"""
SELECT r.id, x.key, x.sealed, r.urgency, r.reason, r.origin, r.provider_id,
       p.id AS placement_id, p.receiver_id, c.place_id, c.group_id
FROM placements AS p
JOIN referrals AS r ON r.id = p.referral_id
JOIN referral_secrets AS x ON x.referral_id = r.id
JOIN claims AS c ON c.placement_id = p.id
WHERE p.status = 'arrived' AND c.successor_id IS NULL AND NOT {UNDERWAY} AND NOT {MOVED}
  AND NOT {in_swap("l.referral_id = p.referral_id")}
"""  # noqa: S608 - the conditions above
_WILLING = text(f"{_HOUSEHOLDS} AND {AGREED} AND r.id <> :referral_id ORDER BY r.id").bindparams(
    bindparam("referral_id", type_=Uuid())
)
_IN_STAY = text(f"{_HOUSEHOLDS} AND r.id = :referral_id").bindparams(
    bindparam("referral_id", type_=Uuid())
)
_DECLINED = text(f"""
SELECT h.referral_id, array_agg(DISTINCT h.site_id::text) AS sites FROM holds AS h
WHERE h.referral_id = ANY (:ids) AND h.status = 'declined' AND {decline_bars("h")}
GROUP BY h.referral_id
""").bindparams(bindparam("ids", type_=ARRAY(Uuid())))  # noqa: S608 - the condition by its name


@dataclass(frozen=True, slots=True)
class CandidateHousehold:
    """A household that may be asked to move, with its sealed content and its place."""

    id: UUID
    """The id of its referral."""
    key: bytes
    sealed: bytes
    urgency: str
    reason: str
    origin: str
    provider_id: UUID
    placement_id: UUID
    receiver_id: UUID
    place_id: UUID
    group_id: UUID


async def list_willing(
    tx: Transaction, referral_id: UUID, *, quiet_days: int
) -> list[CandidateHousehold]:
    """Return the households, except one, that agreed to move and may be asked now."""
    rows = await tx.rows(_WILLING, {"referral_id": referral_id, "quiet_days": quiet_days})
    return [CandidateHousehold(*row) for row in rows]


async def read_household(
    tx: Transaction, referral_id: UUID, *, quiet_days: int
) -> CandidateHousehold | None:
    """Return the household of a referral where it lives, if it may be moved now."""
    row = await tx.row(_IN_STAY, {"referral_id": referral_id, "quiet_days": quiet_days})
    return None if row is None else CandidateHousehold(*row)


async def declined_sites(tx: Transaction, ids: Collection[UUID]) -> Mapping[UUID, frozenset[str]]:
    """Return the sites that declined each of some referrals."""
    return {
        row.referral_id: frozenset(row.sites)
        for row in await tx.rows(_DECLINED, {"ids": list(ids)})
    }
