"""An intake desk's own referrals: the list, the form, and the changes of one."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import TypeAdapter, ValidationError

from app.api.kit import known_codes
from app.api.kit.wire import parse_id
from app.api.ranking.peak_plans import plan_out
from app.api.referrals.referrals import ReferralWanted
from app.deps import providers_known
from app.desk import desk
from app.errors import Invalid, Mismatch, Refusal, Stale
from app.placing import referral_changes
from app.ranking import peaks
from app.reference import load
from app.referrals import referrals, shields
from app.web.dues import read_dues
from app.web.find import draft
from app.web.find.acts import KEY, ActOutcome, SentForm, SentIn, do_once, known_code, new_key
from app.web.find.draft import Draft
from app.web.find.faults import faults_at, faults_of
from app.web.find.names import names
from app.web.find.view import IntakeWork, WorkIn

router = APIRouter(include_in_schema=False)

WITH_PROVIDERS = [Depends(providers_known)]
"""The dependency of forms whose providers are checked against those that exist."""
UNDO = timedelta(seconds=10)
"""The time for which the page offers to undo a closing; the list goes on offering it."""
CLOSING = TypeAdapter[str](known_codes.ClosingReason)
ReferralId = Annotated[str, Query(max_length=40)]
FORM = "find/form.html"
PART_OF_FORM = "find/_form_again.html"


@router.get("/find")
async def list_referrals(work: WorkIn, *, closed: ReferralId = "") -> Response:
    """Show the referrals that the desk has in hand, and for a moment what was closed just now."""
    shown = await _caseload(work)
    shown |= await read_dues(work.tx)
    since = work.tx.at - UNDO
    just = [
        row
        for row in shown["closed"]
        if str(row.id) == closed and row.closed_at is not None and row.closed_at > since
    ]
    return work.page.show("find/list.html", **shown, just_closed=just, undo_for=UNDO)


@router.get("/find/board")
async def renew_list(work: WorkIn) -> Response:
    """Show the list again after a change."""
    shown = await _caseload(work)
    await desk.log_live_view(work.tx)
    return work.page.show("find/_list.html", **shown)


async def _caseload(work: IntakeWork) -> dict[str, Any]:
    found = await desk.read_caseload(work.tx)
    return {
        "desk": found,
        "closed": await referrals.list_closed(work.tx),
        "providers": await work.providers(),
        "at": work.tx.at,
        "new_key": new_key,
    }


@router.get("/find/new")
async def show_new_form(work: WorkIn) -> Response:
    """Show an empty form."""
    return work.page.show(
        FORM, form=await work.form_values(Draft()), drawing=await work.draw_map(Draft())
    )


@router.post("/find/rows")
async def change_rows(work: WorkIn, sent: SentIn) -> Response:
    """Show a form again with one row more or less, and keep nothing of it."""
    form = draft.read(sent.fields)
    what, which = sent.get("more"), sent.get("less")
    form = form.with_row(what) if what else form.without_row(which)
    many = {"adult": form.adults, "child": form.children, "zone": form.zones}.get(what, ())
    first = {"adult": "gender", "child": "age", "zone": "municipality"}.get(what, "")
    focus = f"{what}-{len(many) - 1}-{first}" if what else f"more-{which.partition('-')[0]}"
    shown = await work.form_values(form, key=sent.get(KEY), focus=focus)
    return await _show_form(
        work, shown | {"of": sent.optional("of"), "version": sent.get("version")}, status=200
    )


@router.post("/find/map")
async def draw_map(work: WorkIn, sent: SentIn) -> Response:
    """Draw the country with the unsafe areas of a form so far, and keep nothing of them."""
    return work.page.show("find/_beside.html", drawing=await work.draw_map(draft.read(sent.fields)))


@router.post("/find/new", dependencies=WITH_PROVIDERS)
async def register(work: WorkIn, sent: SentIn) -> Response:
    """Register a household and rank the places for it."""
    form = draft.read(sent.fields).without_blanks()
    checked = await _validate(work, form)
    if isinstance(checked, dict):
        return await _show_form(
            work, await work.form_values(form, key=sent.get(KEY), faults=checked)
        )

    async def act() -> ActOutcome:
        content = checked.model_dump(mode="json", exclude={"shield"})
        referral = await referrals.register_referral(work.tx, content=content)
        return ActOutcome(str(referral.id), ranking=await rank_again(work, referral.id))

    outcome = await do_once(work.tx, sent, act)
    if isinstance(outcome, Invalid):
        return await _show_form(
            work, await work.form_values(form, key=sent.get(KEY), faults=faults_at(outcome.faults))
        )
    if isinstance(outcome, Refusal):
        # The same form was sent before and has changed since: it gets a new key with the warning.
        key = "" if isinstance(outcome, Mismatch) else sent.get(KEY)
        return await _show_form(
            work, await work.form_values(form, key=key, refusal=outcome.code), status=409
        )
    return work.page.go(outcome.path)


@router.post("/find/plan")
async def plan_for_all(work: WorkIn, sent: SentIn) -> Response:
    """Plan places for all who wait, beside what each referral would get by itself.

    The plan holds nothing: each offer in it is held by a press of its own.
    """
    del sent  # the plan is made anew each time: things have moved on
    made = await peaks.plan_peak(work.tx, None)
    waiting = (await desk.read_caseload(work.tx)).waiting
    references = {str(item.referral.id): item.referral.case.reference for item in waiting}
    planned = await plan_out(work.tx, made)
    return work.page.show(
        "find/plan.html",
        plan=planned,
        references=references,
        codes=load().codes,
        new_key=new_key,
    )


@router.post("/find/{id}", dependencies=WITH_PROVIDERS)
async def change(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Change the content of a referral, and rank the places again."""
    form = draft.read(sent.fields).without_blanks()
    referral = await referrals.read(work.tx, parse_id(id))
    checked = await _validate(work, form)
    if isinstance(checked, dict):
        return await _show_form(
            work, await work.form_values(form, referral=referral, key=sent.get(KEY), faults=checked)
        )
    content = checked.model_dump(mode="json", exclude={"shield"})
    outcome = await do_once(
        work.tx, sent, lambda: change_and_rank(work, sent, referral.id, content)
    )
    if isinstance(outcome, Invalid):
        faults = faults_at(outcome.faults)
        return await _show_form(
            work, await work.form_values(form, referral=referral, key=sent.get(KEY), faults=faults)
        )
    if isinstance(outcome, Refusal):
        now = await referrals.read(work.tx, referral.id)
        return await _show_form(
            work, await work.form_values(form, referral=now, refusal=outcome.code), status=409
        )
    return work.page.go(outcome.path)


