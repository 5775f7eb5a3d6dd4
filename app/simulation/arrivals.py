"""Simulated arrivals, drawn once so that all ways of choosing meet the same households."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.allocation.values import DangerZone, Need
from app.reference import ReferenceFiles
from app.simulation import assumptions as assumed
from app.simulation.assumptions import DAY, HOUR
from app.simulation.country.households import Households
from app.simulation.country.luck import Luck
from app.simulation.country.values import DemoCase

ANSWERS = 16
"""More than any household needs."""


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a provider that is asked says, and after how many minutes."""

    accepted: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class SimulatedArrival:
    """One simulated household: its need, when it asks, and its stays in minutes."""

    number: int
    at: int
    need: Need
    crisis: int
    follow_on: int
    answers: tuple[ProviderAnswer, ...]
    """Of the providers that are asked for it, in turn."""
    rings: int
    """The seed of the order in which a worker would ring round for it."""


def draw_arrivals(
    reference: ReferenceFiles, *, by_hour: Sequence[int], seed: int, days: int, answer_minutes: int
) -> tuple[SimulatedArrival, ...]:
    """Draw the arrivals of some days in order, at hours weighted by `by_hour`."""
    times = Luck(seed, subject="arrival times")
    hours: Mapping[int, float] = dict(enumerate(by_hour))
    cases = list(
        _cases(reference, seed=seed, clients=assumed.CLIENTS_A_YEAR * days // assumed.DAYS_A_YEAR)
    )
    moments = sorted(
        times.between(0, days - 1) * DAY + times.pick(hours) * HOUR + times.between(0, HOUR - 1)
        for _ in cases
    )
    luck = Luck(seed, subject="stays")
    region_of = {town.code: town.region for town in reference.municipalities}
    return tuple(
        _arrival(number, at, case, luck=luck, region_of=region_of, answer_minutes=answer_minutes)
        for number, (at, case) in enumerate(zip(moments, cases, strict=True))
    )


def _cases(reference: ReferenceFiles, *, seed: int, clients: int) -> Iterator[DemoCase]:
    """Yield households until they are as many people."""
    households = Households(reference, seed=seed)
    luck = Luck(seed, subject="who leaves their region")
    while clients > 0:
        case = households.draw()
        if case.urgency == "planned":
            case = replace(case, urgency=assumed.PLANNED_ARRIVES_AS, reason="safety")
        yield case if luck.happens(assumed.LEAVES_REGION) else _at_home(case)
        clients -= case.household.persons


def _at_home(case: DemoCase) -> DemoCase:
    """Turn a case into a household that is helped near home and needs nothing unusual."""
    return replace(
        case,
        needs=(),
        reason="capacity",
        danger_assessment="none_known",
        danger_zones=(),
        near_municipality=case.origin if case.near_municipality else None,
    )


def _arrival(
    number: int,
    at: int,
    case: DemoCase,
    *,
    luck: Luck,
    region_of: Mapping[str, str],
    answer_minutes: int,
) -> SimulatedArrival:
    longest = assumed.LONGEST_DAYS * DAY
    follows_on = luck.happens(assumed.FOLLOWS_ON)
    return SimulatedArrival(
        number=number,
        at=at,
        need=_need(case, region_of=region_of),
        crisis=HOUR + luck.about(assumed.CRISIS_DAYS * DAY, most=longest),
        follow_on=DAY + luck.about(assumed.FOLLOW_ON_DAYS * DAY, most=longest) if follows_on else 0,
        answers=tuple(_answer(luck, answer_minutes) for _ in range(ANSWERS)),
        rings=luck.between(0, 2**32),
    )


def _answer(luck: Luck, answer_minutes: int) -> ProviderAnswer:
    minutes = luck.between(1, answer_minutes)
    if luck.happens(assumed.SILENT):
        return ProviderAnswer(accepted=False, minutes=answer_minutes)
    return ProviderAnswer(accepted=not luck.happens(assumed.DECLINED), minutes=minutes)


def _need(case: DemoCase, *, region_of: Mapping[str, str]) -> Need:
    return Need(
        urgency=case.urgency,
        reason=case.reason,
        origin=case.origin,
        origin_region=region_of[case.origin],
        household=case.household,
        danger_assessment=case.danger_assessment,
        danger_zones=tuple(
            DangerZone(zone.municipality, zone.radius_km, until=None) for zone in case.danger_zones
        ),
        threat_level=case.threat_level,
        target_groups=case.target_groups,
        needs=case.needs,
        near_municipality=case.near_municipality,
        barred_providers=(),
    )
