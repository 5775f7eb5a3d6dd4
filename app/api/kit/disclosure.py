"""Disclosure only after the access log: its entry is committed, or nothing is shown."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from fastapi import Request

from app.database.caller import Caller
from app.database.transaction import Transaction
from app.deps import admit, bearer_transaction, transaction
from app.errors import Forbidden, Refusal, TooOften, Unauthenticated, Unavailable

UNLOGGED = (Unauthenticated, Forbidden, TooOften)
"""Refusals that stand as they are: none of them needs an entry first."""


async def admit_apart(request: Request) -> Caller:
    """Admit the caller as every route does, in a transaction that then ends; return them.

    What follows commits a transaction of its own; a connection kept from here on would be another
    one held while waiting for that, and a small pool would run dry on it.
    """
    async with transaction(request) as tx:
        return tx.caller


@asynccontextmanager
async def own_transaction(request: Request) -> AsyncGenerator[Transaction]:
    """Open a transaction of its own for an admitted caller."""
    async with bearer_transaction(request) as tx:
        admit(request, tx)
        yield tx


@contextmanager
def require_log(detail: str, *, standing: tuple[type[Refusal], ...] = UNLOGGED) -> Generator[None]:
    """Refuse as out of reach if the entry is not committed; `standing` refusals pass."""
    try:
        yield
    except standing:
        raise
    except Exception as error:
        # Whatever the cause: what could not be logged is not shown.
        raise Unavailable(detail) from error
