"""The cheapest simple paths of an exact number of steps, best first."""

from __future__ import annotations

from functools import cache
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Steps: TypeAlias = Callable[[int], Sequence[tuple[int, int]]]
    """From a vertex: the vertices one step on, each with the cost of the step."""
    Least: TypeAlias = Callable[[int, int], int | None]
    """From a vertex: the least that so many steps to an end cost, or None where they do not lead to
    one."""


def cheapest_paths(
    start: int, *, steps: int, onward: Steps, ends: Steps
) -> Iterator[tuple[int, ...]]:
    """Every simple path of so many steps to an end, cheapest first, then by vertices.

    `onward` leads to vertices that are passed, `ends` to those where a path ends; an end may be the
    start itself.

    Best first, as in A*: a path is continued in the order of what it has cost and the least that
    the steps left can cost. That least is exact but for vertices passed twice, so it is never more
    than what is to come, and the first path to arrive is the cheapest. Among equals the one whose
    vertices come first arrives first, for a path stands before all that continue it.
    """
    least = _least(onward, ends)
    lowest = least(start, steps)
    waiting: list[tuple[int, tuple[int, ...], int]] = (
        [] if lowest is None else [(lowest, (start,), 0)]
    )
    while waiting:
        _, path, spent = heappop(waiting)
        left = steps - len(path)
        if left < 0:
            yield path
        elif left == 0:
            for end, cost in ends(path[-1]):
                heappush(waiting, (spent + cost, (*path, end), spent + cost))
        else:
            for following, cost, rest in _steps_to_end(onward(path[-1]), least, left, but_for=path):
                heappush(waiting, (spent + cost + rest, (*path, following), spent + cost))


def _steps_to_end(
    steps: Sequence[tuple[int, int]], least: Least, left: int, *, but_for: tuple[int, ...]
) -> Iterator[tuple[int, int, int]]:
    """The steps to an end in as many more as are left, with the least cost of those."""
    for following, cost in steps:
        rest = None if following in but_for else least(following, left)
        if rest is not None:
            yield following, cost, rest


def _least(onward: Steps, ends: Steps) -> Least:
    @cache
    def least(vertex: int, left: int) -> int | None:
        if left == 1:
            return min((cost for _, cost in ends(vertex)), default=None)
        rests = ((cost, least(following, left - 1)) for following, cost in onward(vertex))
        return min((cost + rest for cost, rest in rests if rest is not None), default=None)

    return least
