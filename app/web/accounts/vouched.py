"""Sign in by a colleague's word, when locked out on duty."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app.accounts import vouchings
from app.accounts.sign_ins import SIGNING
from app.deps import PartsIn
from app.errors import TooMany
from app.web import cookies
from app.web.accounts.sign_in import HOME, Text, visitor_of
from app.web.credential import csrf_for
from app.web.page import AnyPage, Page

router = APIRouter(include_in_schema=False)


@router.get("/locked-out")
async def show_form(request: Request, page: AnyPage) -> Response:
    """Say what a colleague can do, and ask for the code that they read out."""
    return _form(request, page)


@router.post("/locked-out")
async def come_in(
    request: Request,
    page: AnyPage,
    parts: PartsIn,
    name: Annotated[Text, Form()] = "",
    code: Annotated[Text, Form()] = "",
) -> Response:
    """Come in by a colleague's word, or show the form again; all faults have the same words."""
    try:
        opened = await vouchings.come_in(
            partial(parts.database.transaction, actor=SIGNING),
            name,
            code,
            visitor=visitor_of(request, parts),
            allowance=parts.allowance,
        )
    except TooMany as refusal:
        minutes = -(-refusal.retry_after // 60)
        answer = _form(request, page, name=name, fault="wait", minutes=minutes)
        answer.headers["Retry-After"] = str(refusal.retry_after)
        return answer
    if opened is None:
        return _form(request, page, name=name, fault="refused")
    device = cookies.device_of(request, keyring=parts.keyring)
    return cookies.let_in(page.go(HOME), opened, device=device, keyring=parts.keyring)


def _form(
    request: Request, page: Page, *, name: str = "", fault: str | None = None, minutes: int = 0
) -> Response:
    value = cookies.visitor_cookie(request)
    status = {None: 200, "wait": 429}.get(fault, 422)
    answer = page.show(
        "locked_out.html",
        status=status,
        csrf=csrf_for(value),
        name=name,
        fault=fault,
        minutes=minutes,
    )
    return cookies.keep_visitor_cookie(request, answer, value)
