"""The weekly review on the wire: accounts unlike others, and what came of asking."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from app.accounts import reviews
from app.accounts.reviews import FindingPlace, FindingRow
from app.api.kit.known_codes import ReviewAnswer
from app.api.kit.lists import ListIn, ListRequest
from app.api.kit.once import OnceIn
from app.api.kit.reasons import TextOut
from app.api.kit.wire import Id, In, Out, parse_id
from app.deps import Tx
from app.words.access_review import fact_text

router = APIRouter(tags=["Review"])


class FactOut(Out):
    """What an account did in the week, and how often others usually did."""

    signal: str = Field(examples=["rankings"])
    count: int
    usual: int = Field(description="At its desk or in the country, whichever is more.")
    text: TextOut


class FindingOut(Out):
    """An account to ask; it does not say that anything was wrong."""

    id: Id
    week: date = Field(description="The Monday with which the week began.")
    account_id: Id
    name: str | None = Field(description="What colleagues call it.")
    provider_id: Id | None
    points: int = Field(description="How far it is from what is usual.")
    facts: list[FactOut]
    answer: str | None = Field(description="What came of asking; null: nobody has answered yet.")
    answered_by: Id | None
    answered_at: datetime | None


class FindingList(Out):
    """A page of findings."""

    consented_on: date | None = Field(
        description="Since when the works councils agree that accounts are reviewed; null: none is."
    )
    reviewed: date | None = Field(description="The Monday of the newest week that was reviewed.")
    items: list[FindingOut]
    next_cursor: str | None


class AnswerWanted(In):
    """What came of asking."""

    answer: ReviewAnswer = Field(examples=["work"])


@router.get(
    "/review-findings",
    response_model=FindingList,
    summary="Whose week was unlike others",
    description="List the accounts that the weekly review names, the newest week first: for "
    "administrators all, for coordinators those of the own desk. Nobody sees what was found of "
    "themselves, or of an account that made, invited or reset theirs.",
)
async def list_review_findings(tx: Tx, page: ListIn) -> Response:
    """List the accounts to ask about their week, the newest week first."""
    stand = await reviews.read_stand(tx)
    found = await reviews.list_findings(tx, limit=page.limit + 1, after=_after(page))
    items, cursor = page.cut(
        found, place=lambda row: (row.week.isoformat(), str(row.points), str(row.id))
    )
    return FindingList(
        consented_on=stand.consented_on,
        reviewed=stand.newest and stand.newest.first_day,
        items=[finding_out(row) for row in items],
        next_cursor=cursor,
    ).reply()


@router.post(
    "/review-findings/{id}/answer",
    response_model=FindingOut,
    summary="Say what came of asking",
)
async def answer_finding(id: str, wanted: AnswerWanted, tx: Tx, once: OnceIn) -> Response:
    """Answer a finding, once; it is kept with who answered and when."""
    row = await reviews.answer_finding(tx, parse_id(id), answer=wanted.answer)
    return await once.keep(tx, finding_out(row).reply())


def finding_out(row: FindingRow) -> FindingOut:
    """Show a finding with its facts in words."""
    return FindingOut.of(row, facts=facts_out(row.facts))


def facts_out(facts: Sequence[Any]) -> list[FactOut]:
    """Show facts with their words in every language."""
    return [
        FactOut(
            **fact,
            text=TextOut(nl=fact_text(**fact, language="nl"), en=fact_text(**fact, language="en")),
        )
        for fact in facts
    ]


def _after(page: ListRequest) -> FindingPlace | None:
    if page.after is None:
        return None
    week, points, id_ = page.after
    return date.fromisoformat(week), int(points), UUID(id_)
