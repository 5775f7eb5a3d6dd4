"""What an administrator asks at a provider waits, is told there, and can be refused there."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app import worker
from app.accounts import account_changes, staff
from app.accounts.sessions import session_hash
from app.accounts.staff import AccountWanted
from app.database.transaction import WORKER, Transaction
from app.errors import Conflict, Forbidden, Invalid, Missing
from tests.country import Country, referral_body
from tests.people import PASSWORD, Person, accept, invited, person, sign_in, who

DAY = timedelta(hours=24)
STAFF = ("intake_worker", "coordinator")
PENDING = "SELECT count(*) FROM account_changes WHERE outcome IS NULL"


@asynccontextmanager
async def acting(country: Country, one: Person) -> AsyncGenerator[Transaction]:
    """Open a transaction of a person who is signed in."""
    async with country.parts.database.transaction(session_hash(one.opened.cookie)) as tx:
        yield tx


async def a_day_later(country: Country) -> None:
    """Let what waits come to its moment, and the worker look."""
    await country.rows(
        "UPDATE account_changes SET asked_at = asked_at - interval '25 hours',"
        " effective_at = effective_at - interval '25 hours' WHERE outcome IS NULL RETURNING 1"
    )
    await look(country)


async def look(country: Country) -> None:
    """Do the worker's turn."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await worker.let_changes_take_effect(tx)


@pytest.fixture
async def chief(country: Country) -> Person:
    """An administrator."""
    return await person(country, "administrator", name="chief@plek.example")


@pytest.fixture
async def coordinator(country: Country) -> Person:
    """A coordinator of linde."""
    return await person(country, "coordinator", name="c@linde.example", provider="linde")


@pytest.fixture
async def worker_there(country: Country) -> Person:
    """An intake worker of linde."""
    return await person(country, "intake_worker", name="w@linde.example", provider="linde")


async def wanted_at(country: Country, *roles: str, slug: str = "linde") -> AccountWanted:
    """Return an account at a provider."""
    return AccountWanted(frozenset(roles or STAFF), await country.provider(slug), None, "Nieuw")


async def test_who_invites_himself_waits_a_day_and_is_refused_by_anyone_there(
    country: Country, chief: Person, coordinator: Person, worker_there: Person
) -> None:
    async with acting(country, chief) as tx:
        made = await staff.invite(
            tx, await wanted_at(country), sign_in_name="chief2@plek.example", embedded=True
        )
        (seen,) = await account_changes.list_changes(tx, limit=9, account_id=made.account_id)
    assert made.asked.waits
    assert seen.effective_at - seen.asked_at >= DAY
    await look(country)
    with pytest.raises(Missing):
        await accept(country, made.code)

    for one in (coordinator, worker_there):
        async with acting(country, one) as tx:
            listed = await account_changes.list_changes(tx, limit=9)
        assert [(row.act, row.waits, row.by_account) for row in listed if row.waits] == [
            ("invite", True, chief.account_id)
        ]
    told = "SELECT audience FROM outbox WHERE kind = 'access' ORDER BY id DESC LIMIT 1"
    assert await country.value(told) == [country.providers["linde"]]

    foreign = await person(country, *STAFF, name="a@haven.example", provider="haven")
    for one in (foreign, chief):
        async with acting(country, one) as tx:
            with pytest.raises(Missing):
                await account_changes.refuse_change(tx, seen.id)
    async with acting(country, worker_there) as tx:
        assert (await account_changes.refuse_change(tx, seen.id)).outcome == "refused"
    async with acting(country, coordinator) as tx:
        with pytest.raises(Conflict):
            await account_changes.refuse_change(tx, seen.id)
    await a_day_later(country)
    with pytest.raises(Missing):
        await accept(country, made.code)
    async with acting(country, chief) as tx:
        assert (await staff.read(tx, made.account_id)).row.disabled_at is not None


async def test_what_nobody_refused_takes_effect_after_a_day_and_stands_in_each_households_list(
    country: Country, chief: Person
) -> None:
    intake = await country.client("intake_worker", provider="linde")
    case = await intake.post("/referrals", referral_body())
    over = await intake.post("/referrals", referral_body())
    await intake.post(f"/referrals/{over['id']}/withdrawal", {"reason": "mistake"}, expect=200)
    shielded = await intake.post("/referrals", referral_body(shield={"colleagues": []}))
    elsewhere = await country.client("intake_worker", provider="haven")
    theirs = await elsewhere.post("/referrals", referral_body())
    async with acting(country, chief) as tx:
        made = await staff.invite(
            tx, await wanted_at(country), sign_in_name="new@linde.example", embedded=True
        )
    await a_day_later(country)

    assert (await accept(country, made.code)).account_id == made.account_id
    lines = await intake.get(f"/referrals/{case['id']}/accesses")
    opened = [line for line in lines["items"] if line["action"] == "open_desk"]
    assert [(one["accountId"], one["purpose"], one["roles"]) for one in opened] == [
        (str(chief.account_id), "invite", ["administrator"])
    ]
    for client, other in ((intake, over), (intake, shielded), (elsewhere, theirs)):
        lines = await client.get(f"/referrals/{other['id']}/accesses")
        assert "open_desk" not in [line["action"] for line in lines["items"]]
    desk = await country.client("coordinator", provider="linde")
    notices = await desk.get("/access-notices")
    assert [one["action"] for one in notices["items"]][:2] == ["open_desk", "invite"]


