"""Functions of the database take no table of the caller's for one of the register's."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from app.database.transaction import Transaction
from benchmarks.statements import Asked
from tests.api.calls import WORKING, World
from tests.country import Country

ON_BOTH = True

PATH = "search_path=pg_catalog, public, pg_temp"

FUNCTIONS = """
SELECT p.proname, p.prosrc, pg_get_functiondef(p.oid) AS whole, p.proconfig,
       p.prosqlbody IS NOT NULL AS bound,
       has_function_privilege('plek_app', p.oid, 'EXECUTE') AS open,
       p.prosecdef AS as_owner, p.prorettype = 'trigger'::regtype AS fires
FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace ORDER BY p.proname
"""


async def functions(country: Country) -> list[Any]:
    """Return every function of the schema."""
    found = await country.rows(FUNCTIONS)
    assert len(found) > 40
    return found


def astray(one: Any) -> bool:
    """Whether the caller's search path decides what a function's names stand for.

    It does not where the function has a path of its own, nor where the names were bound when it
    was made, nor in a part of other functions that runs with theirs and that nobody else may call.
    """
    if one.as_owner or one.fires:
        return PATH not in (one.proconfig or [])
    return PATH not in (one.proconfig or []) and not one.bound and one.open


async def test_every_function_has_the_search_path_of_its_own(country: Country) -> None:
    assert [one.proname for one in await functions(country) if astray(one)] == []


@pytest.mark.parametrize(
    "path", ["FROM CURRENT", "= public", "= pg_catalog, public", "= pg_catalog, pg_temp, public"]
)
async def test_a_function_with_another_path_is_found(country: Country, path: str) -> None:
    await country.rows(
        "CREATE FUNCTION led_astray() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS $$ SELECT count(*) FROM public.tokens $$"
    )
    await country.rows(f"ALTER FUNCTION led_astray SET search_path {path}")
    assert [one.proname for one in await functions(country) if astray(one)] == ["led_astray"]


async def test_every_table_and_function_is_named_with_its_schema(country: Country) -> None:
    found = await functions(country)
    tables = {
        row.relname
        for row in await country.rows(
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
        )
    }
    read = rf"(?:FROM|JOIN|INTO|UPDATE|USING|TABLE|ONLY)\s+(?:{'|'.join(tables)})\b"
    called = rf"(?<![\w.])(?:{'|'.join(one.proname for one in found)})\s*\("
    bare = re.compile(f"{read}|{called}", re.IGNORECASE)
    assert {one.proname: names for one in found if (names := bare.findall(one.prosrc or ""))} == {}
    assert bare.search("SELECT count(*) FROM tokens")
    assert bare.search("WHERE my_provider() IS NULL")


SHADOWED = """
SELECT relname, seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del
FROM pg_stat_xact_all_tables WHERE schemaname LIKE 'pg\\_temp%'
"""
"""The tables of this session, and what has been done to them in this transaction."""


COLUMNS = """
SELECT c.relname,
       string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ') AS columns
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped
GROUP BY c.relname
"""


async def shadow(tx: Transaction) -> None:
    """Make a table of the session's own for each of the register's, open to all."""
    for table in await tx.rows(text(COLUMNS)):
        await tx.run(text(f"CREATE TEMP TABLE {table.relname} ({table.columns}) ON COMMIT DROP"))
        await tx.run(text(f"GRANT ALL ON pg_temp.{table.relname} TO PUBLIC"))


CALLS = (
    "SELECT * FROM public.colleagues()",
    "SELECT public.keep_session('', interval '1 hour')",
    "SELECT * FROM public.sessions_of(public.my_account())",
    "SELECT public.end_sessions(public.my_account(), NULL)",
    "SELECT public.prune_sessions(interval '1 hour')",
    "SELECT public.trajectories_in_use(public.my_provider())",
    "SELECT public.note_lapsed(gen_random_uuid(), gen_random_uuid())",
    "SELECT public.free_place(gen_random_uuid())",
    "SELECT public.leave_previous(gen_random_uuid(), now())",
    "SELECT * FROM public.days_around(gen_random_uuid())",
    "SELECT public.leave_when_arrived(gen_random_uuid())",
    "SELECT public.raise_alarm(id) FROM public.sites",
    "SELECT e.* FROM public.sites AS s, public.everybody_at(s.id) AS e",
    "SELECT public.mark_unsafe(id, gen_random_uuid(), true) FROM public.sites",
    "SELECT public.turn_away(id, 'site_unsafe') FROM public.sites",
    "SELECT public.capped_regions(gen_random_uuid())",
    "SELECT public.cap_has_room('GM0193', gen_random_uuid())",
    """SELECT public.unshielded(id), public.coming_here(id), public.swapping_here(id),
       public.in_live_swap(id), public.of_my_region(id, ''), public.names_colleagues(id),
       public.received_here(id), public.writes_leaves_of(id), public.our_site(id),
       public.our_place(id), public.claim_concerns_us(id, id, id), public.placed_from(id),
       public.came_here_by(id, id), public.sees_referral(id) FROM gen_random_uuid() AS id""",
    """INSERT INTO public.access_log
       (action, outcome, account_id, roles, object_type, referral_ids)
       VALUES ('read', 'granted', public.my_account(), '{}', 'referral', ARRAY[gen_random_uuid()])
    """,
    "UPDATE public.sites SET admission = 'paused'",
    "UPDATE public.sites SET admission = 'open'",
    "UPDATE public.claims SET kind = 'occupied', claimed_until = 'infinity' WHERE kind IS NULL",
    "UPDATE public.claims SET kind = NULL, claimed_until = '-infinity' WHERE kind = 'occupied'",
    "UPDATE public.placements SET status = status WHERE status = 'ended'",
)
"""What a coordinator can have done as the owner, and every trigger that can be reached so."""
AS_SIGNING = (
    "SELECT public.open_session(gen_random_uuid(), '', interval '1 h', interval '1 h', '', true)",
    "SELECT * FROM public.enter('', '', true)",
)


async def touched(country: Country, hashed: bytes) -> dict[str, Any]:
    """Call what can be called beside tables of the same names.

    Return what was done to those.
    """
    async with country.parts.database.transaction(hashed) as tx:
        await shadow(tx)
        await tx.rows(text("SELECT set_config('search_path', 'pg_temp, public', true)"))
        for call in CALLS:
            await tx.run(text(call))
        await tx.rows(text("SELECT set_config('plek.actor', 'signing', true)"))
        for call in AS_SIGNING:
            await tx.run(text(call))
        rows = await tx.rows(text(SHADOWED))
        assert len(rows) > 50
        await tx.connection.execute("ROLLBACK")
    return {row.relname: tuple(row[1:]) for row in rows if any(row[1:])}


async def allow_temporary(country: Country) -> None:
    """Give the database what PostgreSQL gives every new one."""
    await country.rows(
        "DO $$ BEGIN EXECUTE format("
        "'GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$"
    )


async def lead_astray(country: Country, *names: str) -> None:
    """Take the guards off functions.

    Their own search path, and the schema before each name.
    """
    for one in await functions(country):
        if (not names or one.proname in names) and not one.bound:
            bare = one.whole.replace("public.", "").replace(
                " SET search_path TO 'pg_catalog', 'public', 'pg_temp'\n", ""
            )
            async with country.owner.transaction() as tx:
                await tx.connection.execute(bare)


async def test_no_function_or_trigger_reads_or_writes_a_table_of_the_sessions_own(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    assert asked[1]
    await allow_temporary(country)
    linde = await country.hashed(*WORKING, provider="linde")

    assert await touched(country, linde) == {}


async def test_without_the_guards_such_tables_are_read_and_written(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    assert asked[1]
    await allow_temporary(country)
    linde = await country.hashed(*WORKING, provider="linde")
    await lead_astray(country)

    found = set(await touched(country, linde))

    assert len(found) > 15
    assert {"tokens", "accounts", "shields", "holds", "access_log_referrals"} <= found


TRAP = (
    "CREATE TEMP TABLE access_log_referrals (referral_id uuid, entry_id bigint)",
    "GRANT ALL ON pg_temp.access_log_referrals TO PUBLIC",
    """CREATE FUNCTION pg_temp.trap() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM set_config('plek.actor', 'operator', true);
      EXECUTE 'CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql'
        || ' AS ''BEGIN RETURN NULL; END''';
      DELETE FROM public.access_log;
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER trap AFTER INSERT ON pg_temp.access_log_referrals
    FOR EACH ROW EXECUTE FUNCTION pg_temp.trap()""",
)
"""A table of the caller's own that does as its owner what the caller may not."""


async def spring(country: Country) -> int:
    """Have the access log note a referral beside the trap.

    Return how many entries are left.
    """
    async with country.parts.database.transaction(
        await country.hashed(*WORKING, provider="linde")
    ) as tx:
        for statement in TRAP:
            await tx.connection.execute(statement)
        await tx.connection.execute(
            "INSERT INTO public.access_log"
            " (action, outcome, account_id, roles, object_type, referral_ids)"
            " VALUES ('read', 'granted', public.my_account(), '{}', 'referral',"
            " ARRAY[gen_random_uuid()])"
        )
        await tx.connection.execute("DROP TABLE pg_temp.access_log_referrals CASCADE")
    return await country.value("SELECT count(*) FROM access_log")


async def test_the_access_log_cannot_be_made_to_delete_itself(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    assert asked[1]
    await allow_temporary(country)
    before = await country.value("SELECT count(*) FROM access_log")

    assert await spring(country) == before + 1 > 1


async def test_without_the_guards_it_can(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    assert asked[1]
    await allow_temporary(country)
    await lead_astray(country, "note_referrals")
    assert await country.value("SELECT count(*) FROM access_log") > 0

    assert await spring(country) == 0
