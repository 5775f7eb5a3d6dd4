"""The edge of every exchange: request id, strict headers, bounds, a log line, metrics."""

import re
import secrets
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request

from app import metrics
from app.api.kit.headers import harden
from app.api.kit.problems import on_failure, problem
from app.errors import Fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY: Final = 1_000_000
LONGEST_HEAD: Final = 32_768
"""Bytes of a request's headers together, as sent."""
LONGEST_ADDRESS: Final = 8_192
"""Bytes of path and query."""
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
LEFT = 499
"""In the log: the client had gone before there was an answer."""
QUIET = ("/health/", "/metrics")
"""Routes that machines ask all day; in the log only at level debug."""

BODY_TOO_LONG: Final = Fault("", f"must not be longer than {LONGEST_BODY} bytes")
HEAD_TOO_LONG: Final = Fault("/headers", f"must not be longer than {LONGEST_HEAD} bytes together")
ADDRESS_TOO_LONG: Final = Fault(
    "/path", f"must not be longer than {LONGEST_ADDRESS} bytes with its query"
)

log = structlog.get_logger()


class TooLong(Exception):
    """The body is longer than is read: its reader stops here."""


@dataclass(slots=True)
class Exchange:
    """One request, and what has become of it so far."""

    scope: "Scope"
    receive_from: "Receive"
    send_to: "Send"
    version: str
    request_id: str
    received: int = 0
    too_long: bool = False
    status: int | None = None
    streamed: bool = False

    async def receive(self) -> "Message":
        """Pass on a part of the body, up to a bound."""
        message = await self.receive_from()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            if self.received > LONGEST_BODY:
                self.too_long = True
                raise TooLong
        return message

    async def send(self, message: "Message") -> None:
        """Pass on a part of the answer, unless the body was cut off: `refuse` answers that."""
        if self.too_long and self.status is None:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["API-Version"] = self.version
            headers["X-Request-Id"] = self.request_id
            harden(headers.raw)
            self.streamed = headers.get("content-type", "").startswith("text/event-stream")
        await self.send_to(message)

    async def refuse(self, fault: Fault) -> None:
        """Answer a request that has something too long."""
        self.too_long = False
        answer = problem(400, "too_large", "The request is too long.", faults=(fault,))
        await answer(self.scope, self.receive_from, self.send)

    @property
    def route(self) -> str:
        """The template of the route that was matched: never the path itself, which has ids."""
        route = self.scope.get("route")
        if route is None:
            return UNMATCHED
        mounted = str(self.scope.get("root_path", "")).removeprefix(
            str(self.scope.get("app_root_path", ""))
        )
        return f"{mounted}{route.path}"


class Edge:
    """The outermost layer, in pure ASGI: nothing is cancelled in the middle of an await."""

    def __init__(self, app: "ASGIApp", *, version: str) -> None:
        self._app = app
        self._version = version

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one exchange."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        headers = Headers(scope=scope)
        exchange = Exchange(scope, receive, send, self._version, _request_id(headers))
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        with structlog.contextvars.bound_contextvars(request_id=exchange.request_id):
            try:
                await self._serve(exchange, headers)
            finally:
                _note(exchange, seconds=perf_counter() - began)

    async def _serve(self, exchange: Exchange, headers: Headers) -> None:
        if (fault := _overlong(exchange.scope, headers)) is not None:
            await exchange.refuse(fault)
            return
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception as failure:  # noqa: BLE001 - whatever it was, the client gets an answer
            # An application within answers its own failures and lets them pass: they have been
            # noted there.
            if exchange.status is None and not exchange.too_long:
                answer = await on_failure(Request(exchange.scope), failure)
                await answer(exchange.scope, exchange.receive, exchange.send)
        if exchange.too_long and exchange.status is None:
            await exchange.refuse(BODY_TOO_LONG)


def _overlong(scope: "Scope", headers: Headers) -> Fault | None:
    """Return what of a request is too long, as far as its head says."""
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
        return ADDRESS_TOO_LONG
    if sum(len(name) + len(value) + len(b": \r\n") for name, value in headers.raw) > LONGEST_HEAD:
        return HEAD_TOO_LONG
    length = headers.get("content-length", "")
    return BODY_TOO_LONG if length.isdecimal() and int(length) > LONGEST_BODY else None


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _note(exchange: Exchange, *, seconds: float) -> None:
    method = exchange.scope["method"] if exchange.scope["method"] in METHODS else "OTHER"
    route = exchange.route
    status = exchange.status or LEFT
    metrics.request(method, route, status=status, seconds=None if exchange.streamed else seconds)
    say = log.debug if route.startswith(QUIET) else log.info
    say("request", method=method, route=route, status=status, duration_ms=round(seconds * 1000, 1))
