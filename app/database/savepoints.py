"""Savepoints: what may have to be taken back, or tried again, inside a transaction that goes on."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from app.database.transaction import Transaction

T = TypeVar("T")
TRIES = 3
IN_THE_WAY = ("40P01", "40001")
"""Deadlock and serialization failure: the database has taken back one of two, and the other goes on."""


@asynccontextmanager
async def tentative(tx: Transaction, *, keep: bool) -> AsyncGenerator[None]:
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


async def whole(tx: Transaction, act: Callable[[], Awaitable[T]]) -> T:
    """Do all of an act, or none of it and then again; what was locked before it stays locked."""
    for attempt in range(1, TRIES + 1):
        meant = len(tx.after_commit)
        savepoint = await tx.connection.begin_nested()
        try:
            done = await act()
        except DBAPIError as error:
            await savepoint.rollback()
            del tx.after_commit[meant:]
            if attempt == TRIES or getattr(error.orig, "sqlstate", None) not in IN_THE_WAY:
                raise
        else:
            await savepoint.commit()
            return done
    raise AssertionError  # pragma: no cover - the last attempt returned or raised
