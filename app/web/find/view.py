"""The values of a referral's page: its state, its offers and its form, as they stand now."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from app.allocation.ranking.desk_view import DeskView, desk_view
from app.allocation.ranking.fold import FoldedOffer
from app.allocation.ranking.left_out import band_of, count_by_rule
from app.allocation.ranking.obstacles import RegionOrProvider
from app.api.kit.reasons import TextOut
from app.api.ranking.obstacles import ObstaclesOut, obstacles_out
from app.api.ranking.rankings import MOST_PROVIDERS, ranking_out
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.deps import Tx
from app.desk import desk
from app.desk.desk import ReferralProgress
from app.errors import Missing
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.reference import load
from app.referrals import contacts
from app.referrals.referrals import UnsealedReferral
from app.web.country.map import Drawing
from app.web.find import case_map, draft
from app.web.find.acts import new_key
from app.web.find.draft import Draft
from app.web.find.names import names
from app.web.page import Page, PageIn
from app.words.ranking import exclusion_text

FIRST_PROVIDERS = 5
"""The number of providers in regions whose offers a page shows at first."""
MOST_CONTACTS = 5


@dataclass(frozen=True, slots=True)
class IntakeWork:
    """An intake worker's page and its transaction, with which every part of it is made."""

    page: Page
    tx: Transaction

    async def providers(self) -> Mapping[str, ProviderCard]:
        """Return all providers by id."""
        return await self.tx.snapshots.providers(self.tx)

    async def form_values(
        self,
        filled: Draft,
        *,
        referral: UnsealedReferral | None = None,
        key: str = "",
        **more: object,
    ) -> dict[str, Any]:
        """Return the values of a referral's form; without a referral, of a new one's."""
        reference = await self.tx.snapshots.reference(self.tx)
        known = names(reference.municipalities, self.page.language)
        return {
            "draft": filled,
            "of": None if referral is None else str(referral.id),
            "version": None if referral is None else referral.case.version,
            "key": key or new_key(),
            "names": known,
            "radii": reference.policy.radii_km,
            "usual_radius": reference.policy.unassessed_radius_km,
            "providers": sorted((await self.providers()).values(), key=lambda card: card.name),
            "faults": {},
            "focus": "",
            "refusal": "",
            "codes": load().codes,
            **more,
        }

    async def draw_map(self, filled: Draft) -> Drawing:
        """Draw the map beside a form."""
        reference = await self.tx.snapshots.reference(self.tx)
        known = names(reference.municipalities, self.page.language)
        return await case_map.draw_draft(self.tx, filled, names=known)

    async def read_ranking(self, ranking_id: UUID, referral_id: UUID) -> RecordedRanking:
        """Return a recorded ranking of a referral; Missing if it is of another."""
        found = await rankings.read(self.tx, ranking_id)
        if found.referral_id != referral_id:
            raise Missing
        return found


async def _open_work(page: PageIn, tx: Tx) -> IntakeWork:
    return IntakeWork(page, tx)


WorkIn = Annotated[IntakeWork, Depends(_open_work)]
NOTHING_DONE = {"refusal": None, "acted": False, "said": "", "why": None, "swaps": None}
"""The values of a referral's page on which nothing was done."""


async def case_values(
    work: IntakeWork,
    referral_id: UUID,
    *,
    ranking: UUID | None = None,
    every: bool = False,
    **said: object,
) -> dict[str, Any]:
    """Return the values of a referral's page; it has the offers of a ranking only while open."""
    tx = work.tx
    course = await desk.unseal_progress(tx, referral_id)
    reference = await tx.snapshots.reference(tx)
    known = names(reference.municipalities, work.page.language)
    filled = draft.of_content(course.referral.content, known)
    is_open = course.referral.status == "open"
    ranked = await work.read_ranking(ranking, referral_id) if ranking and is_open else None
    view = ranked and desk_view(ranked.inputs, ranked.ranking)
    most = MOST_PROVIDERS if every else FIRST_PROVIDERS
    return {
        "course": course,
        "referral": course.referral,
        "content": course.referral.content,
        "form": await work.form_values(filled, referral=course.referral),
        "drawing": await work.draw_map(filled)
        if ranked is None or view is None
        else case_map.draw_ranking(ranked, view, reference),
        "names": known,
        "providers": await work.providers(),
        "reference": reference,
        "policy": reference.policy,
        "codes": load().codes,
        "contacts": await contacts.list_for(tx, referral_id, limit=MOST_CONTACTS, after=None),
        "ranking": ranked and view and await ranking_values(work, ranked, view, most=most),
        "seen": state_of(course.progress),
        "at": tx.at,
        "new_key": new_key,
        **NOTHING_DONE,
        **said,
    }


