"""Shields on the wire: the colleagues who alone may see a referral."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.kit.lists import ListIn, ListRequest
from app.api.kit.wire import Id, In, Line, Out, parse_id
from app.deps import Tx
from app.referrals import shields

router = APIRouter(tags=["Referrals"])

MOST_NAMED = 20
BUSY: dict[int | str, dict[str, Any]] = {409: {"description": "Conflict"}}


class ShieldWanted(In):
    """The only colleagues who may see a referral; the one who names them is always among them."""

    colleagues: Annotated[list[Line], Field(max_length=MOST_NAMED)] = Field(
        description="Ids of accounts, as `GET /v1/colleagues` has them; none: only the one who "
        "names them."
    )

    @property
    def account_ids(self) -> list[UUID]:
        """Their ids; that of nothing for one that is none."""
        return [parse_id(text) for text in self.colleagues]


class ShieldOut(Out):
    """The colleagues by whom alone a referral may be seen."""

    colleagues: list[Id]


def shield_of(named: Sequence[UUID]) -> dict[str, Sequence[UUID]] | None:
    """Return the shield that named colleagues make; None if nobody is named."""
    return {"colleagues": named} if named else None


class ColleagueOut(Out):
    """A person or a system of the own provider."""

    account_id: Id
    name: str | None = Field(description="What they are called at work, where that is known.")
    roles: list[str]
    you: bool = Field(description="Whether that is the account that asks.")


class ColleagueList(Out):
    """A page of colleagues."""

    items: list[ColleagueOut]
    next_cursor: str | None


@router.get(
    "/colleagues",
    response_model=ColleagueList,
    summary="Accounts of the own provider",
)
async def list_colleagues(tx: Tx, page: ListIn) -> Response:
    """List the accounts in use of the own provider, by name."""
    found = await shields.colleagues(tx, limit=page.limit + 1, after=_after(page))
    items, cursor = page.cut(
        found, place=lambda colleague: (colleague.name, str(colleague.account_id))
    )
    me = tx.caller.account_id
    shown = [ColleagueOut.of(one, name=one.name or None, you=one.account_id == me) for one in items]
    return ColleagueList(items=shown, next_cursor=cursor).reply()


@router.put(
    "/referrals/{id}/shield",
    response_model=ShieldOut,
    summary="Let only named colleagues see a referral",
    responses=BUSY,
)
async def shield_referral(id: str, wanted: ShieldWanted, tx: Tx) -> Response:
    """Let only named colleagues see a referral; to others of the provider it is not found.

    A list that there was is replaced, by one of those who are named.
    """
    referral = await shields.name_colleagues(
        tx, parse_id(id), wanted=wanted.account_ids, pointer="/colleagues"
    )
    return ShieldOut.of(shield_of(referral.case.named)).reply()


@router.delete(
    "/referrals/{id}/shield",
    status_code=204,
    summary="Let all colleagues see a referral",
)
async def unshield_referral(id: str, tx: Tx) -> Response:
    """Let every colleague see a referral again; harmless where it is not shielded."""
    await shields.remove_shield(tx, parse_id(id))
    return Response(status_code=204)


def _after(page: ListRequest) -> tuple[str, UUID] | None:
    return None if page.after is None else (page.after[0], UUID(page.after[1]))
