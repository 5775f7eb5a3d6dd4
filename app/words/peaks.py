"""Plans for a peak in words: what changes for a referral, and what that is good for."""

from collections.abc import Mapping
from typing import Protocol

from app.words import N_, Plural
from app.words.catalogue import render

CHANGES: Mapping[str, str] = {
    "same": N_("The same place as in turn"),
    "placed": N_("Gets a place; in turn nothing would have been left"),
    "passed_over": N_("Gets no place; in turn there would be one"),
    "in_region": N_("Can stay in its own region; in turn it could not"),
    "out_of_region": N_("Goes to another region; in turn it would not"),
    "better_band": N_("A safer or better known place than in turn"),
    "lesser_band": N_(
        "A place with less margin or less certainty than in turn, yet safe by every rule"
    ),
    "more_points": N_("A better suited place than in turn"),
    "fewer_points": N_("A less well suited place than in turn"),
    "equal_offer": N_("A place as good, elsewhere"),
    "nothing": N_("No place, nor in turn"),
}
"""By code. "In turn" compares with households choosing one by one, as the waiting list has them."""

REASONS: Mapping[str, str | Plural] = {
    "more_placed": Plural(
        "so %(count)s more household gets a place",
        "so %(count)s more households get a place",
        by="count",
    ),
    "more_urgent": Plural(
        "so %(count)s household in more urgent need gets a place",
        "so %(count)s households in more urgent need get a place",
        by="count",
    ),
    "safer": Plural(
        "so %(count)s household has ample room from danger",
        "so %(count)s households have ample room from danger",
        by="count",
    ),
    "own_region": Plural(
        "so %(count)s household can stay in its own region",
        "so %(count)s households can stay in their own region",
        by="count",
    ),
    "better_known": Plural(
        "so %(count)s household fewer goes to a place that nobody confirmed",
        "so %(count)s households fewer go to a place that nobody confirmed",
        by="count",
    ),
    "points": Plural(
        "together it fits %(count)s point better",
        "together it fits %(count)s points better",
        by="count",
    ),
    "taken": N_("what would be lawful goes to others"),
    "nothing_lawful": N_("nothing lawful is free; the rules in the way are given"),
}
"""By code: what a change is good for, or what made it so."""


class PlannedLike(Protocol):
    """A referral in a plan, as `allocation` gives it."""

    @property
    def change(self) -> str: ...  # noqa: D102
    @property
    def because(self) -> str | None: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102


def plan_text(planned: PlannedLike, *, language: str) -> str:
    """Return what a plan changes for a referral, and why, in one sentence."""
    change = render(CHANGES[planned.change], {}, language=language)
    if planned.because is None:
        return f"{change}."
    reason = render(REASONS[planned.because], {"count": planned.count}, language=language)
    return f"{change}: {reason}."
