"""A peak: many referrals placed together, compared with placing them one by one.

Nothing is taken by a plan. It holds every rule that a ranking holds, for each referral chooses
among its own offers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.allocation.peaks.assignment import Wishes, assign
from app.allocation.ranking.fold import asks_threat_level
from app.allocation.ranking.rank import rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.allocation.policy.policy import Policy
    from app.allocation.values import Need, Offer, Ranking, Register, Situation

MOST = 200
"""How many referrals are placed together at most."""

WEIGHTS: Mapping[str, int] = {"acute": 3, "urgent": 2, "planned": 1}
"""The cost of leaving a household without a place, in units of more than everything else together.

Any falling weights give the same: whatever sets of referrals can be placed together form a matroid,
and there the heaviest set has as many acute ones as any, of those sets as many urgent ones as any,
and so on (Edmonds, 1971).
"""
URGENCIES = tuple(WEIGHTS)

AIMS = (*URGENCIES, "safer", "own_region", "safer_others", "better_known", "points")
"""What a plan is made for, the first before all others."""


# --- who asks for what ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeakChoice:
    """An offer that a referral may have.

    `leaves` when it lies in another region while the own one has something lawful and free: it is
    open to a referral for capacity or by plan only if all of that goes to others.
    `asks` when it is held only once it is known how high the threat is: such an offer counts as
    less than ample, and with no points, so that it stands below the others.
    """

    offer: Offer
    leaves: bool = False
    asks: bool = False

    @property
    def group(self) -> str:
        """The group of places."""
        return self.offer.group.id

    @property
    def score(self) -> int:
        """The points that count."""
        return 0 if self.asks else self.offer.score


@dataclass(frozen=True, slots=True)
class PeakReferral:
    """A referral that takes part.

    `choices` in the order in which it would take them, alone.
    """

    id: str
    urgency: str
    for_safety: bool
    choices: tuple[PeakChoice, ...]
    bands: tuple[str, ...]
    """The policy's."""

    def lesser(self, choice: PeakChoice) -> tuple[int, int, int, int]:
        """How a choice falls short.

        Unsafer than ample, leaving the region, that for others, and of unknown freshness.

        The first counts those who flee for safety, the third everybody else: nobody's safety makes
        way for the rule of the own region, and that rule makes way for nothing else.
        """
        unsafe = int(choice.asks or choice.offer.band != "ample")
        unknown = int("freshness" in self.bands and choice.offer.freshness == "unknown")
        return (
            unsafe * self.for_safety,
            int(choice.leaves),
            unsafe * (not self.for_safety),
            unknown,
        )


def peak_referral(
    id_: str, need: Need, ranking: Ranking, register: Register, situation: Situation, policy: Policy
) -> PeakReferral:
    """A referral, its ranking, and what would open if its own region were full."""
    for_safety = need.reason == "safety"
    choices = _choices(ranking.offers, need)
    if not for_safety and any(not offer.cross_regional for offer in ranking.offers):
        at_home = {group.id for group in register.groups if group.region == need.origin_region}
        free = {group: places for group, places in situation.free.items() if group not in at_home}
        elsewhere = rank(need, register, replace(situation, free=free), policy)
        choices += _choices(elsewhere.offers, need, leaves=True)
    return PeakReferral(id_, need.urgency, for_safety, tuple(choices), policy.bands)


def _choices(offers: Iterable[Offer], need: Need, *, leaves: bool = False) -> list[PeakChoice]:
    choices = [PeakChoice(offer, leaves, asks_threat_level(offer, need)) for offer in offers]
    return sorted(choices, key=lambda choice: choice.asks)


