"""Sessions: as long as the policy says, kept alive by use, and ended at once."""

import pytest
from asyncpg import PostgresError

from app.accounts import sessions
from app.accounts.sessions import session_hash
from app.accounts.sign_ins import SIGNING
from app.accounts.store import sign_in_rows
from app.accounts.store.sign_in_rows import SessionLimits
from app.database.transaction import WORKER
from app.demo import demo, people
from app.errors import Missing
from tests.country import Country
from tests.people import DESK, Person, begin, person, sign_in, who


async def ages(country: Country, minutes: int) -> None:
    """Let some minutes pass, by setting everything that has a time that much earlier."""
    back = f"interval '{minutes} minutes'"
    await country.rows(f"UPDATE tokens SET expires_at = expires_at - {back}")  # noqa: S608 - a number
    await country.rows(
        f"UPDATE sessions SET seen_at = seen_at - {back}, ends_at = ends_at - {back}"  # noqa: S608
    )


async def keep(country: Country, worker: Person) -> None:
    hashed = session_hash(worker.opened.cookie)
    async with country.parts.database.transaction(hashed) as tx:
        await sessions.keep_session(tx, hashed)


async def test_a_session_ends_when_nobody_was_there_for_the_policys_minutes(
    country: Country,
) -> None:
    worker = await person(country, "administrator")
    hashed = session_hash(worker.opened.cookie)

    await ages(country, 29)
    assert await who(country, hashed) is not None
    await ages(country, 2)
    assert await who(country, hashed) is None


async def test_whoever_is_there_keeps_it_until_the_policys_hours_are_over(country: Country) -> None:
    worker = await person(country, "administrator")
    hashed = session_hash(worker.opened.cookie)

    # Ten minutes each: the whole of twelve hours.
    for _ in range(72):
        assert await who(country, hashed) is not None
        await keep(country, worker)
        await ages(country, 10)

    assert await who(country, hashed) is None
    await keep(country, worker)
    assert await who(country, hashed) is None


async def test_it_is_written_down_twice_a_minute_at_most_that_somebody_is_there(
    country: Country,
) -> None:
    worker = await person(country, "administrator")
    before = await country.rows("SELECT seen_at FROM sessions")

    await keep(country, worker)

    assert await country.rows("SELECT seen_at FROM sessions") == before


async def test_a_session_is_ended_by_its_owner_and_by_no_stranger(country: Country) -> None:
    worker = await person(country, "administrator")
    other = await person(country, "auditor", name="other@linde.example", region="GM0518")
    async with country.parts.database.transaction(session_hash(other.opened.cookie)) as tx:
        with pytest.raises(Missing):
            await sessions.end_session(tx, worker.opened.session_id)
        assert await sign_in_rows.end_sessions(tx, worker.account_id) == 0
        assert await sign_in_rows.sessions_of(tx, worker.account_id) == []

    async with country.parts.database.transaction(session_hash(worker.opened.cookie)) as tx:
        await sessions.end_session(tx, worker.opened.session_id)

    assert await who(country, session_hash(worker.opened.cookie)) is None
    assert await who(country, session_hash(other.opened.cookie)) is not None


async def test_all_sessions_of_an_account_are_listed_and_ended_together(country: Country) -> None:
    worker = await person(country, "administrator")
    again = await sign_in(country, await worker.proof())
    assert again is not None

    async with country.parts.database.transaction(session_hash(again.cookie)) as tx:
        listed = await sessions.list_sessions(tx)
        assert {one.id for one in listed} == {again.session_id, worker.opened.session_id}
        assert {one.device for one in listed} == {"firefox-linux"}
        assert await sessions.end_all_sessions(tx) == 2

    assert [
        await who(country, session_hash(cookie)) for cookie in (again.cookie, worker.opened.cookie)
    ] == [None] * 2
    said = "SELECT purpose FROM access_log WHERE action = 'sign_out' AND account_id = :id"
    assert await country.value(said, id=worker.account_id) == "everywhere"


async def test_only_whoever_asks_who_somebody_is_opens_sessions(country: Country) -> None:
    worker = await person(country, "administrator")
    span = SessionLimits(sessions.KEPT, sessions.KEPT)
    for hashed, actor in ((session_hash(worker.opened.cookie), SIGNING), (b"", WORKER), (b"", "")):
        with pytest.raises(PostgresError, match="insufficient_privilege"):
            async with country.parts.database.transaction(hashed, actor=actor) as tx:
                await sign_in_rows.open_session(
                    tx,
                    worker.account_id,
                    hashed=b"made up",
                    span=span,
                    device="x",
                    admits_demo=True,
                )


async def test_what_ended_a_week_ago_is_forgotten_and_nothing_else(country: Country) -> None:
    worker = await person(country, "administrator")
    token = await country.token("administrator", days=-30)
    again = await sign_in(country, await worker.proof())
    assert token
    assert again is not None
    await country.rows(
        "UPDATE tokens SET expires_at = clock_timestamp() - interval '8 days' WHERE id = :id",
        id=worker.opened.session_id,
    )
    await country.rows("UPDATE invitations SET expires_at = clock_timestamp() - interval '8 days'")

    for actor in ("", WORKER):
        assert await country.value("SELECT count(*) FROM tokens") == 3
        async with country.parts.database.transaction(actor=actor) as tx:
            await sign_in_rows.prune(tx, kept=sessions.KEPT)

    assert await country.value("SELECT count(*) FROM tokens") == 2
    assert await country.value("SELECT count(*) FROM invitations") == 0
    assert await who(country, session_hash(again.cookie)) is not None


async def test_the_demos_people_sign_in_by_role_and_only_where_a_demo_is_shown(
    country: Country,
) -> None:
    async with begin(country)() as tx:
        with pytest.raises(Missing):
            await people.sign_in(tx, "coordinator", visitor=DESK)
    async with country.owner.transaction() as tx:
        await demo.fill(tx)
        for _ in range(2):
            await people.make_ready(tx)

    for role in people.roles():
        async with begin(country)() as tx:
            opened = await people.sign_in(tx, role, visitor=DESK)
        known = await who(country, session_hash(opened.cookie))
        assert known is not None
        assert known.roles == {role}
    assert (
        len(people.roles()) == await country.value("SELECT count(*) FROM accounts WHERE demo") == 4
    )


@pytest.mark.parametrize(
    "role,where", [("coordinator", "elsewhere"), ("client_system", "here"), ("nobody", "here")]
)
async def test_there_is_no_demo_in_a_database_of_somebody_else_nor_for_other_roles(
    country: Country, role: str, where: str
) -> None:
    async with country.owner.transaction() as tx:
        await demo.fill(tx)
        await people.make_ready(tx)

    async with begin(country)() as tx:
        with pytest.raises(Missing):
            await people.sign_in(
                tx, role, visitor=sessions.Visitor(None, None, admits_demo=where == "here")
            )
