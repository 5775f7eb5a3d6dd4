"""The ledger under `kill -9` before an answer, and with eight writers at once."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database.transaction import WORKER
from app.ledger import checkpoints
from tests import rfc9162
from tests.casework import desk, waiting
from tests.conftest import Server
from tests.country import FIRST_LEAF, Country
from tests.faults.test_application_killed import process
from tests.swaps import chain

pytestmark = pytest.mark.race

LEFT = {"destination": "new_home"}
WAIT_AT_COMMIT = (
    (
        "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(9); RETURN NULL; END $$"
    ),
    (
        "CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON leaves DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION wait_at_commit()"
    ),
)
IDLE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    "pg_backend_pid()"
    " AND backend_type = 'client backend' AND application_name = 'plek' AND state <> 'idle'"
)
DUE = """
SELECT coalesce(began_id, id)::text AS placement, 'arrival' AS type FROM placements
WHERE cross_regional AND began_id IS NULL AND arrived_at IS NOT NULL
UNION ALL SELECT p.id::text, 'departure' FROM placements AS p WHERE p.cross_regional AND p.departed_at IS NOT NULL
ORDER BY 1, 2
"""
WRITTEN = (
    "SELECT placement_id::text AS placement, type FROM leaves WHERE placement_id IS NOT NULL "
    "ORDER BY 1, 2"
)


async def over(country: Country) -> None:
    """Wait until PostgreSQL has ended what the killed process began."""
    async with asyncio.timeout(120):
        while await country.value(IDLE):
            await asyncio.sleep(0.01)


async def each_has_its_leaf(country: Country) -> int:
    """Claim that every arrival and departure has its one leaf; return how many."""
    due = [tuple(row) for row in await country.rows(DUE)]
    assert [tuple(row) for row in await country.rows(WRITTEN)] == due
    indexes = [row.index for row in await country.rows("SELECT index FROM leaves ORDER BY index")]
    assert indexes == list(range(FIRST_LEAF + len(due)))
    return len(due)


async def killed(
    country: Country, server: Server, token: str, path: str, body: Any, *, at_commit: bool
) -> None:
    """Kill the application while it records something.

    Before it could commit, or in the commit itself.
    """
    async with AsyncExitStack() as stack:
        serving = await stack.enter_async_context(process(country, server, token))
        asking: asyncio.Task[httpx.Response]
        async with country.owner.transaction() as tx:
            held = (
                "SELECT pg_advisory_xact_lock(9)"
                if at_commit
                else "SELECT * FROM heads WHERE name = 'ledger'"
            )
            await tx.rows(text(held if at_commit else f"{held} FOR UPDATE"))
            asking = asyncio.create_task(
                serving.http.post(f"/v1{path}", json=body, headers={"Idempotency-Key": path})
            )
            await waiting(country, statement="COMMIT" if at_commit else "UPDATE heads")
            serving.kill()
        with pytest.raises(httpx.TransportError):
            await asking
        await over(country)


@pytest.mark.parametrize("at_commit", [False, True])
async def test_an_arrival_and_a_departure_that_were_cut_off_have_one_leaf_each_after_the_retry(
    country: Country, embedded: Server, *, at_commit: bool
) -> None:
    where = await desk(country)
    placement = await where.underway()
    await country.limit_budgets()  # another process takes no accounts of the demo
    token = await country.token("coordinator", "intake_worker", provider="linde")
    await country.parts.database.close()
    for statement in WAIT_AT_COMMIT if at_commit else ():
        await country.rows(statement)
    receiver = await country.client("coordinator", token=token)
    for number, (act, body) in enumerate((("arrival", None), ("departure", LEFT)), 1):
        path = f"/placements/{placement['id']}/{act}"
        await killed(country, embedded, token, path, body, at_commit=at_commit)
        assert await each_has_its_leaf(country) == number - (0 if at_commit else 1)
        retried = await receiver.ask(
            "POST", path, expect=200, key=path, **({"json": body} if body else {})
        )
        assert retried.json()["ledgerLeaf"] == FIRST_LEAF + number - 1
        assert ("Idempotency-Replayed" in retried.headers) is at_commit
        assert await each_has_its_leaf(country) == number


async def test_eight_writers_at_once_have_indexes_without_gaps_in_the_order_of_their_commits(
    country: Country,
) -> None:
    where = await desk(country, places=8)
    stays = [await where.underway() for _ in range(8)]
    await country.rows("CREATE TABLE commits (turn bigserial, leaf bigint)")
    await country.rows("GRANT ALL ON commits, commits_turn_seq TO plek_app")
    await country.rows(
        "CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO commits (leaf) VALUES (NEW.index); RETURN NULL; END $$"
    )
    await country.rows(
        "CREATE CONSTRAINT TRIGGER notes AFTER INSERT ON leaves DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION note_commit()"
    )

    async def one(placement: dict[str, Any]) -> None:
        path = f"/placements/{placement['id']}"
        await where.receiver.post(f"{path}/arrival", expect=200)
        await where.receiver.post(f"{path}/departure", LEFT, expect=200)

    async def sealing() -> None:
        for _ in range(8):
            async with country.parts.database.transaction(actor=WORKER) as tx:
                await checkpoints.sign_tree(tx)

    await asyncio.gather(*(one(placement) for placement in stays), sealing())
    assert await each_has_its_leaf(country) == 16
    committed = [row.leaf for row in await country.rows("SELECT leaf FROM commits ORDER BY turn")]
    assert committed == list(range(FIRST_LEAF, FIRST_LEAF + 16))
    await sealing()
    leaves = [
        bytes(row.content)
        for row in await country.rows("SELECT content FROM leaves ORDER BY index")
    ]
    for row in await country.rows("SELECT size, root FROM checkpoints"):
        assert bytes(row.root) == rfc9162.mth(leaves[: row.size])


async def test_each_leg_of_a_swap_has_exactly_one_leaf_and_one_for_what_it_leaves(
    country: Country,
) -> None:
    it = await chain(country)
    proposed = await it.at.propose(it.waiting)
    await it.at.consent(proposed["id"])
    to_linde, to_eik = await it.at.going(proposed["id"])
    path = f"/placements/{to_eik}/arrival"
    answers = await asyncio.gather(
        *(it.at.hosts["eik"].ask("POST", path, key=key) for key in ("same", "same", "other"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409]
    await it.at.hosts["linde"].post(f"/placements/{to_linde}/arrival", expect=200)
    legs = (
        "SELECT type, placement_id::text FROM leaves WHERE placement_id IN (:a, :b) ORDER BY index"
    )
    rows = [tuple(row) for row in await country.rows(legs, a=to_eik, b=to_linde)]
    assert rows == [("arrival", to_eik), ("arrival", to_linde)]
    assert [
        json.loads(bytes(row.content))["index"]
        for row in await country.rows("SELECT content FROM leaves ORDER BY index")
    ] == list(range(FIRST_LEAF + 4))
