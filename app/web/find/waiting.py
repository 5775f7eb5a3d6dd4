"""Acts for a household that waits: safety plan, contacts, alternatives and swaps."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import ValidationError

from app.api.kit.wire import parse_id
from app.api.placing.swap_searches import search_out
from app.api.placing.swaps import RefusalWanted
from app.api.referrals.alternatives import AlternativeWanted, CheckWanted, EndingWanted
from app.api.referrals.contacts import ContactWanted
from app.deps import providers_known
from app.errors import Fault, Invalid, Refusal
from app.placing.swaps import proposals, swap_searches
from app.placing.swaps.proposals import Consent
from app.referrals import alternatives, contacts, referrals
from app.referrals.alternatives import AlternativeRequest, AlternativeRow
from app.referrals.contacts import ContactNote
from app.web.find.acts import ActOutcome, SentForm, SentIn, do_once
from app.web.find.case import PAGE, PART, do_and_show, show_outcome
from app.web.find.referrals import change_and_rank
from app.web.find.view import IntakeWork, WorkIn, case_values

router = APIRouter(include_in_schema=False)


def _parse(model: type[Any], **body: object) -> Any:  # noqa: ANN401 - the model that was given
    """Return the body that the API accepts of a small form; refuse any other as invalid."""
    try:
        return model.model_validate(body)
    except ValidationError as refused:
        faults = [
            Fault("/" + "/".join(map(str, error["loc"])), error["msg"])
            for error in refused.errors()
        ]
        raise Invalid(*faults) from None


@router.post("/find/{id}/safety-plan")
async def note_safety_plan(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Note that the household has a safety plan."""
    referral = await referrals.read(work.tx, parse_id(id))
    content = {**referral.content, "safety_plan": True}
    outcome = await do_once(
        work.tx, sent, lambda: change_and_rank(work, sent, referral.id, content)
    )
    return await show_outcome(work, referral.id, outcome)


@router.post("/find/{id}/contacts")
async def note_contact(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Note a contact with the household, and when the next is due."""

    async def act() -> ActOutcome:
        due_at = sent.future_moment("due_at", after=work.tx.at)
        wanted = _parse(ContactWanted, note=sent.get("note"), kind=sent.optional("kind"))
        said = ContactNote(wanted.kind, wanted.note)
        await contacts.note_contact(work.tx, parse_id(id), said=said, due_at=due_at)
        return _outcome(id, sent, said="noted")

    return await _do(id, work, sent, act)


@router.post("/find/{id}/alternatives", dependencies=[Depends(providers_known)])
async def begin_alternative(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Begin an alternative until a place is found, with the provider that answers for it."""

    async def act() -> ActOutcome:
        wanted = _parse(
            AlternativeWanted,
            kind=sent.get("kind"),
            responsibleProviderId=sent.get("provider"),
            until=sent.optional("until"),
        )
        asked = AlternativeRequest(wanted.kind, UUID(wanted.responsible_provider_id), wanted.until)
        await alternatives.begin_alternative(work.tx, parse_id(id), wanted=asked)
        return _outcome(id, sent, said="arranged")

    return await _do(id, work, sent, act)


@router.post("/find/{id}/checks")
async def check_alternative(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Note a check on the household in its alternative."""

    async def act(alternative_id: UUID) -> AlternativeRow:
        wanted = _parse(CheckWanted, outcome=sent.get("outcome"))
        return await alternatives.note_check(work.tx, alternative_id, outcome=wanted.outcome)

    return await _of_alternative(id, work, sent, act, said="checked")


@router.post("/find/{id}/endings")
async def end_alternative(id: str, work: WorkIn, sent: SentIn) -> Response:
    """End an alternative, with a reason."""

    async def act(alternative_id: UUID) -> AlternativeRow:
        wanted = _parse(EndingWanted, reason=sent.get("reason"))
        return await alternatives.end_alternative(work.tx, alternative_id, reason=wanted.reason)

    return await _of_alternative(id, work, sent, act, said="ended")


@router.post("/find/{id}/swap-searches")
async def search_swaps(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Search for swaps: households that would move so that a place comes free."""
    found: dict[str, Any] = {}

    async def act() -> ActOutcome:
        searched = await swap_searches.search_swaps(work.tx, parse_id(id), max_legs=None)
        found["swaps"] = await search_out(work.tx, searched)
        return _outcome(id, sent, said="searched")

    outcome = await do_once(work.tx, sent, act)
    if isinstance(outcome, Refusal) or not found:
        return await show_outcome(work, parse_id(id), outcome, ranking=_ranking(sent))
    values = await case_values(
        work,
        parse_id(id),
        ranking=_ranking(sent),
        said=outcome.said,
        acted=True,
        swaps=found["swaps"],
    )
    return work.page.show(PART if work.page.partial else PAGE, **values)


@router.post("/find/{id}/swaps")
async def propose_swap(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Propose a swap that a search has found."""

    async def act() -> ActOutcome:
        rank = sent.get("rank")
        place = int(rank) if rank.isdecimal() and len(rank) <= len("100") else 0
        if place < 1:
            raise Invalid(Fault("/rank", "is not that of a swap"))
        await proposals.propose_swap(work.tx, parse_id(sent.get("search")), rank=place)
        return ActOutcome(id, said="proposed")

    return await _do(id, work, sent, act)


@router.post("/find/{id}/consents")
async def consent_to_swap(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Consent to a swap for the own household, which has agreed."""

    async def act() -> ActOutcome:
        given = Consent(parse_id(sent.get("leg")), "household")
        await proposals.consent_to_leg(work.tx, parse_id(sent.get("swap")), given)
        return ActOutcome(id, said="consented")

    return await _do(id, work, sent, act)


@router.post("/find/{id}/refusals")
async def refuse_swap(id: str, work: WorkIn, sent: SentIn) -> Response:
    """Refuse a swap, with a reason."""

    async def act() -> ActOutcome:
        wanted = _parse(RefusalWanted, reason=sent.get("reason"))
        swap_id = parse_id(sent.get("swap"))
        await proposals.refuse_swap(work.tx, swap_id, reason=wanted.reason)
        return ActOutcome(id, said="refused")

    return await _do(id, work, sent, act)


def _ranking(sent: SentForm) -> UUID | None:
    """Return the ranking whose offers are on the page, so that they stay there."""
    named = sent.optional("ranking")
    return None if named is None else parse_id(named)


def _outcome(id_: str, sent: SentForm, *, said: str) -> ActOutcome:
    return ActOutcome(id_, ranking=sent.optional("ranking"), said=said)


async def _of_alternative(
    id_: str,
    work: IntakeWork,
    sent: SentForm,
    act: Callable[[UUID], Awaitable[AlternativeRow]],
    *,
    said: str,
) -> Response:
    async def once() -> ActOutcome:
        row = await act(parse_id(sent.get("alternative")))
        ranking = sent.optional("ranking")
        return ActOutcome.on_row(row.referral_id, id_, said=said, ranking=ranking)

    return await _do(id_, work, sent, once)


async def _do(
    id_: str, work: IntakeWork, sent: SentForm, act: Callable[[], Awaitable[ActOutcome]]
) -> Response:
    return await do_and_show(work, id_, sent, act, ranking=_ranking(sent))
