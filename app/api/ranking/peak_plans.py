"""The plan for a peak on the wire, as an intake desk sees it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from app.allocation.peaks.peaks import MOST, PeakChoice, PlannedReferral
from app.allocation.values import Exclusion
from app.api.kit.wire import Id, In, Out, aliases_from
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


class PlannedOfferOut(Out, alias_generator=aliases_from("group")):
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
    bed_spaces: int
    cross_regional: bool
    clearance_km: int | None
    freshness: str


class LeftOutOut(Out):
    """How many places one rule left out."""

    rule: str
    places: int
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
    count: int = Field(description="How many households, points or offers that is about.")
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
        offer, leaves = choice.offer, choice.leaves
        offer_id = None if leaves else offers.issue_offer_id(self.keyring, ranked.id, offer)
        return PlannedOfferOut.of(
            offer,
            offer_id=offer_id,
            rank=None if leaves else offer.rank,
            region=self.reference.regions[offer.group.region],
            provider=self.providers[offer.group.provider_id],
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
            override_reason=peaks.OVERRIDE if choice and _needs_override(choice) else None,
            after=list(planned.after),
            in_turn=self.offer(planned.in_turn, ranked),
            change=_change(planned),
            excluded=_left_out(ranked.ranking.excluded) if choice is None else [],
            refusal=None,
        )


def _needs_override(choice: PeakChoice) -> bool:
    return choice.offer.rank > 1 and not choice.leaves


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


def _left_out(excluded: Sequence[Exclusion]) -> list[LeftOutOut]:
    counted: Counter[str] = Counter()
    for one in excluded:
        counted[one.rule] += one.places
    return [
        LeftOutOut(
            rule=rule,
            places=places,
            text=TextOut(
                nl=exclusion_text(Exclusion(rule, "", places), language="nl"),
                en=exclusion_text(Exclusion(rule, "", places), language="en"),
            ),
        )
        for rule, places in counted.most_common()
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
