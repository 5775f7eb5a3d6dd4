"""Leaves in order, with the openings that a region's auditors may see by now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import aliased

from app.database.transaction import Transaction
from app.models import Leaf, Opening


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A leaf's canonical bytes, and its sealed opening if the reader may see it."""

    index: int
    type: str
    content: bytes
    sealed_opening: bytes | None = field(repr=False)


async def list_entries(
    tx: Transaction, *, after: int, limit: int, region: str | None
) -> list[EntryRow]:
    """Return the leaves after an index, with the openings for a region's auditors, if any.

    An opening can be read from the moment it names, and at once if the stay has ended.
    """
    statement = _with_openings(region).where(Leaf.index > after).order_by(Leaf.index).limit(limit)
    return [EntryRow(*row) for row in await tx.rows(statement)]


async def list_readable(
    tx: Transaction, *, before: int | None, limit: int, region: str | None
) -> list[EntryRow]:
    """Return the leaves before an index that a region's auditors can read, newest first.

    Those are the leaves in clear, and those whose opening they may see by now. Nobody can tell whom
    the others concern, so the order and the gaps of a list must not tell it either.
    """
    readable = or_(Leaf.placement_id.is_(None), Opening.index.is_not(None))
    statement = _with_openings(region).where(readable).order_by(Leaf.index.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Leaf.index < before)
    return [EntryRow(*row) for row in await tx.rows(statement)]


_HOUSEHOLDS = text("SELECT households_of_leaves(:indexes) AS id").bindparams(
    bindparam("indexes", type_=ARRAY(BigInteger))
)


async def households_of(tx: Transaction, leaves: Sequence[int]) -> set[UUID]:
    """Return the referrals of the households that some leaves are about."""
    return {row.id for row in await tx.rows(_HOUSEHOLDS, {"indexes": leaves})}


def _with_openings(region: str | None) -> Select[int, str, bytes, bytes]:
    ended = aliased(Leaf)
    departed = exists().where(ended.placement_id == Leaf.placement_id, ended.type == "departure")
    entitled = and_(
        Opening.index == Leaf.index,
        or_(Opening.origin_region == region, Opening.receiving_region == region),
        or_(Opening.opens_at <= func.clock_timestamp(), departed),
    )
    return select(Leaf.index, Leaf.type, Leaf.content, Opening.sealed).outerjoin(Opening, entitled)
