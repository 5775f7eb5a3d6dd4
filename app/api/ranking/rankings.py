"""Rankings on the wire: offers, best first, and exclusions, with reasons in words."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.allocation.ranking.desk_view import DeskView, desk_view
from app.allocation.ranking.fold import FoldedOffer, first_providers
from app.allocation.ranking.own_region import OwnRegion, hide_household_rules
from app.api.kit.once import OnceIn
from app.api.kit.reasons import (
    ExclusionOut,
    MissingOut,
    PointsOut,
    TextOut,
    TradeOut,
    exclusion_out,
    missing_out,
    points_out,
    trade_out,
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


MOST_PROVIDERS, USUAL_PROVIDERS = 25, 10
"""How many providers in regions are shown of a ranking at most, and unless asked otherwise."""

ASKED = "The first providers in regions to show, each with all its offers there."


class RankingWanted(In):
    """How much of a ranking to show."""

    limit: Annotated[int, Field(strict=True, ge=1, le=MOST_PROVIDERS, description=ASKED)] = (
        USUAL_PROVIDERS
    )


LimitIn = Annotated[int, Query(ge=1, le=MOST_PROVIDERS, description=ASKED)]


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


class OfferOut(
    Out,
    json_schema_extra={
        "description": "All free places of one provider in one region that are alike in kind, "
        "sharing, supervision, secrecy, band and way of acceptance; the rest is the least that "
        "any of them has."
    },
):
    """All free places of one provider in one region that are alike."""

    offer_id: str
    rank: int
    band: str
    score: int
    region: OfferRegionOut
    provider: OfferProviderOut
    kind: str
    sharing: str
    supervision: str
    features: list[str] = Field(
        description="Of those asked for, and of those for children where there are any."
    )
    address_secrecy: str
    cross_regional: bool
    clearance_km: int | None = Field(
        description="To the nearest danger zone, rounded down to a multiple of 5."
    )
    freshness: str
    automatic_acceptance: bool
    new_site: bool = Field(
        description="Whether a site was approved, or moved, less than the policy's days ago."
    )
    needs_answer: list[Literal["threatLevel"]] = Field(
        description="What a hold of it has to answer; such offers stand below all others."
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
        validation_alias="left_out",
        description="The other places there, by the first rule in their way.",
    )


class RankingOut(Out, alias_generator=aliases_from("ranking")):
    """A recorded ranking."""

    id: Id
    referral_id: Id
    as_of: datetime
    policy: PolicyOut
    offers: list[OfferOut]
    excluded: list[ExclusionOut]
    trades: list[TradeOut] = Field(
        description="What the household could do without, where fewer than three offers are found."
    )
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
async def read_ranking(
    id: str, request: Request, tx: Tx, limit: LimitIn = USUAL_PROVIDERS
) -> Response:
    """Read a recorded ranking again."""
    ranked = await rankings.read(tx, parse_id(id))
    return single(await ranking_out(tx, ranked, limit=limit), request)


@router.post(
    "/rankings/{id}/replays",
    response_model=ReplayOut,
    summary="Compute it again, and compare",
)
async def replay_ranking(id: str, tx: Tx, once: OnceIn) -> Response:
    """Compute a recorded ranking again from what was recorded, and compare."""
    ranked, identical = await rankings.replay_ranking(tx, parse_id(id))
    reference = await tx.snapshots.reference(tx)
    order, view = None, desk_view(ranked.inputs, ranked.ranking)
    found = view.own_region
    if not ranked.is_of(tx.caller):
        order = [standing_out(offer, reference) for offer in view.offers]
        found = found and hide_household_rules(found)
    reply = ReplayOut(
        identical=identical, offers=order, own_region=own_region_out(found, reference)
    ).reply()
    return await once.keep(tx, reply, referral_id=ranked.referral_id)


async def ranking_out(
    tx: Transaction, ranked: RecordedRanking, *, limit: int, view: DeskView | None = None
) -> RankingOut:
    """Show a ranking: the offers of its first providers, and in bands what is left out."""
    reference = await tx.snapshots.reference(tx)
    providers = await tx.snapshots.providers(tx)
    new = await rankings.new_sites(tx)
    view = view or desk_view(ranked.inputs, ranked.ranking)
    return RankingOut.of(
        ranked,
        policy=PolicyOut.of(ranked),
        offers=[
            _offer(
                offer,
                offers.issue_offer_id(tx.keyring, ranked.id, offer),
                region=OfferRegionOut.of(reference.regions[offer.first.group.region]),
                provider=providers[offer.first.group.provider_id],
                assessed=ranked.ranking.safety_assessed,
                new=any(place.group.site_id in new for place in offer.places),
            )
            for offer in first_providers(view.offers, most=limit)
        ],
        excluded=[exclusion_out(found, reference) for found in view.left_out],
        trades=[trade_out(trade) for trade in view.trades],
        missing=[missing_out(fact) for fact in view.missing],
        own_region=own_region_out(view.own_region, reference),
    )


def own_region_out(found: OwnRegion | None, reference: Reference) -> OwnRegionOut | None:
    """Show what there was in the own region."""
    if found is None:
        return None
    return OwnRegionOut.of(
        found, left_out=[exclusion_out(left_out, reference) for left_out in found.left_out]
    )


def _offer(
    offer: FoldedOffer,
    offer_id: str,
    *,
    region: OfferRegionOut,
    provider: ProviderCard,
    assessed: bool,
    new: bool,
) -> OfferOut:
    # Named one by one: a ranking has many offers, and finding a field on the parts of each is slow.
    group = offer.first.group
    return OfferOut(
        offer_id=offer_id,
        rank=offer.rank,
        band=offer.first.band,
        score=offer.score,
        region=region,
        provider=OfferProviderOut.of(provider),
        kind=group.kind,
        sharing=group.sharing,
        supervision=group.supervision,
        features=list(offer.features),
        address_secrecy=group.address_secrecy,
        cross_regional=offer.first.cross_regional,
        clearance_km=offer.clearance_km,
        freshness=offer.freshness,
        automatic_acceptance=group.automatic_acceptance,
        new_site=new,
        needs_answer=["threatLevel"] if offer.asks_threat_level else [],
        safety=TextOut(
            nl=safety_text(offer, safety_assessed=assessed, language="nl"),
            en=safety_text(offer, safety_assessed=assessed, language="en"),
        ),
        points=[points_out(line) for line in offer.points],
    )


def standing_out(offer: FoldedOffer, reference: Reference) -> StandingOut:
    """Show an offer as an auditor may see it."""
    lines = [line for line in offer.points if line.factor not in ABOUT_DANGER]
    return StandingOut(
        rank=offer.rank,
        # Not the whole score: what is left out of the lines could be told from that.
        score=sum(line.points for line in lines),
        region=OfferRegionOut.of(reference.regions[offer.first.group.region]),
        points=[points_out(line) for line in lines],
    )
