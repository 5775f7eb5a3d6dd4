"""Sign-in through the pages.

Own forms only, a new session each time, ended when asked.
"""

import asyncio
import re
from base64 import b32decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from app.accounts import second_factor
from app.accounts.sessions import session_hash
from app.config import Settings
from app.main import join
from app.web.cookies import DEVICE
from app.web.credential import COOKIE, VISITOR_COOKIE, csrf_for
from tests.country import Country, application
from tests.people import PASSWORD, Person, invited, person, who

pytestmark = pytest.mark.race

OURS = {"Origin": "https://plek.test", "Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def browser(
    country: Country, cookies: dict[str, str] | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """Open a browser, more or less.

    It keeps cookies and says where a form was sent from.
    """
    transport = httpx.ASGITransport(
        country.app, raise_app_exceptions=False, client=("192.0.2.7", 40_000)
    )
    async with httpx.AsyncClient(
        transport=transport, base_url="https://plek.test", headers=OURS, cookies=cookies
    ) as http:
        yield http


async def typed(worker: Person, **changes: str) -> dict[str, str]:
    """Return what this person types."""
    code = changes.pop("code", None) or await worker.next_code()
    return {"name": worker.name, "password": worker.password, "code": code} | changes


async def send(
    http: httpx.AsyncClient, path: str, form: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    """Send a form as our pages do."""
    kept = http.cookies.get(COOKIE) or http.cookies.get(VISITOR_COOKIE) or ""
    return await http.post(path, data={"csrf": csrf_for(kept)} | (form or {}), **more)


async def signed_in(http: httpx.AsyncClient, worker: Person) -> str:
    """Sign a person in; return the session's cookie."""
    await http.get("/sign-in")
    answer = await send(http, "/sign-in", await typed(worker))
    assert answer.status_code == 303, answer.text
    return http.cookies[COOKIE]


async def test_a_worker_signs_in_and_out_and_the_cookie_opens_nothing_any_more(
    country: Country,
) -> None:
    worker = await person(country, "intake_worker", provider="linde")
    async with browser(country) as http:
        cookie = await signed_in(http, worker)
        assert (await http.get("/session")).status_code == 200

        left = await send(http, "/sign-out")

        assert (left.status_code, left.headers["Location"]) == (303, "/")
        assert COOKIE not in http.cookies
    assert await who(country, session_hash(cookie)) is None
    async with browser(country, {COOKIE: cookie}) as stolen:
        refused = await stolen.get("/session")
        assert (refused.status_code, refused.headers["Location"]) == (303, "/sign-in?next=/session")


async def test_cookies_are_bound_to_the_host_and_unreadable_for_scripts(country: Country) -> None:
    worker = await person(country, "administrator")
    async with browser(country) as http:
        form = await http.get("/sign-in")
        answer = await send(http, "/sign-in", await typed(worker))
    given: SimpleCookie = SimpleCookie()
    for header in (*form.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")):
        given.load(header)
    assert set(given) == {VISITOR_COOKIE, COOKIE, DEVICE}
    for name, one in given.items():
        assert (bool(one["secure"]), bool(one["httponly"]), one["path"], one["domain"]) == (
            True,
            True,
            "/",
            "",
        ), name
    assert (given[COOKIE]["samesite"], given[DEVICE]["samesite"]) == ("lax", "strict")
    assert given[COOKIE]["max-age"] == ""


async def test_a_session_that_somebody_put_into_the_browser_is_not_the_one_that_begins(
    country: Country,
) -> None:
    worker = await person(country, "administrator")
    for planted in ("planted", worker.opened.cookie):
        async with browser(country, {COOKIE: planted}) as http:
            assert (await send(http, "/sign-in", await typed(worker))).status_code == 303
            assert http.cookies.jar is not None
            cookies = {one.value for one in http.cookies.jar if one.name == COOKIE}
        assert len(cookies - {planted}) == 1
    assert await who(country, session_hash("planted")) is None


@pytest.mark.parametrize(
    "headers,form,status",
    [
        ({}, {}, 303),
        ({"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}, {}, 403),
        ({"Origin": "https://plek.test.elsewhere.example", "Sec-Fetch-Site": ""}, {}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-site"}, {}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {}, 303),
        ({}, {"csrf": "made up"}, 403),
        ({}, {"csrf": ""}, 403),
        ({"X-CSRF": "made up"}, {}, 403),
    ],
)
async def test_what_no_page_of_ours_sent_changes_nothing(
    country: Country, headers: dict[str, str], form: dict[str, str], status: int
) -> None:
    worker = await person(country, "administrator")
    async with browser(country) as http:
        await http.get("/sign-in")
        answer = await send(http, "/sign-in", await typed(worker) | form, headers=headers)
        assert answer.status_code == status
        assert (COOKIE in http.cookies) is (status == 303)
    async with browser(country) as http:
        cookie = await signed_in(http, worker)
        answer = await send(http, "/session/end-all", form, headers=headers)
        assert answer.status_code == status
    assert (await who(country, session_hash(cookie)) is None) is (status == 303)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "nobody"},
        {"password": "een lange dag bij het meer"},
        {"code": "000000"},
        {"code": " "},
    ],
)
async def test_the_page_says_the_same_whatever_was_wrong(
    country: Country, wrong: dict[str, str]
) -> None:
    worker = await person(country, "administrator")
    async with browser(country) as http:
        await http.get("/sign-in")
        usual = await send(http, "/sign-in", await typed(worker, password="x"))
        answer = await send(http, "/sign-in", await typed(worker, **wrong))
    same = [
        re.sub(r'content="2\d{3}-[^"]*"|value="[^"]*"', "", one.text) for one in (usual, answer)
    ]
    assert answer.status_code == usual.status_code == 422
    assert same[0] == same[1]
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    "wanted,goes",
    [
        ("/session", "/session"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere", "/"),
        ("https://elsewhere.example", "/"),
    ],
)
async def test_whoever_signed_in_goes_to_where_they_wanted_and_to_no_other_site(
    country: Country, wanted: str, goes: str
) -> None:
    worker = await person(country, "administrator")
    async with browser(country) as http:
        await http.get("/sign-in", params={"next": wanted})
        answer = await send(http, "/sign-in", await typed(worker) | {"back": wanted})
    assert answer.headers["Location"] == goes


async def test_a_bearer_token_opens_no_page_and_a_session_no_call_of_the_api(
    country: Country,
) -> None:
    worker = await person(country, "intake_worker", provider="linde")
    token = await country.token("intake_worker", provider="linde")
    async with browser(country) as http:
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/session", headers=bearer)).status_code == 303
        cookie = await signed_in(http, worker)
        for tried in ({}, {"Authorization": f"Bearer {cookie}"}):
            assert (await http.get("/v1/regions", headers=tried)).status_code == 401


async def test_a_request_that_ends_all_sessions_and_one_beside_it_do_not_hinder_each_other(
    country: Country,
) -> None:
    worker = await person(country, "administrator")
    async with browser(country) as http:
        cookie = await signed_in(http, worker)
        async with browser(country, {COOKIE: cookie}) as other:
            answers = await asyncio.gather(
                send(http, "/session/end-all"),
                *(other.get("/session") for _ in range(5)),
                return_exceptions=True,
            )
            assert {one.status_code for one in answers if isinstance(one, httpx.Response)} <= {
                200,
                303,
            }
            assert (await other.get("/session")).status_code == 303


async def test_a_session_ends_idle_by_the_policys_minutes_and_pages_keep_it_but_refreshes_do_not(
    country: Country,
) -> None:
    worker = await person(country, "administrator")
    back = "UPDATE {} SET {} = {} - interval '20 minutes'"
    async with browser(country) as http:
        await signed_in(http, worker)
        for headers, lives in (({}, 200), ({}, 200), ({"HX-Request": "true"}, 401)):
            assert (
                await http.get("/session/state", headers={"HX-Request": "true"})
            ).status_code == 200
            await http.get("/session", headers=headers)
            await country.rows(back.format("tokens", "expires_at", "expires_at"))
            await country.rows(back.format("sessions", "seen_at", "seen_at"))
            later = await http.get("/session/state", headers={"HX-Request": "true"})
            if lives == 401:
                await country.rows(back.format("tokens", "expires_at", "expires_at"))
                later = await http.get("/session/state", headers={"HX-Request": "true"})
            assert later.status_code == lives


async def test_an_invitation_leads_to_a_session_and_its_codes_are_shown_once(
    country: Country,
) -> None:
    made = await invited(country, "new@linde.example", "administrator")
    async with browser(country) as http:
        await http.get("/invitation")
        shown = await send(http, "/invitation", {"code": made.code})
        assert shown.status_code == 200
        assert "<svg" in shown.text
        sealed = re.search(r'name="sealed"\s+value="([^"]+)"', shown.text)
        spelled = re.search(r"<code>([A-Z2-7 ]+)</code>", shown.text)
        assert sealed
        assert spelled
        form = {"code": made.code, "sealed": sealed[1], "password": "kort", "digits": "000000"}

        again = await send(http, "/invitation/acceptance", form)

        assert again.status_code == 422
        assert sealed[1] in again.text
        digits = await code_of(country, spelled[1])
        done = await send(
            http, "/invitation/acceptance", form | {"password": PASSWORD, "digits": digits}
        )
        assert done.status_code == 200
        assert len(re.findall(r"<li><code>", done.text)) == 10
        assert (await http.get("/session")).status_code == 200
        over = await send(http, "/invitation", {"code": made.code})
        assert over.status_code == 422


async def code_of(country: Country, spelled: str) -> str:
    at = await country.value("SELECT clock_timestamp()")
    return second_factor.code_at(b32decode(spelled.replace(" ", "")), at)


async def test_there_is_no_demo_sign_in_where_no_demo_is_shown(country: Country) -> None:
    async with browser(country) as http:
        await http.get("/sign-in")
        assert (await send(http, "/demo-sign-in", {"role": "coordinator"})).status_code == 404
        assert "demo-sign-in" not in (await http.get("/")).text


async def test_too_many_tries_are_told_to_wait_and_a_known_device_is_not(country: Country) -> None:
    worker = await person(country, "administrator")
    settings = Settings(rate_limit=6000, assume_role=country.parts.settings.assume_role)
    parts = join(
        settings, database_url=country.app_url, redis_url=country.parts.link.url, key=country.key
    )
    country.stack.push_async_callback(parts.database.close)
    country.stack.push_async_callback(parts.link.close)
    there = replace(country, parts=parts, app=country.stack.enter_context(application(parts)))
    async with browser(there) as hers, browser(there) as his:
        await signed_in(hers, worker)
        await send(hers, "/sign-out")
        await his.get("/sign-in")
        tried = [
            (await send(his, "/sign-in", await typed(worker, password="x"))).status_code
            for _ in range(6)
        ]
        assert tried[-1] == 429
        assert tried[0] == 422

        assert (await send(his, "/sign-in", await typed(worker))).status_code == 429
        await signed_in(hers, worker)
        hers.cookies.delete(DEVICE)
        # Changing a password is counted with signing in: where the device is not known, with
        # all who try the name.
        other = {"password": worker.password, "code": "000000", "chosen": PASSWORD}
        assert (await send(hers, "/session/password", other)).status_code == 429
