"""A colleague vouches for an account locked out on duty: for a shift, seen by all."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app.accounts import staff, vouchings
from app.accounts.sessions import NewSession, session_hash
from app.budgets import budgets
from app.errors import Conflict, Forbidden, Missing, TooMany
from app.events.allowance import UNKNOWN_DEVICE_TRIES, Allowance
from tests.country import Country
from tests.mail_receiver import deliver, receiving_mails
from tests.people import DESK, Person, begin, person, who

ENDS = "SELECT extract(epoch FROM ends_at - created_at) / 3600 FROM sessions WHERE token_id = :id"


@pytest.fixture
async def locked_out(country: Country) -> Person:
    """A worker at linde who has lost their telephone, and has every role there."""
    return await person(
        country, "intake_worker", "coordinator", name="night@linde.example", provider="linde"
    )


@pytest.fixture
async def colleague(country: Country) -> Person:
    """A colleague of theirs who has just signed in."""
    return await person(country, "intake_worker", name="day@linde.example", provider="linde")


async def vouch(country: Country, one: NewSession, account_id: UUID) -> vouchings.NewVouching:
    """Vouch for an account."""
    async with country.parts.database.transaction(session_hash(one.cookie)) as tx:
        return await vouchings.vouch(tx, account_id)


async def come_in(
    country: Country, name: str, code: str, *, allowance: Allowance | None = None
) -> NewSession | None:
    """Try to come in by a code."""
    return await vouchings.come_in(
        begin(country), name, code, visitor=DESK, allowance=allowance or country.parts.allowance
    )


async def refused_without_waiting(country: Country, name: str, limited: Allowance) -> bool:
    """Try a wrong code; whether that was refused, and not because of too many tries."""
    try:
        return await come_in(country, name, "AAAA AAAA", allowance=limited) is None
    except TooMany:
        return False


async def test_who_is_locked_out_works_until_the_end_of_the_shift_and_all_are_told(
    country: Country, locked_out: Person, colleague: Person
) -> None:
    chief = await person(country, "coordinator", name="c@linde.example", provider="linde")
    made = await vouch(country, colleague.opened, locked_out.account_id)

    assert await come_in(country, colleague.name, made.code) is None
    assert await come_in(country, "nobody@linde.example", made.code) is None
    assert await come_in(country, locked_out.name, "ABCD EFGH") is None
    opened = await come_in(country, locked_out.name.upper(), made.code.lower().replace(" ", ""))
    assert opened is not None
    assert await come_in(country, locked_out.name, made.code) is None

    known = await who(country, session_hash(opened.cookie))
    assert known is not None
    assert (known.account_id, known.roles) == (locked_out.account_id, {"intake_worker"})
    assert round(await country.value(ENDS, id=opened.session_id), 2) == 10
    async with receiving_mails() as receiver:
        await deliver(country, receiver)
    assert receiver.to() == [chief.name, colleague.name, locked_out.name]
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        (seen,) = await vouchings.list_vouchings(tx, limit=9)
    assert (seen.account_id, seen.vouched_by) == (locked_out.account_id, colleague.account_id)
    logged = await country.rows(
        "SELECT action, account_id, outcome, purpose FROM access_log"
        " WHERE action = 'vouch' OR purpose = 'vouched' ORDER BY id"
    )
    assert [tuple(row) for row in logged] == [
        ("vouch", colleague.account_id, "granted", None),
        *[("sign_in", None, "refused", "vouched")] * 3,
        ("sign_in", locked_out.account_id, "granted", "vouched"),
        ("sign_in", None, "refused", "vouched"),
    ]
    # An account that lost the role has lost the session.
    await country.rows(
        "UPDATE accounts SET roles = '{coordinator}' WHERE id = :id RETURNING 1",
        id=locked_out.account_id,
    )
    assert await who(country, session_hash(opened.cookie)) is None


async def test_whom_a_colleague_vouched_for_vouches_for_nobody_and_has_no_second_factor(
    country: Country, locked_out: Person, colleague: Person
) -> None:
    made = await vouch(country, colleague.opened, locked_out.account_id)
    opened = await come_in(country, locked_out.name, made.code)
    assert opened is not None
    hashed = session_hash(opened.cookie)
    async with country.parts.database.transaction(hashed) as tx:
        row = await tx.connection.fetchrow("SELECT proved_lately($1)", tx.caller.token_id)
        assert row is not None
        assert row[0] is False
    # A recovery code proves it, as everywhere; it vouches for nobody all the same.
    await country.rows(
        "UPDATE sessions SET proved_at = clock_timestamp() WHERE token_id = :id RETURNING 1",
        id=opened.session_id,
    )
    with pytest.raises(Forbidden, match="vouches for nobody"):
        await vouch(country, opened, colleague.account_id)
    with pytest.raises(Conflict):
        await vouch(country, colleague.opened, locked_out.account_id)
    third = await person(country, "intake_worker", name="t@linde.example", provider="linde")
    haven = await person(country, "intake_worker", name="h@haven.example", provider="haven")
    for one in (haven, third):
        async with country.parts.database.transaction(session_hash(one.opened.cookie)) as tx:
            (row,) = await vouchings.list_vouchings(tx, limit=1) or [made.row]
            if one is haven:
                with pytest.raises(Missing):
                    await vouchings.end_vouching(tx, made.row.id)
            else:
                await vouchings.end_vouching(tx, row.id)
    assert await who(country, hashed) is None


async def test_a_code_ends_with_its_account_and_raises_nobodys_budget_without_proof(
    country: Country, locked_out: Person, colleague: Person
) -> None:
    made = await vouch(country, colleague.opened, locked_out.account_id)
    chief = await person(country, "coordinator", name="c@linde.example", provider="linde")
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await staff.reset(tx, locked_out.account_id)
    assert await come_in(country, locked_out.name, made.code) is None

    third = await person(country, "intake_worker", name="t@linde.example", provider="linde")
    made = await vouch(country, colleague.opened, third.account_id)
    opened = await come_in(country, third.name, made.code)
    assert opened is not None
    async with country.parts.database.transaction(session_hash(opened.cookie)) as tx:
        with pytest.raises(Forbidden, match="second factor"):
            await budgets.raise_budget(tx, colleague.account_id, reason="busy_shift")
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await budgets.raise_budget(tx, colleague.account_id, reason="busy_shift")


async def test_nobody_vouches_for_a_friend_for_themselves_or_without_proof(
    country: Country, locked_out: Person, colleague: Person
) -> None:
    elsewhere = await person(country, "intake_worker", name="h@haven.example", provider="haven")
    chief = await person(country, "administrator", name="chief@plek.example")
    only_coordinates = await person(
        country, "coordinator", name="c@linde.example", provider="linde"
    )
    await country.client("intake_worker", provider="linde")
    token_only = await country.value(
        "SELECT a.id FROM accounts AS a LEFT JOIN credentials AS c ON c.account_id = a.id"
        " WHERE c.account_id IS NULL"
    )
    for one, account_id in (
        (colleague, colleague.account_id),
        (colleague, elsewhere.account_id),
        (colleague, only_coordinates.account_id),
        (colleague, token_only),
        (colleague, uuid4()),
        (chief, locked_out.account_id),
        (elsewhere, locked_out.account_id),
    ):
        with pytest.raises((Missing, Forbidden)):
            await vouch(country, one.opened, account_id)
    await country.rows(
        "UPDATE sessions SET proved_at = clock_timestamp() - interval '3 hours' RETURNING 1"
    )
    with pytest.raises(Forbidden, match="second factor"):
        await vouch(country, colleague.opened, locked_out.account_id)
    assert await country.value("SELECT count(*) FROM vouchings") == 0


async def test_a_code_ends_by_time_by_the_next_one_and_by_tries(
    country: Country, locked_out: Person, colleague: Person
) -> None:
    first = await vouch(country, colleague.opened, locked_out.account_id)
    second = await vouch(country, colleague.opened, locked_out.account_id)
    assert await come_in(country, locked_out.name, first.code) is None
    await country.rows(
        "UPDATE vouchings SET code_until = clock_timestamp() WHERE used_at IS NULL RETURNING 1"
    )
    assert await come_in(country, locked_out.name, second.code) is None
    third = await vouch(country, colleague.opened, locked_out.account_id)
    limited = Allowance(country.parts.link, per_minute=6000)
    for name in (locked_out.name, "nobody@linde.example"):
        tries = 0
        while await refused_without_waiting(country, name, limited):
            tries += 1
        assert tries == UNKNOWN_DEVICE_TRIES
    with pytest.raises(TooMany):
        await come_in(country, locked_out.name, third.code, allowance=limited)
    assert replace(third, code="").code == ""
