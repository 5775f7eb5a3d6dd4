"""Administrators keep the accounts of others, and never choose a password for them."""

from uuid import UUID

import pytest
from asyncpg import PostgresError

from app.accounts import staff
from app.accounts.sessions import session_hash
from app.accounts.staff import AccountWanted
from app.accounts.store import sign_in_rows
from app.demo import demo
from app.errors import Conflict, Forbidden, Invalid, Missing
from tests.country import HERE, Country
from tests.people import Person, accept, invited, person, sign_in, who


def of(
    *roles: str, provider_id: UUID | None = None, region: str | None = None, name: str | None = None
) -> AccountWanted:
    return AccountWanted(frozenset(roles), provider_id, region, name)


NO_PROVIDER = UUID(int=1)


@pytest.fixture
async def chief(country: Country) -> Person:
    """An administrator."""
    return await person(country, "administrator", name="chief@plek.example")


async def logged(country: Country, action: str) -> tuple[UUID | None, UUID | None, str | None]:
    """Return who acted last, on which account, and the purpose in the log."""
    found = (
        "SELECT account_id, object_id, purpose FROM access_log WHERE action = :action"
        " ORDER BY id DESC LIMIT 1"
    )
    return tuple((await country.rows(found, action=action))[0])  # type: ignore[return-value]


async def test_an_administrator_invites_somebody_who_then_works(
    country: Country, chief: Person
) -> None:
    provider_id = await country.provider("linde")
    wanted = AccountWanted(
        frozenset({"intake_worker", "coordinator"}), provider_id, None, "Nachtdienst"
    )

    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        made = await staff.invite(tx, wanted, sign_in_name="a@linde.example", embedded=True)
    worker = await accept(country, made.code)

    assert await logged(country, "invite") == (chief.account_id, worker.account_id, "client_data")
    known = await who(country, session_hash(worker.opened.cookie))
    assert known is not None
    assert (known.roles, known.provider_id) == (wanted.roles, provider_id)
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        listed = await staff.list_accounts(tx, limit=10)
        found = await staff.find_by_name(tx, "A@linde.example")
    assert [one.sign_in_name for one in listed] == ["a@linde.example", "chief@plek.example"]
    assert [one.row.id for one in found] == [worker.account_id]


@pytest.mark.parametrize(
    "wanted,name,faults",
    [
        (of(), "x", {"/signInName": "name_length", "/roles": "role_needed"}),
        (of("client_system"), "abc", {"/roles": "role_needed", "/provider": "provider_needed"}),
        (of("auditor"), "abc", {"/region": "region_needed"}),
        (of("auditor", region="GM9999"), "abc", {"/region": "region_unknown"}),
        (of("administrator", region=HERE), "abc", {"/region": "region_unused"}),
        (of("coordinator", provider_id=NO_PROVIDER), "abc", {"/provider": "provider_unknown"}),
        (of("coordinator"), "abc", {"/provider": "provider_needed"}),
        (of("administrator", name=" \n"), "abc", {"/name": "name_length"}),
    ],
)
async def test_what_does_not_fit_is_refused_with_every_fault(
    country: Country, wanted: AccountWanted, name: str, faults: dict[str, str]
) -> None:
    async with country.owner.transaction() as tx:
        with pytest.raises(Invalid) as refused:
            await staff.invite(tx, wanted, sign_in_name=name, embedded=True)
    assert {fault.pointer: fault.message for fault in refused.value.faults} == faults


