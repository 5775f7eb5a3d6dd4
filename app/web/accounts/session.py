"""A person's own sessions.

Which there are, ending them, and whether this one still lives.
"""

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
async def listed(
    page: PageIn,
    tx: Tx,
) -> Response:
    """List the caller's sessions."""
    found = [(one, device_words(one.device)) for one in await sessions.list_sessions(tx)]
    left = await sessions.recovery_codes_left(tx)
    return page.show("session.html", sessions=found, this=_this(tx), left=left)


@router.get("/session/state")
async def state(request: Request, page: PageIn) -> Response:
    """Say that the session lives, whose it is, and what forms carry now.

    For a page that was left alone for a while.
    """
    del request
    return page.show("session_state.html")


@router.post("/session/seen")
async def seen(page: PageIn) -> Response:
    """Note that somebody is there, who fills in a form for longer than they send anything."""
    del page
    return Response(status_code=204)


@router.post("/session/end")
async def end(page: PageIn, tx: Tx, id: Annotated[str, Form(max_length=40)]) -> Response:
    """End one of the caller's sessions, on another device or here."""
    session_id: UUID = parse_id(id)
    await sessions.end_session(tx, session_id)
    return cookies.let_out(page.go("/")) if session_id == _this(tx) else page.go("/session")


@router.post("/session/end-all")
async def end_all(
    page: PageIn,
    tx: Tx,
) -> Response:
    """End every session of the caller's, this one too."""
    await sessions.end_all_sessions(tx)
    return cookies.let_out(page.go("/"))


def device_words(device: str) -> str:
    """Return what a class of devices is called."""
    browser, system = device.partition("-")[::2]
    whole = N_("%(browser)s on %(system)s")
    return _(whole) % {
        "browser": NAMES.get(browser) or _(N_("another browser")),
        "system": NAMES.get(system) or _(N_("another system")),
    }


def _this(tx: Tx) -> UUID:
    if tx.identity is None:
        raise Missing
    return tx.identity.token_id
