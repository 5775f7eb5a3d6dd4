"""A person's own sessions: to list, to end, and to keep alive."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from app.accounts import sessions
from app.api.kit.wire import parse_id
from app.deps import Tx
from app.errors import Missing
from app.web import cookies
from app.web.language import _
from app.web.page import PageIn
from app.words import N_

router = APIRouter(include_in_schema=False)

NAMES = {
    "edge": "Edge",
    "firefox": "Firefox",
    "chrome": "Chrome",
    "safari": "Safari",
    "android": "Android",
    "ios": "iOS",
    "windows": "Windows",
    "mac": "macOS",
    "linux": "Linux",
}


@router.get("/session")
async def list_sessions(
    page: PageIn,
    tx: Tx,
) -> Response:
    """List the caller's sessions."""
    found = [(one, device_words(one.device)) for one in await sessions.list_sessions(tx)]
    left = await sessions.recovery_codes_left(tx)
    return page.show("session.html", sessions=found, this=_current(tx), left=left)


@router.get("/session/state")
async def show_state(request: Request, page: PageIn) -> Response:
    """Show that the session lives, whose it is, and the token of its forms.

    A page asks for this after it was left alone for a while.
    """
    del request
    return page.show("session_state.html")


@router.post("/session/seen")
async def note_presence(page: PageIn) -> Response:
    """Keep the session of a person who is filling in a form and has sent nothing yet."""
    del page
    return Response(status_code=204)


@router.post("/session/end")
async def end_session(page: PageIn, tx: Tx, id: Annotated[str, Form(max_length=40)]) -> Response:
    """End one of the caller's sessions, on another device or here."""
    session_id: UUID = parse_id(id)
    await sessions.end_session(tx, session_id)
    return cookies.let_out(page.go("/")) if session_id == _current(tx) else page.go("/session")


@router.post("/session/end-all")
async def end_all_sessions(
    page: PageIn,
    tx: Tx,
) -> Response:
    """End every session of the caller, this one too."""
    await sessions.end_all_sessions(tx)
    return cookies.let_out(page.go("/"))


def device_words(device: str) -> str:
    """Return the words for a class of devices."""
    browser, system = device.partition("-")[::2]
    whole = N_("%(browser)s on %(system)s")
    return _(whole) % {
        "browser": NAMES.get(browser) or _(N_("another browser")),
        "system": NAMES.get(system) or _(N_("another system")),
    }


def _current(tx: Tx) -> UUID:
    if tx.identity is None:
        raise Missing
    return tx.identity.token_id
