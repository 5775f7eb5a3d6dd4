"""Holds of an offer, and the placement from them until the household has arrived."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter

from app.allocation.ranking.case import HIGHEST_THREAT_LEVEL
from app.api.kit import known_codes
from app.api.kit.disclosure import admit_apart, own_transaction
from app.api.kit.once import AlreadyAnswered
from app.api.kit.problems import status_of
from app.api.kit.wire import parse_id
from app.api.registry.addresses import reveal_sender_address
from app.database.answers import KeptAnswer
from app.deps import PartsIn, log_refused
from app.errors import AddressWithheld, BudgetSpent, Conflict, Refusal
from app.placing import confirm_hold, holds, placements, take_hold
from app.placing.confirm_hold import Confirmation
from app.placing.take_hold import HoldRequest
from app.referrals import takeovers
from app.registry.sender_address import SenderQuestion
from app.web.accounts.proof import is_code_wrong
from app.web.find.acts import ActOutcome, SentForm, SentIn, do_once, known_code
from app.web.find.case import do_and_show, show_outcome
from app.web.find.referrals import rank_again
from app.web.find.view import IntakeWork, WorkIn
from app.web.page import AnyPage

router = APIRouter(include_in_schema=False)

OVERRIDE = TypeAdapter[str](known_codes.OverrideReason)
RELEASE = TypeAdapter[str](known_codes.ReleaseReason)
PURPOSE = TypeAdapter[str](known_codes.RevealPurpose)
LONGEST_CODE = 40
THREAT_LEVELS = {str(level): level for level in range(1, HIGHEST_THREAT_LEVEL + 1)}
"""The answers that an openly known address asks for, as a form sends them."""
GONE = frozenset({"offer_gone", "ranking_outdated", "no_longer_safe"})
"""The refusals that a new ranking answers at once."""


@router.post("/find/{id}/holds")
async def hold_offer(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Hold an offer; if it has gone, say so and show what is first now."""
    referral_id, ranking_id = parse_id(id), parse_id(sent.get("ranking"))
    done = ActOutcome(str(referral_id), said="held")

    async def act() -> ActOutcome | Refusal:
        reason = sent.optional("override_reason")
        overriding = (
            None if reason is None else known_code(OVERRIDE, reason, pointer="/overrideReason")
        )
        level = THREAT_LEVELS.get(sent.get("threat_level"))
        request = HoldRequest(referral_id, ranking_id, sent.get("offer"), overriding, level)
        taken = await take_hold.take_hold(
            work.tx, request, record=lambda _: _record(work, sent, done)
        )
        if isinstance(taken, Refusal):
            return taken  # and not raised: what was answered with it is committed
        if not taken.first:
            raise AlreadyAnswered
        return done

    outcome = await do_once(work.tx, sent, act, kept=True)
    ranking = str(ranking_id)
    if isinstance(outcome, Refusal) and outcome.code in GONE:
        ranking = await rank_again(work, referral_id) or ""
    return await show_outcome(
        work, referral_id, outcome, ranking=parse_id(ranking) if ranking else None
    )


def _record(work: IntakeWork, sent: SentForm, done: ActOutcome) -> KeptAnswer:
    answer = sent.once.record(work.tx, done.record())
    assert answer is not None  # noqa: S101 - every form has a key
    return answer


@router.post("/find/{id}/renewal")
async def renew(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Renew a hold."""

    async def act() -> ActOutcome:
        hold = await holds.renew_hold(work.tx, parse_id(sent.get("hold")))
        return ActOutcome.on_row(hold.referral_id, id, said="renewed")

    return await do_and_show(work, id, sent, act)


@router.post("/find/{id}/release")
async def release(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Release a hold, with a reason."""

    async def act() -> ActOutcome:
        reason = known_code(RELEASE, sent.get("reason"), pointer="/reason")
        hold = await holds.release_hold(work.tx, parse_id(sent.get("hold")), reason=reason)
        return ActOutcome.on_row(hold.referral_id, id, said="released")

    return await do_and_show(work, id, sent, act)


@router.post("/find/{id}/placement")
async def confirm(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Confirm an accepted hold: the household is on its way."""

    async def act() -> ActOutcome:
        confirmation = Confirmation(
            parse_id(sent.get("hold")),
            expected_at=sent.future_moment("expected_at", after=work.tx.at),
        )
        row = await confirm_hold.confirm_hold(work.tx, confirmation)
        return ActOutcome.on_row(row.referral_id, id, said="under_way")

    return await do_and_show(work, id, sent, act)


@router.post("/find/{id}/expectation")
async def expect_arrival(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Change the moment at which the household is expected."""

    async def act() -> ActOutcome:
        changes = {"expected_at": sent.future_moment("expected_at", after=work.tx.at)}
        row = await placements.note_plans(work.tx, parse_id(sent.get("placement")), changes=changes)
        return ActOutcome.on_row(row.referral_id, id, said="expected")

    return await do_and_show(work, id, sent, act)


@router.post("/find/{id}/no-show")
async def no_show(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Record that the household did not arrive, or that it is safe, which frees its place."""

    async def act() -> ActOutcome:
        safe = sent.get("safe") == "yes"
        row = await placements.record_no_show(
            work.tx, parse_id(sent.get("placement")), safety_checked=safe
        )
        return ActOutcome.on_row(row.referral_id, id, said="safe" if safe else "not_arrived")

    return await do_and_show(work, id, sent, act)


@router.post("/find/{id}/address", dependencies=[Depends(admit_apart)])
async def reveal(id: str, page: AnyPage, request: Request, parts: PartsIn) -> Response:
    """Show the address to which a household is on its way, or what opens it.

    The access log has its entry first. The address is shown once, and kept nowhere. The same form
    may bring a code of the second factor, or take a colleague's referral over.
    """
    form = await request.form()
    sent = {name: str(form.get(name, "")) for name in ("placement", "purpose", "code", "take_over")}
    question = SenderQuestion(
        parse_id(sent["placement"]), known_code(PURPOSE, sent["purpose"], pointer="/purpose")
    )
    shown: dict[str, object] = {"referral_id": parse_id(id), "address": None, "refusal": None}
    shown |= {"placement_id": question.placement_id, "purpose": question.purpose}
    shown["wrong_code"] = await is_code_wrong(request, parts, code=sent["code"][:LONGEST_CODE])
    status = 200
    try:
        if sent["take_over"] == "yes":
            async with own_transaction(request) as tx:
                await takeovers.take_over(tx, parse_id(id))
        shown["address"] = await reveal_sender_address(request, question)
    except (AddressWithheld, BudgetSpent, Conflict) as refusal:
        if not isinstance(refusal, Conflict):
            await log_refused(request)
        shown["refusal"], status = refusal, status_of(refusal)
    part = "find/_address.html" if status == 200 else "find/_address_withheld.html"  # noqa: PLR2004 - as it stands
    return page.show(
        part if page.partial else "find/address.html",
        status=status,
        headers={"Cache-Control": "no-store"},
        **shown,
    )
