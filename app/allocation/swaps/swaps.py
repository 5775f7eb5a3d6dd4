"""Swaps: who could move so that a lawful place comes free for someone in acute danger."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from app.allocation.swaps.moves import LawfulMoves
from app.allocation.swaps.paths import cheapest_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.allocation.policy.policy import Policy
    from app.allocation.swaps.moves import FreePlaces, Mover
    from app.allocation.values import Need, Points

FREE_ALREADY = "free_already"
"""Something lawful is free: nobody has to move."""
NO_WILLING_HOUSEHOLD = "no_willing_household"
"""Nobody in stay has agreed to move."""
NO_LAWFUL_PLACE_AMONG_WILLING = "no_lawful_place_among_willing"
"""Those who would move live nowhere that would be lawful for this household."""
NO_FREE_PLACE_FOR_THEM = "no_free_place_for_them"
"""However many moved, no lawful free place is within reach of those whose places are wanted."""
LONGER_THAN_ALLOWED = "longer_than_allowed"
"""There is a swap, with more legs than the policy allows."""
WHY_NONE = (
    FREE_ALREADY,
    NO_WILLING_HOUSEHOLD,
    NO_LAWFUL_PLACE_AMONG_WILLING,
    NO_FREE_PLACE_FOR_THEM,
    LONGER_THAN_ALLOWED,
)
"""Every reason why a search finds nothing."""

BEST_FEW = 5
"""How many swaps a search gives when nobody says otherwise: as many as a worker can weigh at
night."""

SCHOOL = 1_000_000
"""What one child's change of school costs in points, more than all legs of a swap can score: a
factor gives at most 1,000 points, and a swap has at most 6 legs."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One household's move; `from_group` is None for one that waits.

    `band`, `points` and `score` are what a ranking would give, were the place free;
    `school_changes` counts children.
    """

    referral_id: str
    from_group: str | None
    to_group: str
    band: str
    points: tuple[Points, ...]
    score: int
    school_changes: int


@dataclass(frozen=True, slots=True)
class Swap:
    """Moves that depend on each other.

    Each leg but the last goes to the place that the next one leaves.

    The first leg is that of a referral that wants a place. The last goes to a place in
    `free_group`, one of the free ones; None in a cycle, where it goes to the place that the first
    one leaves.
    """

    legs: tuple[Leg, ...]
    free_group: str | None

    @property
    def school_changes(self) -> int:
        """How many children change school for another household's sake."""
        return sum(leg.school_changes for leg in self.legs)

    @property
    def score(self) -> int:
        """The points of all legs."""
        return sum(leg.score for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """How many willing households' places this rule is the first to exclude."""

    rule: str
    households: int


@dataclass(frozen=True, slots=True)
class Search:
    """The best swaps, best first, or none and why.

    `why` is one of WHY_NONE when there are none. With `longer_than_allowed`, `fewest_legs` is that
    of the shortest. With `no_lawful_place_among_willing`, `in_the_way` has the rules, those most
    often in the way first. The needs of the willing are nobody else's business: no rule in *their*
    way is ever told.
    """

    swaps: tuple[Swap, ...]
    why: str | None
    fewest_legs: int | None = None
    in_the_way: tuple[Obstacle, ...] = ()


def may_search(need: Need) -> bool:
    """Others are asked to move only for someone in acute danger (docs/design.md, section 5)."""
    return need.urgency == "acute" and need.reason == "safety"


def search(
    wanting: Mover,
    *,
    movers: Iterable[Mover],
    places: FreePlaces,
    policy: Policy,
    most: int = BEST_FEW,
) -> Search:
    """The best swaps that bring a lawful place free for one referral, at most `most`.

    Best is: fewest legs (at most the policy's), then fewest children who change school, then most
    points, then the referrals' and groups' ids. Exact: no better swap exists than the first, nor
    between two that follow each other. `movers` are those in stay who agreed to move; `wanting`
    itself is overlooked among them. It may live somewhere that is no longer safe: then cycles
    through its own place count too.

    Raises:
        ValueError: when the referral is not one that may search, or a mover waits or stands among
        them twice.
    """
    if not may_search(wanting.need):
        raise ValueError("others are asked to move only for someone in acute danger")
    field = _Field(wanting, movers, places, policy)
    if field.ends(0):
        return Search((), FREE_ALREADY)
    swaps: list[Swap] = []
    for legs in range(2, policy.swap_max_legs + 1):
        paths = cheapest_paths(0, steps=legs, onward=field.onward, ends=field.ends)
        swaps += [field.swap(path) for path in islice(paths, most - len(swaps))]
    return Search(tuple(swaps), why=None) if swaps else _why_none(field)


class _Field:
    """The search as a graph.

    The one who wants a place is 0, then the movers, then the groups with a free place.
    """

    def __init__(
        self, wanting: Mover, movers: Iterable[Mover], places: FreePlaces, policy: Policy
    ) -> None:
        self.households = (wanting, *in_stay(movers, but_for={wanting.referral_id}))
        self.moves = LawfulMoves(self.households, places, policy)
        self._free = {
            group_id: vertex
            for vertex, group_id in enumerate(self.moves.free, start=len(self.households))
        }
        self._group_of = {vertex: group_id for group_id, vertex in self._free.items()}
        self._living_in: defaultdict[str | None, list[int]] = defaultdict(list)
        for vertex, household in enumerate(self.households[1:], start=1):
            self._living_in[household.group_id].append(vertex)
        self._onward: dict[int, list[tuple[int, int]]] = {}
        self._ends: dict[int, list[tuple[int, int]]] = {}

    def onward(self, vertex: int) -> Sequence[tuple[int, int]]:
        """Whose place this household could take, and the cost.

        Nobody's where one like it is free.
        """
        if vertex not in self._onward:
            self._onward[vertex] = [
                (other, cost)
                for group_id, cost in self._costs(vertex)
                if group_id not in self._free
                for other in self._living_in[group_id]
                if other != vertex
            ]
        return self._onward[vertex]

    def ends(self, vertex: int) -> Sequence[tuple[int, int]]:
        """Which free place, or which seeker's place, it could take, and the cost."""
        if vertex not in self._ends:
            home = self.households[0].group_id
            last = {home: 0, **self._free} if home is not None else self._free
            self._ends[vertex] = [
                (last[group_id], cost) for group_id, cost in self._costs(vertex) if group_id in last
            ]
        return self._ends[vertex]

    def swap(self, path: tuple[int, ...]) -> Swap:
        """The path as legs."""
        *leaving, last = path
        targets = [self.households[vertex].group_id for vertex in leaving[1:]]
        targets.append(self._group_of.get(last, self.households[0].group_id))
        legs = tuple(
            leg_of(self.households[vertex], group_id, self.moves, counts=vertex != 0)
            for vertex, group_id in zip(leaving, targets, strict=True)
            if group_id is not None
        )
        return Swap(legs, self._group_of.get(last))

    def _costs(self, vertex: int) -> list[tuple[str, int]]:
        """What each of a household's moves costs."""
        household = self.households[vertex]
        return [
            (
                group_id,
                SCHOOL * (self.moves.changes_school(household, group_id) if vertex else 0)
                - move.score,
            )
            for group_id, move in self.moves.of(household).items()
        ]


def in_stay(movers: Iterable[Mover], *, but_for: set[str]) -> tuple[Mover, ...]:
    """The movers by id, but for those whose own search this is.

    Raises:
        ValueError: when one of them waits, or stands among them twice.
    """
    found = sorted(
        (mover for mover in movers if mover.referral_id not in but_for),
        key=lambda mover: mover.referral_id,
    )
    if any(mover.group_id is None for mover in found):
        raise ValueError("a household that waits has no place to give")
    if len({mover.referral_id for mover in found}) != len(found):
        raise ValueError("a household stands among the movers twice")
    return tuple(found)


def leg_of(household: Mover, group_id: str, moves: LawfulMoves, *, counts: bool) -> Leg:
    """The household's move to a group.

    Its children's change of school counts when it moves for another household.
    """
    move = moves.of(household)[group_id]
    return Leg(
        referral_id=household.referral_id,
        from_group=household.group_id,
        to_group=group_id,
        band=move.band,
        points=move.points,
        score=move.score,
        school_changes=moves.changes_school(household, group_id) if counts else 0,
    )


def _why_none(field: _Field) -> Search:
    """What a search that found nothing says.

    The first thing that is in the way, and no more than that.
    """
    wanting, *willing = field.households
    if not willing:
        return Search((), NO_WILLING_HOUSEHOLD)
    if not field.onward(0):
        homes = [household.group_id for household in willing if household.group_id is not None]
        rules = Counter(field.moves.in_the_way(wanting, homes))
        obstacles = sorted(rules.items(), key=lambda found: (-found[1], found[0]))
        return Search(
            (),
            NO_LAWFUL_PLACE_AMONG_WILLING,
            in_the_way=tuple(Obstacle(*found) for found in obstacles),
        )
    fewest = _fewest_legs(field)
    if fewest is None:
        return Search((), NO_FREE_PLACE_FOR_THEM)
    return Search((), LONGER_THAN_ALLOWED, fewest_legs=fewest)


def _fewest_legs(field: _Field) -> int | None:
    """How many legs the shortest swap has, however long; None without one.

    A shortest walk meets nobody twice.
    """
    seen, reached, legs = {0}, [0], 1
    while reached:
        following = {other for vertex in reached for other, _ in field.onward(vertex)} - seen
        legs += 1
        if any(field.ends(vertex) for vertex in following):
            return legs
        seen |= following
        reached = sorted(following)
    return None
