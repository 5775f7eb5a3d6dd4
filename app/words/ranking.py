"""Codes and parameters in plain words, Dutch and English, for someone who reads them at three in the morning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LANGUAGES = ("nl", "en")
"""Every text below exists in each of them; a test finds what is missing."""


class PointsLike(Protocol):
    """One factor's points, as `allocation` gives them."""

    @property
    def factor(self) -> str: ...  # noqa: D102
    @property
    def params(self) -> Mapping[str, int | str]: ...  # noqa: D102


class ExclusionLike(Protocol):
    """Places left out by a rule, as `allocation` counts them."""

    @property
    def rule(self) -> str: ...  # noqa: D102
    @property
    def places(self) -> int: ...  # noqa: D102


class OfferLike(Protocol):
    """What an offer says about safety."""

    @property
    def clearance_km(self) -> int | None: ...  # noqa: D102
    @property
    def margin_km(self) -> int | None: ...  # noqa: D102


POINTS: Mapping[str, Mapping[str, str]] = {
    "nearness.no_wish": {
        "nl": "Niet gevraagd om ergens in de buurt te blijven.",
        "en": "Nobody asked to stay near a certain place.",
    },
    "nearness.unknown": {
        "nl": "Afstand tot de gemeente waar ze in de buurt willen blijven is onbekend.",
        "en": "Distance to the municipality that they want to stay near is not known.",
    },
    "nearness.within": {
        "nl": "Hemelsbreed zo'n {km} km van de gemeente waar ze in de buurt willen blijven.",
        "en": "Some {km} km, as the crow flies, from the municipality that they want to stay near.",
    },
    "nearness.beyond": {
        "nl": "Meer dan {km} km van de gemeente waar ze in de buurt willen blijven.",
        "en": "More than {km} km from the municipality that they want to stay near.",
    },
    "fit.acute_crisis": {"nl": "Crisisplek bij acute nood", "en": "Crisis place for an acute need"},
    "fit.acute_regular": {
        "nl": "Reguliere plek bij acute nood",
        "en": "Regular place for an acute need",
    },
    "fit.acute_emergency": {
        "nl": "Noodbed bij acute nood: voor enkele nachten",
        "en": "Emergency bed for an acute need: a few nights only",
    },
    "fit.urgent_crisis": {
        "nl": "Crisisplek bij dringende nood",
        "en": "Crisis place for an urgent need",
    },
    "fit.urgent_regular": {
        "nl": "Reguliere plek bij dringende nood",
        "en": "Regular place for an urgent need",
    },
    "fit.planned_regular": {
        "nl": "Reguliere plek, volgens plan",
        "en": "Regular place, as planned",
    },
    "fit.planned_move_on": {
        "nl": "Doorstroomwoning, volgens plan",
        "en": "Move-on home, as planned",
    },
    "fit.spare.none": {"nl": "precies groot genoeg", "en": "exactly large enough"},
    "fit.spare.one": {"nl": "1 slaapplaats blijft leeg", "en": "1 bed space stays empty"},
    "fit.spare.many": {
        "nl": "{spare} slaapplaatsen blijven leeg",
        "en": "{spare} bed spaces stay empty",
    },
    "fit.scarce.one": {
        "nl": "1 schaarse voorziening blijft ongebruikt",
        "en": "1 scarce feature goes unused",
    },
    "fit.scarce.many": {
        "nl": "{scarce} schaarse voorzieningen blijven ongebruikt",
        "en": "{scarce} scarce features go unused",
    },
    "fit.unused.one": {
        "nl": "de locatie is gespecialiseerd in iets anders",
        "en": "the site specialises in something else",
    },
    "specialism.not_asked": {
        "nl": "Geen bijzondere deskundigheid gevraagd.",
        "en": "No particular expertise asked for.",
    },
    "specialism.no_match": {
        "nl": "Niet gespecialiseerd in wat dit huishouden nodig heeft.",
        "en": "Not specialised in what this household needs.",
    },
    "specialism.match": {
        "nl": "Gespecialiseerd in wat dit huishouden nodig heeft.",
        "en": "Specialised in what this household needs.",
    },
    "headroom.unknown": {
        "nl": "Hoe vol deze organisatie is, is niet bekend.",
        "en": "How full this provider is, is not known.",
    },
    "headroom.none": {
        "nl": "Deze organisatie zit rond of boven de bezettingsnorm.",
        "en": "This provider is around or above the occupancy norm.",
    },
    "headroom.some": {
        "nl": "Deze organisatie heeft ruimte: minstens {percent} procentpunt onder de bezettingsnorm.",
        "en": "This provider has room to spare: at least {percent} percentage points under the occupancy norm.",
    },
    "solidarity.own_region": {
        "nl": "In de eigen regio: vraagt niets van een andere regio.",
        "en": "In the household's own region: asks nothing of another.",
    },
    "solidarity.even": {
        "nl": "Deze regio ving ongeveer haar aandeel op.",
        "en": "This region has taken about its share.",
    },
    "solidarity.owes": {
        "nl": "Deze regio gaf zeker {nights} nachten minder dan haar aandeel.",
        "en": "This region has given at least {nights} nights fewer than its share.",
    },
    "solidarity.gave": {
        "nl": "Deze regio gaf zeker {nights} nachten meer dan haar aandeel.",
        "en": "This region has given at least {nights} nights more than its share.",
    },
    "solidarity.keeps": {
        "nl": "Deze regio gaf minder dan haar aandeel: haar plekken zijn eerst voor wie moet vluchten.",
        "en": "This region has given less than its share: its places are first for those who have to flee.",
    },
    "solidarity.not_shared": {
        "nl": "Telt niet mee in het aandeel van deze regio: het is niet om veiligheid.",
        "en": "Does not count in this region's share: it is not for safety.",
    },
    "continuity.moves.none": {
        "nl": "Het huishouden kan hier blijven tot het weer zelfstandig woont.",
        "en": "The household can stay here until it lives on its own again.",
    },
    "continuity.moves.one": {"nl": "Later nog 1 verhuizing.", "en": "1 more move later on."},
    "continuity.moves.many": {
        "nl": "Later nog {moves} verhuizingen.",
        "en": "{moves} more moves later on.",
    },
    "freshness.unknown": {
        "nl": "Nog nooit bevestigd: bel voordat u iemand stuurt.",
        "en": "Never confirmed: call before you send anyone.",
    },
    "freshness.fresh.none": {
        "nl": "Minder dan een uur geleden bijgewerkt.",
        "en": "Updated less than an hour ago.",
    },
    "freshness.fresh.one": {"nl": "1 uur geleden bijgewerkt.", "en": "Updated 1 hour ago."},
    "freshness.fresh.many": {
        "nl": "{hours} uur geleden bijgewerkt.",
        "en": "Updated {hours} hours ago.",
    },
    "freshness.stale.many": {
        "nl": "Al {hours} uur niet bijgewerkt: bel voor de zekerheid.",
        "en": "Not updated for {hours} hours: call to be sure.",
    },
}
"""By factor and case, and by number where the words depend on one (none, one, many)."""

