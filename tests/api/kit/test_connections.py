"""The service on a real port, as `plek serve` serves it: bounds on each connection."""

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import uvicorn

from app.api.kit.middleware import LONGEST_ADDRESS, LONGEST_BODY, LONGEST_HEAD
from app.api.kit.problems import PROBLEM_JSON
from app.commands import connection
from app.commands.serve import serve
from app.config import Settings
from app.events import allowance
from app.main import join
from tests.api.calls import JSON
from tests.api.kit.test_headers import strict
from tests.api.live_service import PLAIN, following
from tests.country import Country, application, referral_body

PATIENCE_S = 20
PIECE = b"x" * 8_192


@asynccontextmanager
async def served(
    country: Country, settings: Settings | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """Serve on a free port with what `plek serve` asks of uvicorn.

    Yield a client of it.
    """
    chosen = settings or country.parts.settings
    parts = join(
        chosen, database_url=country.app_url, redis_url=country.parts.link.url, key=country.key
    )
    app = country.stack.enter_context(application(parts))
    config = uvicorn.Config(app, port=0, lifespan="on", **serve._options(chosen))
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not running.done(), "the server did not start"
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, verify=PLAIN
        ) as http:
            yield http
    finally:
        server.should_exit = True
        await running


@dataclass
class Line:
    """A bare connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def flood(self, *, most: int) -> int:
        """Send until the other side has had enough; return how many bytes it took."""
        sent = 0
        while sent < most:
            try:
                await self.send(PIECE)
            except ConnectionError:
                break
            sent += len(PIECE)
        return sent

    async def rest(self) -> bytes:
        """Return all that comes until the other side closes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()


@asynccontextmanager
async def line_to(http: httpx.AsyncClient) -> AsyncGenerator[Line]:
    """Open a bare connection to a server."""
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