async def ranking_values(
    work: IntakeWork, ranked: RecordedRanking, view: DeskView, *, most: int
) -> dict[str, Any]:
    """Return the values of a ranking: offers, missing facts, and places left out by rule."""
    shown = await ranking_out(work.tx, ranked, limit=most, view=view)
    minutes = (work.tx.at - ranked.as_of).total_seconds() / 60
    policy = (await work.tx.snapshots.reference(work.tx)).policy
    return {
        "id": shown.id,
        "as_of": shown.as_of,
        "old": minutes >= policy.ranking_minutes,
        "offers": shown.offers,
        "more": most < MOST_PROVIDERS and len(shown.offers) < len(view.offers),
        "most": max((line.points for offer in shown.offers for line in offer.points), default=1)
        or 1,
        "best": max((offer.score for offer in shown.offers), default=1) or 1,
        "missing": shown.missing,
        "assessed": shown.safety_assessed,
        "ran_out": not shown.safety_assessed and ranked.need.danger_assessment == "assessed",
        "considered": shown.considered,
        "updated": {offer.rank: updated_of(offer, ranked.as_of) for offer in view.offers},
        "left_out": left_out_by_rule(view),
        "own_region": shown.own_region,
    }


def updated_of(offer: FoldedOffer, as_of: datetime) -> datetime | None:
    """Return since when an offer's count is fresh, or stale; None if never confirmed.

    The time is in whole hours, as the ranking has it: the minute of a site would show that
    two rankings offer the same shelter (docs/adr/0004-ids-and-offers.md).
    """
    hours = next(
        (line.params.get("hours") for line in offer.points if line.factor == "freshness"), None
    )
    if not isinstance(hours, int):
        return None
    return as_of - timedelta(hours=hours + 1 if offer.freshness == "fresh" else hours)


def left_out_by_rule(view: DeskView) -> list[TextOut]:
    """Return how many places each rule left out in the country, in words, most first."""
    return [
        TextOut(
            nl=exclusion_text(rule, band_of(places), language="nl"),
            en=exclusion_text(rule, band_of(places), language="en"),
        )
        for rule, places in count_by_rule(view.left_out)
    ]


async def read_obstacles(work: IntakeWork, ranked: RecordedRanking, region: str) -> ObstaclesOut:
    """Return the rules in the way of a region's places, as of a ranking."""
    if region not in (await work.tx.snapshots.reference(work.tx)).regions:
        raise Missing
    return await obstacles_out(work.tx, ranked, RegionOrProvider(region))


def state_of(progress: ReferralProgress) -> str:
    """Return a digest of a referral's state, which changes when its page is out of date.

    The part before the dash stands for its course: as long as that is the same, the word for the
    last outcome holds.
    """
    case_, hold, placement = progress.case, progress.hold, progress.placement
    course = (
        case_.status,
        None
        if hold is None
        else (hold.id, hold.status, hold.expires_at, hold.renewals_left, hold.unsafe_since),
        None
        if placement is None
        else (placement.id, placement.status, placement.safety_checked_at),
        None if placement is None else (placement.unsafe_since, placement.compromised),
        None if placement is None else (placement.missed_since, placement.expected_at),
    )
    beside_it = (
        case_.version,
        case_.alternative,
        case_.named,
        progress.legs,
        progress.since.ranking_id,
    )
    return f"{_digest(course)}-{_digest(beside_it)}"


def _digest(state: object) -> str:
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]
