"""The administrator's pages: accounts and policies, and no client."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape

import httpx
import pytest

from app.database.caller import ADMINISTRATORS
from app.reference import policy_document
from app.web.access import PAGES
from app.web.credential import COOKIE, csrf_for
from tests.country import HERE, Country
from tests.people import Person, accept, person

OURS = {"Origin": "https://plek.test", "Sec-Fetch-Site": "same-origin"}
WITH_ID = {"{id}": "0b0f0c5e-7d3c-4c39-9f0a-2f1d6a3c9e11"}


@asynccontextmanager
async def as_(country: Country, who: Person) -> AsyncGenerator[httpx.AsyncClient]:
    """Open the browser of a person who is signed in."""
    transport = httpx.ASGITransport(country.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="https://plek.test",
        headers=OURS,
        cookies={COOKIE: who.opened.cookie},
    ) as http:
        http.headers["X-CSRF"] = csrf_for(who.opened.cookie)
        yield http


@pytest.fixture
async def chief(country: Country) -> Person:
    """An administrator."""
    return await person(country, "administrator", name="chief@plek.example")


async def last_logged(country: Country) -> tuple[str, str, str]:
    """Return what the access log says last."""
    said = "SELECT action, outcome, object_type FROM access_log ORDER BY id DESC LIMIT 1"
    row = (await country.rows(said))[0]
    return row.action, row.outcome, row.object_type


MINE = sorted(call for call, row in PAGES.items() if row.roles == ADMINISTRATORS)


@pytest.mark.parametrize("method,path", MINE)
async def test_no_page_of_an_administrator_opens_for_anybody_else(
    country: Country, method: str, path: str
) -> None:
    worker = await person(country, "intake_worker", "coordinator", provider="linde")
    async with as_(country, worker) as http:
        answer = await http.request(method, path.replace("{id}", WITH_ID["{id}"]))
    assert answer.status_code == 403
    if (look := PAGES[method, path]).action:
        assert await last_logged(country) == (look.action, "refused", look.object_type)


async def test_an_administrator_invites_somebody_and_the_link_is_shown_once(
    country: Country, chief: Person
) -> None:
    provider_id = str(await country.provider("linde"))
    form = {
        "sign_in_name": "a@linde.example",
        "roles": ["coordinator", "intake_worker"],
        "provider": provider_id,
        "region": "",
        "name": "Nachtdienst",
    }
    async with as_(country, chief) as http:
        shown = await http.post("/accounts", data=form)
        code = re.search(r">/invitation#([\w-]{43})<", shown.text)
        assert code, shown.text
        assert await last_logged(country) == ("invite", "granted", "account")
        worker = await accept(country, code[1])
        listed = await http.get("/accounts", params={"provider": provider_id})
        assert "a@linde.example" in listed.text
        assert "chief@plek.example" not in listed.text
        assert await last_logged(country) == ("search", "granted", "account")
        read = await http.get(f"/accounts/{worker.account_id}")
        assert "Nachtdienst" in read.text
        assert code[1] not in read.text + listed.text

        again = await http.post("/accounts", data=form)

    assert again.status_code == 422
    assert "Iemand logt al in met deze naam." in again.text


async def test_every_fault_of_a_form_is_said_in_words(country: Country, chief: Person) -> None:
    async with as_(country, chief) as http:
        answer = await http.post(
            "/accounts", data={"sign_in_name": "x", "roles": ["auditor", "coordinator"]}
        )
    text = unescape(answer.text)
    assert answer.status_code == 422
    for words in (
        "Minstens drie tekens",
        "Een controller ziet één regio",
        "werkt voor een vrouwenopvangorganisatie: kies",
    ):
        assert words in text
    assert await country.value("SELECT count(*) FROM accounts") == 1


async def test_an_account_is_changed_disabled_let_in_again_and_reset(
    country: Country, chief: Person
) -> None:
    worker = await person(country, "auditor", region=HERE)
    path = f"/accounts/{worker.account_id}"
    async with as_(country, chief) as http, as_(country, worker) as theirs:
        assert (await theirs.get("/session")).status_code == 200
        changed = await http.post(
            path, data={"roles": ["administrator"], "provider": "", "region": "", "name": ""}
        )
        assert (changed.status_code, changed.headers["Location"]) == (303, path)
        assert (await theirs.get("/accounts")).status_code == 200

        assert (await http.post(f"{path}/disabling")).status_code == 303
        assert (await theirs.get("/session")).status_code == 303
        assert "uitgeschakeld sinds" in (await http.get(path)).text
        assert (await http.post(f"{path}/enabling")).status_code == 303
        assert "in gebruik" in (await http.get(path)).text

        reset = await http.post(f"{path}/reset")
        assert "/invitation#" in reset.text
        assert "uitgenodigd tot" in (await http.get(path)).text


async def test_the_own_account_offers_nothing_to_change_and_changes_nothing(
    country: Country, chief: Person
) -> None:
    path = f"/accounts/{chief.account_id}"
    provider_id = str(await country.provider("linde"))
    async with as_(country, chief) as http:
        assert f'action="{path}' not in (await http.get(path)).text
        tried = await http.post(
            path, data={"roles": ["administrator", "intake_worker"], "provider": provider_id}
        )
        assert tried.status_code == 403
        assert await last_logged(country) == ("change", "refused", "account")
        for act in ("disabling", "enabling", "reset"):
            assert (await http.post(f"{path}/{act}")).status_code == 403
    assert await country.value("SELECT roles FROM accounts") == ["administrator"]


async def test_a_policy_is_published_by_text_or_file_and_compared_in_words(
    country: Country, chief: Person
) -> None:
    first = policy_document()
    text = json.dumps(
        first
        | {"version": "next", "valid_from": "2099-01-01", "hold_minutes": 90, "blank_minutes": 3}
    )
    async with as_(country, chief) as http:
        shown = await http.get("/policies")
        assert "plek policy try" in shown.text
        published = await http.post("/policies", data={"document": text})
        assert (published.status_code, published.headers["Location"]) == (303, "/policies/next")
        assert await last_logged(country) == ("publish", "granted", "policy")
        assert "hold_minutes" in (await http.get("/policies/next")).text

        said = await http.get(
            "/policies/differences", params={"a": str(first["version"]), "b": "next"}
        )
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(said.text)))
        assert "Minuten dat een plek gereserveerd blijft 120 90 gewijzigd" in words
        assert (
            "Minuten tot een scherm dat niemand aanraakt wordt afgedekt 5 3 voor het eerst genoemd"
            in words
        )

        file = {
            "file": (
                "p.json",
                text.replace("2099-01-01", "2098-01-01").replace('"next"', '"other"').encode(),
            )
        }
        assert (await http.post("/policies", data={"document": ""}, files=file)).status_code == 303


@pytest.mark.parametrize(
    "text,says",
    [
        ("{", "is not JSON"),
        ('{"version": "x"}', "is missing"),
        ("", "is not JSON"),
        ("[]", "must be an object"),
    ],
)
async def test_what_is_no_policy_is_refused_with_its_faults_and_stays_in_the_form(
    country: Country, chief: Person, text: str, says: str
) -> None:
    async with as_(country, chief) as http:
        answer = await http.post("/policies", data={"document": text})
    assert answer.status_code == 422
    assert says in answer.text
    assert f">{text}</textarea>" in unescape(answer.text)


async def test_providers_and_weights_are_listed_with_how_they_are_changed(
    country: Country, chief: Person
) -> None:
    await country.provider("linde", regions=[HERE])
    async with as_(country, chief) as http:
        providers, weights = await http.get("/provider-list"), await http.get("/weights")
    assert "Stichting Linde" in providers.text
    assert "'s-Gravenhage" in unescape(providers.text)
    assert "plek import weights" in weights.text
    assert len(re.findall("<tr", weights.text)) == 36
