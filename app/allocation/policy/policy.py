"""The policy: every band, weight, limit and delay that people decide on, as one versioned document with a hash."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from app.allocation.policy.canonical import canonical_json, content_hash
from app.allocation.policy.documents import DayOrMoment, Unreadable, read
from app.allocation.policy.limits import WAITING, Ascending, Banded, Between, Once, Written, Years
from app.allocation.values import KINDS_FOR_URGENCY
from app.errors import Fault


class PolicyFaults(Unreadable):
    """A document that is not a policy; `faults` has everything that is wrong with it."""


Most = Annotated[int, Between(0, 1000)]
"""The most points that a factor can give."""
Each = Annotated[int, Between(0, 1000)]
"""Points given or taken for each of something."""
Code = Annotated[str, Written("[a-z][a-z0-9_]{0,63}")]


# --- what the points are made with (formulas: points.py) ------------------------------


@dataclass(frozen=True, slots=True)
class NearnessWeights:
    """`most` points next door to where the household wants to be near, none from `reach_km` on."""

    most: Most
    reach_km: Annotated[int, Between(5, 1000, step=5)]


@dataclass(frozen=True, slots=True)
class FitWeights:
    """Points for each kind of place by urgency, less what would be spent on a household that does not need it."""

    kinds: Mapping[str, Mapping[str, Most]]
    spare_bed_space: Each
    scarce_feature: Each
    unused_specialism: Each
    scarce_features: tuple[Code, ...]

    def faults(self) -> Iterator[Fault]:
        """Every urgency has points for its own kinds, and for no other."""
        for urgency in sorted(KINDS_FOR_URGENCY.keys() | self.kinds.keys()):
            kinds = sorted(KINDS_FOR_URGENCY.get(urgency, ()))
            if sorted(self.kinds.get(urgency, ())) != kinds:
                yield Fault(f"/kinds/{urgency}", f"must have points for {kinds}")


@dataclass(frozen=True, slots=True)
class SpecialismWeights:
    """Points for each target group of the household in which the site specialises."""

    most: Most
    match: Each


@dataclass(frozen=True, slots=True)
class HeadroomWeights:
    """Points for each whole step that the provider's occupancy is under the norm."""

    most: Most
    step: Each
    step_permille: Annotated[int, Between(10, 1000, step=10)]


@dataclass(frozen=True, slots=True)
class SolidarityWeights:
    """Points for how far the region is under its quota: `at_quota` when even, `stay` more or less for each stay."""

    most: Most
    at_quota: Most
    stay: Each
    own_region: Most
    stay_nights: Annotated[int, Between(1, 3660)] = 90
    """How many nights of difference count as one stay."""
    nights_ahead: Annotated[int, Between(0, 3660)] = 30
    """How many nights of the stays that are running count beforehand."""

    def faults(self) -> Iterator[Fault]:
        """No region starts beyond the most."""
        for name in ("at_quota", "own_region"):
            if getattr(self, name) > self.most:
                yield Fault(
                    f"/{name}", f"must be at most {self.most}, the most points of this factor"
                )


@dataclass(frozen=True, slots=True)
class ContinuityWeights:
    """`most` points where the household can stay, `move` less for each later move that the kind of place brings."""

    most: Most
    move: Each
    later_moves: Mapping[str, Annotated[int, Between(0, 9)]]

    def faults(self) -> Iterator[Fault]:
        """Every kind that can be offered says how many moves it brings."""
        offered = sorted({kind for kinds in KINDS_FOR_URGENCY.values() for kind in kinds})
        if sorted(self.later_moves) != offered:
            yield Fault("/later_moves", f"must name {offered}")


@dataclass(frozen=True, slots=True)
class FreshnessWeights:
    """`most` points for a site confirmed within the hour, none from `worthless_hours` on."""

    most: Most
    worthless_hours: Annotated[int, Between(1, 8760)]


@dataclass(frozen=True, slots=True)
class FactorWeights:
    """What each factor is worth."""

    nearness: NearnessWeights
    fit: FitWeights
    specialism: SpecialismWeights
    headroom: HeadroomWeights
    solidarity: SolidarityWeights
    continuity: ContinuityWeights
    freshness: FreshnessWeights


# --- what the review of the access log asks about (review.py) -------------------------

Count = Annotated[int, Between(1, 100_000)]