NUMBERS: Mapping[str, str] = {"continuity": "moves", "freshness": "hours"}
"""The parameter that decides between none, one and many."""

FIT_CLAUSES = ("spare", "scarce", "unused")
"""What is added to the fit of the kind, where there is something to say."""

RULES: Mapping[str, Mapping[str, str]] = {
    "kind": {
        "nl": "niet het soort plek dat nu nodig is",
        "en": "not the kind of place that is needed now",
    },
    "free": {"nl": "nu niet vrij", "en": "not free now"},
    "admission": {"nl": "tijdelijke opnamestop", "en": "admissions paused for now"},
    "size": {"nl": "te klein voor dit huishouden", "en": "too small for this household"},
    "household": {
        "nl": "niet voor deze volwassenen, of niet voor zonen van deze (of onbekende) leeftijd",
        "en": "not for these adults, or not for sons of this (or unknown) age",
    },
    "exclusive": {"nl": "alleen voor een andere doelgroep", "en": "only for another target group"},
    "features": {
        "nl": "mist iets wat dit huishouden nodig heeft",
        "en": "lacks something that this household needs",
    },
    "secrecy": {
        "nl": "adres is openlijk bekend, bij de hoogste dreiging te gevaarlijk",
        "en": "address is openly known, too dangerous at the highest threat",
    },
    "danger": {"nl": "te dicht bij een onveilig gebied", "en": "too close to an unsafe area"},
    "barred": {
        "nl": "organisatie uitgesloten voor dit huishouden",
        "en": "provider barred for this household",
    },
    "declined": {
        "nl": "locatie heeft deze aanmelding afgewezen",
        "en": "site has declined this referral",
    },
    "cap": {
        "nl": "regio zit aan haar maximum (geldt nooit bij onveiligheid)",
        "en": "region has reached its cap (never applied for safety)",
    },
    "own_region_first": {
        "nl": "in de eigen regio is nog plek, en die gaat voor",
        "en": "there is still a place in the household's own region, which goes first",
    },
    "unsuitable": {"nl": "past niet bij dit huishouden", "en": "does not suit this household"},
}
"""Why places are left out, by rule; `unsuitable` stands for several rules before those who may not know which."""

