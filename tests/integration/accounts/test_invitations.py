"""Invitations: accepted once, within a day, with a good password and a second factor."""

import asyncio

import pytest

from app.accounts import invitations
from app.accounts.invitations import ChosenCredential
from app.accounts.sessions import session_hash
from app.errors import Invalid, Missing
from tests.country import Country
from tests.people import DESK, PASSWORD, accept, begin, invited, sign_in, who

pytestmark = pytest.mark.race


async def test_an_invitation_is_accepted_once_by_the_first_and_signs_in(country: Country) -> None:
    code = (await invited(country, "j.jansen@linde.example", "administrator")).code

    answers = await asyncio.gather(
        *(accept(country, code) for _ in range(3)), return_exceptions=True
    )

    enrolled = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(enrolled) == 1
    assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [
        Missing
    ] * 2
    assert await who(country, session_hash(enrolled[0].opened.cookie)) is not None
    assert await sign_in(country, await enrolled[0].proof()) is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invitations SET expires_at = clock_timestamp()",
        "UPDATE invitations SET used_at = clock_timestamp()",
        "UPDATE accounts SET disabled_at = clock_timestamp()",
        "SELECT 1",
    ],
)
async def test_what_is_no_open_invitation_is_nothing(country: Country, statement: str) -> None:
    code = (await invited(country, "j.jansen@linde.example", "administrator")).code
    await country.rows(statement)

    with pytest.raises(Missing):
        await accept(country, code if statement != "SELECT 1" else f"{code[:-1]}~")


@pytest.mark.parametrize(
    "password,fault",
    [
        ("kort", "password_length"),
        ("x" * 201, "password_length"),
        ("aaaaaaaaaaaaaaaa", "password_easy"),
        ("j.jansen@linde.example1", "password_easy"),
    ],
)
async def test_a_password_that_is_easily_guessed_is_not_taken(
    country: Country, password: str, fault: str
) -> None:
    code = (await invited(country, "j.jansen@linde.example", "administrator")).code

    with pytest.raises(Invalid) as refused:
        await accept(country, code, password=password)

    assert [(one.pointer, one.message) for one in refused.value.faults] == [("/password", fault)]
    assert (await accept(country, code)).account_id


async def test_the_second_factor_has_to_be_shown_to_work_and_is_the_one_that_was_offered(
    country: Country,
) -> None:
    code = (await invited(country, "j.jansen@linde.example", "administrator")).code
    async with begin(country)() as tx:
        offer = await invitations.offer_factor(tx, code)
        again = await invitations.offer_factor(tx, code, again=offer.sealed)
        other = await invitations.offer_factor(tx, code, again="made up")
    assert again.secret == offer.secret != other.secret

    choice = ChosenCredential(code, offer.sealed, PASSWORD, "000000")
    with pytest.raises(Invalid) as refused:
        await invitations.accept_invitation(begin(country), choice, visitor=DESK)

    assert [(one.pointer, one.message) for one in refused.value.faults] == [("/code", "code_wrong")]
