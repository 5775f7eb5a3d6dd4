"""The demo country's past.

Days lived through with the real ranking, up to the register as it is today.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from uuid import UUID

from app.allocation.policy.policy import Policy
from app.allocation.values import Ranking
from app.demo.past.lodging import Lodged, lodge
from app.reference import ReferenceFiles, arrivals_by_hour
from app.simulation.arrivals import SimulatedArrival, draw_arrivals
from app.simulation.assumptions import DAY
from app.simulation.choosers import ChosenOffer
from app.simulation.country.luck import Luck
from app.simulation.country.past import (
    HouseholdHistory,
    Past,
    PastSetting,
    PastStay,
    PlaceNow,
    ProviderRegion,
)
from app.simulation.diary import Diary, DiaryPage, SimulatedStay
from app.simulation.world import World, taken_places, world_of
from app.simulation.year import Progress, Way, Year

OVERRIDDEN = 0.08
"""The chance that a household takes another of the first offers than the best. Assumed."""
LOOKED_AT = 4
"""Offers that a desk looks at before it takes another one. Assumed."""


def live_through(
    reference: ReferenceFiles,
    policy: Policy,
    ground: PastSetting,
    *,
    seed: int,
    progress: Progress = lambda: None,
) -> Past:
    """Return what happened in the days of a ground, from a seed.

    Who lives somewhere when they are over does so in a place that the register has as occupied; all
    others of its occupied places are used by people who came without Plek.
    """
    groups = {group.id: group for group in ground.register.groups}
    stand = ((groups[place.group], place.status) for place in ground.places)
    taken = taken_places(stand, luck=Luck(seed, subject="places as the past begins"))
    world = world_of(ground.register, reference, taken=taken)
    diary = Diary(answer_minutes=policy.answer_minutes)
    arrivals = draw_arrivals(
        reference,
        by_hour=arrivals_by_hour(reference.country.jurisdiction),
        seed=seed,
        days=ground.days,
        answer_minutes=policy.answer_minutes,
    )
    Year(world, Way("Plek", policy, mostly_best), progress=progress, diary=diary).run(
        arrivals, days=ground.days
    )
    return _past(diary.pages.values(), world, ground)


def mostly_best(ranking: Ranking, arrival: SimulatedArrival, _world: World) -> ChosenOffer | None:
    """Choose the first offer, and now and then another of the first few."""
    if not ranking.offers:
        return None
    luck = Random(arrival.rings)  # noqa: S311 - invents a past, guards nothing
    first_few = ranking.offers[:LOOKED_AT] if luck.random() < OVERRIDDEN else ranking.offers[:1]
    return ChosenOffer(luck.choice(first_few))


def _past(pages: Iterable[DiaryPage], world: World, ground: PastSetting) -> Past:
    # Who still looks for a first place when the days are over is none of the demo's open referrals.
    known = [page for page in pages if page.stays or page.over is not None]
    stays: defaultdict[str, list[SimulatedStay]] = defaultdict(list)
    places: defaultdict[str, list[PlaceNow]] = defaultdict(list)
    others: defaultdict[str, list[int]] = defaultdict(list)
    for stay in (stay for page in known for stay in page.stays):
        stays[stay.group.id].append(stay)
    for place in ground.places:
        places[place.group].append(place)
    for taken in world.taken:
        others[taken.group].append(taken.until)
    lodged = Lodged()
    for group in ground.register.groups:
        lodge(stays[group.id], places[group.id], others[group.id], now=ground.now, into=lodged)
    lives = [_life(page, lodged.place_of) for page in known]
    return Past(lives, lodged.since, _in_use(lives, world, days=ground.days))


def _life(page: DiaryPage, place_of: Mapping[SimulatedStay, UUID]) -> HouseholdHistory:
    visits = tuple(
        PastStay(stay.asked, place_of[stay], stay.came, stay.left) for stay in page.stays
    )
    over = visits[-1].left if visits else page.over
    return HouseholdHistory(page.since, page.need, visits, tuple(page.asked), over)


def _in_use(
    lives: Iterable[HouseholdHistory], world: World, *, days: int
) -> Mapping[ProviderRegion, Sequence[int]]:
    """Count the places in use as each day begins."""
    whose = {group.id: (group.provider_id, group.region) for group in world.register.groups}
    in_use = {where: [0] * days for where in sorted(set(whose.values()))}
    spans = [(visit.group.id, visit.came, visit.left) for life in lives for visit in life.visits]
    for group, came, left in (*spans, *((taken.group, -1, taken.until) for taken in world.taken)):
        after = days * DAY if left is None else left
        for day in range(-(-came // DAY), min(days, -(-after // DAY))):
            in_use[whose[group]][day] += 1
    return in_use
