"""Swaps in small drawn worlds, against trying everything.

`rank` says what is lawful there, and what it is worth.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.allocation.ranking.rank import rank
from app.allocation.swaps.joint_swaps import find_joint_swaps
from app.allocation.swaps.moves import FreePlaces, Mover
from app.allocation.swaps.swaps import search
from app.allocation.values import Register
from tests.rounds import rounds
from tests.unit.allocation.cases import FEATURES, POLICY, draw_need, draw_place, draw_situation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.allocation.policy.policy import Policy
    from app.allocation.swaps.swaps import Swap
    from app.allocation.values import Offer, PlaceGroup

Worth = tuple[int, int, int, int]
"""Served, moves, changes of school, points: more is better, so the middle two count down."""


@dataclass(frozen=True)
class Path:
    """Households that move, each to the next one's place, the last to a free or first one."""

    movers: tuple[Mover, ...]
    end: str
    is_cycle: bool

    @property
    def legs(self) -> tuple[tuple[Mover, str], ...]:
        return tuple(
            zip(
                self.movers,
                (*(mover.group_id or "" for mover in self.movers[1:]), self.end),
                strict=True,
            )
        )


@dataclass(frozen=True)
class World:
    """Those who want a place, those who would move, and the places."""

    wanting: tuple[Mover, ...]
    movers: tuple[Mover, ...]
    groups: dict[str, PlaceGroup]
    free: dict[str, int]
    policy: Policy

    @property
    def places(self) -> FreePlaces:
        return FreePlaces(Register(tuple(self.groups.values())), self.free)

    @cached_property
    def offers(self) -> dict[tuple[str, str], Offer]:
        """The lawful groups of each household, by a ranking, were a place there free."""
        return {
            (mover.referral_id, offer.group.id): offer
            for mover in (*self.wanting, *self.movers)
            for group_id in self.groups
            for offer in self._ranked(mover, group_id)
            if offer.group.id == group_id
        }

    def _ranked(self, mover: Mover, group_id: str) -> tuple[Offer, ...]:
        home = self.groups[mover.group_id].site_id if mover.group_id is not None else None
        elsewhere = Register(
            tuple(group for group in self.groups.values() if group.site_id != home)
        )
        situation = replace(mover.situation, free={**self.free, group_id: 1})
        return rank(mover.need, elsewhere, situation, self.policy).offers

    def paths(
        self, first: Mover, others: tuple[Mover, ...], *, legs: range, left: dict[str, int]
    ) -> Iterator[tuple[Path, Worth]]:
        """Every lawful chain and cycle from one household, with its worth, by trying all."""
        for length in legs:
            for met in permutations(others, length - 1):
                ends = [(group_id, False) for group_id, free in left.items() if free]
                if first.group_id is not None and length > 1 and first.group_id not in dict(ends):
                    ends.append((first.group_id, True))
                for end, is_cycle in ends:
                    path = Path((first, *met), end, is_cycle)
                    worth = self.worth(path)
                    if worth is not None:
                        yield path, worth

    def worth(self, path: Path) -> Worth | None:
        served, school, points = 0, 0, 0
        for mover, group_id in path.legs:
            offer = self.offers.get((mover.referral_id, group_id))
            if offer is None:
                return None
            points += offer.score
            if mover in self.wanting:
                served += 1
            elif self.groups[mover.group_id or ""].municipality != offer.group.municipality:
                school += mover.school_children
        return served, -len(path.movers), -school, points

    def best(self, wanting: tuple[Mover, ...], used: frozenset[str], left: dict[str, int]) -> Worth:
        """The most that swaps for some of these can be worth together."""
        if not wanting:
            return 0, 0, 0, 0
        first, *rest = wanting
        best = self.best(tuple(rest), used, left)
        if first.referral_id in used:
            return best
        others = tuple(
            mover
            for mover in (*self.wanting, *self.movers)
            if mover.group_id is not None and mover != first and mover.referral_id not in used
        )
        for path, worth in self.paths(
            first, others, legs=range(1, self.policy.swap_max_legs + 1), left=left
        ):
            more = left if path.is_cycle else {**left, path.end: left[path.end] - 1}
            moved = used.union(mover.referral_id for mover in path.movers)
            following = self.best(tuple(rest), moved, more)
            best = max(best, plus(worth, following))
        return best


def plus(one: Worth, other: Worth) -> Worth:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


ROOMY: dict[str, Any] = {
    "bed_spaces": 6,
    "genders": ("female", "male", "other"),
    "sons_up_to_age": 17,
    "features": FEATURES,
    "exclusive_to": (),
}


