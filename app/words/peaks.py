"""What a plan for a peak changes for a referral, and what that is good for, in words: Dutch and English."""

from collections.abc import Mapping
from typing import Protocol

CHANGES: Mapping[str, Mapping[str, str]] = {
    "same": {"nl": "Dezelfde plek als om de beurt", "en": "The same place as in turn"},
    "placed": {
        "nl": "Krijgt een plek; om de beurt was er niets meer over",
        "en": "Gets a place; in turn nothing would have been left",
    },
    "passed_over": {
        "nl": "Krijgt nu geen plek; om de beurt zou er een zijn",
        "en": "Gets no place; in turn there would be one",
    },
    "in_region": {
        "nl": "Kan in de eigen regio blijven; om de beurt niet",
        "en": "Can stay in its own region; in turn it could not",
    },
    "out_of_region": {
        "nl": "Gaat naar een andere regio; om de beurt niet",
        "en": "Goes to another region; in turn it would not",
    },
    "better_band": {
        "nl": "Een veiliger of beter bekende plek dan om de beurt",
        "en": "A safer or better known place than in turn",
    },
    "lesser_band": {
        "nl": "Een plek met minder ruimte of minder zekerheid dan om de beurt, maar veilig volgens alle regels",
        "en": "A place with less margin or less certainty than in turn, yet safe by every rule",
    },
    "more_points": {
        "nl": "Een beter passende plek dan om de beurt",
        "en": "A better suited place than in turn",
    },
    "fewer_points": {
        "nl": "Een wat minder passende plek dan om de beurt",
        "en": "A less well suited place than in turn",
    },
    "equal_offer": {"nl": "Een even goede plek, ergens anders", "en": "A place as good, elsewhere"},
    "nothing": {"nl": "Geen plek, ook niet om de beurt", "en": "No place, nor in turn"},
}
"""By code. "In turn": had each chosen when those before had chosen, in the order of the waiting list."""

REASONS: Mapping[str, Mapping[str, str]] = {
    "more_placed.one": {
        "nl": "zo krijgt 1 huishouden meer een plek",
        "en": "so 1 more household gets a place",
    },
    "more_placed.many": {
        "nl": "zo krijgen {count} huishoudens meer een plek",
        "en": "so {count} more households get a place",
    },
    "more_urgent.one": {
        "nl": "zo krijgt 1 huishouden met meer spoed een plek",
        "en": "so 1 household in more urgent need gets a place",
    },
    "more_urgent.many": {
        "nl": "zo krijgen {count} huishoudens met meer spoed een plek",
        "en": "so {count} households in more urgent need get a place",
    },
    "safer.one": {
        "nl": "zo zit 1 huishouden ruimer van gevaar af",
        "en": "so 1 household has ample room from danger",
    },
    "safer.many": {
        "nl": "zo zitten {count} huishoudens ruimer van gevaar af",
        "en": "so {count} households have ample room from danger",
    },
    "own_region.one": {
        "nl": "zo kan 1 huishouden in de eigen regio blijven",
        "en": "so 1 household can stay in its own region",
    },
    "own_region.many": {
        "nl": "zo kunnen {count} huishoudens in de eigen regio blijven",
        "en": "so {count} households can stay in their own region",
    },
    "better_known.one": {
        "nl": "zo gaat 1 huishouden minder naar een plek die niemand bevestigde",
        "en": "so 1 household fewer goes to a place that nobody confirmed",
    },
    "better_known.many": {
        "nl": "zo gaan {count} huishoudens minder naar een plek die niemand bevestigde",
        "en": "so {count} households fewer go to a place that nobody confirmed",
    },
    "points.one": {"nl": "samen past het 1 punt beter", "en": "together it fits 1 point better"},
    "points.many": {
        "nl": "samen past het {count} punten beter",
        "en": "together it fits {count} points better",
    },
    "taken.one": {
        "nl": "het enige aanbod dat mag, gaat naar een ander",
        "en": "the only lawful offer goes to somebody else",
    },
    "taken.many": {
        "nl": "elk van de {count} aanbiedingen die mogen, gaat naar anderen",
        "en": "all {count} lawful offers go to others",
    },
    "nothing_lawful": {
        "nl": "er is niets vrij dat mag; de regels die in de weg staan, staan erbij",
        "en": "nothing lawful is free; the rules in the way are given",
    },
}
"""By code, and by number where the words depend on one."""


class PlannedLike(Protocol):
    """What a plan says of a referral."""

    @property
    def change(self) -> str: ...  # noqa: D102
    @property
    def because(self) -> str | None: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102


def plan_text(planned: PlannedLike, *, language: str) -> str:
    """What a plan changes for a referral, and why, in one sentence."""
    change = CHANGES[planned.change][language]
    if planned.because is None:
        return f"{change}."
    number = "one" if planned.count == 1 else "many"
    reason = REASONS.get(f"{planned.because}.{number}") or REASONS[planned.because]
    return f"{change}: {reason[language].format(count=planned.count)}."
