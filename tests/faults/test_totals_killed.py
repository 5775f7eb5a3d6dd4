"""The worker killed with `kill -9` while it seals a quarter.

The next one finds all of it, or nothing.
"""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from tests.casework import waiting
from tests.conftest import Server
from tests.country import Country
from tests.faults.ledger.test_ledger_killed import WAIT_AT_COMMIT, over
from tests.faults.test_application_killed import STARTS_WITHIN_S, environment
from tests.forks import Forked
from tests.ledger_stays import newest, seal, stayed, totals

pytestmark = pytest.mark.race

LAST = newest()


@contextmanager
def worker(country: Country, server: Server) -> Generator[Forked]:
    """Let a worker do what recurs, in another process, until it is killed or the block ends."""
    program = Forked(("-m", "app", "worker"), env=environment(country, server))
    try:
        yield program
    finally:
        program.kill()
        program.wait(timeout=120)


async def sealed(country: Country) -> list[str]:
    """Return the quarters of all totals; claim that rows and regions are theirs."""
    regions = {row.code for row in await country.rows("SELECT code FROM regions")}
    told = await totals(country)
    assert all(said["regions"].keys() == regions for _, _, said in told)
    cited = [
        tuple(row)
        for row in await country.rows(
            "SELECT quarter, version, index FROM quarter_totals ORDER BY 3"
        )
    ]
    assert cited == [(said["quarter"], 1, index) for _, index, said in told]
    return [said["quarter"] for _, _, said in told]


@pytest.mark.parametrize("at_commit", [False, True])
async def test_a_quarter_has_one_total_of_every_region_also_if_the_worker_was_killed_while_it_sealed_it(
    country: Country, embedded: Server, *, at_commit: bool
) -> None:
    await stayed(country, LAST.first, LAST.last)
    await country.parts.database.close()
    for statement in WAIT_AT_COMMIT if at_commit else ():
        await country.rows(statement)
    async with country.owner.transaction() as tx:
        held = (
            "SELECT pg_advisory_xact_lock(9)"
            if at_commit
            else "SELECT * FROM heads WHERE name = 'ledger'"
        )
        await tx.rows(text(held if at_commit else f"{held} FOR UPDATE"))
        with worker(country, embedded) as program:
            await waiting(
                country,
                statement="COMMIT" if at_commit else "UPDATE heads",
                within_s=STARTS_WITHIN_S,
            )
            program.kill()
    await over(country)

    assert await sealed(country) == ([str(LAST)] if at_commit else [])
    assert await seal(country) == (0 if at_commit else 1)
    assert await sealed(country) == [str(LAST)]
