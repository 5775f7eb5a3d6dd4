"""Answers at the address of a Plek that is not ready yet: how far it is, and try again."""

import json
import secrets
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import app.web
from app.api.kit.headers import STRICT
from app.commands.progress import Progress
from app.commands.serve.address import ITS_MARK
from app.config import VERSION
from app.reference import load

if TYPE_CHECKING:
    from jinja2 import Template

AGAIN_S: Final = 2
"""The seconds after which a client should try again."""
SLOWEST_S = 5
"""How long a request may take to arrive."""
FOR_MACHINES = ("/v1", "/health", "/metrics")
DETAIL = "Plek is being made ready; try again in a moment."


@contextmanager
def answer_at(listening: socket.socket, *, progress: Progress) -> Generator[None]:
    """Answer at an address until the block ends.

    Connections that are not accepted by then wait for the next process that listens.
    """
    keeper = _Keeper(listening, progress)
    thread = threading.Thread(
        target=keeper.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        keeper.shutdown()
        thread.join()


class _Keeper(ThreadingHTTPServer):
    """Accept connections of a socket that another part of the process owns."""

    def __init__(self, listening: socket.socket, progress: Progress) -> None:
        super().__init__(("", 0), _Answer, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.progress = progress

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about a client that went away."""


class _Answer(BaseHTTPRequestHandler):
    """One answer: 503, as a page or as a problem."""

    timeout = SLOWEST_S
    server: _Keeper  # pyright: ignore[reportIncompatibleVariableOverride] - what makes it

    def answer(self) -> None:
        """Answer that Plek is not ready, and how far it is."""
        nonce = secrets.token_urlsafe(16)
        if self.path.startswith(FOR_MACHINES):
            kind, body = "application/problem+json", _problem()
        else:
            kind, body = "text/html; charset=utf-8", _page(self.server.progress.percent, nonce)
        self.send_response_only(503)
        policy = STRICT["Content-Security-Policy"] + f"; style-src 'nonce-{nonce}'"
        headers = {
            **STRICT,
            "Content-Security-Policy": policy,
            "Retry-After": str(AGAIN_S),
            ITS_MARK: VERSION,
        }
        for name, value in (
            headers | {"Content-Type": kind, "Content-Length": str(len(body))}
        ).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - named by the library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the library
        """Log nothing: the address in a request may be personal."""


def _problem() -> bytes:
    return json.dumps(
        {
            "type": "about:blank",
            "title": "Out of reach",
            "status": 503,
            "code": "unavailable",
            "detail": DETAIL,
        }
    ).encode()


def _page(percent: int | None, nonce: str) -> bytes:
    """Return the page in each of the country's languages, as none has been chosen yet."""
    from app.words.catalogue import translations  # noqa: PLC0415 - only if a browser looks

    spoken = {language: translations(language).gettext for language in load().country.languages}
    return _template().render(spoken=spoken, percent=percent, nonce=nonce, again_s=AGAIN_S).encode()


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - as above

    folder = Path(app.web.__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined
    ).get_template("not_ready.html")
