"""The page of one referral: its state, its offers, and the obstacles in a region."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.api.kit.household import OLDEST_CHILD
from app.api.kit.wire import parse_id
from app.desk import desk
from app.errors import Refusal
from app.ranking import rankings
from app.referrals import referrals
from app.web.find.acts import ActOutcome, SentForm, SentIn, do_once
from app.web.find.referrals import change_and_rank
from app.web.find.view import IntakeWork, WorkIn, case_values, read_obstacles, state_of

router = APIRouter(include_in_schema=False)

PAGE, PART = "find/case.html", "find/_case.html"

LASTING = frozenset(
    {
        "offer_gone",
        "ranking_outdated",
        "held",
        "renewed",
        "released",
        "under_way",
        "changed",
        "ranked",
    }
)
"""Words for an outcome that still hold when the page renews itself."""
Word = Annotated[str, Query(max_length=40)]
RankingId = Annotated[str, Query(max_length=40)]


@router.get("/find/{id}")
async def show_case(
    id: str, work: WorkIn, *, ranking: RankingId = "", every: bool = False
) -> Response:
    """Show a referral, with the first offers of one of its rankings, or every one."""
    found = parse_id(ranking) if ranking else None
    return work.page.show(PAGE, **await case_values(work, parse_id(id), ranking=found, every=every))


@router.get("/find/{id}/now")
async def renew_case(
    id: str, work: WorkIn, *, ranking: RankingId = "", seen: Word = "", said: Word = ""
) -> Response:
    """Show a referral again if its state is not the one seen last.

    The word for the last outcome stays as long as it holds.
    """
    progress = await desk.read_progress(work.tx, parse_id(id))
    state = state_of(progress)
    if state == seen:
        return Response(status_code=204)
    holds = said in LASTING and seen.partition("-")[0] == state.partition("-")[0]
    found = parse_id(ranking) if ranking else None
    values = await case_values(work, parse_id(id), ranking=found, said=said if holds else "")
    await desk.log_live_view(work.tx, parse_id(id))
    return work.page.show(PART, **values)


@router.post("/find/{id}/rankings")
async def rank(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Rank the places for a referral."""

    async def act() -> ActOutcome:
        ranked = await rankings.rank_places(work.tx, parse_id(id))
        work.tx.looks.purpose = rankings.purpose_of(ranked)
        return ActOutcome(str(ranked.referral_id), ranking=str(ranked.id), said="ranked")

    return await do_and_show(work, id, sent, act)


@router.post("/find/{id}/why")
async def show_obstacles(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Show the rules in the way of a region's places, for a ranking."""
    ranked = await work.read_ranking(parse_id(sent.get("ranking")), parse_id(id))
    found = await read_obstacles(work, ranked, sent.get("region"))
    if work.page.partial:
        return work.page.show("find/_why.html", why=found)
    return work.page.show(
        PAGE, **await case_values(work, parse_id(id), ranking=ranked.id, why=found)
    )


@router.post("/find/{id}/answers")
async def answer(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Record an answer about a child that could bring offers, and rank the places again."""
    referral = await referrals.read(work.tx, parse_id(id))
    content = _content_with_answer(
        dict(referral.content), sent.get("child"), sent.get("age"), sent.get("gender")
    )
    if content is None:
        return await show_outcome(
            work, referral.id, said="age_unclear", ranking=parse_id(sent.get("ranking"))
        )
    outcome = await do_once(
        work.tx, sent, lambda: change_and_rank(work, sent, referral.id, content)
    )
    return await show_outcome(work, referral.id, outcome)


def _content_with_answer(
    content: dict[str, Any], child: str, age: str, gender: str
) -> dict[str, Any] | None:
    """Return the content of a referral with an answer about a child; None if it is none."""
    children = [dict(one) for one in content["household"]["children"]]
    at = int(child) if child.isdecimal() else len(children)
    if at >= len(children) or not (
        gender in {"female", "male"} or (age.isdecimal() and int(age) <= OLDEST_CHILD)
    ):
        return None
    children[at] |= {"gender": gender} if gender else {"age": int(age)}
    return content | {"household": {**content["household"], "children": children}}


async def do_and_show(
    work: IntakeWork,
    id_: str,
    sent: SentForm,
    act: Callable[[], Awaitable[ActOutcome]],
    *,
    ranking: UUID | None = None,
) -> Response:
    """Do an act once, and show its outcome on the page of the referral."""
    outcome = await do_once(work.tx, sent, act)
    return await show_outcome(work, parse_id(id_), outcome, ranking=ranking)


async def show_outcome(
    work: IntakeWork,
    referral_id: UUID,
    outcome: ActOutcome | Refusal | None = None,
    *,
    ranking: UUID | None = None,
    said: str = "",
) -> Response:
    """Show the outcome of an act, in a part of the page or, without a script, on all of it."""
    if isinstance(outcome, ActOutcome):
        if not work.page.partial:
            return work.page.go(outcome.path)
        ranking, said = parse_id(outcome.ranking) if outcome.ranking else ranking, outcome.said
    refusal = outcome if isinstance(outcome, Refusal) else None
    values = await case_values(
        work, referral_id, ranking=ranking, refusal=refusal, said=said, acted=True
    )
    return work.page.show(
        PART if work.page.partial else PAGE, status=409 if refusal else 200, **values
    )
