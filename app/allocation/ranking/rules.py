"""The hard rules, in the design's order: each admits a group of places or excludes it.

In the order of docs/design.md, section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.allocation.ranking.case import Case
    from app.allocation.values import PlaceGroup

Rule: TypeAlias = "Callable[[PlaceGroup, Case], bool]"
"""True when the rule has nothing against these places for this household."""


def kind(group: PlaceGroup, case: Case) -> bool:
    """The kind of place answers the urgency; alternative places answer none.

    Source: docs/design.md, section 5 (acute: crisis, emergency, regular; urgent: crisis, regular;
    planned: regular, move-on).
    """
    return group.kind in case.kinds


def free(group: PlaceGroup, case: Case) -> bool:
    """One of the places is free now.

    Source: docs/design.md, section 6, invariant 1: a place has at most one live claim.
    """
    return case.situation.free.get(group.id, 0) > 0


def admission(group: PlaceGroup, case: Case) -> bool:  # noqa: ARG001 - the same for everyone
    """The site admits people now; it may have paused, for want of staff.

    Source: docs/design.md, section 5 (open now, or paused: staffing).
    """
    return group.admission == "open"


def size(group: PlaceGroup, case: Case) -> bool:
    """Everyone has a bed: a place holds one household, and a household is not split.

    Source: docs/design.md, section 3 (bed spaces: persons a place sleeps).
    """
    return group.bed_spaces >= case.persons


def household(group: PlaceGroup, case: Case) -> bool:
    """The place admits every adult's gender, and every son at his age.

    A child of unknown gender may be a son, and one of unknown age may be 17: the unknown is never
    lawful by assumption. Source: docs/design.md, section 5 (genders, sons' upper age, per place).
    """
    return case.genders.issubset(group.genders) and case.oldest_son <= group.sons_up_to_age


def exclusive(group: PlaceGroup, case: Case) -> bool:
    """A site only for certain target groups admits only them.

    Source: docs/design.md, section 5. Other specialisms add points and never exclude; residence
    status never excludes.
    """
    return not group.exclusive_to or not case.target_groups.isdisjoint(group.exclusive_to)


def features(group: PlaceGroup, case: Case) -> bool:
    """Whether the place and its site have everything asked for as a need.

    Pets ask for a place that admits pets. Source: docs/design.md, section 5; API, `needs` of a
    referral.
    """
    return (
        case.features.issubset(group.features)
        and (not case.needs_confidential_address or group.address_secrecy == "confidential")
        and (not case.needs_supervision_24h or group.supervision == "24h")
    )


def secrecy(group: PlaceGroup, case: Case) -> bool:
    """At the highest threat level nobody goes to an openly known address.

    Source: docs/design.md, section 5.
    """
    return not case.at_highest_threat or group.address_secrecy != "known"


def danger(group: PlaceGroup, case: Case) -> bool:
    """The site's municipality keeps clear of every danger zone: see safety.py.

    Source: docs/design.md, section 5 (clearance at least the zone's radius; a zone's own
    municipality is never lawful).
    """
    return group.municipality in case.rooms


def barred(group: PlaceGroup, case: Case) -> bool:
    """The provider is not barred for this household.

    Source: docs/design.md, section 5; API, `barredProviders` of a referral.
    """
    return group.provider_id not in case.barred


def declined(group: PlaceGroup, case: Case) -> bool:
    """The site has not declined this referral already.

    Source: docs/design.md, section 5.
    """
    return group.site_id not in case.situation.declined_sites


def cap(group: PlaceGroup, case: Case) -> bool:
    """The region's cap is not reached.

    It bounds what a region takes from others, and never for safety.

    Source: docs/design.md, section 5 (for capacity and planned reasons only: a cap never excludes
    a referral for safety).
    """
    return (
        case.for_safety
        or is_own_region(group, case)
        or group.region not in case.situation.capped_regions
    )


def is_own_region(group: PlaceGroup, case: Case) -> bool:
    """The place is in the region that the household comes from."""
    return group.region == case.need.origin_region


def own_region_goes_first(lawful: list[PlaceGroup], case: Case) -> bool:
    """Whether `own_region_first` applies.

    A lawful, free place in the own region goes first.

    For every reason but safety. Source: docs/design.md, section 5 (a capacity or planned referral
    leaves its region only when nothing lawful is free there).
    """
    return not case.for_safety and any(is_own_region(group, case) for group in lawful)


RULES: tuple[Rule, ...] = (
    kind,
    free,
    admission,
    size,
    household,
    exclusive,
    features,
    secrecy,
    danger,
    barred,
    declined,
    cap,
)
"""In the order in which the first one in the way is named.

The names of the functions are the codes on the wire.
"""

OWN_REGION_FIRST = "own_region_first"
"""The code of the last rule, which looks at all groups that passed the others."""

CODES = (*(rule.__name__ for rule in RULES), OWN_REGION_FIRST)
"""Every rule's code, in order."""

OF_THE_DAY = frozenset({"free", "admission", "declined", "cap", OWN_REGION_FIRST})
"""Rules that say nothing about whether a region could have given this household a place."""

LASTING_RULES = (
    danger,
    *(rule for rule in RULES if rule.__name__ not in OF_THE_DAY and rule is not danger),
)
"""The other rules; the quickest one, which keeps most places away, is asked first."""

RULES_WHEN_FREE = tuple(rule for rule in RULES if rule is not free)
"""What must hold of a place that will come free: all the rest."""


def first_against(group: PlaceGroup, case: Case, *, rules: tuple[Rule, ...] = RULES) -> str | None:
    """The code of the first rule in the way of these places.

    None if they pass them all.
    """
    for rule in rules:
        if not rule(group, case):
            return rule.__name__
    return None


def all_against(group: PlaceGroup, case: Case) -> Iterator[str]:
    """The codes of all the rules but `free` in the way of these places, in order."""
    return (rule.__name__ for rule in RULES_WHEN_FREE if not rule(group, case))


def would_do(group: PlaceGroup, case: Case) -> bool:
    """These places would do for this household, whatever is free or open today."""
    return first_against(group, case, rules=LASTING_RULES) is None
