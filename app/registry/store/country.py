"""The country: regions, municipalities, distances and weights.

Only the owner writes it.

Rows are told apart by key, and only new or different ones are written: importing a file twice
changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Integer, Text, bindparam, column, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase

from app.database import counters
from app.database.transaction import Transaction
from app.models import Clearance, Municipality, Region, Share, Weight

Values = Mapping[str, Any]
LOCK_WAIT = "120s"


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two municipalities are apart in whole km.

    Surely (`km`), and by their positions.
    """

    zone: str
    site: str
    km: int
    centroid_km: int


async def lock(tx: Transaction) -> None:
    """Keep others from changing reference data until the transaction ends.

    It waits for them longer than a request would.
    """
    await tx.rows(select(func.set_config("lock_timeout", LOCK_WAIT, True)))  # noqa: FBT003 - for this transaction only
    await counters.lock(tx, "reference")


async def is_empty(tx: Transaction) -> bool:
    """Whether no country has been loaded yet."""
    return await tx.row(select(Region.code).limit(1)) is None


async def regions(tx: Transaction) -> list[dict[str, Any]]:
    """Return every region as it is stored."""
    return await _all(tx, Region)


async def municipalities(tx: Transaction) -> list[dict[str, Any]]:
    """Return every municipality as it is stored."""
    return await _all(tx, Municipality)


async def weights(tx: Transaction) -> list[dict[str, Any]]:
    """Return every weight of every date as it is stored."""
    return await _all(tx, Weight)


async def put_regions(tx: Transaction, rows: Sequence[Values]) -> None:
    """Store new or changed regions; a new one has given nothing yet."""
    await _put(tx, Region, rows, key=("code",))
    if rows:
        shares = [{"region": row["code"]} for row in rows]
        await tx.run_each(insert(Share).on_conflict_do_nothing(), shares)


async def put_municipalities(tx: Transaction, rows: Sequence[Values]) -> None:
    """Store new or changed municipalities; their distances have to follow."""
    await _put(tx, Municipality, rows, key=("code",))


async def put_weights(tx: Transaction, rows: Sequence[Values]) -> None:
    """Store new or changed weights."""
    await _put(tx, Weight, rows, key=("region", "valid_from"))


_DISTANCES = (
    func.unnest(
        bindparam("zone", type_=ARRAY(Text)),
        bindparam("site", type_=ARRAY(Text)),
        bindparam("km", type_=ARRAY(Integer)),
        bindparam("centroid_km", type_=ARRAY(Integer)),
    )
    .table_valued(
        column("zone", Text),
        column("site", Text),
        column("km", Integer),
        column("centroid_km", Integer),
    )
    .render_derived()
)
_PUT_DISTANCES = insert(Clearance).from_select(
    list(Distance.__slots__), select(*(_DISTANCES.c[name] for name in Distance.__slots__))
)


async def put_distances(tx: Transaction, distances: Sequence[Distance]) -> None:
    """Store new distances in one statement, as a country has over a hundred thousand."""
    if distances:
        columns = {name: [getattr(row, name) for row in distances] for name in Distance.__slots__}
        await tx.run(_PUT_DISTANCES, columns)


async def forget_distances(tx: Transaction, codes: Collection[str]) -> None:
    """Delete every distance from or to these municipalities."""
    await tx.run(delete(Clearance).where(or_(Clearance.zone.in_(codes), Clearance.site.in_(codes))))


async def _all(tx: Transaction, table: type[DeclarativeBase]) -> list[dict[str, Any]]:
    names = table.__table__.columns.keys()
    return [dict(zip(names, row, strict=True)) for row in await tx.rows(select(table.__table__))]


async def _put(
    tx: Transaction, table: type[DeclarativeBase], rows: Sequence[Values], *, key: tuple[str, ...]
) -> None:
    if not rows:
        return
    statement = insert(table)
    changing = {name: statement.excluded[name] for name in rows[0] if name not in key}
    await tx.run_each(
        statement.on_conflict_do_update(index_elements=list(key), set_=changing),
        [dict(row) for row in rows],
    )
