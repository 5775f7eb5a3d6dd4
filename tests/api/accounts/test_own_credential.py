"""Changing one's own password and second factor.

As hard as signing in, and every other session ends with it.
"""

import re
from base64 import b32decode
from dataclasses import replace

import pytest

from app.web.credential import COOKIE
from tests.api.accounts.test_pages_sign_in import browser, code_of, send, signed_in, typed
from tests.country import THERE, Country
from tests.people import Person, person
from tests.web.visitor import browser_of

pytestmark = pytest.mark.race

OTHER = "een korte nacht in de bergen"


def chosen(password: str, code: str = "000000") -> dict[str, str]:
    """Return what a person sends who wants another password."""
    return {"password": password, "code": code, "chosen": OTHER}


async def test_whoever_proves_who_they_are_changes_the_password_and_is_signed_out_everywhere_else(
    country: Country,
) -> None:
    worker = await person(country, "administrator")
    async with browser(country) as here, browser(country) as elsewhere:
        before = await signed_in(here, worker)
        await signed_in(elsewhere, worker)
        assert (await here.get("/session/credential")).status_code == 200

        for form in (
            chosen("not this one", await worker.next_code()),
            chosen(worker.password, "000000"),
            chosen(worker.password, await worker.next_code()) | {"chosen": "kort"},
        ):
            assert (await send(here, "/session/password", form)).status_code == 422
        assert (await elsewhere.get("/session")).status_code == 200
        done = await send(
            here, "/session/password", chosen(worker.password, await worker.next_code())
        )

        assert done.status_code == 200, done.text
        assert here.cookies[COOKIE] != before
        assert (await here.get("/session")).status_code == 200
        assert (await elsewhere.get("/session")).status_code == 303
        await elsewhere.get("/sign-in")
        assert (await send(elsewhere, "/sign-in", await typed(worker))).status_code == 422
        await signed_in(elsewhere, replace(worker, password=OTHER))
    assert await said_of(country, worker) == ["password", "password", "new_password", "password"]


async def said_of(country: Country, worker: Person) -> list[str]:
    """Return by what a person's sessions began since the first, as the access log has it."""
    rows = await country.rows(
        "SELECT purpose FROM access_log WHERE action = 'sign_in' AND outcome = 'granted' AND "
        "object_id = :id"
        " ORDER BY at",
        id=worker.account_id,
    )
    return [row.purpose for row in rows][1:]


async def test_with_a_recovery_code_somebody_takes_another_telephone_and_the_old_one_says_nothing_any_more(
    country: Country,
) -> None:
    worker = await person(country, "auditor", region=THERE)
    async with browser(country) as http:
        await signed_in(http, worker)
        page = (await http.get("/session/credential")).text
        sealed, spelled = (
            re.search(r'name="sealed" value="([^"]+)"', page),
            re.search(r"<code>([A-Z2-7 ]+)</code>", page),
        )
        assert sealed
        assert spelled
        form = {
            "password": worker.password,
            "code": worker.recovery_codes[0],
            "sealed": sealed[1],
            "digits": "000000",
        }

        again = await send(http, "/session/second-factor", form)
        assert again.status_code == 422
        assert spelled[1] in again.text
        done = await send(
            http, "/session/second-factor", form | {"digits": await code_of(country, spelled[1])}
        )

        assert done.status_code == 200, done.text
        assert len(re.findall(r"<li><code>", done.text)) == 10
        await send(http, "/sign-out")
        await http.get("/sign-in")
        assert (await send(http, "/sign-in", await typed(worker))).status_code == 422
        secret = b32decode(spelled[1].replace(" ", ""))
        await signed_in(http, replace(worker, secret=secret))


async def test_whoever_signs_in_by_nothing_has_nothing_to_change(country: Country) -> None:
    http = await browser_of(country, "coordinator", provider="linde")

    assert (await http.get("/session/credential")).status_code == 404
    assert "/session/credential" not in (await http.get("/session")).text
