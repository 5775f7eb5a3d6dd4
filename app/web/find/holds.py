"""Holding an offer, and what follows until the household has arrived."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter, ValidationError

from app.api.kit import known
from app.api.kit.disclosure import admit_apart
from app.api.kit.once import AlreadyAnswered
from app.api.kit.wire import parse_id
from app.api.registry.addresses import reveal_address
from app.database.answers import Answer
from app.errors import Fault, Invalid, Missing, Refusal
from app.placing import confirm_hold, holds, placements, take_hold
from app.placing.confirm_hold import Confirmation
from app.placing.holds import HoldView
from app.placing.take_hold import HoldRequest
from app.registry.address import AddressQuestion
from app.web.find import referrals as own
from app.web.find.acts import ActOutcome, Sent, SentIn, do_once
from app.web.find.case import shown
from app.web.find.view import Work, WorkIn
from app.web.page import AnyPage

router = APIRouter(include_in_schema=False)

OVERRIDE = TypeAdapter[str](known.OverrideReason)
RELEASE = TypeAdapter[str](known.ReleaseReason)
PURPOSE = TypeAdapter[str](known.RevealPurpose)
GONE = frozenset({"offer_gone", "ranking_outdated"})
"""What a new ranking answers at once."""


@router.post("/find/{id}/holds")
async def take(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Hold an offer; where it has gone, say so and show what is first now."""
    referral_id, ranking_id = parse_id(id), parse_id(sent.get("ranking"))
    done = ActOutcome(str(referral_id), said="held")

    async def act() -> ActOutcome:
        reason = sent.optional("override_reason")
        overriding = None if reason is None else code(OVERRIDE, reason, pointer="/overrideReason")
        request = HoldRequest(referral_id, ranking_id, sent.get("offer"), overriding)
        _, first = await take_hold.take_hold(
            work.tx, request, record=lambda _: _kept(work, sent, done)
        )
        if not first:
            raise AlreadyAnswered
        return done

    outcome = await do_once(work.tx, sent, act, kept=True)
    ranking = str(ranking_id)
    if isinstance(outcome, Refusal) and outcome.code in GONE:
        ranking = await own.rank(work, referral_id) or ""
    return await shown(work, referral_id, outcome, ranking=parse_id(ranking) if ranking else None)


def _kept(work: Work, sent: Sent, done: ActOutcome) -> Answer:
    answer = sent.once.record(work.tx, done.kept())
    assert answer is not None  # noqa: S101 - every form has a key
    return answer


def code(listed: TypeAdapter[str], value: str, *, pointer: str) -> str:
    """Return a code of a list; refuse any other."""
    try:
        return listed.validate_python(value)
    except ValidationError:
        raise Invalid(Fault(pointer, "is not a known code")) from None


@router.post("/find/{id}/renewal")
async def renew(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Keep a place a while longer."""

    async def act() -> ActOutcome:
        hold = await holds.renew_hold(work.tx, parse_id(sent.get("hold")))
        return _of(hold, id, said="renewed")

    return await shown(work, parse_id(id), await do_once(work.tx, sent, act))


@router.post("/find/{id}/release")
async def release(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Give a place back, and say why."""

    async def act() -> ActOutcome:
        reason = code(RELEASE, sent.get("reason"), pointer="/reason")
        hold = await holds.release_hold(work.tx, parse_id(sent.get("hold")), reason=reason)
        return _of(hold, id, said="released")

    return await shown(work, parse_id(id), await do_once(work.tx, sent, act))


def _of(hold: HoldView, referral_id: str, *, said: str) -> ActOutcome:
    if str(hold.referral_id) != referral_id:
        raise Missing
    return ActOutcome(referral_id, said=said)


@router.post("/find/{id}/placement")
async def confirm(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Confirm an accepted hold: they are on their way."""

    async def act() -> ActOutcome:
        confirmation = Confirmation(
            parse_id(sent.get("hold")),
            expected_at=sent.future_moment("expected_at", after=work.tx.at),
        )
        row = await confirm_hold.confirm_hold(work.tx, confirmation)
        if row.referral_id != parse_id(id):
            raise Missing
        return ActOutcome(id, said="under_way")

    return await shown(work, parse_id(id), await do_once(work.tx, sent, act))


@router.post("/find/{id}/expectation")
async def expect(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Tell the shelter that they come at another time."""

    async def act() -> ActOutcome:
        changes = {"expected_at": sent.future_moment("expected_at", after=work.tx.at)}
        row = await placements.note_plans(work.tx, parse_id(sent.get("placement")), changes=changes)
        if row.referral_id != parse_id(id):
            raise Missing
        return ActOutcome(id, said="expected")

    return await shown(work, parse_id(id), await do_once(work.tx, sent, act))


@router.post("/find/{id}/no-show")
async def no_show(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Record that they did not come.

    The place is theirs until somebody made sure that they are safe.
    """

    async def act() -> ActOutcome:
        safe = sent.get("safe") == "yes"
        row = await placements.record_no_show(
            work.tx, parse_id(sent.get("placement")), safety_checked=safe
        )
        if row.referral_id != parse_id(id):
            raise Missing
        return ActOutcome(id, said="safe" if safe else "not_arrived")

    return await shown(work, parse_id(id), await do_once(work.tx, sent, act))


@router.post("/find/{id}/address", dependencies=[Depends(admit_apart)])
async def reveal(id: str, page: AnyPage, request: Request) -> Response:
    """Show the address of a site whose provider has accepted.

    Logged first, this once, and kept nowhere.
    """
    form = await request.form()
    question = AddressQuestion(
        parse_id(str(form.get("site", ""))),
        code(PURPOSE, str(form.get("purpose", "")), pointer="/purpose"),
        parse_id(id),
    )
    found = await reveal_address(request, question)
    template = "find/_address.html" if page.partial else "find/address.html"
    return page.show(
        template, headers={"Cache-Control": "no-store"}, address=found, referral_id=parse_id(id)
    )
