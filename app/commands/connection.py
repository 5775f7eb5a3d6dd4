"""Connections of uvicorn, with bounds on the length of a head and on the time to arrive.

By itself uvicorn reads a head of any length into memory, and waits for the rest of a request for as
long as the client likes. A proxy in front bounds both; this holds without one.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.kit.headers import harden
from app.api.kit.middleware import LONGEST_HEAD
from app.api.kit.problems import problem
from app.config import VERSION

REQUEST_WITHIN_S = 30.0
"""From the connection, or the first byte of a further request, to the last byte of the body."""


class Connection(HttpToolsProtocol):
    """A connection that closes when a request is too slow or its head too long."""

    _begun = 0
    _in_head = True
    _head = 0
    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for a request."""
        self._await_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Receive bytes, and count them while they belong to a head."""
        begun = self._begun
        super().data_received(data)
        if self._in_head and begun == self._begun and not self.transport.is_closing():
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """Start counting the bytes of a head."""
        super().on_message_begin()
        self._begun += 1
        self._in_head, self._head = True, 0
        self._await_request()

    def on_headers_complete(self) -> None:
        """Stop counting: the head is complete."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop waiting: the body is complete."""
        self._await_nothing()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be read as HTTP like every other refusal."""
        answer = problem(400, "invalid_request", msg)
        headers = [
            (b"api-version", VERSION.encode()),
            (b"connection", b"close"),
            *answer.raw_headers,
        ]
        harden(headers)
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + bytes(answer.body))
        self.transport.close()

    def _await_request(self) -> None:
        self._await_nothing()
        self._overdue = self.loop.call_later(REQUEST_WITHIN_S, self._give_up)

    def _await_nothing(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self._overdue = None
        self.transport.close()
