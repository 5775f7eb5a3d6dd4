"""The ledger's tree: hashes of complete subtrees, and the checkpoints that sign it.

Both only grow.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    ARRAY,
    BigInteger,
    LargeBinary,
    and_,
    bindparam,
    column,
    exists,
    func,
    insert,
    select,
)
from sqlalchemy.orm import aliased

from app.allocation.ledger.tree import TreePart
from app.database import counters
from app.database.transaction import Transaction
from app.models import Checkpoint, Leaf, Subtree

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


HEAD = "checkpoint"
"""The head that signing locks first."""


@dataclass(frozen=True, slots=True)
class SignedTree:
    """The tree of a size as it was signed; `note` is the signed note that is handed out."""

    size: int
    root: bytes
    note: str
    public_from: datetime


_SEALED = (Checkpoint.size, Checkpoint.root, Checkpoint.note, Checkpoint.public_from)
_LEVELS, _INDEXES = (
    bindparam("levels", type_=ARRAY(BigInteger)),
    bindparam("indexes", type_=ARRAY(BigInteger)),
)
_WANTED = (
    func.unnest(_LEVELS, _INDEXES)
    .table_valued(column("level", BigInteger), column("index", BigInteger))
    .render_derived(name="wanted")
)
_HASHES = select(Subtree.level, Subtree.index.label("number"), Subtree.hash).join(
    _WANTED, and_(Subtree.level == _WANTED.c.level, Subtree.index == _WANTED.c.index)
)
_MADE = (
    func.unnest(_LEVELS, _INDEXES, bindparam("hashes", type_=ARRAY(LargeBinary)))
    .table_valued(
        column("level", BigInteger), column("index", BigInteger), column("hash", LargeBinary)
    )
    .render_derived(name="made")
)
_ADD = insert(Subtree).from_select(
    ["level", "index", "hash"], select(_MADE.c.level, _MADE.c.index, _MADE.c.hash)
)


async def begin_sealing(tx: Transaction) -> int:
    """Keep others from signing until the transaction ends; return how many leaves there are."""
    await counters.lock(tx, HEAD)
    return await counters.read(tx, "ledger")


async def leaves(tx: Transaction, *, first: int, end: int) -> list[tuple[int, bytes]]:
    """Return the index and bytes of some leaves, in order."""
    wanted = select(Leaf.index.label("leaf"), Leaf.content).where(
        Leaf.index >= first, Leaf.index < end
    )
    return [(row.leaf, row.content) for row in await tx.rows(wanted.order_by(Leaf.index))]


async def hashes(tx: Transaction, subtrees: Collection[TreePart]) -> Mapping[TreePart, bytes]:
    """Return the stored hashes of some subtrees, one row read for each."""
    values = {
        "levels": [part.level for part in subtrees],
        "indexes": [part.index for part in subtrees],
    }
    return (
        {TreePart(row.level, row.number): row.hash for row in await tx.rows(_HASHES, values)}
        if subtrees
        else {}
    )


async def add_subtrees(tx: Transaction, made: Sequence[tuple[TreePart, bytes]]) -> None:
    """Store the hashes of subtrees that are complete by now."""
    levels, indexes = [part.level for part, _ in made], [part.index for part, _ in made]
    await tx.run(
        _ADD, {"levels": levels, "indexes": indexes, "hashes": [hashed for _, hashed in made]}
    )


async def add_checkpoint(tx: Transaction, sealed: SignedTree) -> None:
    """Store a checkpoint; there is one of each size at most."""
    await tx.run(
        insert(Checkpoint).values(
            size=sealed.size, root=sealed.root, note=sealed.note, public_from=sealed.public_from
        )
    )


async def newest(tx: Transaction) -> SignedTree | None:
    """Return the newest checkpoint."""
    row = await tx.row(select(*_SEALED).order_by(Checkpoint.size.desc()).limit(1))
    return None if row is None else SignedTree(*row)


async def newest_public(tx: Transaction) -> SignedTree | None:
    """Return the newest checkpoint of a midnight that has passed."""
    row = await tx.row(select(*_SEALED).where(_public()).order_by(Checkpoint.size.desc()).limit(1))
    return None if row is None else SignedTree(*row)


async def at_size(tx: Transaction, size: int, *, public: bool) -> SignedTree | None:
    """Return the checkpoint of a size; with `public`, only the last before a past midnight.

    The other checkpoints of a day would tell what happened together.
    """
    wanted = select(*_SEALED).where(Checkpoint.size == size)
    if public:
        later = aliased(Checkpoint)
        same_day = exists().where(
            later.public_from == Checkpoint.public_from, later.size > Checkpoint.size
        )
        wanted = wanted.where(_public(), ~same_day)
    row = await tx.row(wanted)
    return None if row is None else SignedTree(*row)


async def clock(tx: Transaction) -> datetime:
    """Return the time by now: a transaction may have waited since it began."""
    return (await tx.rows(select(func.clock_timestamp().label("at"))))[0].at


def _public() -> "ColumnElement[bool]":
    return Checkpoint.public_from <= func.clock_timestamp()
