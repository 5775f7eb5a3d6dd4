"""Rankings on the wire: offers, best first, and exclusions, with reasons in words."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.allocation.ranking.missing_facts import missing_facts
from app.allocation.ranking.own_region import OwnRegion, hide_household_rules, own_region
from app.allocation.values import Offer
from app.api.kit.once import OnceIn
from app.api.kit.reasons import (
    ExclusionOut,
    MissingOut,
    PointsOut,
    TextOut,
    exclusion_out,
    missing_out,
    points_out,
)
from app.api.kit.wire import Id, In, Out, aliases_from, parse_id, single
from app.database.reference import Reference
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.deps import Tx
from app.ranking import offers, rankings
from app.ranking.rankings import RecordedRanking
from app.words.ranking import safety_text

router = APIRouter(tags=["Rankings"])

ABOUT_DANGER = frozenset({"nearness"})
"""Factors hidden from auditors: they tell where a household wants, or fears, to be."""


class RankingWanted(In):
    """How many offers to show."""

    limit: Annotated[int, Field(strict=True, ge=1, le=200)] = 20


class PolicyOut(Out):
    """The policy that was applied."""

    version: str = Field(validation_alias="policy_version")
    hash: str = Field(validation_alias="policy_hash")


class OfferRegionOut(Out):
    """A region by code and name."""

    code: str
    name: str


class OfferProviderOut(Out):
    """A provider, with its switchboard."""

    id: str
    name: str
    phone: str


class OfferOut(Out):
    """Interchangeable free places at one site."""

    offer_id: str
    rank: int
    band: str
    score: int
    region: OfferRegionOut
    provider: OfferProviderOut
    kind: str
    bed_spaces: int
    free: str = Field(description='A band: "1-2" or "3+".')
    sharing: str
    features: list[str]
    address_secrecy: str
    cross_regional: bool
    clearance_km: int | None = Field(
        description="To the nearest danger zone, rounded down to a multiple of 5."
    )
    freshness: str
    automatic_acceptance: bool
    new_site: bool = Field(
        description="Whether its site was approved, or moved, less than the policy's days ago."
    )
    safety: TextOut = Field(
        description="How far it is from danger, or that nobody asked about danger yet."
    )
    points: list[PointsOut]


class OwnRegionOut(
    Out,
    json_schema_extra={
        "description": "What there was in the own region of a household that does not flee: with "
        "no offer there, it may leave."
    },
):
    """What there was in the own region of a household that does not flee."""

    region: str
    offers: int = Field(
        description="How many offers of the ranking are there; 0: nothing lawful was free."
    )
    excluded: list[ExclusionOut] = Field(
        description="Every other place there, by the first rule in its way."
    )


class RankingOut(Out, alias_generator=aliases_from("ranking")):
    """A recorded ranking."""

    id: Id
    referral_id: Id
    as_of: datetime
    policy: PolicyOut
    offers: list[OfferOut]
    excluded: list[ExclusionOut]
    considered: int
    safety_assessed: bool
    missing: list[MissingOut] = Field(
        description="What to ask, that which may open most offers first."
    )
    own_region: OwnRegionOut | None = Field(
        description="Where the reason is not safety: what there was at home."
    )


class StandingOut(Out):
    """An offer as an auditor sees it: where it stood, and why, with nothing about danger."""

    rank: int
    score: int
    region: OfferRegionOut
    points: list[PointsOut]


class ReplayOut(Out):
    """What a replay found."""

    identical: bool
    offers: list[StandingOut] | None = Field(default=None, description="For auditors: the order.")
    own_region: OwnRegionOut | None = Field(
        default=None,
        description="Where the reason is not safety: what there was at home. For auditors, rules "
        "about the household are counted together as `unsuitable`.",
    )


@router.post(
    "/referrals/{id}/rankings",
    status_code=201,
    response_model=RankingOut,
    summary="Where can they go?",
)
async def rank_places(
    id: str,
    tx: Tx,
    once: OnceIn,
    wanted: RankingWanted | None = None,
) -> Response:
    """Rank every place for a referral, best first, and record the ranking."""
    ranked = await rankings.rank_places(tx, parse_id(id))
    tx.looks.purpose = rankings.purpose_of(ranked)
    limit = (wanted or RankingWanted()).limit
    reply = (await ranking_out(tx, ranked, limit=limit)).reply(201)
    return await once.keep(tx, reply, referral_id=ranked.referral_id)


@router.get("/rankings/{id}", response_model=RankingOut, summary="One ranking")
async def read_ranking(id: str, request: Request, tx: Tx) -> Response:
    """Read a recorded ranking again."""
    ranked = await rankings.read(tx, parse_id(id))
    return single(await ranking_out(tx, ranked, limit=200), request)


@router.post(
    "/rankings/{id}/replays",
    response_model=ReplayOut,
    summary="Compute it again, and compare",
)
async def replay_ranking(id: str, tx: Tx, once: OnceIn) -> Response:
    """Compute a recorded ranking again from what was recorded, and compare."""
    ranked, identical = await rankings.replay_ranking(tx, parse_id(id))
    reference = await tx.snapshots.reference(tx)
    order, found = None, own_region(ranked.need, ranked.ranking)
    if not ranked.is_of(tx.caller):
        order = [standing_out(offer, reference) for offer in ranked.ranking.offers]
        found = found and hide_household_rules(found)
    reply = ReplayOut(
        identical=identical, offers=order, own_region=own_region_out(found, reference)
    ).reply()
    return await once.keep(tx, reply, referral_id=ranked.referral_id)


async def ranking_out(tx: Transaction, ranked: RecordedRanking, *, limit: int) -> RankingOut:
    """Show a ranking: its first offers, and everything left out."""
    reference = await tx.snapshots.reference(tx)
    providers = await tx.snapshots.providers(tx)
    new = await rankings.new_sites(tx)
    return RankingOut.of(
        ranked,
        policy=PolicyOut.of(ranked),
        offers=[
            _offer(
                offer,
                offers.issue_offer_id(tx.keyring, ranked.id, offer),
                region=OfferRegionOut.of(reference.regions[offer.group.region]),
                provider=providers[offer.group.provider_id],
                assessed=ranked.ranking.safety_assessed,
                new=offer.group.site_id in new,
            )
            for offer in ranked.ranking.offers[:limit]
        ],
        excluded=[exclusion_out(excluded, reference) for excluded in ranked.ranking.excluded],
        missing=[missing_out(fact) for fact in missing_facts(ranked.inputs)],
        own_region=own_region_out(own_region(ranked.need, ranked.ranking), reference),
    )


def own_region_out(found: OwnRegion | None, reference: Reference) -> OwnRegionOut | None:
    """Show what there was in the own region."""
    if found is None:
        return None
    return OwnRegionOut.of(
        found, excluded=[exclusion_out(excluded, reference) for excluded in found.excluded]
    )


def _offer(
    offer: Offer,
    offer_id: str,
    *,
    region: OfferRegionOut,
    provider: ProviderCard,
    assessed: bool,
    new: bool,
) -> OfferOut:
    # Named one by one: a ranking has many offers, and finding a field on the parts of each is slow.
    group = offer.group
    return OfferOut(
        offer_id=offer_id,
        rank=offer.rank,
        band=offer.band,
        score=offer.score,
        region=region,
        provider=OfferProviderOut.of(provider),
        kind=group.kind,
        bed_spaces=group.bed_spaces,
        free="1-2" if offer.free <= 2 else "3+",  # noqa: PLR2004 - the band says so itself
        sharing=group.sharing,
        features=list(group.features),
        address_secrecy=group.address_secrecy,
        cross_regional=offer.cross_regional,
        clearance_km=offer.clearance_km,
        freshness=offer.freshness,
        automatic_acceptance=group.automatic_acceptance,
        new_site=new,
        safety=TextOut(
            nl=safety_text(offer, safety_assessed=assessed, language="nl"),
            en=safety_text(offer, safety_assessed=assessed, language="en"),
        ),
        points=[points_out(line) for line in offer.points],
    )


def standing_out(offer: Offer, reference: Reference) -> StandingOut:
    """Show an offer as an auditor may see it."""
    lines = [line for line in offer.points if line.factor not in ABOUT_DANGER]
    return StandingOut(
        rank=offer.rank,
        # Not the whole score: what is left out of the lines could be told from that.
        score=sum(line.points for line in lines),
        region=OfferRegionOut.of(reference.regions[offer.group.region]),
        points=[points_out(line) for line in lines],
    )
