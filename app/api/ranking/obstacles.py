"""Obstacles on the wire: all the rules in the way of one region or provider."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from app.allocation.ranking.left_out import Band, band_of
from app.allocation.ranking.obstacles import RegionOrProvider, obstacles
from app.api.kit.known_codes import ProviderId, RegionCode
from app.api.kit.reasons import ExclusionOut, TextOut, exclusion_out
from app.api.kit.wire import Out, parse_id, single
from app.database.transaction import Transaction
from app.deps import Tx, providers_known
from app.errors import Fault, Invalid
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.words.ranking import there_text

router = APIRouter(tags=["Rankings"])

ONE_OF_TWO = "name either a region or a provider"


def read_there(
    region: Annotated[RegionCode | None, Query(max_length=60, description="Its places.")] = None,
    provider: Annotated[ProviderId | None, Query(description="Or this provider's places.")] = None,
) -> RegionOrProvider:
    """Return what is asked about: one of the two."""
    if (region is None) == (provider is None):
        raise Invalid(Fault("/region", ONE_OF_TWO), Fault("/provider", ONE_OF_TWO))
    return RegionOrProvider(region, provider)


ThereIn = Annotated[RegionOrProvider, Depends(read_there)]


class ObstaclesOut(
    Out,
    json_schema_extra={
        "description": "What stands in the way of the places of a region or a provider, or that "
        "some of them are offered."
    },
):
    """The rules in the way of the places of a region or a provider."""

    region: str | None
    provider: str | None
    places: Band = Field(description="All there are, offered or not, in a band.")
    ranks: list[int] = Field(
        description="Where the offers of it stand in the ranking; empty: nothing lawful is free."
    )
    obstacles: list[ExclusionOut] = Field(
        description="Every rule in the way and how many places it keeps away, most first. A place "
        "with several rules in its way counts under each. `free` comes last, where something would "
        "do and is not offered, and is told for the country."
    )
    text: TextOut


@router.get(
    "/rankings/{id}/obstacles",
    response_model=ObstaclesOut,
    dependencies=[Depends(providers_known)],
    summary="Why not there?",
    description="Give all the rules in the way of one region's or provider's places, as things "
    "stood at the ranking.",
)
async def read_obstacles(id: str, request: Request, tx: Tx, there: ThereIn) -> Response:
    """Return the rules in the way of one region's or provider's places."""
    ranked = await rankings.read(tx, parse_id(id))
    return single(await obstacles_out(tx, ranked, there), request)


async def obstacles_out(
    tx: Transaction, ranked: RecordedRanking, there: RegionOrProvider
) -> ObstaclesOut:
    """Show what stands in the way there, for a ranking."""
    reference, providers = await tx.snapshots.reference(tx), await tx.snapshots.providers(tx)
    name = (
        reference.regions[there.region].name
        if there.region
        else providers[there.provider_id or ""].name
    )
    found = obstacles(ranked.inputs, ranked.ranking, there)
    ranks = [offer.rank for offer in ranked.fold() if there.has(offer.first.group)]
    places = band_of(found.places)
    words = {
        language: there_text(name, places=places, ranks=ranks, language=language)
        for language in ("nl", "en")
    }
    return ObstaclesOut(
        region=there.region,
        provider=there.provider_id,
        places=places,
        ranks=ranks,
        obstacles=[exclusion_out(excluded, reference) for excluded in found.in_the_way],
        text=TextOut(**words),
    )