@dataclass(frozen=True, slots=True)
class ReviewThresholds:
    """From how many of each, by one account in the days reviewed, somebody should ask why; odd hours are local."""

    rankings_without_hold: Count = 20
    zone_changes: Count = 20
    reveals: Count = 30
    same_referral: Count = 50
    odd_hour_looks: Count = 30
    odd_from_hour: Annotated[int, Between(0, 23)] = 1
    odd_until_hour: Annotated[int, Between(0, 23)] = 5


# --- the policy -----------------------------------------------------------------------

Km = Annotated[int, Between(0, 500)]
Minutes = Annotated[int, Between(1, 10_080)]
Hours = Annotated[int, Between(1, 720)]
Days = Annotated[int, Between(1, 3660)]
Age = Annotated[int, Between(0, 25)]


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that people decide on, in the units that the names say; a ranking cites it by its hash."""

    version: Annotated[str, Written("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")]
    valid_from: Annotated[DayOrMoment, Years(2000, 2100)]
    """When it takes effect: at the first moment of a day, as the country's clocks have it, or at a moment."""
    bands: Annotated[tuple[str, ...], Banded()]
    ample_margin_km: Km
    radii_km: Annotated[tuple[Km, ...], Ascending()]
    unassessed_radius_km: Km
    answer_minutes: Minutes
    hold_minutes: Minutes
    renewals: Annotated[int, Between(0, 20)]
    ranking_minutes: Minutes
    fresh_hours: Annotated[int, Between(1, 8760)]
    availability_step_minutes: Minutes
    emergency_nights: Annotated[int, Between(1, 31)]
    occupancy_norm_permille: Annotated[int, Between(1, 1000)]
    swap_max_legs: Annotated[int, Between(2, 6)]
    opening_delay_days: Annotated[int, Between(0, 3660)]
    points: FactorWeights
    quarter_grace_days: Annotated[int, Between(0, 366)] = 14
    """How long after a quarter its totals are sealed: what is noted late is in by then."""
    retention_days: Annotated[int, Between(1, 3660)] = 365
    """How long after departure, withdrawal or erasure's last reason a referral's content is kept."""
    rankings_per_hour: Annotated[int, Between(1, 1000)] = 30
    """Of one referral."""
    reveals_per_hour: Annotated[int, Between(1, 1000)] = 20
    """By one account."""
    break_glass_minutes: Minutes = 60
    review: ReviewThresholds = ReviewThresholds()
    waiting_order: Annotated[tuple[str, ...], Once(*WAITING)] = WAITING
    """By what the waiting list is ordered, the first before all others; who waits longest goes first among equals."""
    safety_plan_hours: Hours = 24
    """How long a referral may be open before a safety plan is asked for."""
    alternative_check_hours: Hours = 24
    """How often somebody makes sure that a household in an alternative is well."""
    arrival_alarm_minutes: Minutes = 120
    """How long after a household was expected (else confirmed, or a no-show) both sides are told to look for it."""
    arrival_alarm_again_hours: Hours = 2
    """After how long they are told again, while nobody has acted."""
    swap_answer_minutes: Minutes = 240
    """How long a proposed swap waits for its last consent."""
    swap_agreement_days: Days = 30
    """How long a household's agreement that it would move counts."""
    swap_quiet_days: Days = 90
    """How long a household is left in peace after a move."""
    school_from_age: Age = 4
    school_until_age: Age = 17
    """Years, both included: when a child goes to school. One of unknown age is taken to."""

    blank_minutes: Annotated[int, Between(1, 240)] = 5
    """After how long a screen that nobody touches goes blank."""
    session_idle_minutes: Annotated[int, Between(1, 480)] = 30
    """After how long a session ends in which nobody did anything."""
    session_hours: Annotated[int, Between(1, 168)] = 12
    """How long a session lasts however busy it is."""

    def faults(self) -> Iterator[Fault]:
        """The radius used without an assessment could have been chosen, and nothing ends before it begins."""
        if self.unassessed_radius_km not in self.radii_km:
            yield Fault("/unassessed_radius_km", "must be one of radii_km")
        if self.session_idle_minutes < self.blank_minutes:
            yield Fault("/session_idle_minutes", "must not be below blank_minutes")
        if self.school_until_age < self.school_from_age:
            yield Fault("/school_until_age", "must not be below school_from_age")


def parse_policy(document: object) -> Policy:
    """The policy that a JSON document states.

    Raises:
        PolicyFaults: with every fault, by JSON pointer.
    """
    try:
        return read(Policy, document)
    except Unreadable as unreadable:
        raise PolicyFaults(unreadable.faults) from None


def policy_hash(document: object) -> str:
    """`sha256:` and the hash of the document's canonical JSON: what rankings and leaves cite."""
    return content_hash(canonical_json(document))
