"""Whether those who listen may still listen.

Asked again all the time, once a token, and never in a crowd.
"""

import asyncio
from dataclasses import dataclass

from app.database.caller import Caller
from app.database.transaction import Database

FRESH_S = 14.0
"""How old an answer may be; with a heartbeat every 15 s nobody listens for 30 s on an old one."""
AT_ONCE = 2
"""Connections that this may take from requests."""


@dataclass(frozen=True, slots=True)
class _Asked:
    until: float
    answer: asyncio.Future[Caller | None]


class TokenBearers:
    """Who bears a token, as known a moment ago."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: dict[bytes, _Asked] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def of(self, token_hash: bytes) -> Caller | None:
        """Return who bears the token now; raise Unavailable if that cannot be known."""
        now = asyncio.get_running_loop().time()
        asked = self._asked.get(token_hash)
        if (
            asked is None
            or asked.until <= now
            or (asked.answer.done() and asked.answer.exception() is not None)
        ):
            self._asked = {known: kept for known, kept in self._asked.items() if kept.until > now}
            asked = self._asked[token_hash] = _Asked(
                now + FRESH_S, asyncio.ensure_future(self._ask(token_hash))
            )
        # Shielded: one stream that ends must not take the answer away from the others.
        return await asyncio.shield(asked.answer)

    async def _ask(self, token_hash: bytes) -> Caller | None:
        async with self._turn, self._database.entered(token_hash) as tx:
            return tx.identity
