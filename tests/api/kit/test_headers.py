"""What every answer carries.

Strict headers, and no word to other origins but the description.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.routing import Mount

from app.api.kit import description
from app.api.kit.access import ROUTES
from app.api.kit.headers import harden
from app.api.kit.middleware import LONGEST_BODY
from app.web.access import PAGES
from app.web.page import HEADERS as OF_THE_PAGE
from tests.api.calls import JSON, World, world
from tests.country import Client, Country

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
CONTRACT = {
    "content-security-policy": NOTHING,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}
"""Of every answer, unless it is one of these."""
OWN = {
    "/v1/openapi.json": {"cross-origin-resource-policy": "cross-origin"},
    "/service-worker.js": {
        "content-security-policy": NOTHING.replace("; ", "; connect-src 'self'; ", 1)
    },
}
OF_PAGES = {"content-security-policy": OF_THE_PAGE["Content-Security-Policy"]}
POWERS = (
    "camera=()",
    "geolocation=()",
    "microphone=()",
    "clipboard-read=()",
    "display-capture=()",
    "payment=()",
)
ORIGIN = {"Origin": "https://elsewhere.example"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")


def strict(answer: httpx.Response) -> None:
    """Fail unless an answer carries all of it, each once."""
    where = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
    own = OWN.get(answer.request.url.path, {}) if answer.is_success else {}
    if answer.headers.get("content-type", "").startswith("text/html"):
        own = OF_PAGES
    for name, value in (CONTRACT | own).items():
        assert answer.headers.get_list(name) == [value], f"{where} {name}"
    assert len(answer.headers.get_list("cache-control")) == 1, where
    if own is not OWN["/v1/openapi.json"]:
        assert answer.headers["cache-control"] == "no-store", where
    (policy,) = answer.headers.get_list("permissions-policy")
    assert set(POWERS) <= set(policy.split(", ")), where
    assert "server" not in answer.headers, where
    assert answer.headers["api-version"], where


def paths(country: Country) -> list[str]:
    """Return every path of the service, as a client would ask for it.

    Ids are made up.
    """
    beside = {
        path.replace("{id}", "made-up") for _, path in {*description.routes(country.app), *PAGES}
    }
    return sorted(beside | {f"/v1{path.replace('{id}', 'made-up')}" for _, path in ROUTES})


async def top(country: Country, **more: Any) -> Client:
    """Return a client at the top of the service, from this machine."""
    transport = httpx.ASGITransport(country.app, raise_app_exceptions=False, **more)
    http = httpx.AsyncClient(transport=transport, base_url="http://plek.test")
    return Client(await country.stack.enter_async_context(http))


async def granted(there: World) -> list[httpx.Response]:
    """Return the answers to a valid request for every route of the API."""
    return [
        await there.sender.http.request(**there.request(method, template))
        for method, template in ROUTES
    ]


async def test_every_answer_of_every_route_is_strict(country: Country) -> None:
    there = await world(country)
    nobody = await top(country)
    asked = paths(country)
    assert {
        "/",
        "/static/{version}/{name}",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/v1/events",
    } <= set(asked)

    answers = await granted(there)
    answers += [
        await nobody.ask(method, path)
        for path in [*asked, "/nowhere", "/v1/nowhere"]
        for method in METHODS
    ]

    for answer in answers:
        strict(answer)
    assert {answer.status_code for answer in answers} >= {200, 201, 400, 401, 403, 404, 405}


async def test_answers_to_what_is_too_long_and_to_our_own_faults_are_strict(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    administrator = await country.client("administrator")

    async def in_parts() -> AsyncIterator[bytes]:
        for _ in range(LONGEST_BODY // 50_000 + 1):
            yield b" " * 50_000

    answers = [
        await administrator.ask("POST", "/sites", content=content, headers=JSON, expect=400)
        for content in (b" " * (LONGEST_BODY + 1), in_parts())
    ]
    monkeypatch.setattr(country.parts.database, "transaction", None)
    answers += [await administrator.ask("GET", "/regions", expect=500)]
    answers += [await (await top(country)).ask("GET", "/metrics", expect=500)]

    for answer in answers:
        strict(answer)


async def test_the_page_loads_what_it_needs_and_nothing_else(country: Country) -> None:
    page = await (await top(country)).ask("GET", "/", expect=200)

    directives = dict(
        part.split(" ", 1) for part in page.headers["content-security-policy"].split("; ")
    )
    sources = {
        name: directives.pop(name) for name in list(directives) if directives[name] != "'none'"
    }
    assert set(directives) == {"default-src", "frame-ancestors", "base-uri"}
    assert set(sources.values()) == {"'self'"}
    assert set(sources) == {
        f"{kind}-src" for kind in ("script", "style", "img", "connect", "manifest", "worker")
    } | {"form-action"}
    assert "style=" not in page.text
    assert "<style" not in page.text
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon[a-z]+=|javascript:", page.text)


def test_what_an_answer_says_itself_stands() -> None:
    headers = [
        (b"cache-control", b"max-age=60"),
        (b"content-security-policy", b"default-src 'self'"),
    ]

    harden(headers)

    names = [name for name, _ in headers]
    assert len(set(names)) == len(names)
    assert headers[:2] == [
        (b"cache-control", b"max-age=60"),
        (b"content-security-policy", b"default-src 'self'"),
    ]
    assert {name.encode() for name in CONTRACT} < set(names)


async def test_only_the_description_can_be_read_from_another_origin(country: Country) -> None:
    there = await world(country)
    nobody = await top(country)
    mounted: Any = next(route.app for route in country.app.routes if isinstance(route, Mount))
    assert set(ROUTES) == description.routes(mounted)
    asked = [
        await nobody.ask(method, path, headers=ORIGIN)
        for path in paths(country)
        for method in METHODS
    ]
    for method, template in ROUTES:
        request = there.request(method, template)
        asked.append(
            await there.sender.http.request(**request | {"headers": request["headers"] | ORIGIN})
        )

    opened = {
        (answer.request.method, answer.request.url.path, name, value)
        for answer in asked
        for name, value in answer.headers.items()
        if name.startswith("access-control")
    }

    assert opened == {("GET", "/v1/openapi.json", "access-control-allow-origin", "*")}
    assert {answer.headers["cross-origin-resource-policy"] for answer in asked} == {
        "same-origin",
        "cross-origin",
    }


async def test_a_browser_that_asks_first_is_told_no_everywhere(country: Country) -> None:
    nobody = await top(country)
    for path in [*paths(country), "/nowhere", "/v1/nowhere"]:
        for method in ("GET", "POST", "PATCH", "DELETE"):
            first = ORIGIN | {
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "authorization, content-type",
                "Access-Control-Request-Private-Network": "true",
            }
            answer = await nobody.ask("OPTIONS", path, headers=first)
            assert not answer.is_success, path
            assert not [name for name in answer.headers if name.startswith("access-control")], path
