"""Several referrals in acute danger at once.

The swaps that together serve them best.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.allocation.swaps.exchange import best_packing
from app.allocation.swaps.graphs import Graph
from app.allocation.swaps.moves import LawfulMoves
from app.allocation.swaps.swaps import Swap, in_stay, leg_of, may_search

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.allocation.policy.policy import Policy
    from app.allocation.swaps.moves import FreePlaces, Mover


@dataclass(frozen=True, slots=True)
class JointSwaps:
    """The swaps, by the referral of their first leg, and the referrals that no swap serves.

    A swap of a single leg is a free place that nobody has to leave. A cycle, or a chain through
    a household that wants a place and has one, may serve several.
    """

    swaps: tuple[Swap, ...]
    unserved: tuple[str, ...]


def find_joint_swaps(
    wanting: Iterable[Mover], *, movers: Iterable[Mover], places: FreePlaces, policy: Policy
) -> JointSwaps:
    """The swaps that serve most of those who want a place.

    Of all choices that serve as many, the one with the fewest moves; of these, with the fewest
    children who change school for another household's sake; of these, with the most points. Exact
    (exchange.py); a swap has at most the policy's legs, a household moves once, and a place is
    given once.

    `wanting` are in acute danger; some of them may live somewhere that is no longer safe. `movers`
    are those in stay who agreed to move; those who want a place are overlooked among them.

    Raises:
        ValueError: when a referral is not one that may search, or a mover waits or stands among
        them twice. Unproven: when HiGHS gives no proof that nothing is better.
    """
    first = tuple(sorted(wanting, key=lambda mover: mover.referral_id))
    wanted_by = {mover.referral_id for mover in first}
    if len(wanted_by) != len(first) or not all(may_search(mover.need) for mover in first):
        raise ValueError("others are asked to move once, and only for someone in acute danger")
    households = (*first, *in_stay(movers, but_for=wanted_by))
    moves = LawfulMoves(households, places, policy)
    graph = _graph(households, moves, wanting=len(first))
    packing = best_packing(graph, max_cycle=policy.swap_max_legs, max_chain=policy.swap_max_legs)
    free = dict(enumerate(moves.free, start=len(households)))
    paths = [*packing.chains, *((*cycle, cycle[0]) for cycle in packing.cycles)]
    swaps = tuple(
        _swap(path, households, moves, free, wanting=len(first)) for path in sorted(paths)
    )
    served = {leg.referral_id for swap in swaps for leg in swap.legs}
    return JointSwaps(swaps, tuple(sorted(wanted_by - served)))


def _graph(households: tuple[Mover, ...], moves: LawfulMoves, *, wanting: int) -> Graph:
    """Seekers first, then the other households, then the groups with a free place."""
    arcs = sorted(_arcs(households, moves, wanting=wanting))
    columns = np.array(arcs, dtype=np.int64).reshape(-1, 6).T
    return Graph(
        vertices=len(households) + len(moves.free),
        tails=columns[0],
        heads=columns[1],
        aims=columns[2:],
        starts=frozenset(range(wanting)),
        free=dict(enumerate(moves.free.values(), start=len(households))),
        anchors=frozenset(
            vertex for vertex in range(wanting) if households[vertex].group_id is not None
        ),
    )


def _arcs(
    households: tuple[Mover, ...], moves: LawfulMoves, *, wanting: int
) -> Iterator[tuple[int, ...]]:
    """Every lawful move: from, to, and what it adds to each aim.

    Served, moves, changes of school, points.
    """
    standing: defaultdict[str | None, list[int]] = defaultdict(list)
    for vertex, household in enumerate(households):
        standing[household.group_id].append(vertex)
    for vertex, group_id in enumerate(moves.free, start=len(households)):
        standing[group_id].append(vertex)
    for vertex, household in enumerate(households):
        serves = vertex < wanting
        for group_id, move in moves.of(household).items():
            school = 0 if serves else moves.changes_school(household, group_id)
            for place in standing[group_id]:
                yield vertex, place, int(serves), -1, -school, move.score


def _swap(
    path: tuple[int, ...],
    households: tuple[Mover, ...],
    moves: LawfulMoves,
    free: dict[int, str],
    *,
    wanting: int,
) -> Swap:
    groups = [
        households[vertex].group_id if vertex < len(households) else free[vertex] for vertex in path
    ]
    legs = tuple(
        leg_of(households[vertex], group_id, moves, counts=vertex >= wanting)
        for vertex, group_id in zip(path, groups[1:], strict=False)
        if group_id is not None
    )
    return Swap(legs, free.get(path[-1]))
