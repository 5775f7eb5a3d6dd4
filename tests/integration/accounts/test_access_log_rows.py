"""The rows of the access log: who may see them, and that they are never changed."""

import pytest
from asyncpg import PostgresError
from sqlalchemy import text

from app.accounts.store import access_log_reads
from app.database import access_log
from app.database.transaction import RELAY, WORKER
from tests.country import FAR, HERE, Country, referral_body, shelter
from tests.statements import noting

ON_BOTH = True

ALL = "SELECT id FROM access_log"
ADD = """INSERT INTO access_log (action, outcome, account_id, roles, object_type)
VALUES ('read', 'granted', {}, '{{}}', 'referral')"""
NAMED = "SELECT entry_id FROM access_log_referrals"


async def seen(
    country: Country, hashed: bytes = b"", *, actor: str = "", statement: str = ALL
) -> set[int]:
    """Return the ids of all entries that a caller's transaction finds."""
    async with country.parts.database.transaction(hashed, actor=actor) as tx:
        return {row[0] for row in await tx.rows(text(statement))}


async def run(country: Country, hashed: bytes, statement: str) -> None:
    """Run a statement as a caller."""
    async with country.parts.database.transaction(hashed) as tx:
        await tx.run(text(statement))


async def ids(country: Country, where: str, **values: object) -> set[int]:
    """Return the ids of the entries that meet a condition."""
    return {
        row.id
        for row in await country.rows(f"SELECT id FROM access_log WHERE {where}", **values)  # noqa: S608 - conditions below
    }


async def scene(country: Country) -> dict[str, str]:
    """Let haven and linde each act on a case and a site, and haven try linde's site."""
    linde = await shelter(country, "linde")
    await linde.coordinator.post(
        f"/sites/{linde.site_id}/address-reveals", {"purpose": "other"}, expect=200
    )
    haven = await country.client("intake_worker", "coordinator", provider="haven")
    await haven.get("/sites")
    case = (await haven.post("/referrals", referral_body()))["id"]
    await haven.get(f"/referrals/{case}")
    await haven.get(f"/sites/{linde.site_id}", expect=404)
    await haven.post(f"/sites/{linde.site_id}/address-reveals", {"purpose": "other"}, expect=404)
    await linde.coordinator.get(f"/referrals/{case}", expect=404)
    return {"site": linde.site_id, "case": case}


async def test_an_administrator_sees_all_of_it_and_nobody_sees_nothing(country: Country) -> None:
    await scene(country)
    everything = await ids(country, "true")

    assert await seen(country, await country.hashed("administrator")) == everything
    for actor in ("", WORKER, RELAY, "account"):
        assert await seen(country, actor=actor) == set()
        assert await seen(country, actor=actor, statement=NAMED) == set()


@pytest.mark.parametrize("role", ["intake_worker", "coordinator"])
async def test_staff_see_who_looked_at_their_own_cases_and_sites_and_what_they_did_themselves(
    country: Country, role: str
) -> None:
    made = await scene(country)
    of_site = await ids(country, "object_type = 'site' AND object_id = :id", id=made["site"])
    of_case = await ids(country, ":id = ANY (referral_ids)", id=made["case"])
    assert len(of_site) == 3
    assert len(of_case) == 2

    linde, haven = [await country.hashed(role, provider=slug) for slug in ("linde", "haven")]

    assert await seen(country, linde) == of_site
    assert await seen(country, haven) == of_case
    assert await seen(country, linde, statement=NAMED) == set()
    assert await seen(country, haven, statement=NAMED) == of_case


async def test_whoever_looked_sees_their_own_looks(country: Country) -> None:
    await scene(country)
    eik = await country.client("client_system", "coordinator", provider="eik")
    await eik.get("/sites")
    await eik.get("/referrals", expect=403)
    provider = await country.provider("eik")
    mine = await ids(country, "provider_id = :id", id=provider)
    assert len(mine) == 2

    account = await country.value("SELECT id FROM accounts WHERE provider_id = :id", id=provider)
    hashed = bytes(
        await country.value("SELECT hash FROM tokens WHERE account_id = :id", id=account)
    )

    assert await seen(country, hashed) == mine


@pytest.mark.parametrize(
    "roles, provider, region",
    [
        (("intake_worker", "coordinator"), "eik", None),
        (("client_system",), "linde", None),
        (("client_system",), "haven", None),
        (("auditor",), None, FAR),
        (("auditor",), None, HERE),
    ],
)
async def test_strangers_machines_and_auditors_see_nothing_of_it(
    country: Country, roles: tuple[str, ...], provider: str | None, region: str | None
) -> None:
    await scene(country)
    hashed = await country.hashed(*roles, provider=provider, region=region)

    assert await seen(country, hashed) == set()
    assert await seen(country, hashed, statement=NAMED) == set()


