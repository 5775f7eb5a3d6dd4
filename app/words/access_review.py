"""Findings of an access review in words: what an account did unusually often."""

from collections.abc import Mapping

from app.words import Plural
from app.words.catalogue import render

FINDINGS: Mapping[str, Plural] = {
    "rankings_without_hold": Plural(
        "%(count)s ranking of a referral on which no hold followed.",
        "%(count)s rankings of referrals on which no hold followed.",
        by="count",
    ),
    "zone_changes": Plural(
        "%(count)s change of danger zones.", "%(count)s changes of danger zones.", by="count"
    ),
    "reveals": Plural(
        "%(count)s time an address was shown.",
        "%(count)s times an address was shown.",
        by="count",
    ),
    "same_referral": Plural(
        "%(count)s look at one and the same referral.",
        "%(count)s looks at one and the same referral.",
        by="count",
    ),
    "budget_raises": Plural(
        "%(count)s time a budget was raised.",
        "%(count)s times a budget was raised.",
        by="count",
    ),
    "odd_hours": Plural(
        "%(count)s look at odd hours.", "%(count)s looks at odd hours.", by="count"
    ),
}
"""By code of the finding."""


def finding_text(code: str, *, count: int, language: str) -> str:
    """Return a sentence about a finding that an account should be asked about."""
    return render(FINDINGS[code], {"count": count}, language=language)
