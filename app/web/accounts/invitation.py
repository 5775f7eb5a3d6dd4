"""Accepting an invitation.

A password and a second factor of one's own, and recovery codes to keep.

The code of an invitation stands behind a # in its link, so that no server is sent it or logs it; a
script puts it into the form, and a person can.
"""

from functools import partial
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup
from pydantic import BaseModel, Field, StringConstraints

from app.accounts import invitations, second_factor
from app.accounts.invitations import ChosenCredential, OfferedFactor
from app.accounts.sign_ins import SIGNING
from app.deps import PartsIn
from app.errors import Invalid, Missing
from app.web import cookies
from app.web.accounts.sign_in import visitor_of
from app.web.credential import csrf_for
from app.web.page import AnyPage, Page

router = APIRouter(include_in_schema=False)

Text = Annotated[str, StringConstraints(max_length=400)]


class Chosen(BaseModel):
    """What somebody chose, with what they came."""

    code: Text = Field(default="", repr=False)
    sealed: Text = Field(default="", repr=False)
    password: Text = Field(default="", repr=False)
    digits: Text = Field(default="", repr=False)


@router.get("/invitation")
async def begin(request: Request, page: AnyPage) -> Response:
    """Ask for the code of the invitation, which the link has brought."""
    return _ask(request, page)


@router.post("/invitation")
async def offer(
    request: Request, page: AnyPage, parts: PartsIn, code: Annotated[str, Form(max_length=400)] = ""
) -> Response:
    """Show what to choose: a password, and the second factor that is only now made."""
    try:
        async with parts.database.entered(actor=SIGNING) as tx:
            offered = await invitations.offer_factor(tx, code)
    except Missing:
        return await _over(request, page, parts)
    return _choose(request, page, code, offered)


@router.post("/invitation/acceptance")
async def accept(
    request: Request, page: AnyPage, parts: PartsIn, chosen: Annotated[Chosen, Form()]
) -> Response:
    """Take what was chosen, sign in with it, and show the recovery codes this once."""
    keyring, entered = parts.keyring, partial(parts.database.entered, actor=SIGNING)
    choice = ChosenCredential(chosen.code, chosen.sealed, chosen.password, chosen.digits)
    try:
        enrolled = await invitations.accept_invitation(
            entered, choice, visitor=visitor_of(request, parts)
        )
    except Missing:
        return await _over(request, page, parts)
    except Invalid as invalid:
        async with entered() as tx:
            offered = await invitations.offer_factor(tx, chosen.code, again=chosen.sealed)
        faults = {one.pointer[1:]: one.message for one in invalid.faults}
        return _choose(request, page, chosen.code, offered, faults=faults)
    csrf = csrf_for(enrolled.opened.cookie)
    answer = page.show("recovery_codes.html", csrf=csrf, codes=enrolled.recovery_codes)
    return cookies.let_in(
        answer, enrolled.opened, device=cookies.device_of(request, keyring=keyring), keyring=keyring
    )


def _ask(request: Request, page: Page, *, fault: bool = False) -> Response:
    value = cookies.visitor_cookie(request)
    answer = page.show(
        "invitation.html", status=422 if fault else 200, csrf=csrf_for(value), fault=fault
    )
    return cookies.keep_visitor_cookie(request, answer, value)


async def _over(request: Request, page: Page, parts: PartsIn) -> Response:
    """Say that there is no such invitation any more; sources that try many are told to wait."""
    if wait := await parts.allowance.failed(visitor_of(request, parts).source):
        answer = _ask(request, page, fault=True)
        answer.status_code = 429
        answer.headers["Retry-After"] = str(wait)
        return answer
    return _ask(request, page, fault=True)


def _choose(
    request: Request,
    page: Page,
    code: str,
    offered: OfferedFactor,
    *,
    faults: dict[str, str] | None = None,
) -> Response:
    return page.show(
        "invitation_choice.html",
        status=422 if faults else 200,
        csrf=csrf_for(cookies.visitor_cookie(request)),
        code=code,
        offered=offered,
        **to_scan(offered),
        faults=faults or {},
    )


def to_scan(offered: OfferedFactor) -> dict[str, Any]:
    """Return a second factor as it is shown: to be scanned, and to be typed."""
    scanned = segno.make(
        second_factor.provisioning_uri(offered.secret, name=offered.name), error="m"
    )
    return {
        "spelled": second_factor.spell_secret(offered.secret),
        # Made of squares by a library, of nothing that anybody typed.
        "drawing": Markup(scanned.svg_inline(scale=5, border=3, dark="#000", light="#fff")),  # noqa: S704
    }