def draw(seed: int) -> World:
    random = Random(seed)
    # Roomy places for anybody, so that danger, kind, admission and the site decide, and something
    # is lawful.
    groups = tuple(
        replace(draw_place(random, number), **ROOMY, kind=random.choice(("crisis", "regular")))
        for number in range(random.randint(4, 7))
    )
    register = Register(groups)

    def mover(name: str, *, waits: bool) -> Mover:
        need = replace(
            draw_need(random), target_groups=(), needs=(), barred_providers=(), threat_level=None
        )
        if name.startswith("w") or random.random() < 0.7:
            need = replace(need, urgency="acute", reason="safety")
        home = None if waits else random.choice(groups).id
        return Mover(name, need, draw_situation(random, register), home, random.randint(0, 2))

    return World(
        wanting=tuple(
            mover(f"w{number}", waits=random.random() < 0.5)
            for number in range(random.randint(1, 2))
        ),
        movers=tuple(
            mover(f"m{number}", waits=False) for number in range(random.choice((0, 3, 4, 5)))
        ),
        groups={group.id: group for group in groups},
        free={group.id: random.randint(1, 2) for group in groups if random.random() < 0.2},
        policy=replace(POLICY, swap_max_legs=random.choice((2, 3, 4))),
    )


worlds = st.builds(draw, st.integers(0, 2**32))


def shuffled(world: World, seed: int) -> World:
    random = Random(seed)
    groups, free = [*world.groups.items()], [*world.free.items()]
    random.shuffle(groups)
    random.shuffle(free)
    movers, wanting = (
        random.sample(world.movers, len(world.movers)),
        random.sample(world.wanting, len(world.wanting)),
    )
    return replace(
        world, groups=dict(groups), free=dict(free), movers=tuple(movers), wanting=tuple(wanting)
    )


def key_of(path: Path, worth: Worth) -> tuple[object, ...]:
    """Fewest legs, fewest changes of school, most points.

    Then by ids, a cycle before a free place.
    """
    ids = tuple(mover.referral_id for mover in path.movers)
    return -worth[1], -worth[2], -worth[3], ids, not path.is_cycle, path.end


def as_key(swap: Swap) -> tuple[object, ...]:
    ids = tuple(leg.referral_id for leg in swap.legs)
    return (
        len(swap.legs),
        swap.school_changes,
        -swap.score,
        ids,
        swap.free_group is not None,
        swap.legs[-1].to_group,
    )


@given(worlds, st.integers())
@settings(max_examples=rounds(30, soak=600), deadline=None)
def test_a_search_finds_the_best_swaps_in_order_or_says_rightly_why_there_are_none(
    world: World, seed: int
) -> None:
    first = world.wanting[0]
    longest = world.policy.swap_max_legs

    found = search(first, movers=world.movers, places=world.places, policy=world.policy)

    mixed = shuffled(world, seed)
    assert found == search(first, movers=mixed.movers, places=mixed.places, policy=world.policy)
    world = replace(world, wanting=(first,))
    if any((first.referral_id, group_id) in world.offers for group_id in world.free):
        assert found.why == "free_already"
        return
    # Nobody leaves a place where one like it is free.
    movers = tuple(mover for mover in world.movers if mover.group_id not in world.free)
    paths = list(world.paths(first, movers, legs=range(2, len(movers) + 2), left=world.free))
    allowed = sorted(key_of(path, worth) for path, worth in paths if -worth[1] <= longest)
    assert [as_key(swap) for swap in found.swaps] == allowed[:5]
    fewest = min((-worth[1] for _, worth in paths), default=None)
    lawful = [mover for mover in movers if (first.referral_id, mover.group_id) in world.offers]
    why = "no_willing_household" if not world.movers else "no_free_place_for_them"
    why = "no_lawful_place_among_willing" if world.movers and not lawful else why
    if not found.swaps:
        assert (found.why, found.fewest_legs) == (
            (why, None) if fewest is None else ("longer_than_allowed", fewest)
        )


@given(worlds, st.integers())
@settings(max_examples=rounds(15, soak=300), deadline=None)
def test_no_other_swaps_serve_all_of_them_better(world: World, seed: int) -> None:
    cleared = find_joint_swaps(
        world.wanting, movers=world.movers, places=world.places, policy=world.policy
    )

    mixed = shuffled(world, seed)
    assert cleared == find_joint_swaps(
        mixed.wanting, movers=mixed.movers, places=mixed.places, policy=world.policy
    )
    legs = [leg for swap in cleared.swaps for leg in swap.legs]
    moved = [leg.referral_id for leg in legs]
    wanting = {mover.referral_id for mover in world.wanting}
    assert len(set(moved)) == len(moved)
    assert {*cleared.unserved} == wanting - {*moved}
    assert Counter(swap.free_group for swap in cleared.swaps if swap.free_group) <= Counter(
        world.free
    )
    assert all(len(swap.legs) <= world.policy.swap_max_legs for swap in cleared.swaps)
    school = sum(leg.school_changes for leg in legs)
    reached = (
        len(wanting.intersection(moved)),
        -len(legs),
        -school,
        sum(leg.score for leg in legs),
    )
    assert reached == world.best(world.wanting, frozenset(), world.free)
