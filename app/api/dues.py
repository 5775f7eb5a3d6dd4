"""Dues on the wire: what is to be done, who has seen it, and what nobody saw."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import AliasPath, Field

from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, Out, parse_id
from app.deps import Tx
from app.dues import dues
from app.dues.dues import DueView

router = APIRouter(tags=["Dues"])


class SightOut(Out):
    """An account of the own organisation that has seen a due."""

    account: Id = Field(validation_alias="account_id")
    name: str | None = Field(description="None for a colleague who has left.")
    seen_at: datetime
    taken_until: datetime | None = Field(description="Until when it sees to it, if it said so.")


class DueOut(Out):
    """Something that the own organisation has to do by a moment."""

    id: Id = Field(validation_alias=AliasPath("row", "id"))
    kind: str = Field(
        validation_alias=AliasPath("row", "kind"), description="A code of the list `dues`."
    )
    subject: Id = Field(
        validation_alias=AliasPath("row", "subject_id"),
        description="The hold, placement, swap, alternative, referral or site that it is about.",
    )
    referral_id: Id | None = Field(
        validation_alias=AliasPath("row", "referral_id"),
        description="The household's, where the caller may see it.",
    )
    reference: str | None = Field(
        validation_alias=AliasPath("row", "reference"),
        description="Its code that can be spoken on the telephone.",
    )
    due_at: datetime = Field(validation_alias=AliasPath("row", "due_at"))
    overdue: bool
    seen_by: list[SightOut] = Field(description="The first first.")
    taken_by: SightOut | None = Field(description="Who sees to it now.")


class DueList(Out):
    """A page of dues."""

    items: list[DueOut]
    next_cursor: str | None


class UnseenOut(Out):
    """What a provider had to do, and how much of it nobody there saw."""

    provider_id: Id
    came: int = Field(description="Dues that came to their moment.")
    unseen: int = Field(description="Of these, those that nobody has seen until now.")


class UnseenList(Out):
    """What nobody saw, by provider, in some whole days."""

    since: datetime
    until: datetime
    items: Sequence[UnseenOut]


@router.get(
    "/dues",
    response_model=DueList,
    summary="What is due",
    description="List what the own organisation has to do, as far as it is the work of the "
    "caller's roles: the longest due first.\n\n"
    "Kinds: `hold_to_answer`, `expected_arrival` (they have not arrived in time), "
    "`no_show_unchecked`, `swap_consent`, `alternative_check`, `alternative_nights`, "
    "`safety_plan`, `contact`, `planned_return`, `site_to_confirm` and `site_to_approve`. An "
    "event `due` says that one rang, was seen or taken, or is over.",
)
async def list_dues(tx: Tx, page: ListIn) -> Response:
    """List what the own organisation has to do, the longest due first."""
    found = await dues.list_for(tx, limit=page.limit + 1, after=moment_and_id(page))
    return DueList.of(page.cut(found, place=_place)).reply()


@router.post(
    "/dues/{id}/sights",
    response_model=DueOut,
    summary="A person has seen a due",
    description="Note that the caller has opened what is due; a due that nobody saw is counted.",
)
async def see_due(id: str, tx: Tx, once: OnceIn) -> Response:
    """Note that the caller has seen a due."""
    found = await dues.see_due(tx, parse_id(id))
    return await once.keep(tx, DueOut.of(found).reply(), referral_id=found.row.referral_id)


@router.post(
    "/dues/{id}/takings",
    response_model=DueOut,
    summary="A person takes a due on",
    description="Say that the caller sees to it for the next ten minutes; colleagues are told by "
    "an event `due`, and may take it on as well. 409 `due_over` for one that has been done.",
)
async def take_due(id: str, tx: Tx, once: OnceIn) -> Response:
    """Note that the caller sees to a due."""
    found = await dues.take_due(tx, parse_id(id))
    return await once.keep(tx, DueOut.of(found).reply(), referral_id=found.row.referral_id)


@router.get(
    "/unseen-dues",
    response_model=UnseenList,
    summary="What nobody saw",
    description="Count by provider what came to its moment in the seven days before today, and "
    "how much of it nobody there saw. Of single dues, their kinds and their households this tells "
    "nothing.",
)
async def count_unseen_dues(tx: Tx) -> Response:
    """Count by provider what came to its moment and was seen by nobody."""
    since, until, rows = await dues.count_unseen(tx)
    return UnseenList(since=since, until=until, items=[UnseenOut.of(row) for row in rows]).reply()


def _place(due: DueView) -> tuple[str, str]:
    return due.row.due_at.isoformat(), str(due.row.id)
