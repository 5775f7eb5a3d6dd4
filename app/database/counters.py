"""Head rows: last numbers of gapless sequences, versions of caches, and moments.

A moment is kept in whole seconds since 1970.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.models import Head

if TYPE_CHECKING:
    from app.database.statements import Statements


BACKUP = "backup"
"""The moment that the newest backup shows."""
LEDGER_SINCE = "ledger_since"
"""When the ledger began anew, under another name, after it lost leaves in a restore."""


async def read(tx: "Statements", name: str) -> int:
    """Return the last number given."""
    row = await tx.row(select(Head.value).where(Head.name == name))
    return 0 if row is None else row.value


async def advance(tx: "Statements", name: str, *, by: int = 1) -> int:
    """Take the next number (or the last of the next `by`).

    The row stays locked until the transaction ends.
    """
    statement = (
        update(Head).where(Head.name == name).values(value=Head.value + by).returning(Head.value)
    )
    return (await tx.rows(statement))[0].value


async def lock(tx: "Statements", name: str) -> None:
    """Keep others from taking numbers until the transaction ends."""
    await tx.rows(select(Head.value).where(Head.name == name).with_for_update())


async def moment(tx: "Statements", name: str) -> datetime | None:
    """Return a moment; None where there has been none."""
    seconds = await read(tx, name)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


async def note(tx: "Statements", name: str, at: datetime) -> None:
    """Note a moment."""
    await put(tx, name, int(at.timestamp()))


async def put(tx: "Statements", name: str, value: int) -> None:
    """Note a number."""
    written = insert(Head).values(name=name, value=value)
    await tx.run(
        written.on_conflict_do_update(
            index_elements=[Head.name], set_={"value": written.excluded.value}
        )
    )
