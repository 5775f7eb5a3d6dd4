"""The demo country: an invented register and its open referrals, drawn from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.reference import ReferenceFiles
from app.simulation.country.households import Households
from app.simulation.country.luck import Luck
from app.simulation.country.sites import CountryBuilder
from app.simulation.country.values import (
    DemoCountry,
    DemoPlace,
    DemoProvider,
    DemoReferral,
    DemoSite,
)

DEFAULT_SEED = 1
REFERRALS = 40

# Shares in per mille.
NOT_FREE = 930
OUT_OF_SERVICE = 20
STALE = 140
NEVER_CONFIRMED = 60
PAUSED = 50

MEAN_HOURS_OCCUPIED = {
    "crisis": 45 * 24,
    "regular": 180 * 24,
    "emergency": 30,
    "move_on": 259 * 24,
    "alternative": 14 * 24,
}
EMERGENCY_HOURS = 3 * 24
LONGEST_HOURS = 730 * 24
REASONS = {"repair": 45, "cleaning": 25, "staffing": 20, "safety": 5, "other": 5}
MEAN_MINUTES_WAITING = {"acute": 5 * 60, "urgent": 2 * 24 * 60, "planned": 6 * 24 * 60}
LONGEST_MINUTES_WAITING = 21 * 24 * 60
SAFETY_PLAN_AFTER_MINUTES = 24 * 60


def build_country(reference: ReferenceFiles, *, seed: int = DEFAULT_SEED) -> DemoCountry:
    """Build a seed's demo country: 1,024 places, 24 providers and 40 open referrals."""
    builder = CountryBuilder(reference, seed=seed)
    providers = builder.providers()
    plots = tuple(builder.plots(providers))
    sites = builder.sites(plots)
    places = tuple(builder.places(plots, sites))
    return DemoCountry(
        seed=seed,
        providers=providers,
        sites=_as_they_stand(sites, luck=Luck(seed, subject="how sites stand")),
        places=_as_they_are_used(places, luck=Luck(seed, subject="how places are used")),
        referrals=tuple(_referrals(reference, providers, seed=seed)),
    )


def _count(per_mille: int, *, of: int) -> int:
    return round(of * per_mille / 1000)


def _as_they_stand(sites: Sequence[DemoSite], *, luck: Luck) -> tuple[DemoSite, ...]:
    """Let some counts be stale, some never confirmed, and some sites not admit for now."""
    stale, never = _count(STALE, of=len(sites)), _count(NEVER_CONFIRMED, of=len(sites))
    doubtful = luck.some(range(len(sites)), count=stale + never)
    hours = {
        site: None if at < never else luck.between(30, 12 * 24) for at, site in enumerate(doubtful)
    }
    paused = set(luck.some(range(len(sites)), count=_count(PAUSED, of=len(sites))))
    return tuple(
        replace(
            site,
            confirmed_hours_ago=hours.get(number, site.confirmed_hours_ago),
            admission="paused" if number in paused else "open",
        )
        for number, site in enumerate(sites)
    )


def _as_they_are_used(places: Sequence[DemoPlace], *, luck: Luck) -> tuple[DemoPlace, ...]:
    """Fill nearly all of them, with people who came without Plek or with the builders."""
    taken = luck.some(range(len(places)), count=_count(NOT_FREE, of=len(places)))
    closed = set(taken[: _count(OUT_OF_SERVICE, of=len(places))])
    occupied = set(taken) - closed
    return tuple(
        _use_place(place, luck, closed=at in closed, occupied=at in occupied)
        for at, place in enumerate(places)
    )


def _use_place(place: DemoPlace, luck: Luck, *, closed: bool, occupied: bool) -> DemoPlace:
    if closed:
        return replace(
            place,
            status="out_of_service",
            reason=luck.pick(REASONS),
            status_hours=luck.between(1, 20 * 24),
        )
    if not occupied:
        return replace(place, status_hours=luck.about(20, most=5 * 24))
    longest = EMERGENCY_HOURS if place.kind == "emergency" else LONGEST_HOURS
    hours = luck.about(MEAN_HOURS_OCCUPIED[place.kind], most=longest)
    return replace(place, status="occupied", status_hours=hours)


def _referrals(
    reference: ReferenceFiles, providers: Sequence[DemoProvider], *, seed: int
) -> Iterator[DemoReferral]:
    luck = Luck(seed, subject="referrals")
    households = Households(reference, seed=seed)
    region_of = {town.code: town.region for town in reference.municipalities}
    for _ in range(REFERRALS):
        case = households.draw()
        provider = luck.one([one for one in providers if region_of[case.origin] in one.regions])
        minutes = luck.about(MEAN_MINUTES_WAITING[case.urgency], most=LONGEST_MINUTES_WAITING)
        others = [other.id for other in providers if other is not provider]
        yield DemoReferral(
            id=luck.id(),
            provider_id=provider.id,
            created_minutes_ago=minutes,
            safety_plan=minutes > SAFETY_PLAN_AFTER_MINUTES,
            call_back=provider.phone,
            barred_providers=tuple(luck.some(others, count=int(luck.happens(0.05)))),
            case=case,
        )