async def test_a_reset_takes_over_no_account(
    country: Country, chief: Person, coordinator: Person
) -> None:
    async with acting(country, chief) as tx:
        again = await staff.reset(tx, coordinator.account_id)
    assert await sign_in(country, await coordinator.proof()) is not None
    with pytest.raises(Missing):
        await accept(country, again.code)
    async with acting(country, coordinator) as tx:
        (seen,) = [one for one in await account_changes.list_changes(tx, limit=9) if one.waits]
        await account_changes.refuse_change(tx, seen.id)
    await a_day_later(country)
    with pytest.raises(Missing):
        await accept(country, again.code)
    assert await sign_in(country, await coordinator.proof()) is not None

    async with acting(country, chief) as tx:
        third = await staff.reset(tx, coordinator.account_id)
    await a_day_later(country)
    assert await who(country, session_hash(coordinator.opened.cookie)) is None
    assert await sign_in(country, await coordinator.proof()) is None
    anew = await accept(country, third.code, password=f"{PASSWORD} anders")
    assert anew.account_id == coordinator.account_id


async def test_roles_at_a_provider_and_letting_in_again_wait_and_taking_away_does_not(
    country: Country, chief: Person, worker_there: Person
) -> None:
    hashed = session_hash(worker_there.opened.cookie)
    outsider = await person(country, "administrator", name="friend@plek.example")
    async with acting(country, chief) as tx:
        more = await staff.change(tx, worker_there.account_id, await wanted_at(country))
        moved = await staff.change(tx, outsider.account_id, await wanted_at(country, "coordinator"))
    assert more is not None and more.waits  # noqa: PT018
    assert moved is not None and moved.waits  # noqa: PT018
    assert (await who(country, hashed)).roles == {"intake_worker"}  # type: ignore[union-attr]
    assert (await who(country, session_hash(outsider.opened.cookie))).provider_id is None  # type: ignore[union-attr]
    await a_day_later(country)
    assert (await who(country, hashed)).roles == set(STAFF)  # type: ignore[union-attr]
    assert (await who(country, session_hash(outsider.opened.cookie))).roles == {"coordinator"}  # type: ignore[union-attr]

    async with acting(country, chief) as tx:
        less = await staff.change(
            tx, worker_there.account_id, await wanted_at(country, "intake_worker")
        )
        assert less is not None and not less.waits  # noqa: PT018
        await staff.disable(tx, worker_there.account_id)
    assert await who(country, hashed) is None
    async with acting(country, chief) as tx:
        again = await staff.enable(tx, worker_there.account_id)
    assert again is not None and again.waits  # noqa: PT018
    assert await sign_in(country, await worker_there.proof()) is None
    async with acting(country, chief) as tx:
        await staff.disable(tx, worker_there.account_id)
    assert await country.value(PENDING) == 0
    async with acting(country, chief) as tx:
        await staff.enable(tx, worker_there.account_id)
    await a_day_later(country)
    assert await sign_in(country, await worker_there.proof()) is not None


async def test_who_loses_a_colleague_and_who_has_no_provider_is_told_as_well(
    country: Country, chief: Person, coordinator: Person, worker_there: Person
) -> None:
    friend = await person(country, "administrator", name="friend@plek.example")
    other = await person(country, "auditor", name="a@region.example", region="GM0363")
    auditor = AccountWanted(frozenset({"auditor"}), None, "GM0363", "Nieuw")
    for changed, told in (
        (worker_there, [coordinator, worker_there]),
        (friend, [friend, chief]),
        (other, [other]),
    ):
        await country.rows("DELETE FROM mails RETURNING 1")
        async with acting(country, chief) as tx:
            if changed is worker_there:
                asked = await staff.change(tx, changed.account_id, auditor)
                assert asked is not None
                assert not asked.waits
            elif changed is friend:
                await staff.disable(tx, changed.account_id)
            else:
                await staff.reset(tx, changed.account_id)
        mailed = await country.rows(
            "SELECT account_id FROM mails WHERE subject = 'account_changed'"
        )
        assert {row.account_id for row in mailed} == {one.account_id for one in told}
    notices = "SELECT count(*) FROM access_log WHERE action = 'change' AND told_id = :id"
    assert await country.value(notices, id=await country.provider("linde")) == 1


@pytest.fixture
async def elsewhere(country: Country) -> None:
    """Make a provider at which nobody works."""
    await country.provider("haven")


