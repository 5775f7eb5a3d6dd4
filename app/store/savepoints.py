"""Doing something that may have to be taken back, inside a transaction that goes on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.store.database import Transaction


@asynccontextmanager
async def tentative(tx: "Transaction", *, keep: bool) -> AsyncGenerator[None]:
    """Keep what is done within where it succeeds and is to be kept; else it is as if it had never been done."""
    meant = len(tx.after_commit)
    savepoint = await tx.connection.begin_nested()
    done = False
    try:
        yield
        done = keep
    finally:
        if done:
            await savepoint.commit()
        else:
            await savepoint.rollback()
            del tx.after_commit[meant:]
