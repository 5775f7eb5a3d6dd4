"""Row-level security when the application's own conditions are out of the way."""

# Every statement that the service runs for those concerned is noted with its values, and run again
# by others. The values name the rows' true owner, so that each condition of the application's is
# met: what is left is the wall behind it.

import pytest
from asyncpg import PostgresError

from app.database.transaction import RELAY, WORKER
from benchmarks.statements import Asked
from tests.api.calls import WORKING, World, world
from tests.country import FAR, HERE, THERE, Country, hold_first, referral_body

ON_BOTH = True

FREE_FOR_ALL = {
    "regions", "municipalities", "clearances", "weights", "heads", "timers", "shares", "installation_keys",
    "alembic_version",
}  # fmt: skip
"""Tables that have nothing of a provider or a client in them."""

CASES = (
    "referrals", "referral_secrets", "rankings", "holds", "stays", "placements", "shields", "answers", "outbox",
    "contacts", "alternatives", "vacancies", "dues", "due_sights", "ambulatory_capacities", "webhooks",
    "move_agreements", "swap_searches", "swaps", "swap_legs",
)  # fmt: skip
SECRETS = ("referral_secrets", "site_secrets", "place_secrets")


def about(asked: list[Asked], *tables: str) -> list[Asked]:
    """Return the different statements on some tables, without those that only add rows."""
    found = {
        one.statement: one
        for one in asked
        if any(
            f"{word} {table}" in one.statement
            for table in tables
            for word in ("FROM", "JOIN", "UPDATE")
        )
        and not one.statement.lstrip().startswith(("INSERT", "WITH"))
    }
    return list(found.values())


async def seen(
    country: Country, one: Asked, hashed: bytes = b"", *, actor: str = ""
) -> tuple[int, int]:
    """Run a statement as another caller, take it back; return the rows found and changed."""
    async with country.parts.database.transaction(hashed, actor=actor) as tx:
        said = await tx.connection.execute(one.statement, *one.values)
        count = int(said.split()[-1]) if said[-1].isdecimal() else 0
        changed = count if one.statement.lstrip().startswith(("UPDATE", "DELETE")) else 0
        found = count if said.startswith("SELECT") or " RETURNING " in one.statement else 0
        await tx.connection.execute("ROLLBACK")
        return found, changed


