"""The page on which a person changes their own password or second factor."""

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
from app.web.accounts.invitation import factor_values
from app.web.accounts.sign_in import Text, visitor_of
from app.web.credential import csrf_for
from app.web.page import AnyPage, Page, PageIn

router = APIRouter(include_in_schema=False)


class TypedCredential(BaseModel):
    """A person's credential as typed, and the new one that they choose."""

    password: Text = Field(default="", repr=False)
    code: Text = Field(default="", repr=False)
    chosen: Text = Field(default="", repr=False)
    sealed: Text = Field(default="", repr=False)
    digits: Text = Field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CredentialFault:
    """A change of a credential that failed, and why."""

    factor: bool
    """Whether it was a change of the second factor, and not of the password."""
    fault: str = ""
    minutes: int = 0
    faults: Mapping[str, str] = field(default_factory=dict[str, str])


@router.get("/session/credential")
async def show_form(page: PageIn, tx: Tx) -> Response:
    """Show the forms for a new password and a new second factor."""
    return _form(page, await own_credential.offer_factor(tx, tx.caller.account_id))


@router.post("/session/password")
async def change_password(
    request: Request, page: AnyPage, parts: PartsIn, typed: Annotated[TypedCredential, Form()]
) -> Response:
    """Change the password, which ends every other session."""
    return await _change(request, page, parts, typed, typed.chosen)


@router.post("/session/second-factor")
async def change_second_factor(
    request: Request, page: AnyPage, parts: PartsIn, typed: Annotated[TypedCredential, Form()]
) -> Response:
    """Change the second factor, which ends every other session and gives new recovery codes."""
    return await _change(request, page, parts, typed, ConfirmedFactor(typed.sealed, typed.digits))


async def _change(
    request: Request,
    page: Page,
    parts: PartsIn,
    typed: TypedCredential,
    chosen: str | ConfirmedFactor,
) -> Response:
    caller, keyring = await admit_apart(request), parts.keyring
    begin, device = (
        partial(parts.database.transaction, actor=SIGNING),
        cookies.device_of(request, keyring=keyring),
    )
    async with begin() as tx:
        offered = await own_credential.offer_factor(tx, caller.account_id, again=typed.sealed)
    proof, tried = (
        SignInAttempt(offered.name, typed.password, typed.code, device),
        CredentialFault(isinstance(chosen, ConfirmedFactor)),
    )
    try:
        changed = await own_credential.change_credential(
            begin, proof, chosen, visitor=visitor_of(request, parts), allowance=parts.allowance
        )
    except TooMany as refusal:
        answer = _form(
            page, offered, replace(tried, fault="wait", minutes=-(-refusal.retry_after // 60))
        )
        answer.headers["Retry-After"] = str(refusal.retry_after)
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


def _form(page: Page, offered: OfferedFactor, tried: CredentialFault | None = None) -> Response:
    status = 200 if tried is None else 429 if tried.fault == "wait" else 422
    return page.show(
        "credential.html", status=status, offered=offered, tried=tried, **factor_values(offered)
    )
