"""Small worlds for the claims about allocation.

One group, one need, or a whole country drawn from a seed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from app.allocation.policy.policy import parse_policy
from app.allocation.ranking.rank import rank
from app.allocation.values import (
    PLACE_KINDS,
    Adult,
    Child,
    DangerZone,
    Household,
    Need,
    PlaceGroup,
    Register,
    Situation,
)

if TYPE_CHECKING:
    from random import Random

    from app.allocation.values import Offer, Ranking

T = TypeVar("T")

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
YESTERDAY, TODAY = NOON.date() - dt.timedelta(days=1), NOON.date()


# A policy of the tests' own, so that the country's can be tuned without anybody working out points
# again.
POLICY_DOCUMENT: dict[str, Any] = {
    "version": "for-tests",
    "valid_from": "2026-01-01",
    "bands": ["safety", "freshness"],
    "ample_margin_km": 20,
    "radii_km": [5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 100, 120, 125, 150, 200],
    "unassessed_radius_km": 50,
    "answer_minutes": 15,
    "hold_minutes": 120,
    "renewals": 2,
    "ranking_minutes": 15,
    "fresh_hours": 24,
    "availability_step_minutes": 5,
    "emergency_nights": 3,
    "occupancy_norm_permille": 850,
    "swap_max_legs": 3,
    "opening_delay_days": 92,
    "points": {
        "nearness": {"most": 150, "reach_km": 150},
        "fit": {
            "kinds": {
                "acute": {"crisis": 150, "regular": 90, "emergency": 60},
                "urgent": {"crisis": 150, "regular": 110},
                "planned": {"regular": 130, "move_on": 150},
            },
            "spare_bed_space": 15,
            "scarce_feature": 15,
            "unused_specialism": 30,
            "scarce_features": ["pets", "treatment_on_site", "wheelchair"],
        },
        "specialism": {"most": 120, "match": 60},
        "headroom": {"most": 60, "step": 15, "step_permille": 50},
        "solidarity": {"most": 240, "at_quota": 120, "stay": 12, "own_region": 240},
        "continuity": {
            "most": 60,
            "move": 30,
            "later_moves": {"crisis": 1, "emergency": 2, "move_on": 0, "regular": 0},
        },
        "freshness": {"most": 40, "worthless_hours": 72},
    },
}

POLICY = parse_policy(POLICY_DOCUMENT)

MOTHER = Household(adults=(Adult("female", 31),), children=(), pets=0, pregnant=False)

SAFE_NEED = Need(
    urgency="acute",
    reason="safety",
    origin="home",
    origin_region="HOME",
    household=MOTHER,
    danger_assessment="none_known",
    danger_zones=(),
    threat_level=None,
    target_groups=(),
    needs=(),
    near_municipality=None,
    barred_providers=(),
)

PLACE = PlaceGroup(
    id="g1",
    site_id="s1",
    provider_id="p1",
    municipality="away",
    region="AWAY",
    kind="crisis",
    bed_spaces=1,
    sharing="own_unit",
    genders=("female",),
    sons_up_to_age=17,
    features=(),
    address_secrecy="confidential",
    supervision="24h",
    specialisms=(),
    exclusive_to=(),
    admission="open",
    automatic_acceptance=False,
    places=4,
)

QUIET = Situation(
    as_of=NOON,
    free={"g1": 2},
    confirmed_hours={"s1": 0},
    clearances={},
    near_km={},
    deficits={},
    occupancy={},
    capped_regions=frozenset(),
    declined_sites=frozenset(),
)


def family(*children: Child) -> Household:
    return replace(MOTHER, children=children)


def zone(
    municipality: str = "home", *, radius_km: int = 50, until: dt.date | None = None
) -> DangerZone:
    return DangerZone(municipality, radius_km, until)


def excluded_by(ranking: Ranking) -> list[str]:
    return [exclusion.rule for exclusion in ranking.excluded]


def rank_one(
    need: Need = SAFE_NEED, place: PlaceGroup = PLACE, situation: Situation = QUIET
) -> Ranking:
    return rank(need, Register((place,)), situation, POLICY)


def only_offer(ranking: Ranking) -> Offer:
    (offer,) = ranking.offers
    return offer


# --- whole countries ------------------------------------------------------------------

TOWNS = ("a1", "a2", "b1", "b2", "c1", "d1")
FEATURES = ("pets", "wheelchair", "cots", "treatment_on_site")
TARGET_GROUPS = ("lgbtiq", "addiction", "young_mother")


@dataclass(frozen=True)
class World:
    """A need, a register and a situation that belong together."""

    need: Need
    register: Register
    situation: Situation

    def rank(self) -> Ranking:
        return rank(self.need, self.register, self.situation, POLICY)


def some(random: Random, items: tuple[str, ...], *, most: int = 2) -> tuple[str, ...]:
    return tuple(sorted(random.sample(items, random.randint(0, most))))


def rarely(random: Random, usual: T, *others: T) -> T:
    """The usual seven times in eight: some of everything, and still something to offer."""
    return random.choice(others) if random.random() < 1 / 8 else usual


def draw_place(random: Random, number: int) -> PlaceGroup:
    town = random.choice(TOWNS)
    return PlaceGroup(
        id=f"g{number}",
        site_id=f"s{number // 2}",
        provider_id=f"p{number % 3}",
        municipality=town,
        region=town[0].upper(),
        kind=rarely(random, random.choice(("crisis", "regular", "regular")), *PLACE_KINDS),
        bed_spaces=random.randint(1, 6),
        sharing=random.choice(("own_unit", "shared_facilities", "shared_room")),
        genders=random.choice((("female",), ("female", "other"), ("female", "male", "other"))),
        sons_up_to_age=rarely(random, 17, 14, 11, 0),
        features=some(random, FEATURES, most=4),
        address_secrecy=random.choice(("confidential", "known")),
        supervision=random.choice(("24h", "daytime", "none")),
        specialisms=some(random, TARGET_GROUPS),
        exclusive_to=rarely(random, (), ("lgbtiq",), ("addiction", "young_mother")),
        admission=rarely(random, "open", "paused"),
        automatic_acceptance=random.choice((False, True)),
        places=random.randint(1, 5),
    )


def draw_household(random: Random) -> Household:
    ages, genders = (None, 1, 11, 12, 15, 17), ("female", "male", None)
    return Household(
        adults=tuple(
            Adult(rarely(random, "female", "male", "other"), random.choice((None, 30)))
            for _ in range(rarely(random, 1, 2))
        ),
        children=tuple(
            Child(random.choice(ages), random.choice(genders))
            for _ in range(random.choice((0, 0, 1, 1, 2, 3)))
        ),
        pets=rarely(random, 0, 1, 2),
        pregnant=random.choice((False, True)),
    )


def draw_need(random: Random) -> Need:
    return Need(
        urgency=random.choice(("acute", "acute", "urgent", "planned")),
        reason=random.choice(("safety", "safety", "capacity", "follow_on", "return")),
        origin="a1",
        origin_region="A",
        household=draw_household(random),
        danger_assessment=random.choice(("assessed", "none_known", "not_asked")),
        danger_zones=tuple(
            DangerZone(
                random.choice(TOWNS),
                random.choice((0, 10, 25, 50)),
                rarely(random, None, YESTERDAY, TODAY),
            )
            for _ in range(random.choice((0, 1, 1, 2)))
        ),
        threat_level=random.choice((None, 1, 2, 3)),
        target_groups=some(random, TARGET_GROUPS),
        needs=rarely(
            random, (), ("wheelchair",), ("confidential_address", "cots"), ("supervision_24h",)
        ),
        near_municipality=random.choice((None, "c1")),
        barred_providers=rarely(random, (), ("p1",)),
    )


def draw_situation(random: Random, register: Register) -> Situation:
    known = tuple((a, b) for a in TOWNS for b in TOWNS if random.random() < 0.97)
    clearances: dict[str, dict[str, int]] = {}
    for a, b in known:
        clearances.setdefault(a, {})[b] = -9 if a == b else random.randint(-3, 180)
    return Situation(
        as_of=NOON,
        free={group.id: random.randint(1, 3) for group in register.groups if random.random() < 0.9},
        confirmed_hours={
            f"s{n}": random.choice((None, 0, 3, 24, 25, 90))
            for n in range(9)
            if random.random() < 0.9
        },
        clearances=clearances,
        near_km={town: random.randint(0, 170) for town in TOWNS if random.random() < 0.9},
        deficits={region: 90 * random.randint(-14_000_000, 14_000_000) for region in "ABC"},
        occupancy={f"p{n}": random.randint(500, 1000) for n in range(3) if random.random() < 0.8},
        capped_regions=frozenset(random.choice(((), ("B",), ("A", "C")))),
        declined_sites=frozenset(rarely(random, (), ("s0",), ("s1", "s2"))),
    )


def draw_world(random: Random, *, most_groups: int) -> World:
    register = Register(
        tuple(draw_place(random, number) for number in range(random.randint(0, most_groups)))
    )
    return World(draw_need(random), register, draw_situation(random, register))
