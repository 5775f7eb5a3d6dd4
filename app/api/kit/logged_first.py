"""For what must be written down before it is shown: the entry in the log is committed, or nothing follows."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from fastapi import Request

from app.database.caller import Caller
from app.database.transaction import Transaction
from app.deps import admit, entered, transaction
from app.errors import Forbidden, Refusal, TooOften, Unauthenticated, Unavailable

SAID = (Unauthenticated, Forbidden, TooOften)
"""Refusals that stand as they are: nothing had to be written down for them."""


async def admitted(request: Request) -> Caller:
    """Let the caller in as every route does, close that transaction again, and return who it is.

    What follows commits a transaction of its own; a connection kept from here on would be another
    one held while waiting for that, and a small pool would run dry on it.
    """
    async with transaction(request):
        caller: Caller = request.state.caller
        return caller


@asynccontextmanager
async def apart(request: Request) -> AsyncGenerator[Transaction]:
    """Open a transaction of its own for a caller who was admitted."""
    async with entered(request) as tx:
        admit(request, tx)
        yield tx


@contextmanager
def no_log_no_look(detail: str, *, said: tuple[type[Refusal], ...] = SAID) -> Generator[None]:
    """Refuse as out of reach whatever keeps the entry from being committed; what is `said` is refused as it is."""
    try:
        yield
    except said:
        raise
    except Exception as error:
        # Whatever it was: what could not be logged is not shown.
        raise Unavailable(detail) from error
