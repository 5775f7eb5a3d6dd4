"""The cheapest assignment of many to seats, exact, with ties decided by order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
from scipy.optimize import linear_sum_assignment  # pyright: ignore[reportUnknownVariableType] - it ships no types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.int64]
    Flags: TypeAlias = NDArray[np.bool_]

EXACT = 2**53
"""Below this every whole number is a float of its own."""
LARGEST = EXACT // 3 - 1
"""The largest cost with which nothing is ever rounded: see `assign`."""
FORBIDDEN = 2**60
"""The cost of a seat that a household may not have: more than all others together."""
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Wishes:
    """The cost of each seat for one row, and the cost of leaving the row without.

    The order of `seats` is that in which they would choose among what costs the same.
    """

    seats: tuple[str, ...]
    costs: tuple[int, ...]
    unseated: int


def assign(asking: Sequence[Wishes], room: Mapping[str, int]) -> tuple[int | None, ...]:
    """Seat everyone such that the sum of the costs is least.

    Return which of their seats each has, None for none.

    Of several ways that cost the same, the first who asks has the first of their seats that any of
    them gives, then the second who asks, and so on: there is one answer, whatever the solver's own
    order.

    Exact, with floats: let C be the largest cost. The solver (shortest augmenting paths; Crouse,
    2016) adds and subtracts costs and nothing else, so it works with whole numbers throughout.
    Everyone has a column of their own for having no seat, free until they are seated; so no
    augmenting path is longer than C, the solver's potentials of rows lie between 0 and C, those of
    columns between -C and 0, and no sum of a path, a cost and two potentials leaves -C to 3C. With
    C at most LARGEST all of that is below 2**53, where floats are exact.

    Raises:
        ValueError: when a cost is negative, or above LARGEST.
    """
    if any(
        not 0 <= cost <= LARGEST for wishes in asking for cost in (*wishes.costs, wishes.unseated)
    ):
        raise ValueError("a cost is not one that can be added up exactly")
    if not asking:
        return ()
    spans = _spans(asking, room)
    costs = _table(asking, spans)
    taken = _cheapest(costs)
    seated = _Seated(taken, *_alike(costs, taken))
    return tuple(_settle_row(seated, row, wishes, spans) for row, wishes in enumerate(asking))


def _spans(asking: Sequence[Wishes], room: Mapping[str, int]) -> dict[str, range]:
    """A column for each place that a household could have.

    Those of one seat stand together, in the order of names.
    """
    spans: dict[str, range] = {}
    start = 0
    for seat in sorted({seat for wishes in asking for seat in wishes.seats}):
        spans[seat] = range(start, start + min(room.get(seat, 0), len(asking)))
        start = spans[seat].stop
    return spans


def _table(asking: Sequence[Wishes], spans: Mapping[str, range]) -> Numbers:
    columns = max((span.stop for span in spans.values()), default=0)
    costs = np.full((len(asking), columns + len(asking)), FORBIDDEN, dtype=np.int64)
    for row, wishes in enumerate(asking):
        for seat, cost in zip(wishes.seats, wishes.costs, strict=True):
            costs[row, spans[seat].start : spans[seat].stop] = cost
        costs[row, columns + row] = wishes.unseated
    return costs


def _cheapest(costs: Numbers) -> Numbers:
    """The column of each row, as the solver finds it."""
    priced = costs.astype(np.float64)
    priced[costs == FORBIDDEN] = np.inf
    _, columns = cast("tuple[Numbers, Numbers]", linear_sum_assignment(priced))
    return columns.astype(np.int64)


def _alike(costs: Numbers, taken: Numbers) -> tuple[Flags, Flags]:
    """What all the cheapest ways are made of.

    The seats that some of them give to each row; the columns none leaves.

    Each column has a price, 0 or less: the most that it would save to begin a chain of moves by
    leaving it, found as the shortest path. Nobody in a cheapest way has a seat that costs more, its
    price added, than the best of theirs; and a column with a price below 0 is always taken
    (complementary slackness).
    """
    dearer = costs - costs[np.arange(len(taken)), taken][:, None]
    prices: Numbers = np.zeros(int(costs.shape[1]), dtype=np.int64)
    while True:
        through = dearer + prices[taken][:, None]
        lower: Numbers = np.minimum(prices, through.min(axis=0))
        if np.array_equal(lower, prices):
            return through == prices, prices < 0
        prices = lower


@dataclass(frozen=True, slots=True)
class _Way:
    """How others make way for a row.

    Where each goes, which columns that leaves to the row, and who fills its own.
    """

    onward: Numbers
    reached: Flags
    refill: tuple[tuple[int, int], ...]


class _Seated:
    """Who has which column, while ties are being decided.

    Rows before the one in hand stay where they are.
    """

    def __init__(self, taken: Numbers, possible: Flags, wanted: Flags) -> None:
        self.taken, self.possible, self.wanted = taken, possible, wanted
        self.holder: Numbers = np.full(int(possible.shape[1]), NOBODY, dtype=np.int64)
        self.holder[taken] = np.arange(len(taken))

    def ways(self, row: int) -> Iterator[_Way]:
        """The ways in which a row may get another column, each with the columns that it reaches.

        Those who make way end in the column that this row leaves; or else in one that is free, if
        the column that it leaves may stay empty or is filled again by a household whose own may.
        Nobody is asked to do both: a household that could would lead to the column that this row
        leaves, and that way comes first.
        """
        left = int(self.taken[row])
        ends: Flags = np.zeros(len(self.holder), dtype=np.bool_)
        ends[left] = True
        yield self._leading_to(ends, row, refill=())
        refill = self._refill(row, left) if self.wanted[left] else ()
        if refill is not None:
            yield self._leading_to(self.holder == NOBODY, row, refill=refill)

    def _leading_to(self, ends: Flags, row: int, *, refill: tuple[tuple[int, int], ...]) -> _Way:
        """Where each later row would go if it made way, searched backwards."""
        onward: Numbers = np.full(len(self.taken), NOBODY, dtype=np.int64)
        reached, newest = ends.copy(), np.flatnonzero(ends)
        later = np.arange(len(self.taken)) > row
        while len(newest):
            steps = self.possible[:, newest] & (later & (onward == NOBODY))[:, None]
            moving = np.flatnonzero(steps.any(axis=1))
            onward[moving] = newest[steps[moving].argmax(axis=1)]
            newest = self.taken[moving]
            reached[newest] = True
        return _Way(onward, reached & self.possible[row], refill)

    def _refill(self, row: int, left: int) -> tuple[tuple[int, int], ...] | None:
        """The moves of later rows that take a free column and leave an unwanted one; or None."""
        into: dict[int, int] = {}
        columns = [left]
        for column in columns:  # grows while it is gone through
            for mover in map(int, np.flatnonzero(self.possible[row + 1 :, column]) + row + 1):
                if mover in into:
                    continue
                into[mover] = column
                if not self.wanted[self.taken[mover]]:
                    return self._moves(mover, into, left)
                columns.append(int(self.taken[mover]))
        return None

    def _moves(self, mover: int, into: Mapping[int, int], left: int) -> tuple[tuple[int, int], ...]:
        moves = [(mover, into[mover])]
        while moves[-1][1] != left:
            mover = int(self.holder[moves[-1][1]])
            moves.append((mover, into[mover]))
        return tuple(reversed(moves))

    def move(self, row: int, column: int, way: _Way) -> None:
        """Seat a row in a column; who was there goes onward, and so on."""
        self.holder[self.taken[row]] = NOBODY
        while row != NOBODY:
            displaced = int(self.holder[column])
            self.holder[column], self.taken[row] = row, column
            row, column = displaced, int(way.onward[displaced])
        for mover, empty in way.refill:
            self.holder[self.taken[mover]], self.holder[empty] = NOBODY, mover
            self.taken[mover] = empty

    def keep(self, row: int) -> None:
        """Leave a row where it is from now on."""
        self.possible[:, self.taken[row]] = False


def _settle_row(
    seated: _Seated, row: int, wishes: Wishes, spans: Mapping[str, range]
) -> int | None:
    """Give a row its first seat in some cheapest assignment that keeps all rows before it."""
    chosen: int | None = None
    ways: tuple[_Way, ...] | None = None
    for index, seat in enumerate(wishes.seats):
        span = spans[seat]
        if int(seated.taken[row]) in span:
            chosen = index
            break
        if not seated.possible[row, span.start : span.stop].any():
            continue
        ways = tuple(seated.ways(row)) if ways is None else ways
        way = next((way for way in ways if way.reached[span.start : span.stop].any()), None)
        if way is not None:
            seated.move(row, span.start + int(way.reached[span.start : span.stop].argmax()), way)
            chosen = index
            break
    seated.keep(row)
    return chosen
