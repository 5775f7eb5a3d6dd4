"""The plan for a peak on the wire, as an intake desk sees it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.allocation.peaks.peaks import MOST, PeakChoice, PlannedReferral
from app.allocation.ranking.fold import FoldedOffer, fold_offers
from app.allocation.ranking.left_out import band_of, count_by_rule, left_out
from app.api.kit.reasons import Places
from app.api.kit.wire import Id, In, Out
from app.api.ranking.rankings import OfferProviderOut, OfferRegionOut, PolicyOut, TextOut
from app.database.reference import Reference
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.ranking import offers, peaks
from app.ranking.peaks import DeskPeakPlan, PlanPart
from app.ranking.rankings import RecordedRanking
from app.seal import Keyring
from app.words.peaks import plan_text
from app.words.ranking import exclusion_text

REFUSALS = {
    peaks.NOT_OPEN: "This referral has a hold or a placement, or is closed.",
    peaks.ERASED: "This has been erased.",
    peaks.UNREADABLE: "No key of this installation opens this.",
    peaks.TOO_OFTEN: "This referral was ranked as often as the policy allows; wait.",
}


def _once_each(ids: list[str]) -> list[str]:
    if len(set(ids)) != len(ids):
        message = "names something twice"
        raise ValueError(message)
    return ids


class PeakPlanWanted(In):
    """Which referrals to plan for."""

    referral_ids: (
        Annotated[
            list[Annotated[str, Field(max_length=40)]],
            AfterValidator(_once_each),
            Field(
                min_length=1,
                max_length=MOST,
                description="Own ones; without them all that are waiting, up to 200.",
            ),
        ]
        | None
    ) = None


class PlannedOfferOut(Out):
    """An offer in a plan. Its points, and all other offers, stand in the ranking."""

    offer_id: str | None = Field(
        description="To hold it with; null where the region may be left only `after` others."
    )
    rank: int | None = Field(
        description="In the referral's own ranking; null without an `offerId`."
    )
    band: str
    score: int
    region: OfferRegionOut
    provider: OfferProviderOut
    kind: str
    cross_regional: bool
    clearance_km: int | None
    freshness: str
    needs_answer: list[Literal["threatLevel"]] = Field(
        description="What a hold of it has to answer."
    )


class LeftOutOut(Out):
    """How many places of the country one rule left out, in a band."""

    rule: str
    places: Places
    text: TextOut


class NotPlannedOut(Out):
    """Why a referral takes no part in a plan."""

    code: str = Field(description="referral_not_open, erased or too_often")
    detail: str
    retry_after: int | None = Field(description="Seconds to wait, where that helps.")


class ChangeOut(Out):
    """What the plan changes for a referral, beside each choosing in turn, and why."""

    code: str = Field(
        description="same, placed, passed_over, in_region, out_of_region, better_band, "
        "lesser_band, more_points, fewer_points, equal_offer or nothing"
    )
    because: str | None = Field(
        description="more_placed, more_urgent, safer, own_region, better_known or points: what is "
        "gained where it differs; taken or nothing_lawful where there is nothing"
    )
    count: int = Field(description="How many households or points that is about.")
    text: TextOut


class PlannedOut(Out):
    """One referral in a plan."""

    referral_id: Id
    urgency: str
    ranking_id: Id | None = Field(
        description="Its ranking, recorded as by `POST /v1/referrals/{id}/rankings`."
    )
    offer: PlannedOfferOut | None = Field(description="What the plan has for it.")
    override_reason: str | None = Field(
        description="What to hold the offer with, where it is below rank 1."
    )
    after: list[str] = Field(
        description="Referrals that must hold their places first. Until then there is something "
        "lawful in this one's own region; afterwards rank it again, and hold this offer."
    )
    in_turn: PlannedOfferOut | None = Field(
        description="What it would have got had each chosen in turn."
    )
    change: ChangeOut | None
    excluded: list[LeftOutOut] = Field(description="Where there is no offer: the rules in the way.")
    refusal: NotPlannedOut | None


class PlacedOut(Out):
    """How many referrals get a place, by urgency."""

    acute: int
    urgent: int
    planned: int


class PeakPlanOut(Out):
    """A plan for own referrals. It takes nothing: each worker confirms by holding the offer."""

    as_of: datetime
    policy: PolicyOut
    referrals: list[PlannedOut] = Field(
        description="In the order of the waiting list; those without a part last."
    )
    placed: PlacedOut
    placed_in_turn: PlacedOut = Field(
        description="Had each chosen in turn, in the order of the waiting list."
    )
    left_out: int = Field(description="How many more are waiting than are planned for at once.")


@dataclass(frozen=True, slots=True)
class _Showing:
    """What offers are shown with."""

    keyring: Keyring
    reference: Reference
    providers: dict[str, ProviderCard]

    def offer(self, choice: PeakChoice | None, ranked: RecordedRanking) -> PlannedOfferOut | None:
        """Show an offer; one that the ranking does not have yet has no id."""
        if choice is None:
            return None
        offer = _folded(choice, ranked)
        offer_id = None
        if not choice.leaves:
            offer_id = offers.issue_offer_id(self.keyring, ranked.id, offer, first=choice.group)
        group = offer.first.group
        return PlannedOfferOut(
            offer_id=offer_id,
            rank=None if choice.leaves else offer.rank,
            band=offer.first.band,
            score=offer.score,
            region=OfferRegionOut.of(self.reference.regions[group.region]),
            provider=OfferProviderOut.of(self.providers[group.provider_id]),
            kind=group.kind,
            cross_regional=offer.first.cross_regional,
            clearance_km=offer.clearance_km,
            freshness=offer.freshness,
            needs_answer=["threatLevel"] if offer.asks_threat_level else [],
        )

    def part(self, part: PlanPart) -> PlannedOut:
        """Show what a plan has for one referral."""
        ranked, planned = part.ranked, part.planned
        if ranked is None or planned is None:
            return _unplanned_out(part)
        choice = planned.choice
        return PlannedOut(
            referral_id=str(part.referral_id),
            urgency=part.urgency,
            ranking_id=str(ranked.id),
            offer=self.offer(choice, ranked),
            override_reason=_override(choice, ranked),
            after=list(planned.after),
            in_turn=self.offer(planned.in_turn, ranked),
            change=_change(planned),
            excluded=_left_out(ranked) if choice is None else [],
            refusal=None,
        )


def _folded(choice: PeakChoice, ranked: RecordedRanking) -> FoldedOffer:
    """Return the offer that a choice is shown as; outside the ranking it stands by itself."""
    if choice.leaves:
        alone = replace(ranked.ranking, offers=(choice.offer,))
        return fold_offers(alone, ranked.need, bands=ranked.inputs.policy.bands)[0]
    return next(
        offer
        for offer in ranked.fold()
        if any(place.group.id == choice.group for place in offer.places)
    )


def _override(choice: PeakChoice | None, ranked: RecordedRanking) -> str | None:
    if choice is None or choice.leaves or _folded(choice, ranked).rank == 1:
        return None
    return peaks.OVERRIDE


def _unplanned_out(part: PlanPart) -> PlannedOut:
    code = str(part.refusal)
    return PlannedOut(
        referral_id=str(part.referral_id),
        urgency=part.urgency,
        ranking_id=None,
        offer=None,
        override_reason=None,
        after=[],
        in_turn=None,
        change=None,
        excluded=[],
        refusal=NotPlannedOut(code=code, detail=REFUSALS[code], retry_after=part.wait_s or None),
    )


def _change(planned: PlannedReferral) -> ChangeOut:
    words = TextOut(nl=plan_text(planned, language="nl"), en=plan_text(planned, language="en"))
    return ChangeOut(code=planned.change, because=planned.because, count=planned.count, text=words)


def _left_out(ranked: RecordedRanking) -> list[LeftOutOut]:
    return [
        LeftOutOut.model_validate(
            {
                "rule": rule,
                "places": band_of(places),
                "text": TextOut(
                    nl=exclusion_text(rule, band_of(places), language="nl"),
                    en=exclusion_text(rule, band_of(places), language="en"),
                ),
            }
        )
        for rule, places in count_by_rule(
            left_out(ranked.inputs.case(), ranked.inputs, ranked.ranking)
        )
    ]


async def plan_out(tx: Transaction, plan: DeskPeakPlan) -> PeakPlanOut:
    """Show a plan for own referrals."""
    showing = _Showing(
        tx.keyring, await tx.snapshots.reference(tx), dict(await tx.snapshots.providers(tx))
    )
    return PeakPlanOut(
        as_of=plan.as_of,
        policy=PolicyOut.of(plan),
        referrals=[showing.part(part) for part in plan.parts],
        placed=PlacedOut.model_validate(plan.plan.placed),
        placed_in_turn=PlacedOut.model_validate(plan.plan.placed_in_turn),
        left_out=plan.left_out,
    )
