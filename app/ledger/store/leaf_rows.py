"""The ledger's rows: the index comes from a head that is locked last, so it has no gaps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    insert,
    select,
    text,
)

from app.database import counters
from app.database.transaction import Transaction
from app.models import Leaf, Opening


@dataclass(frozen=True, slots=True)
class NewOpening:
    """What a leaf about a stay says, sealed; auditors see it from `opens_at` or from its end."""

    placement_id: UUID
    origin_region: str
    receiving_region: str
    opens_at: datetime
    sealed: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class NewLeaf:
    """A leaf to be written: the bytes of leaf and opening depend on the index it will get."""

    type: str
    content: Callable[[int], bytes]
    opening: NewOpening | None = None


async def append(tx: Transaction, leaf: NewLeaf) -> int:
    """Append a leaf and return its index; the next one waits until this transaction ends."""
    index = await counters.advance(tx, "ledger") - 1
    opening = leaf.opening
    placement_id = None if opening is None else opening.placement_id
    await tx.run(
        insert(Leaf).values(
            index=index, type=leaf.type, content=leaf.content(index), placement_id=placement_id
        )
    )
    if opening is not None:
        await tx.run(
            insert(Opening).values(
                index=index,
                origin_region=opening.origin_region,
                receiving_region=opening.receiving_region,
                opens_at=opening.opens_at,
                sealed=opening.sealed(index),
            )
        )
    return index


# Each leaf takes its own index here too, because the guard looks at the head for each.
_APPEND = text("""
WITH given AS (
  UPDATE heads SET value = value + 1 WHERE name = 'ledger' AND value = :index
  RETURNING value - 1 AS index
), leaf AS (
  INSERT INTO leaves (index, type, content, placement_id)
  SELECT index, :type, :content, :placement_id FROM given RETURNING index
)
INSERT INTO openings (index, origin_region, receiving_region, opens_at, sealed)
SELECT index, :origin_region, :receiving_region, :opens_at, :sealed FROM leaf
""").bindparams(
    bindparam("index", type_=BigInteger()),
    bindparam("type", type_=Text()),
    bindparam("content", type_=LargeBinary()),
    bindparam("placement_id", type_=Uuid()),
    bindparam("origin_region", type_=Text()),
    bindparam("receiving_region", type_=Text()),
    bindparam("opens_at", type_=DateTime(timezone=True)),
    bindparam("sealed", type_=LargeBinary()),
)


async def begin_appending(tx: Transaction) -> int:
    """Keep others from appending until the transaction ends; return the next leaf's index."""
    await counters.lock(tx, "ledger")
    return await counters.read(tx, "ledger")


async def append_all(tx: Transaction, leaves: Sequence[NewLeaf], *, first: int) -> None:
    """Append leaves about stays, from the index that `begin_appending` returned."""
    if leaves:
        await tx.run_each(
            _APPEND, [_row(leaf, index) for index, leaf in enumerate(leaves, start=first)]
        )


def _row(leaf: NewLeaf, index: int) -> dict[str, object]:
    opening = leaf.opening
    assert opening is not None  # noqa: S101 - leaves in clear are about no stay
    return {
        "index": index,
        "type": leaf.type,
        "content": leaf.content(index),
        "placement_id": opening.placement_id,
        "origin_region": opening.origin_region,
        "receiving_region": opening.receiving_region,
        "opens_at": opening.opens_at,
        "sealed": opening.sealed(index),
    }


async def openings_of(tx: Transaction, placement_id: UUID) -> list[tuple[int, bytes]]:
    """Return the index and sealed opening of every leaf about a time at a provider, in order."""
    wanted = (
        select(Opening.index.label("leaf"), Opening.sealed)
        .join(Leaf, Leaf.index == Opening.index)
        .where(Leaf.placement_id == placement_id)
        .order_by(Opening.index)
    )
    return [(row.leaf, row.sealed) for row in await tx.rows(wanted)]


async def has_leaf(tx: Transaction, leaf_type: str) -> bool:
    """Whether there is any leaf of a type."""
    return await tx.row(select(Leaf.index).where(Leaf.type == leaf_type).limit(1)) is not None
