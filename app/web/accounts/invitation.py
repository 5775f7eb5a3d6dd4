"""Acceptance of an invitation: a password, a second factor, and recovery codes.

The code of an invitation stands behind a # in its link, so that it is sent to no server and logged
by none. A script puts it into the form, and a person can do so too.
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


class TypedInvitation(BaseModel):
    """The invitation as typed: its code, and the password and second factor chosen."""

    code: Text = Field(default="", repr=False)
    sealed: Text = Field(default="", repr=False)
    password: Text = Field(default="", repr=False)
    digits: Text = Field(default="", repr=False)


@router.get("/invitation")
async def ask_code(request: Request, page: AnyPage) -> Response:
    """Ask for the code of the invitation, which the link has."""
    return _show_code_form(request, page)


@router.post("/invitation")
async def offer_factor(
    request: Request, page: AnyPage, parts: PartsIn, code: Annotated[str, Form(max_length=400)] = ""
) -> Response:
    """Show the choice of a password, and the second factor that is made now."""
    try:
        async with parts.database.transaction(actor=SIGNING) as tx:
            offered = await invitations.offer_factor(tx, code)
    except Missing:
        return await _refuse_code(request, page, parts)
    return _show_choice(request, page, code, offered)


@router.post("/invitation/acceptance")
async def accept_invitation(
    request: Request, page: AnyPage, parts: PartsIn, chosen: Annotated[TypedInvitation, Form()]
) -> Response:
    """Accept the invitation, sign in, and show the recovery codes only this once."""
    keyring, begin = parts.keyring, partial(parts.database.transaction, actor=SIGNING)
    choice = ChosenCredential(chosen.code, chosen.sealed, chosen.password, chosen.digits)
    try:
        enrolled = await invitations.accept_invitation(
            begin, choice, visitor=visitor_of(request, parts)
        )
    except Missing:
        return await _refuse_code(request, page, parts)
    except Invalid as invalid:
        async with begin() as tx:
            offered = await invitations.offer_factor(tx, chosen.code, again=chosen.sealed)
        faults = {one.pointer[1:]: one.message for one in invalid.faults}
        return _show_choice(request, page, chosen.code, offered, faults=faults)
    csrf = csrf_for(enrolled.opened.cookie)
    answer = page.show("recovery_codes.html", csrf=csrf, codes=enrolled.recovery_codes)
    return cookies.let_in(
        answer, enrolled.opened, device=cookies.device_of(request, keyring=keyring), keyring=keyring
    )


def _show_code_form(request: Request, page: Page, *, fault: bool = False) -> Response:
    value = cookies.visitor_cookie(request)
    answer = page.show(
        "invitation.html", status=422 if fault else 200, csrf=csrf_for(value), fault=fault
    )
    return cookies.keep_visitor_cookie(request, answer, value)


async def _refuse_code(request: Request, page: Page, parts: PartsIn) -> Response:
    """Say that the invitation has ended; a source that tries many codes has to wait."""
    if wait := await parts.allowance.count_failure(visitor_of(request, parts).source):
        answer = _show_code_form(request, page, fault=True)
        answer.status_code = 429
        answer.headers["Retry-After"] = str(wait)
        return answer
    return _show_code_form(request, page, fault=True)


def _show_choice(
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
        **factor_values(offered),
        faults=faults or {},
    )


def factor_values(offered: OfferedFactor) -> dict[str, Any]:
    """Return a second factor as an image to scan and as a secret to type."""
    scanned = segno.make(
        second_factor.provisioning_uri(offered.secret, name=offered.name), error="m"
    )
    return {
        "spelled": second_factor.spell_secret(offered.secret),
        # A library draws it in squares, from nothing that a person has typed.
        "drawing": Markup(scanned.svg_inline(scale=5, border=3, dark="#000", light="#fff")),  # noqa: S704
    }
