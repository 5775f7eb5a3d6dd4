"""The policy: all numbers that people decide on, as one versioned document with a hash."""

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import methodcaller
from typing import Annotated, TypeAlias, cast

from pydantic import AfterValidator, PlainSerializer, PlainValidator

from app.allocation.policy.documents import (
    Consistent,
    Contradiction,
    Unreadable,
    canonical_json,
    content_hash,
    limit,
    read,
)
from app.allocation.values import KINDS_FOR_URGENCY

BANDS = ("safety", "freshness")
"""What the order can be banded by, in the only order allowed: nothing goes before safety."""

WAITING = ("urgency", "threat", "children", "time")
"""What the waiting list can be ordered by."""


class PolicyFaults(Unreadable):
    """A document that is not a policy, with everything that is wrong with it."""


# --- what single fields may hold ------------------------------------------------------


def _number_between(least: int, most: int, *, step: int = 1) -> AfterValidator:
    """A whole number from `least` to `most`, and a multiple of `step`."""
    multiple = f" and a multiple of {step}" if step > 1 else ""
    return limit(
        lambda number: least <= number <= most and number % step == 0,
        f"must be from {least} to {most}{multiple}",
    )


def _text_like(form: str) -> AfterValidator:
    """A text in the form of a regular expression."""
    return limit(lambda text: re.fullmatch(form, text), f"must have the form {form}")


def _day_or_moment(value: object) -> dt.date:
    for kind in (dt.date, dt.datetime):
        try:
            found = kind.fromisoformat(cast("str", value))
        except (TypeError, ValueError):
            continue
        if not isinstance(found, dt.datetime) or found.utcoffset() is not None:
            return found
    raise ValueError("must be a day, as 2026-01-31, or a moment, as 2026-01-31T12:00:00+00:00")


DayOrMoment: TypeAlias = Annotated[
    dt.date | dt.datetime,
    PlainValidator(_day_or_moment),
    PlainSerializer(methodcaller("isoformat")),
    limit(lambda day: 2000 <= day.year <= 2100, "must lie in the years 2000 to 2100"),  # noqa: PLR2004 - as it says
]
"""A day, or a moment with its offset from UTC."""

Most = Annotated[int, _number_between(0, 1000)]
"""The most points that a factor can give."""
Each = Annotated[int, _number_between(0, 1000)]
"""Points given or taken for each of something."""
Code = Annotated[str, _text_like("[a-z][a-z0-9_]{0,63}")]
Km = Annotated[int, _number_between(0, 500)]
Minutes = Annotated[int, _number_between(1, 10_080)]
Hours = Annotated[int, _number_between(1, 720)]
Days = Annotated[int, _number_between(1, 3660)]
Age = Annotated[int, _number_between(0, 25)]
Bands = Annotated[
    tuple[str, ...],
    limit(lambda bands: bands in {BANDS[:1], BANDS}, f"must be {[*BANDS[:1]]} or {[*BANDS]}"),
]
Radii = Annotated[
    tuple[Km, ...],
    limit(
        lambda radii: radii and list(radii) == sorted(set(radii)), "must ascend, and not be empty"
    ),
]
WaitingOrder = Annotated[
    tuple[str, ...],
    limit(
        lambda names: names and len(set(names)) == len(names) and set(names) <= set(WAITING),
        f"must be of {[*WAITING]}, each at most once",
    ),
]


# --- what the points are made with (formulas: points.py) ------------------------------


@dataclass(frozen=True, slots=True)
class NearnessWeights:
    """`most` points next to the place that the household wants near, none from `reach_km` on."""

    most: Most
    reach_km: Annotated[int, _number_between(5, 1000, step=5)]


@dataclass(frozen=True, slots=True)
class FitWeights(Consistent):
    """Points for each kind of place by urgency, less what the household would not need."""

    kinds: Mapping[str, Mapping[str, Most]]
    spare_bed_space: Each
    scarce_feature: Each
    unused_specialism: Each
    scarce_features: tuple[Code, ...]

    def contradictions(self) -> Iterator[Contradiction]:
        """Every urgency has points for its own kinds, and for no other."""
        for urgency in sorted(KINDS_FOR_URGENCY.keys() | self.kinds.keys()):
            kinds = sorted(KINDS_FOR_URGENCY.get(urgency, ()))
            if sorted(self.kinds.get(urgency, ())) != kinds:
                yield ("kinds", urgency), f"must have points for {kinds}"


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
    step_permille: Annotated[int, _number_between(10, 1000, step=10)]


