"""Erasing a referral: what is destroyed, what is not, and who may not be erased."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.transaction import WORKER, Transaction
from app.errors import OperatorError
from app.placing import erasure
from app.placing.erasure_list import ErasureList
from app.placing.store import erasures
from app.seal import DataKey, Keyring, SealBroken
from tests.casework import LAPSE, Desk, desk, fresh, lapse, waiting
from tests.country import Country, referral_body
from tests.erasures import data_key, departed, erase

BYTES = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND data_type = 'bytea' ORDER BY 1, 2
"""


async def sealed_things(country: Country) -> list[tuple[str, bytes]]:
    """Return whatever bytes stand anywhere, with the table that they stand in."""
    found: list[tuple[str, bytes]] = []
    for column in await country.rows(BYTES):
        values = await country.rows(
            f"SELECT {column.column_name} AS value FROM {column.table_name}"  # noqa: S608 - names from the catalogue
            f" WHERE {column.column_name} IS NOT NULL"
        )
        found += [(column.table_name, row.value) for row in values]
    return found


async def places_of(country: Country, secret: bytes, *, referral_id: str) -> set[str]:
    """Return the tables that have a data key, wrapped or not, or an answer about its referral."""
    keyring = Keyring.parse(country.key)
    rows = [
        f"{row.account_id} {row.route} {row.key}"
        for row in await country.rows("SELECT account_id, route, key FROM answers")
    ]
    places: set[str] = set()
    for table, value in await sealed_things(country):
        opened = [value]
        for seals, row in (
            (keyring.wrapping, referral_id),
            *((keyring.answers, row) for row in rows),
        ):
            try:
                opened.append(seals.unseal(value, row=row))
            except SealBroken:
                continue
        if any(secret in content or referral_id.encode() in content for content in opened):
            places.add(table)
    return places


async def opens(country: Country, secret: bytes) -> set[str]:
    """Return the tables with something that a data key opens."""
    ids = {
        str(row.id)
        for table in ("referrals", "rankings")
        for row in await country.rows(f"SELECT id FROM {table}")  # noqa: S608 - as it stands
    }
    found: set[str] = set()
    for table, value in await sealed_things(country):
        for id_ in ids:
            try:
                DataKey(secret).unseal(value, row=id_)
            except SealBroken:
                continue
            found.add(table)
    return found


async def test_nothing_in_the_database_opens_any_more_what_was_sealed(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body(), key="register")
    await where.intake.post(f"/referrals/{referral['id']}/rankings", key="rank")
    secret = await data_key(country, referral["id"])
    assert await places_of(country, secret, referral_id=referral["id"]) == {
        "referral_secrets",
        "answers",
    }
    assert await opens(country, secret) == {"referral_secrets", "rankings"}

    await erase(country, referral["id"], folder=tmp_path)

    # What a ranking saw still stands there: only the key would open it, and that stands nowhere.
    assert await opens(country, secret) == {"rankings"}
    assert await places_of(country, secret, referral_id=referral["id"]) == set()


async def test_an_erasure_is_noted_logged_and_listed_and_closes_the_referral(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    provider = await country.provider("haven")
    await country.rows(
        "INSERT INTO shields (referral_id, account_id, provider_id, reference)"
        " SELECT :id, id, :provider, 'x' FROM accounts LIMIT 1",
        id=referral["id"],
        provider=provider,
    )

    assert await erase(country, referral["id"], folder=tmp_path)

    (noted,) = await country.rows("SELECT referral_id::text, cause, at FROM erasures")
    assert (noted.referral_id, noted.cause) == (referral["id"], "request")
    (logged,) = await country.rows(
        "SELECT outcome, account_id, roles, purpose, object_type, object_id::text,"
        " referral_ids::text[], at"
        " FROM access_log WHERE action = 'erase'"
    )
    assert tuple(logged)[:-1] == (
        "granted",
        None,
        ["operator"],
        "request",
        "referral",
        referral["id"],
        [referral["id"]],
    )
    assert abs((logged.at - noted.at).total_seconds()) < 1
    assert ErasureList.of(tmp_path).read().ids == (UUID(referral["id"]),)
    assert await country.value("SELECT status FROM referrals") == "withdrawn"
    assert await country.value("SELECT count(*) FROM shields") == 0


async def test_erasing_twice_changes_nothing(country: Country, tmp_path: Path) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())

    assert await erase(country, referral["id"], folder=tmp_path)
    assert not await erase(country, referral["reference"], folder=tmp_path)

    for table in ("erasures", "referrals"):
        assert await country.value(f"SELECT count(*) FROM {table}") == 1  # noqa: S608 - names from the line above
    assert await country.value("SELECT count(*) FROM access_log WHERE action = 'erase'") == 1
    assert ErasureList.of(tmp_path).path.read_text().count("\n") == 1


async def no_show(where: Desk) -> dict[str, Any]:
    placement = await where.underway()
    return await where.receiver.post(f"/placements/{placement['id']}/no-show", expect=200)