# --- what comes out -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedReferral:
    """A plan's offer for one referral, beside the one of choosing in turn; None for nothing.

    `change` says what differs for it, `because` what that is good for, both as codes; `count` is
    how many households, or points, that is. `after` are the referrals that must have their places
    before this one may leave its region.
    """

    id: str
    choice: PeakChoice | None
    in_turn: PeakChoice | None
    change: str
    because: str | None = None
    count: int = 0
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan has for each, in the order in which they were given.

    And how many that places, by urgency.
    """

    referrals: tuple[PlannedReferral, ...]
    placed: Mapping[str, int] = field(default_factory=dict[str, int])
    placed_in_turn: Mapping[str, int] = field(default_factory=dict[str, int])


def plan(referrals: Sequence[PeakReferral], free: Mapping[str, int]) -> Plan:
    """Place many at once: most of them, the more urgent first.

    Then in the best bands; then with the most points.

    In full: as many acute referrals as can be, then urgent, then planned ones; then the fewest for
    safety who have less than ample room; the fewest for other reasons who leave their region
    although something lawful is free there now; the fewest others with less than ample room; the
    fewest at sites that were never confirmed; the most points. Among equals the one first
    in `referrals` (the waiting list's order) gets what they would take first.

    Nobody leaves their region while something lawful is left there: with them back there more would
    have stayed, and nobody would be worse off by an aim that goes before. `free` is how many places
    of each group are free, exactly.
    """
    together = _together(referrals, free)
    in_turn = _in_turn(referrals, free)
    reasons = _reasons(referrals, together, in_turn)
    planned = [
        PlannedReferral(
            referral.id,
            together[number],
            in_turn[number],
            _change(referral, together[number], in_turn[number]),
            *reasons.get(number, _why_nothing(referral, together[number], in_turn[number])),
            after=_before(number, referrals, together),
        )
        for number, referral in enumerate(referrals)
    ]
    return Plan(tuple(planned), _by_urgency(referrals, together), _by_urgency(referrals, in_turn))


def _together(
    referrals: Sequence[PeakReferral], free: Mapping[str, int]
) -> list[PeakChoice | None]:
    """The assignment, with one whole number a choice for all aims but the first three.

    Each digit's base is one more than that aim's sum over all referrals can be, so no sum carries
    into the next. With 200 referrals and the 7,000 points that a policy can give at most, a whole
    is below 3.5e14, three of them below LARGEST: `assign` refuses what would not be exact.
    """
    scores = [choice.score for referral in referrals for choice in referral.choices]
    highest, spread = max(scores, default=0), max(scores, default=0) - min(scores, default=0)
    for_safety = sum(referral.for_safety for referral in referrals)
    others = len(referrals) - for_safety
    bases = (
        for_safety + 1,
        others + 1,
        others + 1,
        len(referrals) + 1,
        len(referrals) * spread + 1,
    )

    def cost(referral: PeakReferral, choice: PeakChoice) -> int:
        number = 0
        for base, digit in zip(
            bases, (*referral.lesser(choice), highest - choice.score), strict=True
        ):
            number = number * base + digit
        return number

    whole = 1
    for base in bases:
        whole *= base
    asking = [
        Wishes(
            seats=tuple(choice.group for choice in referral.choices),
            costs=tuple(cost(referral, choice) for choice in referral.choices),
            unseated=WEIGHTS[referral.urgency] * whole,
        )
        for referral in referrals
    ]
    seats = assign(asking, free)
    return [
        None if seat is None else referral.choices[seat]
        for referral, seat in zip(referrals, seats, strict=True)
    ]


def _in_turn(referrals: Iterable[PeakReferral], free: Mapping[str, int]) -> list[PeakChoice | None]:
    """What each would take who chooses when those before have chosen."""
    left = Counter(free)
    taken: list[PeakChoice | None] = []
    for referral in referrals:
        choice = next((choice for choice in referral.choices if left[choice.group] > 0), None)
        if choice is not None:
            left[choice.group] -= 1
        taken.append(choice)
    return taken


# --- why it differs -------------------------------------------------------------------


def _change(referral: PeakReferral, choice: PeakChoice | None, in_turn: PeakChoice | None) -> str:
    """What a plan changes for one referral, as a code.

    The first difference in the order of its own ranking.
    """
    if choice is None or in_turn is None:
        return {(True, True): "nothing", (True, False): "passed_over", (False, True): "placed"}[
            choice is None, in_turn is None
        ]
    if choice.group == in_turn.group:
        return "same"
    if choice.leaves != in_turn.leaves:
        return "out_of_region" if choice.leaves else "in_region"
    now, before = referral.lesser(choice), referral.lesser(in_turn)
    if now != before:
        return "lesser_band" if now > before else "better_band"
    if choice.score != in_turn.score:
        return "fewer_points" if choice.score < in_turn.score else "more_points"
    return "equal_offer"


def _why_nothing(
    referral: PeakReferral, choice: PeakChoice | None, in_turn: PeakChoice | None
) -> tuple[str | None, int]:
    """For those who get nothing either way.

    Whether anything was lawful for them at all.
    """
    if choice is not None or in_turn is not None:
        return None, 0
    return ("taken" if referral.choices else "nothing_lawful"), 0


def _reasons(
    referrals: Sequence[PeakReferral],
    together: Sequence[PeakChoice | None],
    in_turn: Sequence[PeakChoice | None],
) -> Mapping[int, tuple[str, int]]:
    """For each referral that a plan changes something for.

    The first aim that is the better for it, and by how much.

    Changes hang together where one takes what another left. What hangs together is better by some
    aim, and worse by none before it: else undoing it would have made a better plan.
    """
    reasons: dict[int, tuple[str, int]] = {}
    for chain in _chains(together, in_turn):
        gains = [0] * len(AIMS)
        for number in chain:
            for sign, choice in ((1, together[number]), (-1, in_turn[number])):
                for aim, value in enumerate(_aims(referrals[number], choice)):
                    gains[aim] += sign * value
        reasons |= dict.fromkeys(chain, _first(gains))
    return reasons


def _chains(
    together: Sequence[PeakChoice | None], in_turn: Sequence[PeakChoice | None]
) -> list[list[int]]:
    """The referrals that a plan changes, those at the same groups of places together."""
    chains: list[tuple[set[str], list[int]]] = []
    for number, pair in enumerate(zip(together, in_turn, strict=True)):
        groups = {choice.group for choice in pair if choice is not None}
        if len({choice and choice.group for choice in pair}) == 1:
            continue
        joined = [chain for chain in chains if not groups.isdisjoint(chain[0])]
        chains = [chain for chain in chains if groups.isdisjoint(chain[0])]
        members = sorted([number, *(member for chain in joined for member in chain[1])])
        chains.append((groups.union(*(chain[0] for chain in joined)), members))
    return [members for _, members in chains]


def _aims(referral: PeakReferral, choice: PeakChoice | None) -> tuple[int, ...]:
    """What a choice does for each of AIMS, more being better."""
    if choice is None:
        return (0,) * len(AIMS)
    placed = (int(referral.urgency == urgency) for urgency in URGENCIES)
    return (*placed, *(-short for short in referral.lesser(choice)), choice.score)


def _first(gains: Sequence[int]) -> tuple[str, int]:
    """The first aim for which there is a gain, as a code, and how much of it.

    There always is one: changes that gain nothing would leave what each took in turn as good, and
    among equals the one that stands first gets what they would take first.
    """
    placed = sum(gains[: len(URGENCIES)])
    if placed:
        return "more_placed", placed
    aim, gain = next((aim, gain) for aim, gain in zip(AIMS, gains, strict=True) if gain)
    return {**dict.fromkeys(URGENCIES, "more_urgent"), "safer_others": "safer"}.get(aim, aim), gain


def _before(
    number: int, referrals: Sequence[PeakReferral], together: Sequence[PeakChoice | None]
) -> tuple[str, ...]:
    """Whose places must be taken before a referral may leave its region.

    All that is lawful for it there.
    """
    choice = together[number]
    if choice is None or not choice.leaves:
        return ()
    at_home = {choice.group for choice in referrals[number].choices if not choice.leaves}
    return tuple(
        referral.id
        for referral, taken in zip(referrals, together, strict=True)
        if taken is not None and taken.group in at_home
    )


def _by_urgency(
    referrals: Iterable[PeakReferral], taken: Iterable[PeakChoice | None]
) -> Mapping[str, int]:
    counted = Counter(
        referral.urgency
        for referral, choice in zip(referrals, taken, strict=True)
        if choice is not None
    )
    return {urgency: counted[urgency] for urgency in URGENCIES}
