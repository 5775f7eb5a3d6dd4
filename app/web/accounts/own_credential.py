"""A person's own password and second factor.

A page to change either, with what one signs in by.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from app.accounts import own_credential
from app.accounts.invitations import OfferedFactor
from app.accounts.own_credential import ConfirmedFactor
from app.accounts.sign_ins import SIGNING, SignInAttempt
from app.api.kit.disclosure import admit_apart
from app.deps import PartsIn, Tx
from app.errors import Invalid, TooMany
from app.web import cookies
from app.web.accounts.invitation import to_scan
from app.web.accounts.sign_in import Text, visitor_of
from app.web.credential import csrf_for
from app.web.page import AnyPage, Page, PageIn

router = APIRouter(include_in_schema=False)


class TypedCredential(BaseModel):
    """What proves who somebody is, and what they choose."""

    password: Text = Field(default="", repr=False)
    code: Text = Field(default="", repr=False)
    chosen: Text = Field(default="", repr=False)
    sealed: Text = Field(default="", repr=False)
    digits: Text = Field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try."""

    factor: bool
    """Whether it was for another second factor, and not for another password."""
    fault: str = ""
    minutes: int = 0
    faults: Mapping[str, str] = field(default_factory=dict[str, str])


@router.get("/session/credential")
async def form(page: PageIn, tx: Tx) -> Response:
    """Show what can be changed."""
    return _form(page, await own_credential.offer_factor(tx, tx.caller.account_id))


@router.post("/session/password")
async def password(
    request: Request, page: AnyPage, parts: PartsIn, typed: Annotated[TypedCredential, Form()]
) -> Response:
    """Take another password; every other session ends."""
    return await _changed(request, page, parts, typed, typed.chosen)


@router.post("/session/second-factor")
async def second_factor(
    request: Request, page: AnyPage, parts: PartsIn, typed: Annotated[TypedCredential, Form()]
) -> Response:
    """Take another second factor.

    Every other session ends, and there are new recovery codes.
    """
    return await _changed(request, page, parts, typed, ConfirmedFactor(typed.sealed, typed.digits))


async def _changed(
    request: Request,
    page: Page,
    parts: PartsIn,
    typed: TypedCredential,
    chosen: str | ConfirmedFactor,
) -> Response:
    caller, keyring = await admit_apart(request), parts.keyring
    begin, device = (
        partial(parts.database.entered, actor=SIGNING),
        cookies.device_of(request, keyring=keyring),
    )
    async with begin() as tx:
        offered = await own_credential.offer_factor(tx, caller.account_id, again=typed.sealed)
    proof, tried = (
        SignInAttempt(offered.name, typed.password, typed.code, device),
        Tried(isinstance(chosen, ConfirmedFactor)),
    )
    try:
        changed = await own_credential.change_credential(
            begin, proof, chosen, visitor=visitor_of(request, parts), allowance=parts.allowance
        )
    except TooMany as told:
        answer = _form(
            page, offered, replace(tried, fault="wait", minutes=-(-told.retry_after // 60))
        )
        answer.headers["Retry-After"] = str(told.retry_after)
        return answer
    except Invalid as invalid:
        return _form(
            page,
            offered,
            replace(tried, faults={one.pointer[1:]: one.message for one in invalid.faults}),
        )
    if changed is None:
        return _form(page, offered, replace(tried, fault="refused"))
    template = "recovery_codes.html" if changed.recovery_codes else "credential_changed.html"
    answer = page.show(template, csrf=csrf_for(changed.opened.cookie), codes=changed.recovery_codes)
    return cookies.let_in(answer, changed.opened, device=device, keyring=keyring)


def _form(page: Page, offered: OfferedFactor, tried: Tried | None = None) -> Response:
    status = 200 if tried is None else 429 if tried.fault == "wait" else 422
    return page.show(
        "credential.html", status=status, offered=offered, tried=tried, **to_scan(offered)
    )
