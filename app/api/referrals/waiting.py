"""The waiting list on the wire, and what came free."""

from datetime import date, datetime

from fastapi import APIRouter, Response
from pydantic import Field

from app.allocation.ranking.waiting import ListPosition
from app.api.kit.pages import Page, PageIn, moment_and_id
from app.api.kit.wire import Out, text_of
from app.deps import Tx
from app.ranking import vacancies
from app.ranking.vacancies import VacancyRow
from app.referrals import waiting
from app.referrals.referrals import ReferralRow
from app.referrals.waiting import WaitingReferral

router = APIRouter(tags=["Waiting"])


class AlternativeInUseOut(Out):
    """What is used until a place is found."""

    id: str
    kind: str
    responsible_provider_id: str
    started_at: datetime
    until: date | None = Field(description="The day on which they leave it.")

    @classmethod
    def of(cls, case: ReferralRow) -> "AlternativeInUseOut | None":
        """Show the alternative of a referral, if it has one."""
        used = case.alternative
        if used is None:
            return None
        return cls(
            id=str(used.id),
            kind=used.kind,
            responsible_provider_id=str(used.responsible_id),
            started_at=used.started_at,
            until=used.until,
        )


class DueOut(Out):
    """Something that is due."""

    what: str = Field(description="contact, safety_plan, alternative_check or alternative_nights")
    at: datetime = Field(description="Since when.")


class ChanceOut(Out):
    """Something that came free and was lawful, as the ranking that was made of it then has it."""

    ranking_id: str
    rank: int = Field(description="Where the best of what came free stood; 1 is the first offer.")
    at: datetime

    @classmethod
    def of(cls, item: WaitingReferral) -> "ChanceOut | None":
        """Show what came free last, if anything did."""
        since = item.since
        if since.ranking_id is None or since.rank is None or since.came_free_at is None:
            return None
        return cls(ranking_id=str(since.ranking_id), rank=since.rank, at=since.came_free_at)


class WaitingOut(Out):
    """A referral that waits."""

    referral_id: str
    reference: str = Field(description="A code that can be spoken on the telephone.")
    position: int = Field(
        description="Its place in the policy's order among the own provider's, from 1."
    )
    urgency: str
    waiting_since: datetime
    overdue: bool = Field(
        description="Whether something is due for a household in an alternative: shown first."
    )
    due: list[DueOut]
    next_contact_at: datetime | None
    next_check_at: datetime | None = Field(description="Of the alternative in use.")
    alternative: AlternativeInUseOut | None
    last_chance: ChanceOut | None = Field(
        description="What came free for it last; none since it waits."
    )

    @classmethod
    def of(cls, item: WaitingReferral) -> "WaitingOut":
        """Show a referral on the list."""
        case = item.referral.case
        return cls(
            referral_id=str(case.id),
            reference=case.reference,
            position=item.position,
            urgency=case.urgency,
            waiting_since=case.created_at,
            overdue=item.overdue,
            due=[DueOut(what=one.what, at=one.at) for one in item.due],
            next_contact_at=item.since.contact_at,
            next_check_at=None if case.alternative is None else case.alternative.next_check_at,
            alternative=AlternativeInUseOut.of(case),
            last_chance=ChanceOut.of(item),
        )


class WaitingList(Out):
    """A page of the waiting list."""

    items: list[WaitingOut]
    next_cursor: str | None


class VacancyOut(Out):
    """Something of the own provider's that came free."""

    id: str
    site_id: str
    place_id: str | None = Field(
        description="None where a site admits people again: then a group of places."
    )
    kind: str
    freed_at: datetime
    lawful_for: int | None = Field(
        description="How many of those who waited could lawfully go there; none: not yet."
    )

    @classmethod
    def of(cls, row: VacancyRow) -> "VacancyOut":
        """Show what came free."""
        return cls(
            id=str(row.id),
            site_id=str(row.site_id),
            place_id=text_of(row.place_id),
            kind=row.kind,
            freed_at=row.freed_at,
            lawful_for=row.lawful_for,
        )


class VacancyList(Out):
    """A page of what came free."""

    items: list[VacancyOut]
    next_cursor: str | None


@router.get(
    "/waiting-list",
    response_model=WaitingList,
    operation_id="listWaiting",
    summary="Own referrals that wait",
)
async def listed(tx: Tx, page: PageIn) -> Response:
    """List the own provider's open referrals in the policy's order, with what is due for each.

    Whatever is overdue for a household in an alternative comes before all others. Time counts from
    when a referral was
    registered: what was refused, declined or lost since then changes nothing about its position.
    """
    found = await waiting.list_for(tx, limit=page.limit + 1, after=_after(page))
    items, cursor = page.cut(found, place=_place)
    return WaitingList(items=[WaitingOut.of(item) for item in items], next_cursor=cursor).reply()


@router.get(
    "/vacancies",
    response_model=VacancyList,
    operation_id="listVacancies",
    summary="Own places that came free",
)
async def came_free(tx: Tx, page: PageIn) -> Response:
    """List what came free at the own provider's sites lately, newest first, and for how many who wait it was lawful.

    Nobody is placed by that: their own desks are told, and decide.
    """
    found = await vacancies.list_for(tx, limit=page.limit + 1, after=moment_and_id(page))
    items, cursor = page.cut(found, place=lambda row: (row.freed_at.isoformat(), str(row.id)))
    return VacancyList(items=[VacancyOut.of(row) for row in items], next_cursor=cursor).reply()


def _place(item: WaitingReferral) -> tuple[str, ...]:
    numbers, id_ = item.place
    return (*(str(number) for number in numbers), id_)


def _after(page: Page) -> ListPosition | None:
    if page.after is None:
        return None
    *numbers, id_ = page.after
    return tuple(int(number) for number in numbers), id_
