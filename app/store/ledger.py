"""The ledger's rows: an index from the head row, locked last, so that there are no gaps and no overtaking."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from app.models import Leaf, Opening, Share
from app.store import heads

if TYPE_CHECKING:
    from app.store.database import Transaction


@dataclass(frozen=True, slots=True)
class NewOpening:
    """What a leaf about a stay says, sealed; its auditors see it from `opens_at`, or once the stay has ended."""

    placement_id: UUID
    origin_region: str
    receiving_region: str
    opens_at: datetime
    sealed: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class NewLeaf:
    """What is about to be written: the bytes of leaf and opening depend on the index that it gets."""

    type: str
    content: Callable[[int], bytes]
    opening: NewOpening | None = None


async def append(tx: "Transaction", leaf: NewLeaf) -> int:
    """Append a leaf and return its index; whoever appends next waits until this transaction ends."""
    index = await heads.advance(tx, "ledger") - 1
    opening = leaf.opening
    placement_id = None if opening is None else opening.placement_id
    await tx.run(
        insert(Leaf).values(index=index, type=leaf.type, content=leaf.content(index), placement_id=placement_id)
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


async def openings_of(tx: "Transaction", placement_id: UUID) -> list[tuple[int, bytes]]:
    """Return the index and the sealed opening of every leaf about a household's time at a provider, in order."""
    wanted = (
        select(Opening.index.label("leaf"), Opening.sealed)
        .join(Leaf, Leaf.index == Opening.index)
        .where(Leaf.placement_id == placement_id)
        .order_by(Opening.index)
    )
    return [(row.leaf, row.sealed) for row in await tx.rows(wanted)]


async def has(tx: "Transaction", leaf_type: str) -> bool:
    """Whether there is any leaf of a type."""
    return await tx.row(select(Leaf.index).where(Leaf.type == leaf_type).limit(1)) is not None


async def account(tx: "Transaction", *, receiving: str, parts: Mapping[str, int], stay: int) -> None:
    """Add a stay to the running shares: given by one region, owed in parts by those that were lawful.

    Only under the ledger's head row, which keeps two of these from locking the same regions in different orders.
    """
    quota = update(Share).where(Share.region == bindparam("of")).values(quota=Share.quota + bindparam("part"))
    await tx.run(quota, [{"of": region, "part": part} for region, part in sorted(parts.items())])
    await tx.run(update(Share).where(Share.region == receiving).values(given=Share.given + stay))


async def show_shares(tx: "Transaction", *, on: date) -> None:
    """Let rankings see the shares as they stand now, unless they have seen them on this day already.

    Under the ledger's head row, as `account` is.
    """
    stale = Share.shown_on.is_distinct_from(on)
    if await tx.row(select(Share.region).where(stale).limit(1)) is not None:
        await heads.lock(tx, "ledger")
        await tx.run(update(Share).where(stale).values(deficit=Share.quota - Share.given, shown_on=on))
