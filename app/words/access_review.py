"""Facts of a review's finding in words: what was done how often, and what is usual."""

from collections.abc import Mapping

from app.words import Plural
from app.words.catalogue import render

FACTS: Mapping[str, Plural] = {
    "rankings": Plural(
        "%(count)s ranking with offers, of referrals of which nothing came (usual: %(usual)s).",
        "%(count)s rankings with offers, of referrals of which nothing came (usual: %(usual)s).",
        by="count",
    ),
    "moved_rankings": Plural(
        "%(count)s of them after another town or unsafe area was filled in (usual: %(usual)s).",
        "%(count)s of them after other towns or unsafe areas were filled in (usual: %(usual)s).",
        by="count",
    ),
    "reveals": Plural(
        "%(count)s address seen of a journey that did not arrive (usual: %(usual)s).",
        "%(count)s addresses seen of journeys that did not arrive (usual: %(usual)s).",
        by="count",
    ),
    "own_addresses": Plural(
        "%(count)s address seen of an own site (usual: %(usual)s).",
        "%(count)s addresses seen of own sites (usual: %(usual)s).",
        by="count",
    ),
    "danger_looks": Plural(
        "%(count)s look at where somebody flees from who did not come (usual: %(usual)s).",
        "%(count)s looks at where people flee from who did not come (usual: %(usual)s).",
        by="count",
    ),
    "acceptances": Plural(
        "%(count)s household accepted that did not come (usual: %(usual)s).",
        "%(count)s households accepted that did not come (usual: %(usual)s).",
        by="count",
    ),
    "streams": Plural(
        "%(count)s live stream opened (usual: %(usual)s).",
        "%(count)s live streams opened (usual: %(usual)s).",
        by="count",
    ),
    "budget_raises": Plural(
        "%(count)s budget raised (usual: %(usual)s).",
        "%(count)s budgets raised (usual: %(usual)s).",
        by="count",
    ),
    "takeovers": Plural(
        "%(count)s referral taken over (usual: %(usual)s).",
        "%(count)s referrals taken over (usual: %(usual)s).",
        by="count",
    ),
}
"""By signal."""


def fact_text(signal: str, *, count: int, usual: int, language: str) -> str:
    """Return a sentence about what an account did."""
    return render(FACTS[signal], {"count": count, "usual": usual}, language=language)