async def change_and_rank(
    work: IntakeWork, sent: SentForm, referral_id: UUID, content: dict[str, Any]
) -> ActOutcome:
    """Change a referral and rank the places again; Stale if a colleague changed it first."""
    referral = await referrals.read(work.tx, referral_id, lock=True)
    if sent.get("version") != str(referral.case.version):
        raise Stale
    changed = await referral_changes.change_referral(work.tx, referral, content=content)
    ranking = await rank_again(work, changed.id) if changed.status == "open" else None
    return ActOutcome(str(changed.id), ranking=ranking, said="changed")


async def rank_again(work: IntakeWork, referral_id: UUID) -> str | None:
    """Rank the places for a referral; None if the policy allows no further ranking now."""
    ranked = await desk.rank_if_allowed(work.tx, referral_id)
    return None if ranked is None else str(ranked.id)


@router.post("/find/{id}/withdrawal")
async def withdraw(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Close a referral that needs no place any more, for a reason."""

    async def act() -> ActOutcome:
        reason = known_code(CLOSING, sent.get("reason"), pointer="/reason")
        referral = await referral_changes.withdraw_referral(work.tx, parse_id(id), reason=reason)
        return ActOutcome(str(referral.id))

    outcome = await do_once(work.tx, sent, act)
    if isinstance(outcome, Refusal):
        raise outcome
    return work.page.go(f"/find?closed={outcome.referral}")


@router.post("/find/{id}/reopening")
async def reopen(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Open a closed referral: a place is looked for again."""

    async def act() -> ActOutcome:
        referral = await referrals.reopen_referral(work.tx, parse_id(id))
        return ActOutcome(str(referral.id))

    outcome = await do_once(work.tx, sent, act)
    if isinstance(outcome, Refusal):
        raise outcome
    return work.page.go(outcome.path)


@router.post("/find/{id}/shield")
async def change_shield(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Shield a referral, so that only the caller sees it, or remove its shield.

    The API can name colleagues who see a shielded referral.
    """

    async def act() -> ActOutcome:
        if sent.get("open") == "yes":
            await shields.remove_shield(work.tx, parse_id(id))
        else:
            await shields.name_colleagues(work.tx, parse_id(id), wanted=(), pointer="/colleagues")
        return ActOutcome(id)

    outcome = await do_once(work.tx, sent, act)
    if isinstance(outcome, Refusal):
        raise outcome
    return work.page.go(outcome.path)


async def _validate(work: IntakeWork, form: Draft) -> ReferralWanted | dict[str, str]:
    """Return the body that the API accepts of a form, or its faults by field."""
    reference = await work.tx.snapshots.reference(work.tx)
    try:
        return ReferralWanted.model_validate(
            draft.body(form, names(reference.municipalities, work.page.language))
        )
    except ValidationError as refused:
        return faults_of(refused)


async def _show_form(work: IntakeWork, form: dict[str, Any], *, status: int = 400) -> Response:
    """Show a form as it was filled in, and the map beside it."""
    drawing = await work.draw_map(form["draft"])
    return work.page.show(
        PART_OF_FORM if work.page.partial else FORM, status=status, form=form, drawing=drawing
    )