@dataclass(frozen=True, slots=True)
class SolidarityWeights(Consistent):
    """Points by how far a region is under its quota.

    `at_quota`, and `stay` for each stay.
    """

    most: Most
    at_quota: Most
    stay: Each
    own_region: Most
    stay_nights: Annotated[int, _number_between(1, 3660)] = 90
    """How many nights of difference count as one stay."""
    nights_ahead: Annotated[int, _number_between(0, 3660)] = 30
    """How many nights of the stays that are running count beforehand."""

    def contradictions(self) -> Iterator[Contradiction]:
        """No region starts beyond the most."""
        for name in ("at_quota", "own_region"):
            if getattr(self, name) > self.most:
                yield (name,), f"must be at most {self.most}, the most points of this factor"


@dataclass(frozen=True, slots=True)
class ContinuityWeights(Consistent):
    """`most` points, less `move` for each later move that the kind of place brings."""

    most: Most
    move: Each
    later_moves: Mapping[str, Annotated[int, _number_between(0, 9)]]

    def contradictions(self) -> Iterator[Contradiction]:
        """Every kind that can be offered says how many moves it brings."""
        offered = sorted({kind for kinds in KINDS_FOR_URGENCY.values() for kind in kinds})
        if sorted(self.later_moves) != offered:
            yield ("later_moves",), f"must name {offered}"


@dataclass(frozen=True, slots=True)
class FreshnessWeights:
    """`most` points for a site confirmed within the hour, none from `worthless_hours` on."""

    most: Most
    worthless_hours: Annotated[int, _number_between(1, 8760)]


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


# --- whom the weekly review names (figures/review.py) -----------------------------------

Count = Annotated[int, _number_between(1, 100_000)]

RETIRED: Mapping[str, Collection[str]] = {
    "review": (
        "rankings_without_hold",
        "zone_changes",
        "reveals",
        "same_referral",
        "odd_hour_looks",
        "budget_raises",
        "odd_from_hour",
        "odd_until_hour",
    )
}
"""Fields of earlier policies that decide nothing any more: rankings cite those, so that they are
still read."""


@dataclass(frozen=True, slots=True)
class ReviewLimits:
    """From where on an account's week is so unlike others that someone should ask why."""

    factor: Annotated[int, _number_between(1, 100)] = 3
    """How many times what is usual, at the desk or in the country, does not count."""
    floor: Count = 300
    """The points of what is beyond that from which an account is named; a ranking without an
    outcome has 10."""
    consented_on: dt.date | None = None
    """Since when the works councils agree that staff are reviewed; none: nothing is reviewed."""


