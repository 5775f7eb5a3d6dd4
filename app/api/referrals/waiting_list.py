"""The waiting list and vacancies, on the wire."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AliasPath, BeforeValidator, Field

from app.allocation.ranking.left_out import Band, band_of
from app.allocation.ranking.waiting_list import ListPosition
from app.api.kit.lists import ListIn, ListRequest, moment_and_id
from app.api.kit.wire import Id, Out, aliases_from
from app.deps import Tx
from app.ranking import vacancies
from app.referrals import waiting_list
from app.referrals.waiting_list import WaitingReferral

router = APIRouter(tags=["Waiting"])


def _band_if_counted(households: int | None) -> Band | None:
    return None if households is None else band_of(households)


class AlternativeInUseOut(Out):
    """What is used until a place is found."""

    id: Id
    kind: str
    responsible_provider_id: Id = Field(validation_alias="responsible_id")
    started_at: datetime
    until: date | None = Field(description="The day on which they leave it.")


class ChanceOut(Out):
    """Something that came free and was lawful, as the ranking that was made of it then has it."""

    ranking_id: Id
    rank: int = Field(description="Where the best of what came free stood; 1 is the first offer.")
    at: datetime = Field(validation_alias="came_free_at")


class WaitingOut(Out, alias_generator=aliases_from("referral.case")):
    """A referral that waits."""

    referral_id: Id = Field(validation_alias=AliasPath("referral", "id"))
    reference: str = Field(description="A code that can be spoken on the telephone.")
    position: int = Field(
        description="Its place in the policy's order among the own provider's, from 1."
    )
    urgency: str
    waiting_since: datetime = Field(validation_alias=AliasPath("referral", "case", "created_at"))
    overdue: bool = Field(
        description="Whether something is due for a household in an alternative: shown first."
    )
    next_contact_at: datetime | None = Field(validation_alias=AliasPath("since", "contact_at"))
    next_check_at: datetime | None = Field(description="Of the alternative in use.")
    alternative: AlternativeInUseOut | None
    last_chance: ChanceOut | None = Field(
        description="What came free for it last; none since it waits."
    )


class UnreadableOut(Out):
    """A referral that no key of this installation opens: administrators see it as well."""

    id: Id
    reference: str = Field(description="A code that can be spoken on the telephone.")
    status: str = Field(description="open, held, placed, ended or withdrawn")
    created_at: datetime


class WaitingList(Out):
    """A page of the waiting list."""

    items: list[WaitingOut]
    unreadable: list[UnreadableOut] = Field(
        description="Those that no key opens: they have no place in the order."
    )
    next_cursor: str | None


class VacancyOut(Out):
    """Something of the own provider's that came free."""

    id: Id
    site_id: Id
    place_id: Id | None = Field(
        description="None where a site admits people again: then a group of places."
    )
    kind: str
    freed_at: datetime
    lawful_for: Annotated[Band | None, BeforeValidator(_band_if_counted)] = Field(
        description="How many of those who waited could lawfully go there, in a band; none: not "
        "counted yet."
    )


class VacancyList(Out):
    """A page of what came free."""

    items: list[VacancyOut]
    next_cursor: str | None


@router.get(
    "/waiting-list",
    response_model=WaitingList,
    summary="Own referrals that wait",
)
async def list_waiting(tx: Tx, page: ListIn) -> Response:
    """List the own provider's open referrals in the policy's order.

    A household in an alternative whose check is overdue, or whose nights there are over, comes
    before all others. Time counts from when a referral was registered: what was refused, declined
    or lost since then changes nothing about its position.
    """
    found, unreadable = await waiting_list.list_for(tx, limit=page.limit + 1, after=_after(page))
    return WaitingList.of(page.cut(found, place=_place), unreadable=unreadable).reply()


@router.get(
    "/vacancies",
    response_model=VacancyList,
    summary="Own places that came free",
    description="List what came free at the own provider's sites lately, newest first, and for how "
    "many who wait it was lawful.\n\n"
    "Nobody is placed by that: their own desks are told, and decide.",
)
async def list_vacancies(tx: Tx, page: ListIn) -> Response:
    """List what came free at the own provider's sites lately, newest first."""
    found = await vacancies.list_for(tx, limit=page.limit + 1, after=moment_and_id(page))
    return VacancyList.of(
        page.cut(found, place=lambda row: (row.freed_at.isoformat(), str(row.id)))
    ).reply()


def _place(item: WaitingReferral) -> tuple[str, ...]:
    numbers, id_ = item.place
    return (*(str(number) for number in numbers), id_)


def _after(page: ListRequest) -> ListPosition | None:
    if page.after is None:
        return None
    *numbers, id_ = page.after
    return tuple(int(number) for number in numbers), id_
