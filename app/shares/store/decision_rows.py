"""Decisions that concern a region: placements from or to it that may be opened.

The conditions are complete here, and row-level security stands behind them.
"""

# ruff: noqa: S608 - every statement is made of the constants here

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, TextClause, Uuid, bindparam, text

from app.database.transaction import Transaction
from app.models.states import placement_live

if TYPE_CHECKING:
    from collections.abc import Mapping


# The placement with which their time at a provider began: the ledger's leaves refer to it.
BEGAN = "coalesce(p.began_id, p.id)"
LEFT = f"EXISTS (SELECT FROM leaves AS e WHERE e.placement_id = {BEGAN} AND e.type = 'departure')"
# If the ledger has a leaf, its opening decides, because this is another way to the same knowledge.
# A stay in the own region has no leaf: then the same delay counts, or that they have left for good.
DUE = f"""
(CASE WHEN l.index IS NOT NULL
      THEN EXISTS (SELECT FROM openings AS o WHERE o.index = l.index
                   AND :region IN (o.origin_region, o.receiving_region)
                   AND (o.opens_at <= clock_timestamp() OR {LEFT}))
      ELSE p.arrived_at <= clock_timestamp() - make_interval(days => CAST(:delay_days AS integer))
        OR (p.departed_at IS NOT NULL AND p.origin_region = :region
            AND NOT EXISTS (
              SELECT FROM placements AS n
              WHERE n.stay_id = p.stay_id AND {placement_live("n")})) END)"""

DECISIONS = f"""
SELECT p.id, h.ranking_id, h.rank, h.override_reason, p.kind, p.reason,
       p.origin_region, p.receiving, p.arrived_at, l.index AS leaf, p.referral_id
FROM placements AS p JOIN holds AS h ON h.id = p.hold_id
LEFT JOIN leaves AS l ON l.placement_id = {BEGAN} AND l.type = 'arrival'
WHERE (p.origin_region = :region OR p.receiving = :region) AND p.arrived_at IS NOT NULL AND {DUE}"""

PAGE = """ AND (CAST(:at AS timestamptz) IS NULL OR (p.arrived_at, p.id) < (:at, :after))
ORDER BY p.arrived_at DESC, p.id DESC LIMIT :most"""

LEFT_REGION = """ AND p.cross_regional AND p.reason <> 'safety'
AND p.arrived_at >= :begins AND p.arrived_at < :ends"""

# A placement by its id, or by one of the leaves of the time that began with it.
NAMED = " AND p.id = coalesce(:id, (SELECT x.placement_id FROM leaves AS x WHERE x.index = :leaf))"

_TYPES = {
    "id": Uuid(),
    "leaf": BigInteger(),
    "at": DateTime(timezone=True),
    "after": Uuid(),
    "begins": DateTime(timezone=True),
    "ends": DateTime(timezone=True),
}


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision for a household: the offer that was taken from its ranking, and its outcome."""

    placement_id: UUID
    ranking_id: UUID
    rank: int
    override_reason: str | None
    kind: str
    reason: str
    origin: str
    receiving: str
    arrived_at: datetime
    leaf: int | None
    """The arrival's leaf of that time at the provider; None if they stayed in their region."""
    referral_id: UUID


@dataclass(frozen=True, slots=True)
class AuditScope:
    """The region whose decisions are read, and the days to wait if the ledger has no opening."""

    region: str
    delay_days: int

    @property
    def values(self) -> "Mapping[str, object]":
        """Return the values as statements take them."""
        return {"region": self.region, "delay_days": self.delay_days}


def _statement(more: str) -> TextClause:
    sql = DECISIONS + more
    return text(sql).bindparams(
        *(bindparam(name, type_=kind) for name, kind in _TYPES.items() if f":{name}" in more)
    )


_LISTED, _LEFT_REGION, _NAMED = _statement(PAGE), _statement(LEFT_REGION + PAGE), _statement(NAMED)


async def list_decisions(
    tx: Transaction, auditing: AuditScope, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[DecisionRow]:
    """Return the decisions that concern a region, newest first."""
    at, id_ = after or (None, None)
    values = {**auditing.values, "most": limit, "at": at, "after": id_}
    return [DecisionRow(*row) for row in await tx.rows(_LISTED, values)]


async def list_left_region(
    tx: Transaction,
    auditing: AuditScope,
    within: tuple[datetime, datetime],
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[DecisionRow]:
    """Return those by which a household left its region other than for safety, newest first."""
    at, id_ = after or (None, None)
    begins, ends = within
    values = {
        **auditing.values,
        "most": limit,
        "at": at,
        "after": id_,
        "begins": begins,
        "ends": ends,
    }
    return [DecisionRow(*row) for row in await tx.rows(_LEFT_REGION, values)]


async def find_decision(
    tx: Transaction, auditing: AuditScope, *, placement_id: UUID | None, leaf: int
) -> DecisionRow | None:
    """Return a decision that concerns a region, by its placement or else by a leaf."""
    row = await tx.row(_NAMED, {**auditing.values, "id": placement_id, "leaf": leaf})
    return None if row is None else DecisionRow(*row)
