"""The weekly review: accounts that did most without an outcome, and unlike others.

It names few, and nothing here says that anything was wrong: it is a reason to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from app.allocation.policy.policy import ReviewLimits

SIGNALS: Mapping[str, int] = {
    "rankings": 10,
    "moved_rankings": 10,
    "reveals": 50,
    "own_addresses": 10,
    "danger_looks": 30,
    "acceptances": 30,
    "streams": 1,
    "budget_raises": 50,
    "takeovers": 10,
}
"""What counts, and the points of each; `migrations/sql/reviews.sql` counts them.

`rankings`: those that showed an offer of another provider, of referrals without an outcome on which
nobody else worked; `moved_rankings`: those among them before which an anchor or a danger zone was
changed, which so count double. `reveals`: journeys whose address was seen and that nobody else saw
arrive; `own_addresses`: sites of the own provider whose address was seen. `danger_looks`,
`acceptances`: of holds that became no placement. `streams`: event streams opened. `budget_raises`:
of any account's budget. `takeovers`: referrals taken over.
"""

MOST = 10
"""How many accounts a week names at most: a list that is read."""
COLLEAGUES = 2
"""From how many colleagues on a desk is compared with: one alone could make everything usual."""


@dataclass(frozen=True, slots=True)
class AccountWeek:
    """What one account did in a week: how often each signal; what is not there it did not do."""

    account_id: str
    desk: str | None
    """The provider that it works for; none for an administrator, who is compared with all desks."""
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """How often an account did something, and how often others usually did."""

    signal: str
    count: int
    usual: int


@dataclass(frozen=True, slots=True)
class ReviewFinding:
    """An account that should be asked, with the facts that make it unlike others."""

    account_id: str
    desk: str | None
    points: int
    facts: tuple[ReviewFact, ...]


def unlike_accounts(
    week: Collection[AccountWeek], limits: ReviewLimits
) -> tuple[ReviewFinding, ...]:
    """Return the accounts of a week that are most unlike the others, the most unlike first.

    An account's own acts are never part of what it is compared with: no act makes it less named.
    """
    found = (_finding(one, week, limits) for one in week)
    named = [one for one in found if one.points >= limits.floor]
    return tuple(sorted(named, key=lambda one: (-one.points, one.account_id))[:MOST])


def _finding(
    one: AccountWeek, week: Collection[AccountWeek], limits: ReviewLimits
) -> ReviewFinding:
    others = [other for other in week if other is not one and other.desk is not None]
    facts = tuple(_facts(one, others, limits))
    points = sum(SIGNALS[fact.signal] * _beyond(fact, limits) for fact in facts)
    return ReviewFinding(one.account_id, one.desk, points, facts)


def _facts(
    one: AccountWeek, others: Collection[AccountWeek], limits: ReviewLimits
) -> Iterator[ReviewFact]:
    colleagues = [other for other in others if other.desk == one.desk]
    for signal in SIGNALS:
        if count := one.counts.get(signal, 0):
            usual = _usual(signal, others)
            if len(colleagues) >= COLLEAGUES:
                usual = max(usual, _usual(signal, colleagues))
            fact = ReviewFact(signal, count, usual)
            if _beyond(fact, limits):
                yield fact


def _usual(signal: str, others: Collection[AccountWeek]) -> int:
    """Return what is usual among others: three of four did it no more often.

    So one accomplice at a desk of three or more, or few in a country, make nothing usual.
    """
    counts = sorted(other.counts.get(signal, 0) for other in others)
    return counts[(len(counts) - 1) * 3 // 4] if counts else 0


def _beyond(fact: ReviewFact, limits: ReviewLimits) -> int:
    """Return how often something was done beyond so many times what is usual."""
    return max(0, fact.count - limits.factor * fact.usual)
