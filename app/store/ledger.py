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
class NewLeaf:
    """What is about to be written: the bytes of leaf and opening depend on the index that it gets."""

    type: str
    placement_id: UUID
    origin_region: str
    receiving_region: str
    opens_at: datetime
    content: Callable[[int], bytes]
    sealed_opening: Callable[[int], bytes]


async def append(tx: "Transaction", leaf: NewLeaf) -> int:
    """Append a leaf and return its index; whoever appends next waits until this transaction ends."""
    index = await heads.advance(tx, "ledger") - 1
    await tx.run(
        insert(Leaf).values(index=index, type=leaf.type, content=leaf.content(index), placement_id=leaf.placement_id)
    )
    await tx.run(
        insert(Opening).values(
            index=index,
            origin_region=leaf.origin_region,
            receiving_region=leaf.receiving_region,
            opens_at=leaf.opens_at,
            sealed=leaf.sealed_opening(index),
        )
    )
    return index


async def arrival_opening(tx: "Transaction", placement_id: UUID) -> tuple[int, bytes] | None:
    """Return the index and the sealed opening of a placement's arrival; None where it had no leaf."""
    row = await tx.row(
        select(Opening.index.label("leaf"), Opening.sealed)
        .join(Leaf, Leaf.index == Opening.index)
        .where(Leaf.placement_id == placement_id, Leaf.type == "arrival")
    )
    return None if row is None else (row.leaf, row.sealed)


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
