"""The review of the access log.

Accounts that looked so often that someone should ask why.

Nothing here says that anything was wrong: at a busy desk all of it may be in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.allocation.policy.policy import ReviewThresholds

RANKINGS_WITHOUT_HOLD = "rankings_without_hold"
"""Rankings of referrals on which nobody took a hold afterwards: the way to learn where others have
places."""
ZONE_CHANGES = "zone_changes"
"""Changes of danger zones: with enough of them, rankings tell where a site is to its
municipality."""
REVEALS = "reveals"
"""Addresses seen."""
SAME_REFERRAL = "same_referral"
"""Looks at the referral that the account looked at most: the same client, again and again."""
ODD_HOURS = "odd_hours"
"""Looks when few people work."""
BUDGET_RAISES = "budget_raises"
"""Budgets raised, the own and colleagues': who does so often may be collecting."""
CODES = (
    RANKINGS_WITHOUT_HOLD,
    ZONE_CHANGES,
    REVEALS,
    SAME_REFERRAL,
    ODD_HOURS,
    BUDGET_RAISES,
)

MACHINE = "client_system"
"""The role of an account for which no hour is odd."""
HOURS = 24
MOST_DAYS = 92
"""How far back a review looks: a quarter of a year."""


@dataclass(frozen=True, slots=True)
class AccountActivity:
    """What one account did in the days reviewed: how many of each code.

    What is not there it did not do.
    """

    account_id: str
    provider_id: str | None
    roles: tuple[str, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """Something to ask an account about.

    `count` reaches the `threshold` that the policy has for it.
    """

    code: str
    account_id: str
    provider_id: str | None
    roles: tuple[str, ...]
    count: int
    threshold: int


def findings(
    tallies: Iterable[AccountActivity], review: ReviewThresholds
) -> tuple[ReviewFinding, ...]:
    """Return what should be asked about.

    By code, the most of each first, then by account.
    """
    found = (finding for tally in tallies for finding in _findings(tally, thresholds(review)))
    return tuple(
        sorted(
            found,
            key=lambda finding: (CODES.index(finding.code), -finding.count, finding.account_id),
        )
    )


def thresholds(review: ReviewThresholds) -> Mapping[str, int]:
    """Return the number of each code from which on the review should ask."""
    return {
        RANKINGS_WITHOUT_HOLD: review.rankings_without_hold,
        ZONE_CHANGES: review.zone_changes,
        REVEALS: review.reveals,
        SAME_REFERRAL: review.same_referral,
        ODD_HOURS: review.odd_hour_looks,
        BUDGET_RAISES: review.budget_raises,
    }


def odd_hours(review: ReviewThresholds) -> tuple[int, ...]:
    """Return the odd hours of the day, over midnight if they end before they begin."""
    length = (review.odd_until_hour - review.odd_from_hour) % HOURS
    return tuple((review.odd_from_hour + passed) % HOURS for passed in range(length))


def _findings(tally: AccountActivity, thresholds: Mapping[str, int]) -> Iterator[ReviewFinding]:
    machine = set(tally.roles) == {MACHINE}
    for code, threshold in thresholds.items():
        count = tally.counts.get(code, 0)
        if count >= threshold and not (machine and code == ODD_HOURS):
            yield ReviewFinding(
                code, tally.account_id, tally.provider_id, tally.roles, count, threshold
            )
