"""Where nothing fits.

Contact while they wait, something until a place is found, or others who would move.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import ValidationError

from app.api.kit.wire import parse_id
from app.api.placing import swap_searches as search_page
from app.api.placing.swaps import RefusalWanted
from app.api.referrals.alternatives import AlternativeWanted, CheckWanted, EndingWanted
from app.api.referrals.contacts import ContactWanted
from app.deps import providers_known
from app.errors import Fault, Invalid, Missing, Refusal
from app.placing.swaps import proposals, swap_searches
from app.placing.swaps.proposals import Consent
from app.referrals import alternatives, contacts, referrals
from app.referrals.alternatives import AlternativeRequest, AlternativeRow
from app.referrals.contacts import ContactNote
from app.web.find import referrals as own
from app.web.find.acts import ActOutcome, Sent, SentIn, do_once
from app.web.find.case import PAGE, PART, shown
from app.web.find.view import Work, WorkIn, case

router = APIRouter(include_in_schema=False)


def _read(model: type[Any], **body: object) -> Any:  # noqa: ANN401 - the model that was given
    """Return what the API would accept of a small form.

    Else refuse what is wrong with it.
    """
    try:
        return model.model_validate(body)
    except ValidationError as refused:
        faults = [
            Fault("/" + "/".join(map(str, error["loc"])), error["msg"])
            for error in refused.errors()
        ]
        raise Invalid(*faults) from None


@router.post("/find/{id}/safety-plan")
async def planned(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Note that there is a safety plan."""
    referral = await referrals.read(work.tx, parse_id(id))
    content = {**referral.content, "safety_plan": True}
    outcome = await do_once(work.tx, sent, lambda: own.know(work, sent, referral.id, content))
    return await shown(work, referral.id, outcome)


@router.post("/find/{id}/contacts")
async def note(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Write down a contact, and when the next is due."""

    async def act() -> ActOutcome:
        due_at = sent.future_moment("due_at", after=work.tx.at)
        wanted = _read(ContactWanted, note=sent.get("note"), kind=sent.optional("kind"))
        said = ContactNote(wanted.kind, wanted.note)
        await contacts.note_contact(work.tx, parse_id(id), said=said, due_at=due_at)
        return _same(id, sent, said="noted")

    return await _done(id, work, sent, await do_once(work.tx, sent, act))


@router.post("/find/{id}/alternatives", dependencies=[Depends(providers_known)])
async def begin(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Record what they have until a place is found, and who answers for it."""

    async def act() -> ActOutcome:
        wanted = _read(
            AlternativeWanted,
            kind=sent.get("kind"),
            responsibleProviderId=sent.get("provider"),
            until=sent.optional("until"),
        )
        asked = AlternativeRequest(wanted.kind, UUID(wanted.responsible_provider_id), wanted.until)
        await alternatives.begin_alternative(work.tx, parse_id(id), wanted=asked)
        return _same(id, sent, said="arranged")

    return await _done(id, work, sent, await do_once(work.tx, sent, act))


@router.post("/find/{id}/checks")
async def check(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Say how they are in their alternative."""

    async def act(alternative_id: UUID) -> AlternativeRow:
        wanted = _read(CheckWanted, outcome=sent.get("outcome"))
        return await alternatives.note_check(work.tx, alternative_id, outcome=wanted.outcome)

    return await _of_alternative(id, work, sent, act, said="checked")


@router.post("/find/{id}/endings")
async def end(id: str, work: WorkIn, sent: SentIn) -> Response:
    """End an alternative, and say why."""

    async def act(alternative_id: UUID) -> AlternativeRow:
        wanted = _read(EndingWanted, reason=sent.get("reason"))
        return await alternatives.end_alternative(work.tx, alternative_id, reason=wanted.reason)

    return await _of_alternative(id, work, sent, act, said="ended")


@router.post("/find/{id}/swap-searches")
async def search(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Look for households that would move so that a place comes free."""
    found: dict[str, Any] = {}

    async def act() -> ActOutcome:
        searched = await swap_searches.search_swaps(work.tx, parse_id(id), max_legs=None)
        found["swaps"] = await search_page.search_out(work.tx, searched)
        return _same(id, sent, said="searched")

    outcome = await do_once(work.tx, sent, act)
    if isinstance(outcome, Refusal) or not found:
        return await _done(id, work, sent, outcome)
    values = await case(
        work,
        parse_id(id),
        ranking=_ranking(sent),
        said=outcome.said,
        acted=True,
        swaps=found["swaps"],
    )
    return work.page.show(PART if work.page.partial else PAGE, **values)


@router.post("/find/{id}/swaps")
async def propose(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Propose a swap that was found."""

    async def act() -> ActOutcome:
        rank = sent.get("rank")
        place = int(rank) if rank.isdecimal() and len(rank) <= len("100") else 0
        if place < 1:
            raise Invalid(Fault("/rank", "is not that of a swap"))
        await proposals.propose_swap(work.tx, parse_id(sent.get("search")), rank=place)
        return ActOutcome(id, said="proposed")

    return await _done(id, work, sent, await do_once(work.tx, sent, act))


@router.post("/find/{id}/consents")
async def consent(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Say yes for the own household, which has been asked."""

    async def act() -> ActOutcome:
        given = Consent(parse_id(sent.get("leg")), "household")
        await proposals.consent_to_leg(work.tx, parse_id(sent.get("swap")), given)
        return ActOutcome(id, said="consented")

    return await _done(id, work, sent, await do_once(work.tx, sent, act))


@router.post("/find/{id}/refusals")
async def refuse(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Say no to a swap."""

    async def act() -> ActOutcome:
        wanted = _read(RefusalWanted, reason=sent.get("reason"))
        swap_id = parse_id(sent.get("swap"))
        await proposals.refuse_swap(work.tx, swap_id, reason=wanted.reason)
        return ActOutcome(id, said="refused")

    return await _done(id, work, sent, await do_once(work.tx, sent, act))


def _ranking(sent: Sent) -> UUID | None:
    """Return the ranking whose offers are on the page: they stay there."""
    named = sent.optional("ranking")
    return None if named is None else parse_id(named)


def _same(id_: str, sent: Sent, *, said: str) -> ActOutcome:
    return ActOutcome(id_, ranking=sent.optional("ranking"), said=said)


async def _of_alternative(
    id_: str, work: Work, sent: Sent, act: Callable[[UUID], Awaitable[AlternativeRow]], *, said: str
) -> Response:
    async def once() -> ActOutcome:
        row = await act(parse_id(sent.get("alternative")))
        if str(row.referral_id) != id_:
            raise Missing
        return _same(id_, sent, said=said)

    return await _done(id_, work, sent, await do_once(work.tx, sent, once))


async def _done(id_: str, work: Work, sent: Sent, outcome: ActOutcome | Refusal) -> Response:
    return await shown(work, parse_id(id_), outcome, ranking=_ranking(sent))
