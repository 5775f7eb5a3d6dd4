"""A plan for all of a desk's referrals that wait.

Placed together, beside what each would get by itself.
"""

from fastapi import APIRouter, Response

from app.api.ranking.peak_plans import plan_out
from app.desk import desk
from app.ranking import peaks
from app.web.find.acts import SentIn, new_key
from app.web.find.view import WorkIn

router = APIRouter(include_in_schema=False)


@router.post("/find/plan")
async def plan(work: WorkIn, sent: SentIn) -> Response:
    """Plan for all who wait.

    It takes nothing: each offer is held by a press of its own.
    """
    del sent  # a plan that is asked for again is made again: things have moved on
    made = await peaks.plan_peak(work.tx, None)
    waiting = (await desk.read_caseload(work.tx)).waiting
    references = {str(item.referral.id): item.referral.case.reference for item in waiting}
    planned = await plan_out(work.tx, made)
    return work.page.show("find/plan.html", plan=planned, references=references, new_key=new_key)
