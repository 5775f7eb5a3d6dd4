"""What the page of one referral shows.

As things stand now, whatever was done a moment ago.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from app.allocation.ranking.obstacles import RegionOrProvider
from app.allocation.values import Exclusion, Offer
from app.api.kit.reasons import TextOut
from app.api.ranking import obstacles
from app.api.ranking import rankings as ranking_page
from app.api.ranking.obstacles import ObstaclesOut
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

FIRST_OFFERS, MOST_OFFERS = 5, 200
"""How many are shown at first, and at most: whoever is in a hurry looks at the first few."""
MOST_CONTACTS = 5


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many places of the country a rule left out, in words."""

    places: int
    text: TextOut


@dataclass(frozen=True, slots=True)
class Work:
    """Who is at work on a page, and with what: what every part of it is made with."""

    page: Page
    tx: Transaction

    async def providers(self) -> Mapping[str, ProviderCard]:
        """Return all providers by id."""
        return await self.tx.snapshots.providers(self.tx)

    async def form(
        self,
        filled: Draft,
        *,
        referral: UnsealedReferral | None = None,
        key: str = "",
        **more: object,
    ) -> dict[str, Any]:
        """Return what the form of a referral is shown with.

        A new one's, or that of one that is there.
        """
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
            "told": "",
            "codes": load().codes,
            **more,
        }

    async def drawn(self, filled: Draft) -> Drawing:
        """Return the map beside a form."""
        reference = await self.tx.snapshots.reference(self.tx)
        known = names(reference.municipalities, self.page.language)
        return await case_map.of_draft(self.tx, filled, names=known)

    async def ranked(self, ranking_id: UUID, referral_id: UUID) -> RecordedRanking:
        """Return a recorded ranking of a referral."""
        found = await rankings.read(self.tx, ranking_id)
        if found.referral_id != referral_id:
            raise Missing
        return found


async def _work(page: PageIn, tx: Tx) -> Work:
    return Work(page, tx)


WorkIn = Annotated[Work, Depends(_work)]
NOTHING_DONE = {"refusal": None, "acted": False, "said": "", "why": None, "swaps": None}
"""What a referral's page says of an act where nothing was done."""


async def case(
    work: Work,
    referral_id: UUID,
    *,
    ranking: UUID | None = None,
    every: bool = False,
    **said: object,
) -> dict[str, Any]:
    """Return what the page of a referral shows.

    The offers of a ranking only while it looks for a place.
    """
    tx = work.tx
    course = await desk.unseal_progress(tx, referral_id)
    reference = await tx.snapshots.reference(tx)
    known = names(reference.municipalities, work.page.language)
    filled = draft.of_content(course.referral.content, known)
    is_open = course.referral.status == "open"
    ranked = await work.ranked(ranking, referral_id) if ranking and is_open else None
    return {
        "course": course,
        "referral": course.referral,
        "content": course.referral.content,
        "form": await work.form(filled, referral=course.referral),
        "drawing": await work.drawn(filled)
        if ranked is None
        else case_map.of_ranking(ranked, reference),
        "names": known,
        "providers": await work.providers(),
        "reference": reference,
        "policy": reference.policy,
        "codes": load().codes,
        "contacts": await contacts.list_for(tx, referral_id, limit=MOST_CONTACTS, after=None),
        "ranking": None
        if ranked is None
        else await offers_of(work, ranked, most=MOST_OFFERS if every else FIRST_OFFERS),
        "seen": state_of(course.progress),
        "at": tx.at,
        "new_key": new_key,
        **NOTHING_DONE,
        **said,
    }


async def offers_of(work: Work, ranked: RecordedRanking, *, most: int) -> dict[str, Any]:
    """Return a ranking as it is shown.

    Offers, what is missing, and what was left out, by rule.
    """
    shown = await ranking_page.ranking_out(work.tx, ranked, limit=most)
    minutes = (work.tx.at - ranked.as_of).total_seconds() / 60
    policy = (await work.tx.snapshots.reference(work.tx)).policy
    return {
        "id": shown.id,
        "as_of": shown.as_of,
        "old": minutes >= policy.ranking_minutes,
        "offers": shown.offers,
        "more": len(ranked.ranking.offers) - len(shown.offers),
        "most": max((line.points for offer in shown.offers for line in offer.points), default=1)
        or 1,
        "best": max((offer.score for offer in shown.offers), default=1) or 1,
        "missing": shown.missing,
        "assessed": shown.safety_assessed,
        "ran_out": not shown.safety_assessed and ranked.need.danger_assessment == "assessed",
        "considered": shown.considered,
        "updated": {offer.rank: updated_of(offer, ranked.as_of) for offer in ranked.ranking.offers},
        "left_out": by_rule(ranked.ranking.excluded),
        "own_region": shown.own_region,
    }


def updated_of(offer: Offer, as_of: datetime) -> datetime | None:
    """Return since when an offer's count is fresh, or since when it is stale; None if never.

    No nearer than the whole hours that the ranking has: by the minute of its site, offers of two
    rankings could be told to be of one shelter (docs/adr/0004-ids-and-offers.md).
    """
    hours = next(
        (line.params.get("hours") for line in offer.points if line.factor == "freshness"), None
    )
    if not isinstance(hours, int):
        return None
    return as_of - timedelta(hours=hours + 1 if offer.freshness == "fresh" else hours)


def by_rule(excluded: Sequence[Exclusion]) -> list[LeftOut]:
    """Return how many places each rule left out in the country, most first."""
    counted: Counter[str] = Counter()
    for one in excluded:
        counted[one.rule] += one.places
    return [
        LeftOut(
            places,
            TextOut(
                nl=exclusion_text(Exclusion(rule, "", places), language="nl"),
                en=exclusion_text(Exclusion(rule, "", places), language="en"),
            ),
        )
        for rule, places in counted.most_common()
    ]


async def why_not(work: Work, ranked: RecordedRanking, region: str) -> ObstaclesOut:
    """Return every rule in the way of a region's places, as things stood at a ranking."""
    if region not in (await work.tx.snapshots.reference(work.tx)).regions:
        raise Missing
    return await obstacles.obstacles_out(work.tx, ranked, RegionOrProvider(region))


def state_of(progress: ReferralProgress) -> str:
    """Return what stands for the state of a referral.

    Another one where something on its page is not so any more.

    What stands before the dash is how far it has come; as long as that is so, what was said of the
    last act holds.
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
    return f"{_digits(course)}-{_digits(beside_it)}"


def _digits(state: object) -> str:
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]
