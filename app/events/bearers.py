"""The bearers of tokens, answer for again while their streams are open.

Each token is answer for once at a time, and few tokens at once.
"""

import asyncio
from dataclasses import dataclass

from app.database.caller import Caller
from app.database.transaction import Database

FRESH_S = 14.0
"""How old an answer may be; with a heartbeat every 15 s nobody listens for 30 s on an old one."""
AT_ONCE = 2
"""The most connections that this takes from requests."""


@dataclass(frozen=True, slots=True)
class _Answer:
    until: float
    caller: asyncio.Future[Caller | None]


class TokenBearers:
    """The bearer of each token, as known a moment ago."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answers: dict[bytes, _Answer] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def of(self, token_hash: bytes) -> Caller | None:
        """Return the bearer of a token now; raise Unavailable if that cannot be known."""
        now = asyncio.get_running_loop().time()
        answer = self._answers.get(token_hash)
        if (
            answer is None
            or answer.until <= now
            or (answer.caller.done() and answer.caller.exception() is not None)
        ):
            self._answers = {
                known: kept for known, kept in self._answers.items() if kept.until > now
            }
            answer = self._answers[token_hash] = _Answer(
                now + FRESH_S, asyncio.ensure_future(self._ask(token_hash))
            )
        # Shielded: one stream that ends must not take the answer away from the others.
        return await asyncio.shield(answer.caller)

    async def _ask(self, token_hash: bytes) -> Caller | None:
        async with self._turn, self._database.transaction(token_hash) as tx:
            return tx.identity
