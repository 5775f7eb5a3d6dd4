"""Rows sealed by the installation's keys: wrapped data keys, and answers kept for a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    column,
    func,
    literal,
    select,
    tuple_,
    union_all,
    update,
)

from app.database.transaction import Transaction
from app.models import Answer, Credential, InstallationKey, ReferralSecret, SiteSecret, Webhook
from app.models.base import Base

SAMPLE = 50


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """A table with something sealed in each row.

    The row's primary key is authenticated with it.
    """

    table: Table
    id: tuple[Column[Any], ...]
    sealed: Column[bytes]
    rows: int
    """The rows to read at once."""


def _shelf(model: type[Base], sealed: str, *, rows: int) -> Shelf:
    table = cast("Table", model.__table__)
    return Shelf(table, tuple(table.primary_key.columns), table.c[sealed], rows)


SITES = _shelf(SiteSecret, "key", rows=500)
REFERRALS = _shelf(ReferralSecret, "key", rows=500)
WEBHOOKS = _shelf(Webhook, "key", rows=500)
OWN = _shelf(InstallationKey, "wrapped", rows=500)
CREDENTIALS = _shelf(Credential, "key", rows=500)
WRAPPED = (SITES, REFERRALS, WEBHOOKS, OWN, CREDENTIALS)
"""The shelves of data keys."""
ANSWERS = _shelf(Answer, "sealed", rows=50)
"""Answers are whole pages: fewer at once."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The sealed content of a row."""

    id: tuple[Any, ...]
    content: bytes

    @property
    def row(self) -> str:
        """The row that it was sealed for."""
        return " ".join(str(part) for part in self.id)


@dataclass(frozen=True, slots=True)
class Resealed:
    """The content that a row held, and the new content."""

    was: Sealed
    content: bytes


async def count(tx: Transaction, shelves: Sequence[Shelf]) -> int:
    """Return how many rows there are."""
    counts = [select(func.count()).select_from(shelf.table).scalar_subquery() for shelf in shelves]
    return sum((await tx.rows(select(*counts)))[0])


async def batch(
    tx: Transaction, shelf: Shelf, *, after: Sealed | None, rows: int | None = None
) -> list[Sealed]:
    """Return the next rows by id.

    It locks nothing, so they may hold something else by the time they are changed.
    """
    wanted = select(*shelf.id, shelf.sealed).order_by(*shelf.id).limit(rows or shelf.rows)
    if after is not None:
        seen = [literal(value, part.type) for part, value in zip(shelf.id, after.id, strict=True)]
        wanted = wanted.where(tuple_(*shelf.id) > tuple_(*seen))
    return [Sealed(tuple(row[:-1]), row[-1]) for row in await tx.rows(wanted)]


async def replace(tx: Transaction, shelf: Shelf, changes: Sequence[Resealed]) -> int:
    """Change the rows that still hold what they held; return how many.

    A row in use is passed over. It waits for no transaction, so it can be part of no deadlock, and
    others wait for it no longer than it takes.
    """
    bytes_ = LargeBinary()
    ids = [column(f"id_{number}", part.type) for number, part in enumerate(shelf.id)]
    given_columns: list[Any] = [*ids, column("was", bytes_), column("new", bytes_)]
    arrays = [bindparam(one.name, type_=ARRAY(one.type)) for one in given_columns]
    given = func.unnest(*arrays).table_valued(*given_columns).render_derived(name="given")
    same = _equal(shelf, [given.c[one.name] for one in ids])
    free = (
        select(*shelf.id, given.c.new)
        .select_from(shelf.table.join(given, and_(same, shelf.sealed == given.c.was)))
        .with_for_update(key_share=True, skip_locked=True, of=shelf.table)
        .cte("free")
    )
    change = (
        update(shelf.table)
        .where(_equal(shelf, [free.c[part.name] for part in shelf.id]))
        .values({shelf.sealed: free.c.new})
    )
    values = {
        one.name: [change.was.id[number] for change in changes] for number, one in enumerate(ids)
    }
    values |= {"was": [one.was.content for one in changes], "new": [one.content for one in changes]}
    return await tx.run(change, values)


async def sample(tx: Transaction) -> list[Sealed]:
    """Return some of the wrapped data keys, from both ends.

    Rows that a rotation has not come to yet are at the end.
    """
    parts = [
        select(*shelf.id, shelf.sealed.label("sealed")).order_by(order).limit(SAMPLE).subquery()
        for shelf in WRAPPED
        for order in (shelf.id[0].asc(), shelf.id[0].desc())
    ]
    wanted = union_all(*(select(part.c[0].cast(Text).label("id"), part.c.sealed) for part in parts))
    return [Sealed((row.id,), row.sealed) for row in await tx.rows(wanted)]


def _equal(shelf: Shelf, others: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    return and_(*(part == other for part, other in zip(shelf.id, others, strict=True)))
