"""The numbers for an officer in docs/security.md are those of the policy."""

from pathlib import Path

from app.accounts.reviews import FOLLOWS, WEEK
from app.allocation.figures.review import MOST, SIGNALS
from app.allocation.policy.policy import Budgets, ReviewLimits

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def test_the_numbers_for_an_officer_are_the_defaults_of_the_policy() -> None:
    text = PAGE.read_text(encoding="utf-8")
    budgets, limits = Budgets(), ReviewLimits()
    assert limits.factor == 3
    for said in (
        f"{budgets.rankings} rankings with offers and {budgets.referrals} new referrals a day",
        f"Hold {budgets.holds} places of other providers at once, a desk {budgets.desk_holds}",
        f"See {budgets.confidential_sites} confidential addresses a week",
        f"once in {budgets.raise_hours} hours",
        f"from {limits.floor // SIGNALS['rankings']} rankings beyond three times what is usual",
        f"at the earliest {FOLLOWS.days} days and at the latest {(WEEK + FOLLOWS).days} days",
    ):
        assert said in text, said
    assert (MOST, "at most ten accounts" in text) == (10, True)
