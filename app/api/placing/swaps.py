"""Swaps on the wire: each provider sees, and answers for, its own legs only."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import AliasPath, Field

from app.api.kit import known_codes
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import OnceIn
from app.api.kit.wire import Id, In, Out, aliases_from, parse_id, single
from app.api.placing.holds import AskedOut, ComingOut
from app.database.caller import Caller
from app.deps import Tx
from app.placing.swaps import proposals
from app.placing.swaps.proposals import Consent, LegView, SwapView

router = APIRouter(tags=["Swaps"])


class SwapWanted(In):
    """The swap to propose, and the search that found it."""

    search_id: Annotated[str, Field(max_length=40)]
    rank: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        description="Of the swap in the search."
    )


class ConsentWanted(In):
    """A yes to one leg."""

    leg_id: Annotated[str, Field(max_length=40)]
    as_: Literal["household", "leaving", "receiving"] = Field(
        alias="as",
        description="household: said by the provider where it lives, or whose desk it waits at, "
        "which has asked it; leaving: the provider that it leaves; receiving: the one that it goes "
        "to.",
    )


class RefusalWanted(In):
    """Why a swap cannot be."""

    reason: known_codes.SwapRefusal


class LegOut(Out, alias_generator=aliases_from("row")):
    """One household's move, for a provider that it concerns."""

    id: Id
    status: str = Field(description="open, or what became of it: arrived, no_show, cancelled, void")
    referral_id: Id
    sender_id: Id = Field(
        validation_alias=AliasPath("row", "provider_id"),
        description="Whose desk the household's referral is at.",
    )
    leaving_id: Id | None = Field(
        description="The provider that it leaves; none for one that waits."
    )
    placement_id: Id | None = Field(
        description="Where it lives, for the provider there and for its own desk."
    )
    receiving_id: Id = Field(description="The provider that it goes to.")
    region: str = Field(description="Code of the region that it goes to.")
    kind: str
    place_id: Id | None = Field(description="For the provider that it goes to.")
    consents: dict[str, datetime | None] = Field(
        description="When each side said yes; null while it has not."
    )
    yours: list[str] = Field(description="The sides whose yes the own provider still has to say.")
    next_placement_id: Id | None = Field(
        validation_alias=AliasPath("row", "next_id"),
        description="The placement that it became, for its two providers.",
    )
    coming: ComingOut | AskedOut | None = Field(
        description="Who would come, for the provider that takes them in: before it said yes, what "
        "the yes is about."
    )


def leg_out(leg: LegView, caller: Caller) -> LegOut:
    """Show a leg as one of the providers that it concerns may see it."""
    row, me = leg.row, caller.provider
    at_home = me in {row.leaving_id, row.provider_id}
    return LegOut.of(
        leg,
        leaving_id=row.leaving_id if at_home else None,
        placement_id=row.placement_id if at_home else None,
        place_id=row.place_id if row.receiving_id == me else None,
        yours=row.asks_of(me),
    )


class SwapSummary(Out):
    """A swap, without its legs."""

    id: Id
    status: str = Field(description="proposed, reserved, completed, broken, refused or expired")
    reason: str | None = Field(description="Why it was refused.")
    moves: int = Field(description="How many households move.")
    children_changing_school: int = Field(validation_alias="children")
    created_at: datetime
    expires_at: datetime = Field(description="Until when every consent must be there.")


class SwapOut(SwapSummary):
    """A swap, with the legs that concern the own provider."""

    legs: list[LegOut]


def swap_out(shown: SwapView, caller: Caller) -> SwapOut:
    """Show a swap with the legs that concern a provider."""
    return SwapOut.of(shown.swap, legs=[leg_out(leg, caller) for leg in shown.legs])


class SwapList(Out):
    """A page of swaps."""

    items: list[SwapSummary]
    next_cursor: str | None


@router.post(
    "/swaps",
    status_code=201,
    response_model=SwapOut,
    summary="Propose a swap",
    description="Propose a swap that was found: everybody concerned is asked, and a chain's free "
    "place is kept with it.",
)
async def propose_swap(wanted: SwapWanted, tx: Tx, once: OnceIn) -> Response:
    """Propose a swap that was found."""
    shown = await proposals.propose_swap(tx, parse_id(wanted.search_id), rank=wanted.rank)
    reply = swap_out(_without_coming(shown), tx.caller).reply(201, etag=True)
    return await once.keep(tx, reply)


@router.get(
    "/swaps",
    response_model=SwapList,
    summary="Swaps that concern the own provider",
)
async def list_swaps(
    tx: Tx,
    page: ListIn,
    status: Annotated[
        known_codes.SwapStatus | None, Query(description="Only swaps with this status.")
    ] = None,
) -> Response:
    """List the swaps that have a leg which concerns the own provider, newest first."""
    found = await proposals.list_for(
        tx, status=status, limit=page.limit + 1, after=moment_and_id(page)
    )
    return SwapList.of(
        page.cut(found, place=lambda row: (row.created_at.isoformat(), str(row.id)))
    ).reply()


@router.get(
    "/swaps/{id}",
    response_model=SwapOut,
    summary="One swap",
    description="Read a swap, with the own legs; a provider that would take a household in sees "
    "who would come, while it lives.",
)
async def read_swap(id: str, request: Request, tx: Tx) -> Response:
    """Read a swap, with the own legs."""
    return single(
        swap_out(await proposals.read(tx, parse_id(id)), tx.caller),
        request,
    )


@router.post(
    "/swaps/{id}/consents",
    response_model=SwapOut,
    summary="Say yes to a leg",
    description="Say yes to one of the own legs; with the last yes every leg is reserved, or the "
    "answer says why none is.",
)
async def consent_to_swap(id: str, wanted: ConsentWanted, tx: Tx, once: OnceIn) -> Response:
    """Consent to one of the own legs."""
    given = Consent(parse_id(wanted.leg_id), wanted.as_)
    shown = await proposals.consent_to_leg(tx, parse_id(id), given)
    return await once.keep(tx, swap_out(_without_coming(shown), tx.caller).reply(etag=True))


@router.post(
    "/swaps/{id}/refusal",
    response_model=SwapOut,
    summary="Say no to a swap",
    description="Say no, with a coded reason: the swap ends for all, and the place that was kept "
    "with it is free.",
)
async def refuse_swap(id: str, wanted: RefusalWanted, tx: Tx, once: OnceIn) -> Response:
    """Refuse a swap, with a coded reason."""
    shown = await proposals.refuse_swap(tx, parse_id(id), reason=wanted.reason)
    return await once.keep(tx, swap_out(_without_coming(shown), tx.caller).reply(etag=True))


def _without_coming(shown: SwapView) -> SwapView:
    """Leave out who would come: these answers are kept, and only a live swap may tell."""
    return SwapView(shown.swap, tuple(LegView(leg.row, leg.region, None) for leg in shown.legs))