@pytest.mark.usefixtures("elsewhere")
async def test_a_provider_whose_people_are_moved_away_hears_of_it_and_of_what_follows(
    country: Country, chief: Person, coordinator: Person, worker_there: Person
) -> None:
    told = "SELECT account_id FROM mails WHERE subject = :subject"
    for one in (worker_there, coordinator):
        await country.rows("DELETE FROM mails RETURNING 1")
        async with acting(country, chief) as tx:
            wanted = await wanted_at(country, "intake_worker", slug="haven")
            asked = await staff.change(tx, one.account_id, wanted)
            assert asked is not None
        subject = "account_asked" if asked.waits else "account_changed"
        mailed = {row.account_id for row in await country.rows(told, subject=subject)}
        assert {coordinator.account_id, worker_there.account_id} <= mailed
        await a_day_later(country)
    await country.rows("DELETE FROM mails RETURNING 1")
    async with acting(country, chief) as tx:
        await staff.invite(
            tx, await wanted_at(country), sign_in_name="puppet@plek.example", embedded=True
        )
    mailed = {row.account_id for row in await country.rows(told, subject="account_asked")}
    assert mailed == {coordinator.account_id, worker_there.account_id}


async def test_a_provider_without_an_account_gets_its_first_at_once_and_never_again(
    country: Country, chief: Person
) -> None:
    at_linde, at_eik = await wanted_at(country), await wanted_at(country, slug="eik")
    async with acting(country, chief) as tx:
        first = await staff.invite(tx, at_linde, sign_in_name="one@linde.example", embedded=True)
    assert not first.asked.waits
    one = await accept(country, first.code)
    # Emptying a provider gives no provider without an account.
    async with acting(country, chief) as tx:
        await staff.disable(tx, one.account_id)
        lure = await staff.invite(tx, at_linde, sign_in_name="two@linde.example", embedded=True)
    assert lure.asked.waits
    # A machine there is nobody who could refuse.
    await country.client("client_system", provider="eik")
    async with acting(country, chief) as tx:
        there = await staff.invite(
            tx,
            at_eik,
            sign_in_name="one@eik.example",
            embedded=True,
        )
    assert not there.asked.waits


async def test_coordinators_keep_their_own_people_at_once_and_nobody_else(
    country: Country, chief: Person, coordinator: Person, worker_there: Person
) -> None:
    foreign = await person(country, *STAFF, name="a@haven.example", provider="haven")
    both = await person(
        country, "coordinator", "administrator", name="both@linde.example", provider="linde"
    )
    async with acting(country, coordinator) as tx:
        made = await staff.invite(
            tx, await wanted_at(country), sign_in_name="new@linde.example", embedded=True
        )
        listed = {one.row.id for one in await staff.list_accounts(tx, limit=50)}
        assert listed == {coordinator.account_id, worker_there.account_id, made.account_id}
        for wanted in (
            await wanted_at(country, "administrator", "coordinator"),
            await wanted_at(country, slug="haven"),
        ):
            with pytest.raises(Invalid):
                await staff.invite(tx, wanted, sign_in_name="x@linde.example", embedded=True)
        for other in (foreign.account_id, chief.account_id, both.account_id):
            for act in (staff.reset(tx, other), staff.disable(tx, other), staff.read(tx, other)):
                with pytest.raises(Missing):
                    await act
        with pytest.raises(Forbidden):
            await staff.reset(tx, coordinator.account_id)
    assert not made.asked.waits
    assert (await accept(country, made.code)).account_id == made.account_id
    async with acting(country, coordinator) as tx:
        again = await staff.reset(tx, worker_there.account_id)
    assert await who(country, session_hash(worker_there.opened.cookie)) is None
    await accept(country, again.code, password=f"{PASSWORD} anders")
    async with acting(country, worker_there) as tx:
        assert tx.identity is None


async def test_the_database_lets_nobody_go_round_it(
    country: Country, chief: Person, coordinator: Person
) -> None:
    made = await invited(country, "pending@linde.example", *STAFF, provider="linde")
    await country.rows("UPDATE invitations SET opened_at = NULL RETURNING 1")
    for one in (chief, coordinator):
        for statement in (
            "UPDATE accounts SET roles = '{coordinator}'",
            "UPDATE accounts SET disabled_at = NULL",
            "UPDATE accounts SET provider_id = NULL",
            "INSERT INTO invitations (hash, account_id, expires_at) SELECT 'x', id, now() FROM accounts",
            "UPDATE invitations SET opened_at = clock_timestamp()",
            "UPDATE account_changes SET effective_at = clock_timestamp()",
            "SELECT let_take_effect(id) FROM account_changes",
            "SELECT let_due_take_effect(9)",
            "INSERT INTO account_acts (account_id, act) SELECT id, 'entered' FROM accounts",
        ):
            async with acting(country, one) as tx:
                with pytest.raises(Exception, match=r"permission denied|insufficient"):
                    await tx.connection.execute(statement)
                await tx.connection.execute("ROLLBACK")
        async with acting(country, one) as tx:
            await tx.connection.execute("UPDATE credentials SET password = NULL")
    with pytest.raises(Missing):
        await accept(country, made.code)
    assert await sign_in(country, await coordinator.proof()) is not None
