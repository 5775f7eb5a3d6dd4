"""Head rows: the last number of each gapless sequence, and the version of each cache."""

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from app.models import Head

if TYPE_CHECKING:
    from app.database.statements import Statements


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
