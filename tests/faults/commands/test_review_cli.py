"""`plek review`, in processes of its own on a real data folder."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from app.config import Settings
from app.database.transaction import Database
from app.embedded import servers
from tests.access_calls import noon
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy

BUSY, CALM = UUID(int=1), UUID(int=2)
LOOKS = """INSERT INTO access_log (at, action, outcome, account_id, roles, provider_id, object_type)
SELECT CAST(:at AS timestamptz), 'reveal', 'granted', :account_id,
       '{coordinator,intake_worker}', (SELECT id FROM providers WHERE slug = 'linde'), 'site'
FROM generate_series(1, :times)"""
LINDE = (
    "INSERT INTO providers (id, slug, name, phone) VALUES (gen_random_uuid(), 'linde', 'Linde', "
    "'000-555 01 01')"
)


@pytest.fixture(scope="module")
def folder(migrated: Copy) -> Iterator[Folder]:
    """A data folder: one account saw many addresses 2 and 20 days ago, another few."""
    made = migrated()
    with servers(made.path) as endpoints:
        asyncio.run(write(endpoints.owner_url))
        yield made


async def write(owner_url: str) -> None:
    database = Database(Settings(), url=owner_url, as_owner=True)
    async with database.transaction() as tx:
        await tx.run(text(LINDE))
        for account_id, days, times in ((BUSY, 2, 31), (BUSY, 20, 31), (CALM, 2, 29)):
            await tx.run(text(LOOKS), {"account_id": account_id, "at": noon(days), "times": times})
    await database.close()


def test_it_prints_what_should_be_asked_about_as_a_table(folder: Folder) -> None:
    said = folder.run("review").stdout.splitlines()

    assert said[0].startswith("The access log from ")
    assert said[1].split() == ["account", "provider", "roles", "from", "finding"]
    assert said[2:] == [
        f"{BUSY}  linde     coordinator, intake_worker  30    31 times an address was shown."
    ]


def test_it_looks_back_as_many_days_as_it_is_told(folder: Folder) -> None:
    assert "62 times an address was shown." in folder.run("review", "--days", "21").stdout
    for days in ("0", "93", "week"):
        folder.run("review", "--days", days, expect=2)


def test_it_says_so_where_nothing_has_to_be_asked_and_ends_well(folder: Folder) -> None:
    said = folder.run("review", "--days", "1").stdout.splitlines()

    assert said[1:] == ["Nothing in it has to be asked about."]
