"""What is shown of a ranking: one offer for all free places of a provider that are alike.

A place that is taken or comes free shows only where it is the last, or the least, of its offer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from app.allocation.ranking.case import features_asked_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.allocation.values import Need, Offer, PlaceGroup, Points, Ranking

Traits: TypeAlias = "tuple[str | bool, ...]"
"""What places have in common that are offered as one, whatever their bands are."""

FOR_CHILDREN = frozenset({"children_programme", "cots", "school_near"})
"""The features that are shown unasked where there are children, or one is expected."""

FRESHEST = ("fresh", "stale", "unknown")

NEVER = 1 << 30
"""Hours: longer ago than any confirmation."""

_Standing: TypeAlias = "tuple[bool, bool, bool, Traits]"
"""What the places of an offer have in common: whether it is held only with an answer, whether it is
less than ample, or of unknown freshness; and their traits."""


@dataclass(frozen=True, slots=True)
class FoldedOffer:
    """All offers of one provider in one region that are alike, as one.

    They have in common their kind, sharing, supervision, secrecy, bands and way of acceptance;
    all else is the least that any of them has, factor by factor. So whichever place is taken is no
    less than what was shown.

    Attributes:
        places: the offers behind it, in the order in which they are to be taken.
        rank: where it stands among all folded offers.
        features: those that matter to this household and that every place has, in order.
        asks_threat_level: whether its address is openly known while it is not known how far that
        matters: it stands below all others and is held only with the answer.
    """

    places: tuple[Offer, ...]
    rank: int
    score: int
    points: tuple[Points, ...]
    clearance_km: int | None
    margin_km: int | None
    freshness: str
    features: tuple[str, ...]
    asks_threat_level: bool

    @property
    def first(self) -> Offer:
        """The offer whose place is taken first; what all have in common can be read from it."""
        return self.places[0]

    @property
    def provider_in_region(self) -> tuple[str, str]:
        """Whose it is, and where."""
        return self.first.group.provider_id, self.first.group.region


def fold_offers(ranking: Ranking, need: Need, *, bands: Sequence[str]) -> tuple[FoldedOffer, ...]:
    """A ranking's offers, folded, in order.

    They stand by the policy's `bands`, then by the points that all places have. Openly known
    addresses go last as long as the threat level is not known. Source: docs/design.md, section 5
    (what is shown of a ranking is folded).
    """
    known_first = "freshness" in bands
    alike: defaultdict[_Standing, list[Offer]] = defaultdict(list)
    for offer in ranking.offers:
        alike[_standing(offer, need, known_first=known_first)].append(offer)
    features = _features_shown(need)
    scored = [
        ((*standing[:3], -sum(line.points for line in points), standing[3]), points, offers)
        for standing, offers in alike.items()
        for points in (_least_points(offers),)
    ]
    scored.sort(key=lambda entry: entry[0])
    return tuple(
        FoldedOffer(
            places=tuple(offers),
            rank=rank,
            score=-standing[3],
            points=points,
            clearance_km=_least_km([offer.clearance_km for offer in offers]),
            margin_km=_least_km([offer.margin_km for offer in offers]),
            freshness=max((offer.freshness for offer in offers), key=FRESHEST.index),
            features=tuple(
                sorted(features.intersection(*(offer.group.features for offer in offers)))
            ),
            asks_threat_level=standing[0],
        )
        for rank, (standing, points, offers) in enumerate(scored, start=1)
    )


def first_providers(folded: Sequence[FoldedOffer], *, most: int) -> tuple[FoldedOffer, ...]:
    """The offers of the first providers in regions, so many of them, in order."""
    shown = list(dict.fromkeys(offer.provider_in_region for offer in folded))[:most]
    return tuple(offer for offer in folded if offer.provider_in_region in shown)


def asks_threat_level(offer: Offer, need: Need) -> bool:
    """Whether an offer is held only once it is known how high the threat is.

    Source: docs/design.md, section 5 (the threat level is one question).
    """
    return need.threat_level is None and offer.group.address_secrecy == "known"


def traits_of(group: PlaceGroup) -> Traits:
    """What a group of places has in common with those that are offered with it."""
    return (
        group.provider_id,
        group.region,
        group.kind,
        group.sharing,
        group.supervision,
        group.address_secrecy,
        group.automatic_acceptance,
    )


def _standing(offer: Offer, need: Need, *, known_first: bool) -> _Standing:
    unknown = known_first and offer.freshness == "unknown"
    return asks_threat_level(offer, need), offer.band != "ample", unknown, traits_of(offer.group)


def _features_shown(need: Need) -> frozenset[str]:
    household = need.household
    of_children = FOR_CHILDREN if household.children or household.pregnant else frozenset[str]()
    return features_asked_for(need) | of_children


def _least_points(offers: Sequence[Offer]) -> tuple[Points, ...]:
    if len(offers) == 1:
        return offers[0].points
    return tuple(
        min(lines, key=lambda line: (line.points, -int(line.params.get("hours", NEVER))))
        for lines in zip(*(offer.points for offer in offers), strict=True)
    )


def _least_km(km: Sequence[int | None]) -> int | None:
    return min((each for each in km if each is not None), default=None)
