"""Vouching on the wire: for a colleague who is locked out on duty."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field

from app.accounts import vouchings
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, In, Line, Out, parse_id
from app.deps import Tx

router = APIRouter(tags=["Accounts"])


class VouchingWanted(In):
    """For whom a colleague vouches."""

    account: Line = Field(description="Of the own desk, as `GET /v1/colleagues` lists it.")


class VouchingOut(Out):
    """A colleague's word for one session of another account of the desk."""

    id: Id
    account: Id = Field(validation_alias="account_id")
    vouched_by: Id
    at: datetime
    code_until: datetime = Field(description="Until when its code can be used.")
    ends_at: datetime = Field(description="When the session ends.")
    used_at: datetime | None


class NewVouchingOut(VouchingOut):
    """A new vouching, with the code to read out to the colleague."""

    code: str = Field(description="Shown only now.")


class VouchingList(Out):
    """A page of vouchings."""

    items: list[VouchingOut]
    next_cursor: str | None


@router.post(
    "/vouchings",
    status_code=201,
    response_model=NewVouchingOut,
    summary="Vouch for a colleague",
    description="Vouch for one session of `intake_worker` of a colleague of the same desk who is "
    "locked out on duty, with one's own second factor proved lately.\n\n"
    "They come in with their name to sign in and the code, within 15 minutes. Everyone at the desk "
    "is told. 409 `vouched_already` while such a session lives.",
)
async def vouch(wanted: VouchingWanted, tx: Tx, once: OnceIn) -> Response:
    """Vouch for one session of a colleague who is locked out on duty."""
    made = await vouchings.vouch(tx, parse_id(wanted.account))
    answer = NewVouchingOut.of(made.row, code=made.code)
    return await once.keep(tx, answer.reply(201))


@router.get("/vouchings", response_model=VouchingList, summary="Vouchings of the own desk")
async def list_vouchings(tx: Tx, page: ListIn) -> Response:
    """List who vouched for whom at the own desk, the newest first."""
    found = await vouchings.list_vouchings(tx, limit=page.limit + 1, after=moment_and_id(page))
    return VouchingList.of(
        page.cut(found, place=lambda row: (row.at.isoformat(), str(row.id)))
    ).reply()


@router.delete("/vouchings/{id}", status_code=204, summary="End a vouching")
async def end_vouching(id: str, tx: Tx) -> Response:
    """End what a colleague vouched for at the own desk, its code and its session, at once."""
    await vouchings.end_vouching(tx, parse_id(id))
    return Response(status_code=204)
