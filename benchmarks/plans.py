"""The plans of what an act asks of PostgreSQL.

Asked as a desk or the worker asks it, behind every row's rules.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from app.database.transaction import WORKER, Database, Transaction
from app.ranking import rankings
from app.seal import Keyring
from benchmarks.cases import Case
from benchmarks.ground import Ground
from benchmarks.statements import Asked, noting

EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF)"
WORDS, WIDTH = 6, 180

Act = Callable[[Transaction], Awaitable[object]]
Entered = Callable[[], AbstractAsyncContextManager[Transaction]]


def of_a_ranking(ground: Ground, case: Case) -> list[str]:
    """Rank a case, and return the plan of each statement that this took.

    Neither leaves anything behind.
    """
    return asyncio.run(_of_a_ranking(ground, case, ground.keyring()))


async def _of_a_ranking(ground: Ground, case: Case, keyring: Keyring) -> list[str]:
    settings = replace(ground.installation.settings, pool_size=1)
    database = Database(settings, url=ground.installation.database_url, keyring=keyring)

    async def rank(tx: Transaction) -> None:
        await rankings.rank_places(tx, case.referral_id)

    try:
        return await _plans(
            database,
            lambda: database.transaction(hashlib.sha256(case.desk.token.encode()).digest()),
            rank,
        )
    finally:
        await database.close()


async def of_the_worker(database: Database, act: Act) -> list[str]:
    """Do something as the worker does, and return the plan of each statement.

    It leaves nothing behind.
    """
    return await _plans(database, lambda: database.transaction(actor=WORKER), act)


async def _plans(database: Database, entered: Entered, act: Act) -> list[str]:
    lines: list[str] = []

    async def explain(tx: Transaction) -> None:
        for one in asked:
            lines.append(" ".join(one.statement.split()[:WORDS]) + " ...")
            rows = await tx.connection.fetch(f"{EXPLAIN} {one.statement}", *one.values)
            lines.extend(f"    {line}" for line in executed([row[0] for row in rows]))

    await _done(database, entered, act)  # what is read once and kept has been read
    asked = await _done(database, entered, act)
    await _done(database, entered, explain)
    return lines


def executed(plan: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a plan without the parts that never ran.

    Rules of other roles are most of it.
    """
    skipping: int | None = None
    for line in plan:
        depth = len(line) - len(line.lstrip())
        if skipping is not None and depth > skipping:
            continue
        skipping = depth if "(never executed)" in line else None
        if skipping is None:
            yield line[:WIDTH]


async def _done(database: Database, entered: Entered, act: Act) -> list[Asked]:
    """Act in a transaction, take it back, and return what was asked of the database meanwhile."""
    with noting(database) as asked:
        async with entered() as tx:
            await act(tx)
            await tx.connection.execute("ROLLBACK")
    return asked[1:]  # without entering
