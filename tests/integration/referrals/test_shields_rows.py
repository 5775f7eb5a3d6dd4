"""Shields behind the service: what a colleague not named can read and change by SQL."""

import asyncio
import hashlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncpg import PostgresError
from sqlalchemy import text

from app.referrals import break_glass, shields
from app.referrals.break_glass import AlreadyNamed, BrokenGlass
from tests.casework import fresh, waiting
from tests.country import Client, Country, hold_first
from tests.shields import STAFF, WHY, Shielding, account_of, shield, shielding

CASE = {"referrals", "referral_secrets", "rankings", "holds", "stays", "placements"}
HIDDEN = CASE | {"access_log", "access_log_referrals", "answers"}
NAMELESS = {"claims", "outbox", "shields"}
"""Ids without content: that a place is taken, something changed, or something is shielded."""
ANYBODYS = (
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    " AND tablename NOT IN ('accounts', 'account_acts', 'account_changes', 'vouchings', 'tokens', 'sessions')"
)

ON_BOTH = True
ADD = """
INSERT INTO shields (referral_id, account_id, provider_id, reference, broken_because, until)
VALUES (:referral, :account, :provider, 'baku-limo', :because,
        clock_timestamp() + make_interval(mins => :minutes))"""


@pytest.fixture
async def scene(country: Country) -> Shielding:
    """Shield a referral whose household is on its way."""
    made = await shielding(country)
    hold = await hold_first(made.named, referral_id=made.id)
    await made.desk.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    await made.named.post("/placements", {"holdId": hold["id"]}, key=fresh())
    return made


def hashed(client: Client) -> bytes:
    return hashlib.sha256(
        client.http.headers["Authorization"].removeprefix("Bearer ").encode()
    ).digest()


