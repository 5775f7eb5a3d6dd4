"""The page of one referral.

How it stands, its offers, and why nothing is offered somewhere.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.api.kit.household import OLDEST_CHILD
from app.api.kit.wire import parse_id
from app.desk import desk
from app.errors import Refusal
from app.ranking import rankings
from app.referrals import referrals
from app.web.find import referrals as known
from app.web.find.acts import ActOutcome, SentIn, do_once
from app.web.find.view import Work, WorkIn, case, state_of, why_not

router = APIRouter(include_in_schema=False)

PAGE, PART = "find/case.html", "find/_case.html"

SAID = frozenset(
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
"""What was said of an act that may still be said when the page looks again by itself."""
Word = Annotated[str, Query(max_length=40)]
RankingId = Annotated[str, Query(max_length=40)]


@router.get("/find/{id}")
async def read(id: str, work: WorkIn, *, ranking: RankingId = "", every: bool = False) -> Response:
    """Show a referral, and the first offers of a ranking of it, or every one."""
    found = parse_id(ranking) if ranking else None
    return work.page.show(PAGE, **await case(work, parse_id(id), ranking=found, every=every))


@router.get("/find/{id}/now")
async def now(
    id: str, work: WorkIn, *, ranking: RankingId = "", seen: Word = "", said: Word = ""
) -> Response:
    """Show how a referral stands, where that is not what was seen last.

    With what was said, as long as that holds.
    """
    progress = await desk.read_progress(work.tx, parse_id(id))
    state = state_of(progress)
    if state == seen:
        return Response(status_code=204)
    holds = said in SAID and seen.partition("-")[0] == state.partition("-")[0]
    found = parse_id(ranking) if ranking else None
    shown = await case(work, parse_id(id), ranking=found, said=said if holds else "")
    await desk.log_live_view(work.tx, parse_id(id))
    return work.page.show(PART, **shown)


@router.post("/find/{id}/rankings")
async def rank(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Rank the places for a referral."""

    async def act() -> ActOutcome:
        ranked = await rankings.rank_places(work.tx, parse_id(id))
        return ActOutcome(str(ranked.referral_id), ranking=str(ranked.id), said="ranked")

    return await shown(work, parse_id(id), await do_once(work.tx, sent, act))


@router.post("/find/{id}/why")
async def why(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Say what is in the way of the places of a region, for a ranking."""
    ranked = await work.ranked(parse_id(sent.get("ranking")), parse_id(id))
    found = await why_not(work, ranked, sent.get("region"))
    if work.page.partial:
        return work.page.show("find/_why.html", why=found)
    return work.page.show(PAGE, **await case(work, parse_id(id), ranking=ranked.id, why=found))


@router.post("/find/{id}/answers")
async def answer(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Take an answer that could bring offers, and rank the places again."""
    referral = await referrals.read(work.tx, parse_id(id))
    content = _told(dict(referral.content), sent.get("child"), sent.get("age"), sent.get("gender"))
    if content is None:
        return await shown(
            work, referral.id, said="age_unclear", ranking=parse_id(sent.get("ranking"))
        )
    outcome = await do_once(work.tx, sent, lambda: known.know(work, sent, referral.id, content))
    return await shown(work, referral.id, outcome)


def _told(content: dict[str, Any], child: str, age: str, gender: str) -> dict[str, Any] | None:
    """Return what is known with an answer about a child.

    None where that is no answer.
    """
    children = [dict(one) for one in content["household"]["children"]]
    at = int(child) if child.isdecimal() else len(children)
    if at >= len(children) or not (
        gender in {"female", "male"} or (age.isdecimal() and int(age) <= OLDEST_CHILD)
    ):
        return None
    children[at] |= {"gender": gender} if gender else {"age": int(age)}
    return content | {"household": {**content["household"], "children": children}}


async def shown(
    work: Work,
    referral_id: UUID,
    outcome: ActOutcome | Refusal | None = None,
    *,
    ranking: UUID | None = None,
    said: str = "",
) -> Response:
    """Show what came of an act.

    The part of the page that is about it, or the whole page where no script asked.
    """
    if isinstance(outcome, ActOutcome):
        if not work.page.partial:
            return work.page.go(outcome.path)
        ranking, said = parse_id(outcome.ranking) if outcome.ranking else ranking, outcome.said
    refusal = outcome if isinstance(outcome, Refusal) else None
    values = await case(work, referral_id, ranking=ranking, refusal=refusal, said=said, acted=True)
    return work.page.show(
        PART if work.page.partial else PAGE, status=409 if refusal else 200, **values
    )
