"""Searches for swaps on the wire: moves that bring a lawful place free, or why none do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from app.allocation.swaps import swaps
from app.api.kit.once import OnceIn
from app.api.kit.reasons import points_out
from app.api.kit.wire import Id, In, Out, aliases_from, parse_id
from app.api.ranking.rankings import OfferProviderOut, OfferRegionOut, PointsOut, TextOut
from app.database.reference import Reference
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.deps import Tx
from app.placing.swaps import swap_searches
from app.placing.swaps.swap_searches import FoundSwap, SwapSearchResult

router = APIRouter(tags=["Swaps"])

WHY: Mapping[str, TextOut] = {
    swaps.FREE_ALREADY: TextOut(
        nl="Er is al een veilige plek vrij: niemand hoeft te verhuizen. Vraag een rangorde op.",
        en="A lawful place is free already: nobody has to move. Ask for a ranking.",
    ),
    swaps.NO_WILLING_HOUSEHOLD: TextOut(
        nl="Geen huishouden heeft nu afgesproken dat het zou willen verhuizen.",
        en="No household has agreed by now that it would move.",
    ),
    swaps.NO_LAWFUL_PLACE_AMONG_WILLING: TextOut(
        nl="De plekken van huishoudens die zouden verhuizen, passen of zijn veilig voor dit "
        "huishouden niet.",
        en="The places of those who would move do not suit this household, or are not safe for it.",
    ),
    swaps.NO_FREE_PLACE_FOR_THEM: TextOut(
        nl="Voor wie zou verhuizen, is nergens een passende en veilige plek vrij.",
        en="For those who would move nothing that suits them and is safe is free.",
    ),
    swaps.LONGER_THAN_ALLOWED: TextOut(
        nl="Het kan alleen met meer verhuizingen dan nu zijn toegestaan.",
        en="It takes more moves than are allowed.",
    ),
}


class SearchWanted(In):
    """For whom a place is looked for, and how many households may move at most."""

    referral_id: Annotated[str, Field(max_length=40)]
    max_legs: Annotated[int, Field(strict=True, ge=2, le=6)] | None = Field(
        default=None, description="At most what the policy allows, which is what counts without it."
    )


class FoundOut(Out, alias_generator=aliases_from("own")):
    """A swap that could be proposed. Of the moves of other households nothing is told."""

    rank: int
    moves: int = Field(description="How many households move, this one counted.")
    children_changing_school: int = Field(validation_alias="school_changes")
    region: OfferRegionOut = Field(description="Where this household would go.")
    provider: OfferProviderOut = Field(description="To whom it would go.")
    kind: str
    band: str
    score: int
    points: list[PointsOut]
    asked: list[OfferProviderOut] = Field(
        description="The providers without whose consent nothing moves."
    )


class NoneOut(Out):
    """Why there is no swap."""

    code: str
    rules: list[str] = Field(
        description="The rules in this household's way, those most often in the way first."
    )
    fewest_moves: int | None = Field(
        description="How many moves the shortest swap takes, where too many."
    )
    text: TextOut


class SearchOut(Out):
    """A recorded search."""

    id: Id
    referral_id: Id
    as_of: datetime
    swaps: list[FoundOut]
    none: NoneOut | None = Field(description="Why there are none; null where there are.")


@router.post(
    "/swap-searches",
    status_code=201,
    response_model=SearchOut,
    summary="Who could move so that a place comes free?",
    description="Search for chains and cycles of moves that bring a lawful place free for a "
    "referral in acute danger.\n\n"
    "Only households that agreed beforehand would be asked; who and where they are is not "
    "told.",
)
async def search_swaps(wanted: SearchWanted, tx: Tx, once: OnceIn) -> Response:
    """Search for moves that bring a lawful place free for a referral in acute danger."""
    found = await swap_searches.search_swaps(
        tx, parse_id(wanted.referral_id), max_legs=wanted.max_legs
    )
    reply = (await search_out(tx, found)).reply(201)
    return await once.keep(tx, reply, referral_id=found.referral_id)


async def search_out(tx: Transaction, found: SwapSearchResult) -> SearchOut:
    """Show a search."""
    reference = await tx.snapshots.reference(tx)
    providers = await tx.snapshots.providers(tx)
    none = None
    if found.search.why is not None:
        none = NoneOut(
            code=found.search.why,
            rules=[obstacle.rule for obstacle in found.search.in_the_way],
            fewest_moves=found.search.fewest_legs,
            text=WHY[found.search.why],
        )
    return SearchOut.of(
        found,
        swaps=[_found_out(swap, reference=reference, providers=providers) for swap in found.swaps],
        none=none,
    )


def _found_out(
    swap: FoundSwap, *, reference: Reference, providers: Mapping[str, ProviderCard]
) -> FoundOut:
    return FoundOut.of(
        swap,
        region=reference.regions[swap.region],
        provider=providers[swap.provider_id],
        points=[points_out(line) for line in swap.own.points],
        asked=sorted((providers[id_] for id_ in swap.asked), key=lambda card: (card.name, card.id)),
    )
