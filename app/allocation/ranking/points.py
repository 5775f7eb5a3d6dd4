"""The points of an offer: whole numbers, one line for each factor.

Their sum is the score.

No factor looks at danger: safety is a rule and a band, and more of it than the policy calls ample
earns nothing. Everything divides downwards (towards less), so that the same inputs give the same
points on every machine.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from app.allocation.ranking.rules import is_own_region
from app.allocation.ranking.safety import DISTANCE_STEP_KM
from app.allocation.shares.shares import NIGHT
from app.allocation.values import Points

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.allocation.policy import policy as policies
    from app.allocation.policy.policy import Policy
    from app.allocation.ranking.case import Case
    from app.allocation.values import PlaceGroup


FACTORS = ("nearness", "fit", "specialism", "headroom", "solidarity", "continuity", "freshness")
"""In the order of an offer's lines. All seven are always there, zeros included."""

NIGHTS_STEP = 30
"""What is said of a region's account is said in steps of so many nights, so that one household does
not show in it."""


def freshness_of(hours: int | None, *, fresh_hours: int) -> str:
    """`unknown` for a site never confirmed, `fresh` up to the policy's hours, then `stale`."""
    if hours is None:
        return "unknown"
    return "fresh" if hours <= fresh_hours else "stale"


def nearness(km: int | None, *, wished: bool, weights: policies.NearnessWeights) -> Points:
    """How near the place is to where the household wants to be near (school, family).

    ``most * (reach - km) / reach``, with km rounded up to a multiple of 5; zero from the reach
    on, without a wish, or where the distance is not known.
    """
    if not wished or km is None:
        return Points("nearness", 0, {"case": "unknown" if wished else "no_wish"})
    km = -(-km // DISTANCE_STEP_KM) * DISTANCE_STEP_KM
    if km >= weights.reach_km:
        return Points("nearness", 0, {"case": "beyond", "km": weights.reach_km})
    return Points(
        "nearness",
        weights.most * (weights.reach_km - km) // weights.reach_km,
        {"case": "within", "km": km},
    )


def fit(
    kind: str, spare: int, scarce: int, unused: int, *, urgency: str, weights: policies.FitWeights
) -> Points:
    """How well the place suits the need, and how little is spent that others may need more.

    ``kinds[urgency][kind] - spare * spare_bed_space - scarce * scarce_feature - unused *
    unused_specialism``, at least zero. *spare*: bed spaces that stay empty. *scarce*: how many of
    the policy's scarce features the place has that nobody asked for. *unused*: 1 where the site
    specialises, and in nothing that this household needs; else 0.
    """
    points = (
        weights.kinds[urgency][kind]
        - spare * weights.spare_bed_space
        - scarce * weights.scarce_feature
        - unused * weights.unused_specialism
    )
    params = {"case": f"{urgency}_{kind}", "spare": spare, "scarce": scarce, "unused": unused}
    return Points("fit", max(0, points), params)


def specialism(matches: int, *, asked: bool, weights: policies.SpecialismWeights) -> Points:
    """How much of what the household has lived through the site specialises in.

    ``match * matches``, at most ``most``: *matches* are the target groups that household and site
    have in common.
    """
    if not asked:
        return Points("specialism", 0, {"case": "not_asked"})
    case = "match" if matches else "no_match"
    return Points(
        "specialism", min(weights.most, matches * weights.match), {"case": case, "matches": matches}
    )


def headroom(
    permille: int | None, *, norm_permille: int, weights: policies.HeadroomWeights
) -> Points:
    """How far the provider's occupancy is under the norm, so that no provider is filled up."""
    if permille is None:
        return Points("headroom", 0, {"case": "unknown"})
    steps = max(0, norm_permille - permille) // weights.step_permille
    if not steps:
        return Points("headroom", 0, {"case": "none"})
    percent = steps * weights.step_permille // 10
    return Points(
        "headroom", min(weights.most, steps * weights.step), {"case": "some", "percent": percent}
    )


def solidarity(
    deficit: int, *, own_region: bool, for_safety: bool, weights: policies.SolidarityWeights
) -> Points:
    """How far the region is under its quota: who has given least goes first.

    ``at_quota + stay * deficit / stay_nights``, the deficit in nights and exact to a millionth, at
    least zero and at most ``most``. Who does not flee adds nothing to that account: a region that
    owes keeps its places for those who do, ``at_quota - stay * deficit / stay_nights``, and one
    that owes nothing has ``at_quota``, for giving more than its part is no reason to be asked for
    more. In the household's own region: ``own_region``, for that asks nothing of another.
    """
    if own_region:
        return Points("solidarity", weights.own_region, {"case": "own_region"})
    if not for_safety:
        deficit = -max(0, deficit)
    points = max(
        0,
        min(
            weights.most, weights.at_quota + weights.stay * deficit // (weights.stay_nights * NIGHT)
        ),
    )
    nights = abs(deficit) // NIGHT // NIGHTS_STEP * NIGHTS_STEP
    if not for_safety:
        return Points("solidarity", points, {"case": "keeps" if nights else "not_shared"})
    if not nights:
        return Points("solidarity", points, {"case": "even"})
    return Points(
        "solidarity", points, {"case": "owes" if deficit > 0 else "gave", "nights": nights}
    )


def continuity(kind: str, *, weights: policies.ContinuityWeights) -> Points:
    """How few moves the household will still have to make.

    ``most - move * later moves``, at least zero; the policy says how many moves each kind of
    place brings.
    """
    moves = weights.later_moves[kind]
    return Points(
        "continuity", max(0, weights.most - moves * weights.move), {"case": "moves", "moves": moves}
    )


def freshness(hours: int | None, *, fresh_hours: int, weights: policies.FreshnessWeights) -> Points:
    """How lately the site's owner confirmed its facts.

    ``most * (worthless_hours - hours) / worthless_hours``, zero from then on or when nobody ever
    did.
    """
    if hours is None:
        return Points("freshness", 0, {"case": "unknown"})
    hours = max(0, hours)
    points = weights.most * max(0, weights.worthless_hours - hours) // weights.worthless_hours
    return Points(
        "freshness", points, {"case": freshness_of(hours, fresh_hours=fresh_hours), "hours": hours}
    )


def points_for(case: Case, policy: Policy) -> Callable[[PlaceGroup], tuple[Points, ...]]:
    """What gives a group its lines, in the order of FACTORS.

    Groups with the same facts share the same line.
    """
    need, situation, weights = case.need, case.situation, policy.points
    scarce_unasked = frozenset(weights.fit.scarce_features) - case.features
    near = cache(
        partial(nearness, wished=need.near_municipality is not None, weights=weights.nearness)
    )
    suited = cache(partial(fit, urgency=need.urgency, weights=weights.fit))
    special = cache(partial(specialism, asked=bool(case.target_groups), weights=weights.specialism))
    roomy = cache(
        partial(headroom, norm_permille=policy.occupancy_norm_permille, weights=weights.headroom)
    )
    fair = cache(partial(solidarity, for_safety=case.for_safety, weights=weights.solidarity))
    lasting = cache(partial(continuity, weights=weights.continuity))
    fresh = cache(partial(freshness, fresh_hours=policy.fresh_hours, weights=weights.freshness))

    def lines(group: PlaceGroup) -> tuple[Points, ...]:
        spare = group.bed_spaces - case.persons
        scarce = len(scarce_unasked.intersection(group.features))
        matches = len(case.target_groups.intersection(group.specialisms))
        unused = int(bool(group.specialisms) and not matches)
        return (
            near(situation.near_km.get(group.municipality)),
            suited(group.kind, spare, scarce, unused),
            special(matches),
            roomy(situation.occupancy.get(group.provider_id)),
            fair(situation.deficits.get(group.region, 0), own_region=is_own_region(group, case)),
            lasting(group.kind),
            fresh(situation.confirmed_hours.get(group.site_id)),
        )

    return lines