async def test_a_broken_glass_is_seen_by_the_coordinators_there_and_nobody_else(
    country: Country,
) -> None:
    haven = await country.provider("haven")
    await country.rows(
        "INSERT INTO access_log (action, outcome, account_id, roles, provider_id, object_type)"
        " VALUES ('break_glass', 'granted', gen_random_uuid(), '{intake_worker}', :id, 'referral')",
        id=haven,
    )
    for role, provider, count in (
        ("coordinator", "haven", 1),
        ("intake_worker", "haven", 0),
        ("coordinator", "eik", 0),
    ):
        assert len(await seen(country, await country.hashed(role, provider=provider))) == count


async def test_with_the_wall_taken_down_a_stranger_would_see_all_of_it(country: Country) -> None:
    await scene(country)
    for table in ("access_log", "access_log_referrals"):
        await country.rows(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    stranger = await country.hashed("intake_worker", provider="eik")

    assert await seen(country, stranger) == await ids(country, "true")
    assert len(await seen(country, stranger, statement=NAMED)) == 2


async def test_nobody_writes_in_anothers_name_or_beside_the_log(country: Country) -> None:
    hashed = await country.hashed("intake_worker", provider="eik")
    for statement, refusal in (
        (ADD.format("gen_random_uuid()"), "row-level security"),
        (ADD.format("NULL"), "row-level security"),
        ("INSERT INTO access_log_referrals VALUES (gen_random_uuid(), 1)", "permission denied"),
    ):
        with pytest.raises(PostgresError, match=refusal):
            await run(country, hashed, statement)


@pytest.mark.parametrize(
    "table, column", [("access_log", "at"), ("access_log_referrals", "entry_id")]
)
@pytest.mark.parametrize(
    "change", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table}"]
)
async def test_nothing_of_it_is_changed_or_taken_away_by_grant_and_for_its_owner_by_a_trigger(
    country: Country, table: str, column: str, change: str
) -> None:
    await scene(country)
    statement = change.format(table=table, column=column)
    before = await country.value(f"SELECT count(*) FROM {table}")  # noqa: S608 - one of two names

    for hashed in (
        await country.hashed("administrator"),
        await country.hashed("coordinator", provider="linde"),
    ):
        with pytest.raises(PostgresError, match="permission denied"):
            await run(country, hashed, statement)
    with pytest.raises(PostgresError, match="only ever grows"):
        await country.rows(statement)

    assert await country.value(f"SELECT count(*) FROM {table}") == before  # noqa: S608 - as above


PLANS = (
    ("access_log_referrals_pkey", "(referral_id = "),
    ("access_log_sites_idx", "(object_id = s.id)"),
    ("access_log_told_idx", "(told_id = "),
    ("access_log_desk_idx", "(provider_id = "),
    ("access_log_account_id_at_idx", " AND (at > "),
)


@pytest.mark.fresh
@pytest.mark.parametrize("index, bound", PLANS)
async def test_an_index_leads_to_what_is_asked_for_behind_the_wall_as_well(
    country: Country, index: str, bound: str
) -> None:
    hashed = await country.hashed("intake_worker", "coordinator", provider="haven")
    account, provider = (
        await country.value("SELECT id FROM accounts"),
        await country.provider("haven"),
    )
    with noting(country) as asked:
        async with country.parts.database.transaction(hashed) as tx:
            await access_log_reads.list_of_referral(tx, account, limit=50)
            await access_log_reads.list_notices(tx, provider, limit=50)
            await access_log.wait(tx, account, action="reveal", most=20)
    plans: list[str] = []
    async with country.parts.database.transaction(hashed) as tx:
        # The tables hold so little that reading all of it would be quicker.
        await tx.run(text("SET LOCAL enable_seqscan = off"))
        await tx.run(text("SET LOCAL enable_bitmapscan = off"))
        for one in asked:
            if "access_log" in one.statement:
                plan = await tx.connection.fetch(f"EXPLAIN {one.statement}", *one.values)
                plans.append("\n".join(row[0] for row in plan))

    scans = [scan for plan in plans for scan in plan.split("->") if index in scan]
    assert scans, plans
    assert all(bound in scan.partition("Index Cond:")[2].partition("\n")[0] for scan in scans), (
        scans
    )
