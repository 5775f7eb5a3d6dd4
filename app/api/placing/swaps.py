"""Swaps on the wire: each provider sees, and says yes or no to, its own legs only."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.api.kit import known
from app.api.kit.once import OnceIn
from app.api.kit.pages import PageIn, moment_and_id
from app.api.kit.wire import In, Out, parse, single, text_of
from app.api.placing.holds import ComingOut
from app.database.caller import Caller
from app.deps import Tx
from app.placing.swaps import proposals
from app.placing.swaps.proposals import SIDES, Consent, LegView, SwapRow, SwapView

router = APIRouter(tags=["Swaps"])


class SwapWanted(In):
    """Which swap of which search is proposed."""

    search_id: Annotated[str, Field(max_length=40)]
    rank: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        description="Of the swap in the search."
    )


class ConsentWanted(In):
    """A yes to one leg."""

    leg_id: Annotated[str, Field(max_length=40)]
    as_: Literal["household", "leaving", "receiving"] = Field(
        alias="as",
        description="household: said by the provider where it lives, or whose desk it waits at, which has asked it; "
        "leaving: the provider that it leaves; receiving: the one that it goes to.",
    )


class RefusalWanted(In):
    """Why a swap cannot be."""

    reason: known.SwapRefusal


class LegOut(Out):
    """One household's move, for a provider that it concerns."""

    id: str
    status: str = Field(description="open, or what became of it: arrived, no_show, cancelled, void")
    referral_id: str
    sender_id: str = Field(description="Whose desk the household's referral is at.")
    leaving_id: str | None = Field(
        description="The provider that it leaves; none for one that waits."
    )
    placement_id: str | None = Field(
        description="Where it lives, for the provider there and for its own desk."
    )
    receiving_id: str = Field(description="The provider that it goes to.")
    region: str = Field(description="Code of the region that it goes to.")
    kind: str
    place_id: str | None = Field(description="For the provider that it goes to.")
    consents: dict[str, datetime | None] = Field(
        description="When each side said yes; null while it has not."
    )
    yours: list[str] = Field(description="The sides whose yes the own provider still has to say.")
    next_placement_id: str | None = Field(
        description="The placement that it became, for its two providers."
    )
    coming: ComingOut | None = Field(
        description="Who would come, for the provider that takes them in."
    )

    @classmethod
    def of(cls, leg: LegView, caller: Caller) -> "LegOut":
        """Show a leg."""
        row = leg.row
        coming = None
        if leg.coming is not None:
            coming = ComingOut.model_validate(
                {name: leg.coming[name] for name in ComingOut.model_fields}
            )
        at_home = caller.provider in {row.leaving_id, row.provider_id}
        return cls(
            id=str(row.id),
            status=row.outcome or "open",
            referral_id=str(row.referral_id),
            sender_id=str(row.provider_id),
            leaving_id=text_of(row.leaving_id) if at_home else None,
            placement_id=text_of(row.placement_id) if at_home else None,
            receiving_id=str(row.receiving_id),
            region=leg.region,
            kind=row.kind,
            place_id=str(row.place_id) if row.receiving_id == caller.provider else None,
            consents={
                side: getattr(row, f"{side}_at") for side in SIDES if row.asks(side) is not None
            },
            yours=[
                side
                for side in SIDES
                if row.live and row.waits_for(side) and row.asks(side) == caller.provider
            ],
            next_placement_id=text_of(row.next_id),
            coming=coming,
        )


class SwapSummary(Out):
    """A swap, without its legs."""

    id: str
    status: str = Field(description="proposed, reserved, completed, broken, refused or expired")
    reason: str | None = Field(description="Why it was refused.")
    moves: int = Field(description="How many households move.")
    children_changing_school: int
    created_at: datetime
    expires_at: datetime = Field(description="Until when every consent must be there.")

    @classmethod
    def of(cls, row: SwapRow) -> "SwapSummary":
        """Show a swap."""
        return cls(
            id=str(row.id),
            status=row.status,
            reason=row.reason,
            moves=row.moves,
            children_changing_school=row.children,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


class SwapOut(SwapSummary):
    """A swap, with the legs that concern the own provider."""

    legs: list[LegOut]

    @classmethod
    def shown(cls, shown: SwapView, caller: Caller) -> "SwapOut":
        """Show a swap and its own legs."""
        summary = SwapSummary.of(shown.swap).model_dump()
        return cls(**summary, legs=[LegOut.of(leg, caller) for leg in shown.legs])


class SwapList(Out):
    """A page of swaps."""

    items: list[SwapSummary]
    next_cursor: str | None


@router.post(
    "/swaps",
    status_code=201,
    response_model=SwapOut,
    operation_id="proposeSwap",
    summary="Propose a swap",
)
async def propose(wanted: SwapWanted, tx: Tx, once: OnceIn) -> Response:
    """Propose a swap that was found: everybody concerned is asked, and a chain's free place is kept with it."""
    shown = await proposals.propose_swap(tx, parse(wanted.search_id), rank=wanted.rank)
    reply = SwapOut.shown(_without_coming(shown), tx.caller).reply(201, etag=True)
    return await once.keep(tx, reply)


@router.get(
    "/swaps",
    response_model=SwapList,
    operation_id="listSwaps",
    summary="Swaps that concern the own provider",
)
async def listed(
    tx: Tx,
    page: PageIn,
    status: Annotated[
        known.SwapStatus | None, Query(description="Only swaps with this status.")
    ] = None,
) -> Response:
    """List the swaps that have a leg which concerns the own provider, newest first."""
    found = await proposals.list_for(
        tx, status=status, limit=page.limit + 1, after=moment_and_id(page)
    )
    items, cursor = page.cut(found, place=lambda row: (row.created_at.isoformat(), str(row.id)))
    return SwapList(items=[SwapSummary.of(row) for row in items], next_cursor=cursor).reply()


@router.get("/swaps/{id}", response_model=SwapOut, operation_id="readSwap", summary="One swap")
async def read(id: str, request: Request, tx: Tx) -> Response:
    """Read a swap, with the own legs; whoever would take a household in sees who would come, while it lives."""
    return single(
        SwapOut.shown(await proposals.read(tx, parse(id)), tx.caller),
        request,
    )


@router.post(
    "/swaps/{id}/consents",
    response_model=SwapOut,
    operation_id="consentToSwap",
    summary="Say yes to a leg",
)
async def consent(id: str, wanted: ConsentWanted, tx: Tx, once: OnceIn) -> Response:
    """Say yes to one of the own legs; with the last yes every leg is reserved, or the answer says why none is."""
    given = Consent(parse(wanted.leg_id), wanted.as_)
    shown = await proposals.consent_to_leg(tx, parse(id), given)
    return await once.keep(tx, SwapOut.shown(_without_coming(shown), tx.caller).reply(etag=True))


@router.post(
    "/swaps/{id}/refusal",
    response_model=SwapOut,
    operation_id="refuseSwap",
    summary="Say no to a swap",
)
async def refuse(id: str, wanted: RefusalWanted, tx: Tx, once: OnceIn) -> Response:
    """Say no, with a coded reason: the swap ends for all, and the place that was kept with it is free."""
    shown = await proposals.refuse_swap(tx, parse(id), reason=wanted.reason)
    return await once.keep(tx, SwapOut.shown(_without_coming(shown), tx.caller).reply(etag=True))


def _without_coming(shown: SwapView) -> SwapView:
    """Leave out who would come: these answers are kept for repeats, and only a live swap tells."""
    return SwapView(shown.swap, tuple(LegView(leg.row, leg.region, None) for leg in shown.legs))
