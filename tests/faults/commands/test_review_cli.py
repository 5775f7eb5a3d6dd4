"""`plek review`, in processes of its own on a real data folder."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from app.config import Settings
from app.database.transaction import Database
from app.embedded import servers
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy

BUSY, CALM = UUID(int=1), UUID(int=2)
LINDE = (
    "INSERT INTO providers (id, slug, name, phone) VALUES (gen_random_uuid(), 'linde', 'Linde', "
    "'000-555 01 01')"
)
WEEK = "INSERT INTO review_weeks (first_day, accounts) VALUES ('2026-03-02', 31)"
FOUND = """INSERT INTO review_findings
  (id, week, account_id, provider_id, points, facts, answer, answered_by, answered_at)
SELECT gen_random_uuid(), '2026-03-02', :id, (SELECT id FROM providers), :points,
       '[{"signal": "rankings", "count": 40, "usual": 2}]',
       CAST(:answer AS text), CASE WHEN :answer IS NULL THEN NULL ELSE gen_random_uuid() END,
       CASE WHEN :answer IS NULL THEN NULL ELSE clock_timestamp() END"""


@pytest.fixture(scope="module")
def folder(migrated: Copy) -> Iterator[Folder]:
    """A data folder in which a week was reviewed, and one of two findings has been answered."""
    made = migrated()
    with servers(made.path) as endpoints:
        asyncio.run(write(endpoints.owner_url))
        yield made


async def write(owner_url: str) -> None:
    database = Database(Settings(), url=owner_url, as_owner=True)
    async with database.transaction() as tx:
        await tx.run(text(LINDE))
        await tx.run(text(WEEK))
        for account_id, points, answer in ((BUSY, 400, None), (CALM, 300, "work")):
            await tx.run(text(FOUND), {"id": account_id, "points": points, "answer": answer})
    await database.close()


def test_it_prints_who_should_be_asked_why_and_what_came_of_it(folder: Folder) -> None:
    fact = "    40 rankings with offers, of referrals of which nothing came (usual: 2)."

    assert folder.run("review").stdout.splitlines() == [
        "The newest week reviewed began on 2026-03-02; 31 accounts were compared.",
        f"2026-03-02  {BUSY}  linde  not answered",
        fact,
        f"2026-03-02  {CALM}  linde  answered: work",
        fact,
    ]
    assert str(CALM) not in folder.run("review", "--most", "1").stdout
    folder.run("review", "--most", "0", expect=2)


def test_it_says_so_where_nobody_has_to_be_asked_and_ends_well(migrated: Copy) -> None:
    made = migrated()

    assert made.run("review").stdout.splitlines() == [
        "No week has been reviewed yet.",
        "Nobody has to be asked anything.",
    ]
