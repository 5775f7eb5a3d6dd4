"""Answers to "why not there?" and "what if we knew?" in plain words, Dutch and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class MissingLike(Protocol):
    """A fact that nobody knows, as `allocation` gives it."""

    @property
    def fact(self) -> str: ...  # noqa: D102
    @property
    def child(self) -> int | None: ...  # noqa: D102
    @property
    def offers(self) -> int: ...  # noqa: D102
    @property
    def again(self) -> bool: ...  # noqa: D102


MISSING: Mapping[str, Mapping[str, str]] = {
    "son_age": {
        "nl": "De leeftijd van de zoon (kind {child}) is niet bekend; hij telt nu als 17. Vraag ernaar: {offers}.",
        "en": "The age of the son (child {child}) is not known; he counts as 17 for now. Ask for it: {offers}.",
    },
    "child_age": {
        "nl": "De leeftijd van kind {child} is niet bekend; het telt nu als een zoon van 17. Vraag ernaar: {offers}.",
        "en": "The age of child {child} is not known; it counts as a son of 17 for now. Ask for it: {offers}.",
    },
    "child_gender": {
        "nl": "Niet bekend is of kind {child} een jongen of een meisje is; telt nu als jongen. Vraag het: {offers}.",
        "en": "Whether child {child} is a boy or a girl is not known; it counts as a boy for now. Ask: {offers}.",
    },
    "danger_assessment": {
        "nl": "Nog niemand vroeg waar het onveilig is; de gemeente van herkomst telt nu als onveilig. Blijkt het daar"
        " veilig, dan geldt: {offers}. Blijkt het ook elders onveilig, dan vallen er juist aanbiedingen af.",
        "en": "Nobody has asked yet where it is unsafe; the municipality of origin counts as unsafe for now. If it"
        " turns out safe there: {offers}. If it turns out unsafe elsewhere too, offers will fall away instead.",
    },
    "danger_assessment.again": {
        "nl": "Alle onveilige gebieden zijn verlopen: beoordeel het gevaar opnieuw. De gemeente van herkomst telt nu"
        " als onveilig. Blijkt het daar veilig, dan geldt: {offers}. Blijkt het ook elders onveilig, dan vallen er"
        " juist aanbiedingen af.",
        "en": "All unsafe areas have ended: assess the danger again. The municipality of origin counts as unsafe for"
        " now. If it turns out safe there: {offers}. If it turns out unsafe elsewhere too, offers will fall away"
        " instead.",
    },
}
"""By what is missing: what it counts as meanwhile, and what asking may bring. Never that anything is safe."""

MORE_OFFERS: Mapping[str, Mapping[str, str]] = {
    "one": {"nl": "er kan 1 aanbod bij komen", "en": "1 more offer may open"},
    "many": {
        "nl": "er kunnen {offers} aanbiedingen bij komen",
        "en": "{offers} more offers may open",
    },
}

THERE: Mapping[str, Mapping[str, str]] = {
    "nothing": {
        "nl": "{name} heeft geen plekken in het register.",
        "en": "{name} has no places in the register.",
    },
    "in_the_way.one": {
        "nl": "De ene plek van {name} kan nu niet.",
        "en": "The one place of {name} is not possible now.",
    },
    "in_the_way.many": {
        "nl": "Geen van de {places} plekken van {name} kan nu.",
        "en": "None of the {places} places of {name} is possible now.",
    },
    "offered.one": {
        "nl": "{name} staat in de rangorde, op plaats {ranks}.",
        "en": "{name} is in the ranking, at number {ranks}.",
    },
    "offered.many": {
        "nl": "{name} staat in de rangorde, op de plaatsen {ranks}.",
        "en": "{name} is in the ranking, at numbers {ranks}.",
    },
}
"""What there is where somebody asked about by name."""

AND_ON: Mapping[str, str] = {"nl": " en verder", "en": " and on"}
FIRST_FEW = 5
"""Ranks that are named; who wants them all has the ranking."""


def missing_text(missing: MissingLike, *, language: str) -> str:
    """What is not known, what it counts as meanwhile, and what asking may bring. Children are counted from 1."""
    offers = MORE_OFFERS["one" if missing.offers == 1 else "many"][language].format(
        offers=missing.offers
    )
    key = f"{missing.fact}.again" if missing.again else missing.fact
    return MISSING[key][language].format(child=(missing.child or 0) + 1, offers=offers)


def there_text(name: str, *, places: int, ranks: Sequence[int], language: str) -> str:
    """Whether a region or provider has an offer in the ranking, and where."""
    if ranks:
        case = "offered.one" if len(ranks) == 1 else "offered.many"
    else:
        case = "nothing" if not places else "in_the_way.one" if places == 1 else "in_the_way.many"
    named = ", ".join(map(str, ranks[:FIRST_FEW])) + (
        AND_ON[language] if len(ranks) > FIRST_FEW else ""
    )
    return THERE[case][language].format(name=name, places=places, ranks=named)
