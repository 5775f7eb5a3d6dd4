"""Sign-in by password and second factor or as one of the demo's people, and sign-out."""

from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from app.accounts import sessions, sign_ins
from app.accounts.sessions import Visitor
from app.accounts.sign_ins import SIGNING, SignInAttempt
from app.demo import people
from app.deps import Parts, PartsIn, Tx, source_of
from app.errors import Missing, TooMany
from app.web import cookies
from app.web.credential import csrf_for
from app.web.page import AnyPage, Page, PageIn

router = APIRouter(include_in_schema=False)

HOME = "/"
LONGEST = 400
Text = Annotated[str, StringConstraints(max_length=LONGEST)]
Next = Annotated[str, Query(max_length=LONGEST, alias="next")]


class TypedSignIn(BaseModel):
    """A sign-in as typed, and the page to which it leads."""

    name: Text = ""
    password: Text = Field(default="", repr=False)
    code: Text = Field(default="", repr=False)
    back: Text = HOME


@router.get("/sign-in")
async def show_form(request: Request, page: AnyPage, wanted: Next = HOME) -> Response:
    """Show the form, and give the browser a cookie by which it is known."""
    return _form(request, page, back=wanted)


@router.post("/sign-in")
async def sign_in(
    request: Request, page: AnyPage, parts: PartsIn, typed: Annotated[TypedSignIn, Form()]
) -> Response:
    """Sign in, or show the form again, with the same words for every fault."""
    device = cookies.device_of(request, keyring=parts.keyring)
    try:
        opened = await sign_ins.sign_in(
            partial(parts.database.transaction, actor=SIGNING),
            SignInAttempt(typed.name, typed.password, typed.code, device),
            visitor=visitor_of(request, parts),
            allowance=parts.allowance,
        )
    except TooMany as refusal:
        answer = _form(
            request,
            page,
            back=typed.back,
            name=typed.name,
            fault="wait",
            minutes=-(-refusal.retry_after // 60),
        )
        answer.headers["Retry-After"] = str(refusal.retry_after)
        return answer
    if opened is None:
        return _form(request, page, back=typed.back, name=typed.name, fault="refused")
    return cookies.let_in(
        page.go(own_path(typed.back)), opened, device=device, keyring=parts.keyring
    )


@router.post("/demo-sign-in")
async def demo_sign_in(
    request: Request,
    page: AnyPage,
    parts: PartsIn,
    role: Annotated[str, Form(max_length=LONGEST)] = "",
) -> Response:
    """Sign in as one of the demo's people; Missing if this is no demo."""
    if not parts.settings.demo:
        raise Missing
    async with parts.database.transaction(actor=SIGNING) as tx:
        opened = await people.sign_in(tx, role, visitor=visitor_of(request, parts))
    device = cookies.device_of(request, keyring=parts.keyring)
    return cookies.let_in(page.go(HOME), opened, device=device, keyring=parts.keyring)


@router.post("/sign-out")
async def sign_out(
    page: PageIn,
    tx: Tx,
) -> Response:
    """End this session; its event streams end within half a minute."""
    assert tx.identity is not None  # noqa: S101 - a caller was admitted
    await sessions.end_session(tx, tx.identity.token_id)
    return cookies.let_out(page.go(HOME))


def visitor_of(request: Request, parts: Parts) -> Visitor:
    """Return the source of a request by a person who is not signed in."""
    return Visitor(
        source_of(request),
        getattr(request.state, "request_id", None),
        request.headers.get("user-agent", ""),
        admits_demo=parts.settings.embedded,
    )


def own_path(path: str) -> str:
    """Return a path of our pages as it is, and the start page for any other."""
    parts = urlsplit(path)
    ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if ours and path.isprintable() else HOME


def _form(
    request: Request,
    page: Page,
    *,
    back: str,
    name: str = "",
    fault: str | None = None,
    minutes: int = 0,
) -> Response:
    value = cookies.visitor_cookie(request)
    status = {None: 200, "wait": 429}.get(fault, 422)
    template = "sign_in_fields.html" if page.partial else "sign_in.html"
    answer = page.show(
        template,
        status=status,
        csrf=csrf_for(value),
        back=own_path(back),
        name=name,
        fault=fault,
        minutes=minutes,
    )
    return cookies.keep_visitor_cookie(request, answer, value)