async def test_away_from_providers_who_is_changed_disabled_or_reset_is_so_at_once(
    country: Country, chief: Person
) -> None:
    worker = await person(country, "administrator")
    hashed = session_hash(worker.opened.cookie)
    wanted = AccountWanted(frozenset({"auditor"}), None, HERE, None)

    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await staff.change(tx, worker.account_id, wanted)
    known = await who(country, hashed)
    assert known is not None
    assert known.roles == {"auditor"}
    assert await logged(country, "change") == (chief.account_id, worker.account_id, None)

    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await staff.disable(tx, worker.account_id)
    assert await who(country, hashed) is None
    assert await logged(country, "disable") == (chief.account_id, worker.account_id, None)
    assert await sign_in(country, await worker.proof()) is None

    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await staff.enable(tx, worker.account_id)
    assert await who(country, hashed) is None
    assert await sign_in(country, await worker.proof()) is not None

    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        again = await staff.reset(tx, worker.account_id)
    assert await sign_in(country, await worker.proof(code=worker.recovery_codes[0])) is None
    anew = await accept(country, again.code, password="een korte dag in het bos")
    assert anew.account_id == worker.account_id
    assert await sign_in(country, await anew.proof()) is not None


async def test_nobody_keeps_their_own_account(country: Country, chief: Person) -> None:
    wanted = AccountWanted(
        frozenset({"administrator", "intake_worker"}), await country.provider("linde"), None, None
    )
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        for act in (
            staff.change(tx, chief.account_id, wanted),
            staff.disable(tx, chief.account_id),
            staff.enable(tx, chief.account_id),
            staff.reset(tx, chief.account_id),
        ):
            with pytest.raises(Forbidden):
                await act
        # Row-level security stands behind it.
        assert not await tx.connection.fetch("UPDATE accounts SET name = 'Me' RETURNING 1")
    assert await country.value("SELECT name FROM accounts") is None


async def test_what_is_no_account_and_what_has_no_password_is_missing(
    country: Country, chief: Person
) -> None:
    await country.token("auditor", region=HERE)
    machine = await country.value("SELECT id FROM accounts WHERE region IS NOT NULL")
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        for act in (
            staff.reset(tx, machine),
            staff.disable(tx, UUID(int=7)),
            staff.read(tx, UUID(int=7)),
        ):
            with pytest.raises(Missing):
                await act
        assert (await staff.read(tx, machine)).sign_in_name is None


async def test_no_administrator_chooses_anothers_password(country: Country, chief: Person) -> None:
    worker = await person(country, "auditor", region=HERE)
    hashed = session_hash(chief.opened.cookie)
    stands = "SELECT password FROM credentials WHERE account_id = :id"
    before = await country.value(stands, id=worker.account_id)
    async with country.parts.database.transaction(hashed) as tx:
        await sign_in_rows.set_password(tx, worker.account_id, "$argon2id$mine")
    assert await country.value(stands, id=worker.account_id) == before
    async with country.parts.database.transaction(hashed) as tx:
        with pytest.raises(PostgresError, match="permission denied"):
            await tx.connection.execute("UPDATE credentials SET account_id = account_id")
        await tx.connection.execute("ROLLBACK")


async def test_an_auditor_sees_and_changes_no_account_but_sees_the_own(
    country: Country, chief: Person
) -> None:
    worker = await person(country, "auditor", region=HERE)
    assert chief.account_id
    async with country.parts.database.transaction(session_hash(worker.opened.cookie)) as tx:
        assert [one.row.id for one in await staff.list_accounts(tx, limit=9)] == [worker.account_id]
        changed = await tx.connection.execute("UPDATE accounts SET name = 'Mine'")
        assert changed == "UPDATE 0"
        with pytest.raises(PostgresError, match="permission denied"):
            await tx.connection.execute("UPDATE accounts SET disabled_at = now()")
        await tx.connection.execute("ROLLBACK")


async def test_in_the_demo_an_account_is_the_demos_and_elsewhere_none_is_made(
    country: Country,
) -> None:
    async with country.owner.transaction() as tx:
        await demo.fill(tx)
    made = await invited(country, "abc", "administrator")
    assert await country.value("SELECT demo FROM accounts WHERE id = :id", id=made.account_id)

    wanted = AccountWanted(frozenset({"administrator"}), None, None, None)
    async with country.owner.transaction() as tx:
        with pytest.raises(Conflict):
            await staff.invite(tx, wanted, sign_in_name="def", embedded=False)
