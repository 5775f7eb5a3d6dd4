"""The first day whose nights new facts can change."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from app.allocation.ledger.openings import NOT_ARRIVED, READY_TO_LEAVE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Iterable, Iterator

    from app.allocation.ledger.openings import OpeningContent
    from app.allocation.shares.weights import RegionWeights


def first_changed_day(
    told: Iterable[tuple[int, Hashable, OpeningContent]],
    weights: Iterable[tuple[int, RegionWeights]],
    *,
    since: int,
) -> dt.date | None:
    """The first day whose nights may have changed by leaves from `since` on.

    None without one.

    `told` has every opening, with its index and its stay, of each stay that has a new one:
    what a correction changes lies between what was said before and what is said now.
    """
    of_stay: defaultdict[Hashable, list[tuple[int, OpeningContent]]] = defaultdict(list)
    for index, stay, opening in told:
        of_stay[stay].append((index, opening))
    days = [version.valid_from for index, version in weights if index >= since]
    for openings in of_stay.values():
        for index, opening in openings:
            if index >= since:
                days += _changed_days(opening, [one for _, one in openings])
    return min(days, default=None)


def _changed_days(new: OpeningContent, of_its_stay: list[OpeningContent]) -> Iterator[dt.date]:
    """Yield days; their earliest is the first that a new opening can change."""
    yield from (one.ready_since for one in of_its_stay if one.ready_since is not None)
    alike = [one for one in of_its_stay if _is_end(one) == _is_end(new)]
    code = None if new.correction is None else new.correction.code
    if (
        code in {None, READY_TO_LEAVE}
        and not _was_void(of_its_stay)
        and len({one.date for one in alike}) == 1
    ):
        # A stay that runs has all nights until it ends; one whose readiness alone changes keeps
        # those before it.
        if code is None or new.ready_since is None:
            yield new.date
    else:
        yield from (one.date for one in of_its_stay)


def _is_end(opening: OpeningContent) -> bool:
    if opening.correction is None:
        return opening.type == "departure"
    return opening.correction.corrects != opening.arrival


def _was_void(of_its_stay: list[OpeningContent]) -> bool:
    return any(
        one.correction is not None and one.correction.code == NOT_ARRIVED for one in of_its_stay
    )