@pytest.mark.parametrize(
    "has, words",
    [
        ("a hold", "A place is held"),
        ("an accepted hold", "A place is held"),
        ("a way to go", "on the way"),
        ("a place", "Record the departure"),
        ("a place nobody came to", "made sure that they are safe"),
    ],
)
async def test_who_has_a_place_is_not_erased(
    country: Country, tmp_path: Path, has: str, words: str
) -> None:
    where = await desk(country)
    acts = {
        "a hold": where.hold,
        "an accepted hold": where.accepted,
        "a way to go": where.underway,
        "a place": where.arrived,
        "a place nobody came to": lambda: no_show(where),
    }
    referral_id = (await acts[has]())["referralId"]

    with pytest.raises(OperatorError, match=words):
        await erase(country, referral_id, folder=tmp_path)

    await where.intake.get(f"/referrals/{referral_id}")
    assert await country.value("SELECT count(*) FROM erasures") == 0
    assert not ErasureList.of(tmp_path).path.exists()


async def test_a_hold_that_ran_out_keeps_nobody_and_its_sweep_opens_nothing_again(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    hold = await where.hold()
    await lapse(country, hold["id"])

    await erase(country, hold["referralId"], folder=tmp_path)
    other = await where.wish()
    await where.intake.post("/holds", other, key=fresh())

    statement = "SELECT status, hold_id FROM referrals WHERE id = :id"
    assert tuple((await country.rows(statement, id=hold["referralId"]))[0]) == ("withdrawn", None)
    assert (await where.intake.get(f"/holds/{hold['id']}"))["status"] == "no_answer"


async def test_what_cannot_be_listed_is_not_erased(country: Country, tmp_path: Path) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    ErasureList.of(tmp_path).path.mkdir()

    with pytest.raises(OperatorError, match="cannot be written"):
        await erase(country, referral["id"], folder=tmp_path)

    assert (await where.intake.get(f"/referrals/{referral['id']}"))["status"] == "open"


async def test_there_may_be_more_on_the_list_than_was_erased_and_never_less(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())

    async def crash() -> None:
        async with country.owner.transaction() as tx:
            await erasure.erase_referral(tx, referral["id"], listed=ErasureList.of(tmp_path))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()

    assert ErasureList.of(tmp_path).read().ids == (UUID(referral["id"]),)
    assert (await where.intake.get(f"/referrals/{referral['id']}"))["status"] == "open"


async def test_who_ranks_while_a_referral_is_erased_gets_no_copy_of_it(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    path = f"/referrals/{referral['id']}"

    async with country.owner.transaction() as tx:
        await erasure.erase_referral(tx, referral["id"], listed=ErasureList.of(tmp_path))
        ranking = asyncio.create_task(where.intake.ask("POST", f"{path}/rankings", key="rank"))
        changing = asyncio.create_task(
            where.intake.ask("PATCH", path, json={"urgency": "urgent"}, headers={"If-Match": "*"})
        )
        await waiting(country, statement="referrals")

    assert (await changing).status_code == 410
    # It had seen the referral before: its answer is given, and can never be repeated.
    await ranking
    await where.intake.post(f"{path}/rankings", key="rank", expect=410)
    for row in await country.rows("SELECT id FROM rankings"):
        await where.intake.get(f"/rankings/{row.id}", expect=410)


async def test_a_hold_that_is_being_taken_meanwhile_is_waited_for(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    hold = await where.hold()
    await lapse(country, hold["id"])

    async with country.parts.database.transaction(actor=WORKER) as tx:
        await tx.run(text(LAPSE), {"id": hold["id"], "seconds": 600.0})
        erasing = asyncio.create_task(erase(country, hold["referralId"], folder=tmp_path))
        await waiting(country, statement="referrals")

    with pytest.raises(OperatorError, match="A place is held"):
        await erasing
    await where.intake.get(f"/referrals/{hold['referralId']}")


async def test_two_that_erase_the_same_at_once_do_so_once(country: Country) -> None:
    where = await desk(country)
    referral_id = UUID((await where.intake.post("/referrals", referral_body()))["id"])

    async def again() -> list[UUID]:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            return await erasure._destroy(tx, [referral_id], cause=erasure.RETENTION)

    async with country.owner.transaction() as tx:
        first = await erasure._destroy(tx, [referral_id], cause=erasure.REQUEST)
        second = asyncio.create_task(again())
        await waiting(country, statement="INSERT INTO erasures")

    assert (first, await second) == ([referral_id], [])
    assert await country.value("SELECT count(*) FROM access_log WHERE action = 'erase'") == 1


async def test_the_worker_can_destroy_the_secrets_of_closed_referrals_only(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    still_open = await where.wish()
    gone = await departed(where)

    async with country.parts.database.transaction(actor=WORKER) as tx:
        ids = [UUID(still_open["referralId"]), UUID(gone["referralId"])]
        assert await tx.run(erasures._DESTROY, {"ids": ids}) == 1

    left = await country.rows("SELECT referral_id::text FROM referral_secrets")
    assert [row.referral_id for row in left] == [still_open["referralId"]]


async def test_nobody_else_can_erase_or_see_what_was_erased(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    await erase(
        country, (await where.intake.post("/referrals", referral_body()))["id"], folder=tmp_path
    )
    hashed = await country.hashed("intake_worker", "coordinator", provider="haven")

    async def seen(tx: Transaction) -> tuple[int, int]:
        return len(await erasures.find_unlisted(tx, [])), await tx.run(
            erasures._DESTROY, {"ids": [UUID(referral["id"])]}
        )

    async with country.parts.database.transaction(hashed) as tx:
        assert await seen(tx) == (0, 0)
    async with country.owner.transaction() as tx:
        assert await seen(tx) == (1, 1)
