"""Changes of accounts on the wire: what was asked at a provider, and its refusal."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from app.accounts import account_changes
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, Out, parse_id
from app.deps import Tx

router = APIRouter(tags=["Accounts"])


class AccountChangeOut(Out):
    """Something asked for an account at a provider."""

    id: Id
    account_id: Id
    name: str | None = Field(description="What colleagues call the account.")
    provider_id: Id
    act: str = Field(description="invite, reset, change or enable")
    roles: list[str] = Field(description="What the account may do once this stands.")
    asked_by: Id | None = Field(
        validation_alias="by_account", description="None: the operator of the installation."
    )
    by_administrator: bool = Field(description="Whether it waits, or has waited.")
    asked_at: datetime
    effective_at: datetime = Field(description="When it takes effect, unless it is refused.")
    outcome: str | None = Field(description="effective, refused or replaced; none while it waits.")
    refused_by: Id | None
    decided_at: datetime | None


class AccountChangeList(Out):
    """A page of what was asked for accounts."""

    items: list[AccountChangeOut]
    next_cursor: str | None


@router.get("/account-changes", response_model=AccountChangeList, summary="Changes of accounts")
async def list_account_changes(tx: Tx, page: ListIn) -> Response:
    """List what was asked for accounts at the own provider, or for an administrator at all.

    The newest comes first. An administrator's act waits until `effectiveAt`.
    """
    found = await account_changes.list_changes(tx, limit=page.limit + 1, after=moment_and_id(page))
    return AccountChangeList.of(
        page.cut(found, place=lambda row: (row.asked_at.isoformat(), str(row.id)))
    ).reply()


@router.post(
    "/account-changes/{id}/refusal",
    response_model=AccountChangeOut,
    summary="Refuse a change of an account",
    description="Refuse what an administrator asked for an account at the own provider: it never "
    "takes effect.\n\n"
    "Anyone who works there may, until it has taken effect; then 409 `already_decided`.",
)
async def refuse_account_change(id: str, tx: Tx, once: OnceIn) -> Response:
    """Refuse a change of an account at the own provider, so that it never takes effect."""
    refused = await account_changes.refuse_change(tx, parse_id(id))
    return await once.keep(tx, AccountChangeOut.of(refused).reply())