# --- what one account and one desk may do alone (budgets.sql) ---------------------------


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much an account may do before it raises its budgets, or a colleague does."""

    referrals: Count = 30
    """New ones by an account in a day."""
    rankings: Count = 100
    """By an account in a day, of those that showed an offer of another provider."""
    holds: Count = 8
    """Live ones of an account on places of other providers."""
    desk_holds: Count = 16
    """Likewise, of a desk."""
    confidential_sites: Count = 10
    """Of other providers, whose addresses an account may see in a week."""
    raise_hours: Hours = 12
    """For how long raised budgets are doubled."""


# --- the policy -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Policy(Consistent):
    """All numbers that people decide on; a ranking cites them by their hash."""

    version: Annotated[str, _text_like("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")]
    valid_from: DayOrMoment
    """When it takes effect: at the first moment of a day, as the country's clocks have it, or at a
    moment."""
    bands: Bands
    ample_margin_km: Km
    radii_km: Radii
    unassessed_radius_km: Km
    answer_minutes: Minutes
    hold_minutes: Minutes
    renewals: Annotated[int, _number_between(0, 20)]
    ranking_minutes: Minutes
    fresh_hours: Annotated[int, _number_between(1, 8760)]
    availability_step_minutes: Minutes
    emergency_nights: Annotated[int, _number_between(1, 31)]
    occupancy_norm_permille: Annotated[int, _number_between(1, 1000)]
    swap_max_legs: Annotated[int, _number_between(2, 6)]
    opening_delay_days: Annotated[int, _number_between(0, 3660)]
    points: FactorWeights
    quarter_grace_days: Annotated[int, _number_between(0, 366)] = 14
    """How long after a quarter its totals are sealed: what is noted late is in by then."""
    retention_days: Annotated[int, _number_between(1, 3660)] = 365
    """How long after departure, withdrawal or erasure's last reason a referral's content is
    kept."""
    rankings_per_hour: Annotated[int, _number_between(1, 1000)] = 30
    """Of one referral."""
    reveals_per_hour: Annotated[int, _number_between(1, 1000)] = 20
    """By one account."""
    break_glass_minutes: Minutes = 60
    second_factor_minutes: Minutes = 120
    """For how long a second factor that was proved counts, for addresses and budgets."""
    address_hours: Hours = 24
    """For how long after an arrival the sender may see the address."""
    budgets: Budgets = Budgets()
    independence_days: Annotated[int, _number_between(0, 3660)] = 7
    """How long an account approves no site of a provider whose coordinator invited or reset it, or
    gave it its role."""
    approval_hours: Hours = 24
    """Within how long a proposed site, or a change of one, is approved or rejected."""
    account_change_hours: Annotated[int, _number_between(24, 336)] = 24
    """How long an administrator's act on an account at a provider waits, so that it can be refused
    there; never less than a day, as administrators publish policies."""
    vouched_hours: Annotated[int, _number_between(1, 14)] = 10
    """How long a session lasts that a colleague vouched for: a shift."""
    new_site_days: Annotated[int, _number_between(0, 3660)] = 30
    """How long a site that was approved, or has moved, is shown as new."""
    acceptance_minutes: Minutes = 30
    """How long a person's acceptance of a household may be declined after all."""
    decline_hours: Hours = 24
    """How long a decline for want of staff or of a place keeps the site from being offered."""
    reopening_days: Days = 30
    """How long a referral that was closed may be opened again."""
    arrival_back_hours: Hours = 48
    """How far back an arrival may be dated."""
    review: ReviewLimits = ReviewLimits()
    waiting_order: WaitingOrder = WAITING
    """By what the waiting list is ordered, the first before all others; who waits longest goes
    first among equals."""
    safety_plan_hours: Hours = 24
    """How long a referral may be open before a safety plan is asked for."""
    alternative_check_hours: Hours = 24
    """How often the responsible provider makes sure that a household in an alternative is well."""
    arrival_alarm_minutes: Minutes = 120
    """How long after a household was expected (else confirmed, or a no-show) both sides are told to
    look for it."""
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

    blank_minutes: Annotated[int, _number_between(1, 240)] = 5
    """After how long a screen that nobody touches goes blank."""
    session_idle_minutes: Annotated[int, _number_between(1, 480)] = 30
    """After how long a session ends in which nobody did anything."""
    session_hours: Annotated[int, _number_between(1, 168)] = 12
    """How long a session lasts however busy it is."""

    def is_new(self, approved_at: dt.datetime | None, *, at: dt.datetime) -> bool:
        """Whether a site that was approved at a moment, or moved then, is shown as new."""
        return approved_at is not None and approved_at > at - dt.timedelta(days=self.new_site_days)

    def contradictions(self) -> Iterator[Contradiction]:
        """Check that the default radius is a choice and every span ends after it begins."""
        if self.unassessed_radius_km not in self.radii_km:
            yield ("unassessed_radius_km",), "must be one of radii_km"
        if self.session_idle_minutes < self.blank_minutes:
            yield ("session_idle_minutes",), "must not be below blank_minutes"
        if self.school_until_age < self.school_from_age:
            yield ("school_until_age",), "must not be below school_from_age"


def parse_policy(document: object) -> Policy:
    """The policy that a JSON document states.

    Raises:
        PolicyFaults: with every fault, by JSON pointer.
    """
    try:
        return read(Policy, _without_retired(document))
    except Unreadable as unreadable:
        raise PolicyFaults(unreadable.faults) from None


def _without_retired(document: object) -> object:
    if not isinstance(document, dict):
        return document
    stated = cast("dict[str, object]", document)
    return {
        name: {
            field: value
            for field, value in cast("dict[str, object]", section).items()
            if field not in RETIRED[name]
        }
        if name in RETIRED and isinstance(section, dict)
        else section
        for name, section in stated.items()
    }


def policy_hash(document: object) -> str:
    """`sha256:` and the hash of the document's canonical JSON.

    What rankings and leaves cite.
    """
    return content_hash(canonical_json(document))
