"""A refusal and the moment at which an account change takes effect: one of them wins."""

import asyncio

import pytest

from app.accounts import account_changes, staff
from app.accounts.sessions import session_hash
from app.accounts.staff import AccountWanted
from app.database.transaction import WORKER
from tests.country import Client, Country
from tests.people import person
from tests.rounds import rounds
from tests.unguarded import weaken

pytestmark = pytest.mark.race

ROUNDS = rounds(5, soak=60)
STANDS = """
SELECT c.outcome, i.opened_at IS NOT NULL AS opened, i.used_at IS NOT NULL AS ended,
       a.disabled_at IS NOT NULL AS disabled
FROM account_changes AS c JOIN invitations AS i ON i.change_id = c.id
JOIN accounts AS a ON a.id = c.account_id WHERE c.account_id = :id
"""


async def test_a_refusal_at_the_very_moment_wins_whole_or_not_at_all(country: Country) -> None:
    chief = await person(country, "administrator", name="chief@plek.example")
    desk = [await country.client("intake_worker", provider="linde") for _ in range(4)]
    wanted = AccountWanted(frozenset({"coordinator"}), await country.provider("linde"), None, None)
    for number in range(ROUNDS):
        async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
            made = await staff.invite(
                tx, wanted, sign_in_name=f"{number}@linde.example", embedded=True
            )
        due = await country.value(
            "UPDATE account_changes SET asked_at = asked_at - interval '25 hours',"
            " effective_at = effective_at - interval '25 hours' WHERE outcome IS NULL"
            " RETURNING id::text"
        )
        turns = [refuse(one, due) for one in desk] + [look(country) for _ in range(4)]
        answers = await asyncio.gather(*(turns if number % 2 else reversed(turns)))
        (stands,) = await country.rows(STANDS, id=made.account_id)
        refused = answers.count(200)
        assert refused == (stands.outcome == "refused")
        assert sorted(one for one in answers if one)[refused:] == [409] * (len(desk) - refused)
        # What won is there whole.
        assert (stands.opened, stands.ended, stands.disabled) == (
            (False, True, True) if refused else (True, False, False)
        )
    # Without its guard a refusal would undo what has been opened.
    await weaken(country, "refuse_account_change", ("AND outcome IS NULL", ""))
    took_effect = "SELECT id::text FROM account_changes WHERE outcome = 'effective' AND effective_at > asked_at LIMIT 1"
    await country.rows(
        "UPDATE account_changes SET outcome = 'effective', refused_by = NULL RETURNING 1"
    )
    assert await refuse(desk[0], await country.value(took_effect)) == 200


async def refuse(one: Client, change_id: str) -> int:
    """Refuse a change, and return the status."""
    return (await one.ask("POST", f"/account-changes/{change_id}/refusal")).status_code


async def look(country: Country) -> int:
    """Do a worker's turn."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await account_changes.let_due_take_effect(tx)
    return 0
