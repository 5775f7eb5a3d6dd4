"""Trying again what somebody else was in the way of, so that no deadlock reaches a caller."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from app.store.database import Transaction

T = TypeVar("T")
TRIES = 3
IN_THE_WAY = ("40P01", "40001")
"""Deadlock and serialization failure: the database has taken back one of two, and the other goes on."""


async def whole(tx: "Transaction", act: Callable[[], Awaitable[T]]) -> T:
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