def answer_in(raw: bytes, *, method: str = "GET") -> httpx.Response:
    """Return what came over a bare connection as a response."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
    request = httpx.Request(method, "http://plek.test/unreadable")
    return httpx.Response(int(status.split()[1]), headers=headers, content=body, request=request)


async def test_a_body_is_bounded_where_nobody_said_how_long_it_is(country: Country) -> None:
    token = await country.token("intake_worker", provider="haven")
    body = json.dumps(referral_body(callBack="x" * LONGEST_BODY)).encode()

    async def in_parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    async with served(country) as http:
        headers = JSON | {"Authorization": f"Bearer {token}"}
        for content in (body, in_parts()):
            answer = await http.post("/v1/referrals", content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "too_large")
            strict(answer)


async def test_a_compressed_body_is_not_blown_up(country: Country) -> None:
    intake = await country.client("intake_worker", provider="haven")
    content = gzip.compress(json.dumps(referral_body()).encode())

    for encoding in ("gzip", "deflate", "br"):
        answer = await intake.ask(
            "POST",
            "/referrals",
            content=content,
            headers=JSON | {"Content-Encoding": encoding},
            expect=400,
        )
        assert answer.json()["errors"] == [{"pointer": "", "message": "is not UTF-8"}]


async def test_headers_and_addresses_are_bounded(country: Country) -> None:
    administrator = await country.client("administrator")
    long: list[tuple[str, dict[str, Any]]] = [
        ("/headers", {"headers": {"X-Long": "x" * LONGEST_HEAD}}),
        (
            "/headers",
            {"headers": {f"X-{number}": "x" * 1000 for number in range(LONGEST_HEAD // 1000 + 1)}},
        ),
        ("/path", {"params": {"cursor": "x" * LONGEST_ADDRESS}}),
    ]
    for pointer, more in long:
        answer = await administrator.ask("GET", "/regions", expect=400, **more)
        assert (answer.json()["code"], answer.json()["errors"][0]["pointer"]) == (
            "too_large",
            pointer,
        )
        strict(answer)

    await administrator.ask("GET", f"/regions/{'x' * LONGEST_ADDRESS}", expect=400)
    await administrator.ask(
        "GET", "/regions", headers={"X-Long": "x" * (LONGEST_HEAD - 1000)}, expect=200
    )


@pytest.mark.parametrize(
    "begin", [b"GET /health/live HTTP/1.1\r\nX: ", b"GET /", b"GET /health/live HTTP/1.1\r\n"]
)
async def test_a_head_without_an_end_is_not_read_on(country: Country, begin: bytes) -> None:
    async with served(country) as http, line_to(http) as line:
        await line.send(begin)

        assert await line.flood(most=50_000_000) < 10_000_000


async def test_what_cannot_be_read_as_http_is_answered_like_all_else(country: Country) -> None:
    async with served(country) as http:
        for nonsense in (
            b"nonsense\r\n\r\n",
            b"GET /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ):
            async with line_to(http) as line:
                await line.send(nonsense)
                answer = answer_in(await line.rest())

            assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM_JSON)
            assert answer.json()["code"] == "invalid_request"
            strict(answer)
            assert int(answer.headers["content-length"]) == len(answer.content)


async def test_two_lengths_of_one_body_are_none(country: Country) -> None:
    smuggled = (
        b"POST /v1/sites HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET"
    )
    async with served(country) as http, line_to(http) as line:
        await line.send(smuggled)

        assert answer_in(await line.rest()).status_code == 400


SLOW = {
    "nothing": b"",
    "half a head": b"GET /health/live HTTP/1.1\r\nHost: x\r\n",
    "half a body": b"POST /v1/sites HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{",
    "half a body in chunks": b"POST /v1/sites HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
    b"chunked\r\n\r\n1\r\n{\r\n",
    "half of a second head": b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /health",
}


async def test_a_request_that_does_not_arrive_is_not_waited_for_and_a_stream_that_began_goes_on(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_WITHIN_S", 0.3)
    token = await country.token("coordinator", provider="linde")
    async with served(country) as http, following(str(http.base_url), token) as stream:
        for name, begin in SLOW.items():
            async with line_to(http) as line:
                await line.send(begin)
                heard = await line.rest()
                assert (b"200 OK" in heard) == (name == "half of a second head"), name

        await country.rows(
            "INSERT INTO outbox (kind, subject) VALUES ('hold', 'told after all that')"
        )
        told = await stream.next()
        while told is not None and told.data != {"id": "told after all that"}:
            told = await stream.next()
        assert told is not None


async def test_what_is_served_does_not_say_by_whom_and_streams_are_as_strict(
    country: Country,
) -> None:
    token = await country.token("coordinator", provider="linde")
    async with served(country) as http:
        strict(await http.get("/"))
        strict(await http.get("/v1/openapi.json"))
        async with http.stream(
            "GET", "/v1/events", headers={"Authorization": f"Bearer {token}"}
        ) as stream:
            assert stream.status_code == 200
            strict(stream)


@pytest.mark.parametrize(
    "proxies, statuses",
    [
        (("127.0.0.1",), [401, 429, 401, 429]),
        (("127.0.0.0/8",), [401, 429, 401, 429]),
        (("192.0.2.9",), [401, 429, 429, 429]),
    ],
)
async def test_a_source_is_what_a_trusted_proxy_says_and_only_that(
    country: Country, monkeypatch: pytest.MonkeyPatch, proxies: tuple[str, ...], statuses: list[int]
) -> None:
    monkeypatch.setattr(allowance, "FAILURES_PER_MINUTE", 1)
    settings = replace(country.parts.settings, rate_limit=6000, trusted_proxies=proxies)
    async with served(country, settings) as http:
        answers = [
            await http.get(
                "/v1/regions", headers={"Authorization": "Bearer none", "X-Forwarded-For": said}
            )
            for said in ("192.0.2.1", "198.51.100.7, 192.0.2.1", "192.0.2.2", "192.0.2.2")
        ]

    assert [answer.status_code for answer in answers] == statuses


async def test_metrics_stay_closed_to_who_comes_through_a_proxy_on_this_machine(
    country: Country,
) -> None:
    async with served(country) as http:
        assert (await http.get("/metrics")).status_code == 200
        for said in ("127.0.0.1", "::1", "192.0.2.1", ""):
            assert (
                await http.get("/metrics", headers={"X-Forwarded-For": said})
            ).status_code == 404


def test_a_proxy_is_known_on_a_socket_that_takes_both_kinds_of_addresses() -> None:
    assert serve._trusted_hosts(("10.1.2.3", "10.1.0.0/16", "2001:db8::/32")) == [
        "10.1.2.3/32",
        "10.1.0.0/16",
        "2001:db8::/32",
        "::ffff:10.1.2.3/128",
        "::ffff:10.1.0.0/112",
    ]