async def test_every_table_with_rows_of_a_provider_or_a_client_has_a_wall_that_holds_for_its_owner_too(
    country: Country,
) -> None:
    tables = await country.rows(
        "SELECT relname, relrowsecurity AND relforcerowsecurity AS walled FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    assert {row.relname for row in tables if not row.walled} == FREE_FOR_ALL
    role = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'plek_app'"
    assert not await country.value(role)
    assert (
        await country.value("SELECT count(*) FROM pg_class WHERE relowner = 'plek_app'::regrole")
        == 0
    )


async def test_every_case_and_secret_query_finds_nothing_foreign_when_only_the_wall_is_left(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    _, noted = asked
    statements = about(noted, *CASES, *SECRETS)
    assert len(statements) >= 25
    strangers = [
        await country.hashed(*WORKING, provider="eik"),
        await country.hashed("auditor", region=FAR),
        await country.hashed("administrator"),
        b"nobody",
    ]
    # A count is a row, whatever it says, and so is the one of the register to which the ground for
    # a reveal is found: the tables themselves are looked at below.
    rows = [
        one
        for one in statements
        if "count(" not in one.statement and "AS owner_id" not in one.statement
    ]
    assert [
        one.statement
        for one in rows
        for hashed in strangers
        if await seen(country, one, hashed) != (0, 0)
    ] == []


async def test_with_the_wall_taken_down_the_same_queries_would_find_it(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    _, noted = asked
    stranger = await country.hashed(*WORKING, provider="eik")
    for table in (*CASES, *SECRETS):
        await country.rows(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    found = [
        one for one in about(noted, *CASES, *SECRETS) if (await seen(country, one, stranger))[0]
    ]
    assert len(found) >= 10


EMPTY = "SELECT * FROM {}"
VISIBLE: dict[str, set[str]] = {
    "stranger": {
        "providers", "provider_regions", "sites", "place_groups", "places", "claims", "registers", "caps",
        "review_weeks",
    },
    "auditor": {"providers", "provider_regions", "registers", "leaves", "caps"},
    "administrator": {"providers", "provider_regions", "leaves", "access_log", "peak_plans", "caps",
                      "review_weeks", "review_findings"},
    "nobody": {"providers", "provider_regions"},
    "relay": {"providers", "provider_regions", "outbox", "webhooks", "caps"},
    "worker": {
        "providers", "provider_regions", "sites", "place_groups", "places", "claims", "referrals", "holds", "stays",
        "placements", "leaves", "answers", "outbox", "referral_secrets", "contacts", "alternatives", "vacancies",
        "peak_plans", "webhooks", "swaps", "swap_legs", "move_agreements", "openings", "caps", "rankings",
        "household_counts", "budget_uses", "dues", "due_sights", "review_weeks",
    },
}  # fmt: skip
"""For each caller who has nothing to do with the case: the tables in which they see any row at
all."""


async def test_callers_who_have_nothing_to_do_with_a_case_see_the_register_at_most(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    assert asked[1]
    callers: dict[str, tuple[bytes, str]] = {
        "stranger": (await country.hashed(*WORKING, provider="eik"), ""),
        "auditor": (await country.hashed("auditor", region=FAR), ""),
        "administrator": (await country.hashed("administrator"), ""),
        "nobody": (b"", ""),
        "relay": (b"", RELAY),
        "worker": (b"", WORKER),
    }
    walled = await country.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
        "'public'::regnamespace AND relrowsecurity"
        " AND relname NOT IN ('accounts', 'account_acts', 'account_changes', 'vouchings', 'tokens', 'sessions', 'policies')"  # by the last, everybody works
    )
    visible = {
        who: {
            table.relname
            for table in walled
            if (await seen(country, Asked(EMPTY.format(table.relname), ()), hashed, actor=actor))[0]
        }
        for who, (hashed, actor) in callers.items()
    }
    assert visible == VISIBLE


CHANGES = (
    "UPDATE sites SET admission = 'paused'",
    "UPDATE place_groups SET places = 0",
    "UPDATE places SET created_at = clock_timestamp()",
    (
        "UPDATE claims SET kind = NULL, hold_id = NULL, claimed_until = '-infinity' WHERE kind "
        "= 'hold'"
    ),
    "UPDATE holds SET renewals_left = 9",
    "UPDATE placements SET blockers = '{}'",
    "UPDATE referrals SET urgency = 'planned'",
    "UPDATE site_secrets SET renamed = ''",
    "UPDATE referral_secrets SET sealed = ''",
    (
        "UPDATE alternatives SET outcome = 'well', checked_at = clock_timestamp() WHERE "
        "ended_at IS NULL"
    ),
    "UPDATE vacancies SET lawful_for = 9",
)


async def test_nobody_but_the_owner_writes_the_register_and_nobody_frees_what_others_hold(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    assert asked[1]
    stranger = await country.hashed(*WORKING, provider="eik")
    for statement in CHANGES:
        assert await seen(country, Asked(statement, ()), stranger) == (0, 0), statement
    linde = await country.hashed(*WORKING, provider="linde")
    assert [(await seen(country, Asked(statement, ()), linde))[1] for statement in CHANGES] == [
        1, 1, 3, 1, 2, 1, 1, 1, 0, 0, 0,
    ]  # fmt: skip


INSERTIONS = (
    """INSERT INTO sites (id, provider_id, municipality, address_secrecy, supervision, admission)
       SELECT gen_random_uuid(), provider_id, municipality, address_secrecy, supervision, admission FROM sites""",
    """INSERT INTO referrals (id, provider_id, reference, urgency, reason, origin)
       SELECT gen_random_uuid(), id, 'babe-bibo', 'acute', 'safety', 'GM0518' FROM providers WHERE slug = 'linde'""",
    """INSERT INTO access_log (action, outcome, account_id, roles, object_type)
       VALUES ('read', 'granted', gen_random_uuid(), '{}', 'site')""",
    """INSERT INTO outbox (kind, subject, audience) SELECT 'hold', 'a', ARRAY[id] FROM providers""",
)


ALONE = (
    "UPDATE sites SET municipality = 'GM0014'",
    "UPDATE sites SET address_secrecy = 'known'",
    "UPDATE sites SET status = 'approved', approved_at = clock_timestamp()",
    "UPDATE site_secrets SET sealed = ''",
    "UPDATE site_secrets SET moved_to = ''",
    "UPDATE site_proposals SET outcome = 'approved', decided_at = clock_timestamp()",
    "INSERT INTO site_proposals (id, site_id) SELECT gen_random_uuid(), id FROM sites",
    "INSERT INTO account_acts (account_id, act) SELECT id, 'made' FROM accounts",
    "SELECT let_stand(id) FROM site_proposals",
)


@pytest.mark.parametrize("statement", ALONE)
async def test_where_a_site_is_no_statement_of_the_owners_own_decides(
    country: Country, asked: tuple[World, list[Asked]], statement: str
) -> None:
    assert asked[1]
    linde = await country.hashed(*WORKING, provider="linde")
    with pytest.raises(PostgresError, match="permission denied"):
        await seen(country, Asked(statement, ()), linde)


async def test_nobody_adds_rows_in_anothers_name(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    assert asked[1]
    for statement, hashed in zip(
        INSERTIONS,
        (
            *[await country.hashed(*WORKING, provider="eik")] * 3,
            await country.hashed("auditor", region=FAR),
        ),
        strict=True,
    ):
        with pytest.raises(PostgresError, match="row-level security"):
            await seen(country, Asked(statement, ()), hashed)


async def test_a_receiver_sees_a_case_while_its_hold_or_placement_lives_and_no_longer(
    country: Country,
) -> None:
    there = await world(country)
    linde = await country.hashed("coordinator", provider="linde")
    case = "SELECT 1 FROM referrals JOIN referral_secrets ON referral_id = id"
    assert await seen(country, Asked(case, ()), linde) == (
        2,
        0,
    )  # one of them by a swap that is proposed
    await country.rows("UPDATE swaps SET expires_at = clock_timestamp()")
    assert await seen(country, Asked(case, ()), linde) == (1, 0)
    await there.receiver.http.request(**there.request("POST", "/placements/{id}/arrival"))
    assert await seen(country, Asked(case, ()), linde) == (1, 0)
    await there.receiver.http.request(**there.request("POST", "/placements/{id}/departure"))
    assert await seen(country, Asked(case, ()), linde) == (0, 0)

    another = await there.sender.post("/referrals", referral_body())
    hold = await hold_first(there.sender, referral_id=another["id"])
    assert await seen(country, Asked(case, ()), linde) == (1, 0)
    await country.rows(
        "UPDATE holds SET expires_at = clock_timestamp() WHERE id = :id", id=hold["id"]
    )
    assert await seen(country, Asked(case, ()), linde) == (0, 0)


async def test_a_sites_secret_opens_on_the_way_there_to_whom_works_on_it(country: Country) -> None:
    """Code that forgets to ask finds no row."""
    there = await world(country)
    colleague = await country.hashed("intake_worker", provider="haven")
    worker = await country.value(
        "SELECT t.hash FROM tokens AS t JOIN holds AS h ON h.account_id = t.account_id"
        " WHERE h.id = :id",
        id=there.ids["holds"],
    )
    secret = Asked("SELECT 1 FROM site_secrets", ())
    assert await seen(country, secret, worker) == (1, 0)
    assert await seen(country, secret, colleague) == (0, 0)
    await there.receiver.http.request(**there.request("POST", "/placements/{id}/arrival"))
    assert await seen(country, secret, worker) == (1, 0)
    await there.receiver.http.request(**there.request("POST", "/placements/{id}/departure"))
    assert await seen(country, secret, worker) == (0, 0)

    another = await there.sender.post("/referrals", referral_body())
    hold = await hold_first(there.sender, referral_id=another["id"])
    await there.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    assert await seen(country, secret, worker) == (0, 0)  # nobody is on the way


async def test_the_labels_of_places_are_their_owners_alone(country: Country) -> None:
    await world(country)
    for hashed, labels in ((await country.hashed("intake_worker", provider="haven"), 0),
                           (await country.hashed("client_system", provider="linde"), 3)):  # fmt: skip
        assert await seen(country, Asked("SELECT 1 FROM place_secrets", ()), hashed) == (labels, 0)


async def test_a_machine_sees_no_household_even_of_its_own_provider(country: Country) -> None:
    await world(country)
    machine = await country.hashed("client_system", provider="haven")
    assert await seen(country, Asked("SELECT 1 FROM referral_secrets", ()), machine) == (0, 0)


async def test_an_auditor_sees_the_cases_of_its_region_and_their_keys_and_nothing_of_others(
    country: Country,
) -> None:
    await world(country)
    case = Asked("SELECT 1 FROM rankings JOIN referral_secrets USING (referral_id)", ())
    for region, rankings in ((HERE, 2), (THERE, 2), (FAR, 0)):
        assert await seen(country, case, await country.hashed("auditor", region=region)) == (
            rankings,
            0,
        )


async def test_what_is_cached_for_all_is_never_filled_by_those_who_see_a_part(
    country: Country,
) -> None:
    there = await world(country)
    for roles, region in ((("auditor",), FAR), (("administrator",), None)):
        client = await country.client(*roles, region=region)
        await country.rows(
            "UPDATE heads SET value = value + 1 WHERE name = 'register'"
        )  # every cache is behind now
        assert {one["slug"] for one in (await client.get("/providers"))["items"]} == {
            "haven",
            "linde",
            "third",
        }
    offers = (await there.sender.post(there.path("/referrals/{id}/rankings")))["offers"]
    assert len(offers) == 1


async def test_nothing_but_a_municipality_or_region_has_a_position(country: Country) -> None:
    positions = await country.rows(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name ~ '(^|_)(lat|lon|latitude|longitude|position_m|geom|location)(_|$)'"
    )
    assert {row.table_name for row in positions} == {"municipalities", "regions"}
