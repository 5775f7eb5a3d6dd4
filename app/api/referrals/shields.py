"""Shields on the wire: who alone may see a referral, and the colleagues that can be named."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.kit.pages import Page, PageIn
from app.api.kit.wire import In, Line, Out, parse
from app.database.caller import Caller
from app.deps import Tx
from app.referrals import shields
from app.referrals.referrals import UnsealedReferral
from app.referrals.shields import Colleague

router = APIRouter(tags=["Referrals"])

MOST_NAMED = 20
BUSY: dict[int | str, dict[str, Any]] = {409: {"description": "Conflict"}}


class ShieldWanted(In):
    """The colleagues by whom alone a referral may be seen; whoever names them is always one."""

    colleagues: Annotated[list[Line], Field(max_length=MOST_NAMED)] = Field(
        description="Ids of accounts, as `GET /v1/colleagues` has them; none: only whoever names them."
    )

    @property
    def account_ids(self) -> list[UUID]:
        """Their ids; that of nothing for one that is none."""
        return [parse(text) for text in self.colleagues]


class ShieldOut(Out):
    """The colleagues by whom alone a referral may be seen."""

    colleagues: list[str]

    @classmethod
    def of(cls, referral: UnsealedReferral) -> "ShieldOut | None":
        """Show a referral's shield; None where it has none."""
        named = referral.case.named
        return cls(colleagues=[str(account_id) for account_id in named]) if named else None


class ColleagueOut(Out):
    """Somebody, or some system, of the own provider."""

    account_id: str
    name: str | None = Field(description="What they are called at work, where that is known.")
    roles: list[str]
    you: bool = Field(description="Whether that is the account that asks.")

    @classmethod
    def of(cls, colleague: Colleague, caller: Caller) -> "ColleagueOut":
        """Show a colleague."""
        return cls(
            account_id=str(colleague.account_id),
            name=colleague.name or None,
            roles=list(colleague.roles),
            you=colleague.account_id == caller.account_id,
        )


class ColleagueList(Out):
    """A page of colleagues."""

    items: list[ColleagueOut]
    next_cursor: str | None


@router.get(
    "/colleagues",
    response_model=ColleagueList,
    operation_id="listColleagues",
    summary="Accounts of the own provider",
)
async def colleagues(tx: Tx, page: PageIn) -> Response:
    """List the accounts in use of the own provider, by name."""
    found = await shields.colleagues(tx, limit=page.limit + 1, after=_after(page))
    items, cursor = page.cut(
        found, place=lambda colleague: (colleague.name, str(colleague.account_id))
    )
    return ColleagueList(
        items=[ColleagueOut.of(one, tx.caller) for one in items], next_cursor=cursor
    ).reply()


@router.put(
    "/referrals/{id}/shield",
    response_model=ShieldOut,
    operation_id="shieldReferral",
    summary="Let only named colleagues see a referral",
    responses=BUSY,
)
async def shield(id: str, wanted: ShieldWanted, tx: Tx) -> Response:
    """Let only named colleagues see a referral: for all others of the own provider it is not there.

    A list that there was is replaced, by one of those who are named.
    """
    referral = await shields.name_colleagues(
        tx, parse(id), wanted=wanted.account_ids, pointer="/colleagues"
    )
    shown = ShieldOut.of(referral)
    assert shown is not None  # noqa: S101 - the caller is named
    return shown.reply()


@router.delete(
    "/referrals/{id}/shield",
    status_code=204,
    operation_id="unshieldReferral",
    summary="Let all colleagues see a referral",
)
async def unshield(id: str, tx: Tx) -> Response:
    """Let every colleague see a referral again; harmless where it is not shielded."""
    await shields.remove_shield(tx, parse(id))
    return Response(status_code=204)


def _after(page: Page) -> tuple[str, UUID] | None:
    return None if page.after is None else (page.after[0], UUID(page.after[1]))