async def mentions(scene: Shielding, client: Client) -> set[str]:
    """Return the tables in which a client finds something of the case, whatever it asks for."""
    ids = await scene.country.rows(
        "SELECT id::text FROM referrals UNION SELECT reference FROM referrals"
        " UNION SELECT id::text FROM holds UNION SELECT id::text FROM placements"
        " UNION SELECT id::text FROM stays UNION SELECT id::text FROM rankings"
    )
    words = [row[0] for row in ids]
    tables = [row.name for row in await scene.country.rows(ANYBODYS)]
    found = set[str]()
    async with scene.country.parts.database.transaction(hashed(client)) as tx:
        for table in tables:
            rows = await tx.rows(
                text(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE ANY (:words)"),  # noqa: S608 - names from the catalogue
                {"words": [f"%{word}%" for word in words]},
            )
            if rows[0][0]:
                found.add(table)
    return found


async def test_whoever_is_not_named_finds_nothing_of_it_with_any_query(scene: Shielding) -> None:
    assert await mentions(scene, scene.other) == NAMELESS


async def test_whoever_is_named_finds_it_where_it_is(scene: Shielding) -> None:
    assert await mentions(scene, scene.named) >= HIDDEN | NAMELESS


async def test_without_the_rules_of_the_rows_they_would_find_it(scene: Shielding) -> None:
    for table in HIDDEN:
        await scene.country.rows(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    assert await mentions(scene, scene.other) >= HIDDEN | NAMELESS


async def test_whoever_broke_the_glass_finds_it_until_their_time_is_over(scene: Shielding) -> None:
    await scene.country.rows(
        "INSERT INTO shields"
        " SELECT referral_id, :id, provider_id, reference, 'other',"
        " clock_timestamp() + interval '1 h' FROM shields",
        id=await account_of(scene.other),
    )
    assert await mentions(scene, scene.other) >= HIDDEN - {"answers"}

    await scene.country.rows("UPDATE shields SET until = clock_timestamp() WHERE until IS NOT NULL")

    assert await mentions(scene, scene.other) == NAMELESS


async def test_the_entry_of_a_broken_glass_is_for_coordinators_and_tells_them_an_id(
    scene: Shielding,
) -> None:
    intake = await scene.colleague("intake_worker")
    await breaking(scene, await scene.colleague())
    assert await mentions(scene, intake) == NAMELESS
    assert await mentions(scene, scene.other) == NAMELESS | {"access_log"}
    assert await mentions(scene, await scene.country.client(*STAFF, provider="eik")) == {"claims"}


async def test_whoever_is_named_no_more_finds_no_answer_kept_for_them(scene: Shielding) -> None:
    async def kept() -> int:
        async with scene.country.parts.database.transaction(hashed(scene.named)) as tx:
            return (
                await tx.rows(text("SELECT count(*) FROM answers WHERE referral_id IS NOT NULL"))
            )[0][0]

    await shield(scene.named, scene.id, scene.other)
    assert await kept() > 0

    await shield(scene.other, scene.id)

    assert await kept() == 0


async def attempt(scene: Shielding, client: Client, statement: str, **values: Any) -> int:
    """Run a statement as a client.

    Return how many rows it changed, -1 where it was refused.
    """
    try:
        async with scene.country.parts.database.transaction(hashed(client)) as tx:
            return await tx.run(text(statement), values)
    except PostgresError as refused:
        if "row-level security" not in str(refused):
            raise
        return -1


async def add(scene: Shielding, client: Client, **changes: Any) -> int:
    """Add a row to the shields as a client."""
    values = {
        "referral": UUID(scene.id),
        "account": UUID(await account_of(client)),
        "provider": scene.country.providers["haven"],
        "because": None,
        "minutes": None,
    } | changes
    return await attempt(scene, client, ADD, **values)


async def test_nobody_names_themselves(scene: Shielding) -> None:
    assert await add(scene, scene.other) == -1
    assert await attempt(scene, scene.other, "DELETE FROM shields") == 0
    assert await attempt(scene, scene.other, "UPDATE shields SET account_id = my_account()") == 0
    assert await add(scene, scene.other, because=WHY, minutes=5) == 1
    lasting = "UPDATE shields SET until = NULL, broken_because = NULL WHERE until IS NOT NULL"
    assert await attempt(scene, scene.other, lasting) == -1
    assert await attempt(scene, scene.other, "DELETE FROM shields") == 0
    assert await add(scene, scene.named, account=uuid4()) == 1


async def test_a_glass_is_broken_by_oneself_and_only_where_somebody_is_named(
    scene: Shielding,
) -> None:
    third = UUID(await account_of(await scene.colleague()))
    assert await add(scene, scene.other, account=third, because=WHY, minutes=5) == -1
    receiver, linde = scene.desk.receiver, scene.country.providers["linde"]
    assert await add(scene, receiver, provider=linde) == -1
    assert await add(scene, receiver, provider=linde, because=WHY, minutes=5) == -1
    assert await add(scene, receiver, because=WHY, minutes=5) == -1
    await scene.country.rows("DELETE FROM shields")
    assert (
        await add(scene, scene.other, because=WHY, minutes=5) == -1
    )  # it would be all that shields it
    assert await add(scene, scene.other) == 1


async def breaking(scene: Shielding, client: Client) -> BrokenGlass | None:
    async with scene.country.parts.database.transaction(hashed(client)) as tx:
        return await break_glass.break_glass(tx, scene.reference, reason=WHY)


@pytest.mark.race
async def test_a_glass_broken_while_the_shield_is_taken_away_shields_nothing(
    scene: Shielding,
) -> None:
    country = scene.country
    async with country.parts.database.transaction(hashed(scene.named)) as tx:
        await shields.remove_shield(tx, UUID(scene.id))
        look = asyncio.create_task(breaking(scene, scene.other))
        await waiting(country)

    assert await look is None
    assert await country.value("SELECT count(*) FROM shields") == 0
    assert await scene.seen(await scene.colleague())


@pytest.mark.race
async def test_whoever_is_being_named_while_they_break_the_glass_is_named(scene: Shielding) -> None:
    country, other = scene.country, UUID(await account_of(scene.other))
    async with country.parts.database.transaction(hashed(scene.named)) as tx:
        await shields.name_colleagues(tx, UUID(scene.id), wanted=[other], pointer="")
        look = asyncio.create_task(breaking(scene, scene.other))
        await waiting(country)

    with pytest.raises(AlreadyNamed):
        await look
    assert await country.value("SELECT count(*) FROM shields WHERE until IS NULL") == 2


@pytest.mark.race
async def test_whoever_is_named_while_a_glass_of_theirs_is_being_broken_is_named(
    scene: Shielding,
) -> None:
    async with scene.country.parts.database.transaction(hashed(scene.other)) as tx:
        await break_glass.break_glass(tx, scene.reference, reason=WHY)
        naming = asyncio.create_task(shield(scene.named, scene.id, scene.other))
        await waiting(scene.country)

    assert await account_of(scene.other) in (await naming)["colleagues"]
    assert await scene.country.value("SELECT count(*) FROM shields WHERE until IS NULL") == 2


@pytest.mark.race
async def test_of_two_who_name_each_other_out_at_once_one_comes_too_late(scene: Shielding) -> None:
    country = scene.country
    await shield(scene.named, scene.id, scene.other)
    async with country.parts.database.transaction(hashed(scene.named)) as tx:
        await shields.name_colleagues(tx, UUID(scene.id), wanted=[], pointer="")
        late = asyncio.create_task(shield(scene.other, scene.id, expect=404))
        await waiting(country)

    await late
    assert [await scene.seen(client) for client in (scene.named, scene.other)] == [True, False]


@pytest.mark.race
async def test_many_break_it_at_once_and_each_is_told(scene: Shielding) -> None:
    others = [await scene.colleague(*STAFF) for _ in range(6)]

    broken = await asyncio.gather(*(breaking(scene, client) for client in others for _ in range(2)))

    events = {one.event for one in broken if one}
    assert len(events) == 12
    told = await scene.country.rows("SELECT subject FROM outbox WHERE kind = 'access'")
    assert {int(row.subject) for row in told} == events
    assert await scene.country.value("SELECT count(*) FROM shields WHERE until IS NOT NULL") == 6