PLACES: Mapping[str, Mapping[str, str]] = {
    "one": {"nl": "1 plek", "en": "1 place"},
    "many": {"nl": "{places} plekken", "en": "{places} places"},
}

EXCLUSION: Mapping[str, Mapping[str, str]] = {
    "anywhere": {"nl": "{count}: {why}.", "en": "{count}: {why}."},
    "region": {"nl": "{count} in {region}: {why}.", "en": "{count} in {region}: {why}."},
}

SAFETY: Mapping[str, Mapping[str, str]] = {
    "no_zone": {"nl": "Geen onveilig gebied bekend.", "en": "No unsafe area known."},
    "clear": {
        "nl": "{clearance} km vrij van elk onveilig gebied, {margin} km meer dan nodig.",
        "en": "{clearance} km clear of every unsafe area, {margin} km more than needed.",
    },
    "just_clear": {
        "nl": "{clearance} km vrij van elk onveilig gebied, net genoeg.",
        "en": "{clearance} km clear of every unsafe area, just enough.",
    },
    "not_assessed": {
        "nl": "Veiligheid niet beoordeeld: de gemeente van herkomst geldt als onveilig.",
        "en": "Safety not assessed: the municipality of origin counts as unsafe.",
    },
}
"""How far an offer is from danger; distances are rounded down to multiples of 5."""

FINDINGS: Mapping[str, Mapping[str, str]] = {
    "rankings_without_hold": {
        "nl": "{count} rangordes voor aanmeldingen waarvoor daarna niets is gereserveerd.",
        "en": "{count} rankings of referrals on which no hold followed.",
    },
    "zone_changes": {
        "nl": "{count} keer onveilige gebieden gewijzigd.",
        "en": "{count} changes of danger zones.",
    },
    "reveals": {
        "nl": "{count} keer een adres ingezien.",
        "en": "{count} times an address was shown.",
    },
    "same_referral": {
        "nl": "{count} keer naar dezelfde aanmelding gekeken.",
        "en": "{count} looks at one and the same referral.",
    },
    "odd_hours": {
        "nl": "{count} keer gekeken op ongewone uren.",
        "en": "{count} looks at odd hours.",
    },
}
"""What in the access log somebody should ask about, by code."""


def point_text(points: PointsLike, *, language: str) -> str:
    """Why a factor gave the points that it gave, in one sentence."""
    if points.factor == "fit":
        return "; ".join(_fit_clauses(points.params, language=language)) + "."
    key = f"{points.factor}.{points.params['case']}"
    number = points.params.get(NUMBERS.get(points.factor, ""))
    if number is not None and key not in POINTS:
        key = f"{key}.{_plural(number)}"
    return POINTS[key][language].format_map(points.params)


def _fit_clauses(params: Mapping[str, int | str], *, language: str) -> Iterator[str]:
    """The kind of place first, then what of it would stay unused."""
    yield POINTS[f"fit.{params['case']}"][language]
    for clause in FIT_CLAUSES:
        text = POINTS.get(f"fit.{clause}.{_plural(params[clause])}")
        if text:
            yield text[language].format_map(params)


def _plural(number: int | str) -> str:
    return {0: "none", 1: "one"}.get(int(number), "many")


def exclusion_text(
    exclusion: ExclusionLike, *, language: str, region_name: str | None = None
) -> str:
    """How many places were left out, where if a region's name is given, and why."""
    count = PLACES["one" if exclusion.places == 1 else "many"][language].format(
        places=exclusion.places
    )
    sentence = EXCLUSION["anywhere" if region_name is None else "region"][language]
    return sentence.format(count=count, region=region_name, why=RULES[exclusion.rule][language])


def safety_text(offer: OfferLike, *, safety_assessed: bool, language: str) -> str:
    """How far an offer is from danger, and whether anyone has looked into the danger at all."""
    if offer.clearance_km is None or offer.margin_km is None:
        return SAFETY["no_zone"][language]
    key = "clear" if offer.margin_km else "just_clear"
    clear = SAFETY[key][language].format(clearance=offer.clearance_km, margin=offer.margin_km)
    return clear if safety_assessed else f"{SAFETY['not_assessed'][language]} {clear}"


def finding_text(code: str, *, count: int, language: str) -> str:
    """What an account did so often that somebody should ask."""
    return FINDINGS[code][language].format(count=count)
