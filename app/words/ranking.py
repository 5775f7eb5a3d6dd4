"""Rankings in words: why an offer got its points, what was left out, what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app.words import N_, Plural
from app.words.catalogue import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class PointsLike(Protocol):
    """One factor's points, as `allocation` gives them."""

    @property
    def factor(self) -> str: ...  # noqa: D102
    @property
    def params(self) -> Mapping[str, int | str]: ...  # noqa: D102


class OfferLike(Protocol):
    """How far an offer is from danger, as `allocation` gives it."""

    @property
    def clearance_km(self) -> int | None: ...  # noqa: D102
    @property
    def margin_km(self) -> int | None: ...  # noqa: D102


class MissingLike(Protocol):
    """A fact that is not known, as `allocation` gives it."""

    @property
    def fact(self) -> str: ...  # noqa: D102
    @property
    def child(self) -> int | None: ...  # noqa: D102
    @property
    def again(self) -> bool: ...  # noqa: D102


POINTS: Mapping[str, str | Plural] = {
    "nearness.no_wish": N_("Nobody asked to stay near a certain place."),
    "nearness.unknown": N_(
        "Distance to the municipality that they want to stay near is not known."
    ),
    "nearness.within": N_(
        "%(band)s km, as the crow flies, from the municipality that they want to stay near."
    ),
    "nearness.beyond": N_("More than %(km)s km from the municipality that they want to stay near."),
    "fit.acute_crisis": N_("Crisis place for an acute need"),
    "fit.acute_regular": N_("Regular place for an acute need"),
    "fit.acute_emergency": N_("Emergency bed for an acute need: a few nights only"),
    "fit.urgent_crisis": N_("Crisis place for an urgent need"),
    "fit.urgent_regular": N_("Regular place for an urgent need"),
    "fit.planned_regular": N_("Regular place, as planned"),
    "fit.planned_move_on": N_("Move-on home, as planned"),
    "specialism.not_asked": N_("No particular expertise asked for."),
    "specialism.no_match": N_("Not specialised in what this household needs."),
    "specialism.match": N_("Specialised in what this household needs."),
    "headroom.unknown": N_("How full this provider is, is not known."),
    "headroom.none": N_("This provider is around or above the occupancy norm."),
    "headroom.some": N_(
        "This provider has room to spare:"
        " at least %(percent)s percentage points under the occupancy norm."
    ),
    "solidarity.own_region": N_("In the household's own region: asks nothing of another."),
    "solidarity.even": N_("This region has taken about its share."),
    "solidarity.owes": N_("This region has given at least %(nights)s nights fewer than its share."),
    "solidarity.gave": N_("This region has given at least %(nights)s nights more than its share."),
    "solidarity.keeps": N_(
        "This region has given less than its share:"
        " its places are first for those who have to flee."
    ),
    "solidarity.not_shared": N_("Does not count in this region's share: it is not for safety."),
    "continuity.moves.0": N_("The household can stay here until it lives on its own again."),
    "continuity.moves": Plural(
        "%(moves)s more move later on.", "%(moves)s more moves later on.", by="moves"
    ),
    "freshness.unknown": N_("Never confirmed: call before you send anyone."),
    "freshness.fresh.0": N_("Updated less than an hour ago."),
    "freshness.fresh": Plural(
        "Updated %(hours)s hour ago.", "Updated %(hours)s hours ago.", by="hours"
    ),
    "freshness.stale": Plural(
        "Not updated for %(hours)s hour: call to be sure.",
        "Not updated for %(hours)s hours: call to be sure.",
        by="hours",
    ),
}
"""By factor and case; `.0` is said instead where nothing is counted."""

NEAR_KM = (25, 50, 75, 100, 150)
"""Where the bands end in which a distance is told: a finer one would tell which site it is."""

NO_MORE = N_("no larger or more particular than needed")
MORE = N_("larger or more particular than needed")
"""How well a place fits; what exactly it has beyond the need would tell which place it is."""

RULES: Mapping[str, str] = {
    "kind": N_("not the kind of place that is needed now"),
    "free": N_("would do, and nothing like it is free now"),
    "admission": N_("admissions paused for now"),
    "size": N_("too small for this household"),
    "household": N_("not for these adults, or not for sons of this (or unknown) age"),
    "exclusive": N_("only for another target group"),
    "features": N_("lacks something that this household needs"),
    "secrecy": N_("address is openly known, too dangerous at the highest threat"),
    "danger": N_("too close to an unsafe area"),
    "barred": N_("provider barred for this household"),
    "declined": N_("site has declined this referral"),
    "cap": N_("region has reached its cap (never applied for safety)"),
    "own_region_first": N_(
        "there is still a place in the household's own region, which goes first"
    ),
    "unsuitable": N_("does not suit this household"),
}
"""By rule; `unsuitable` covers several rules for readers who may not know which one."""

LEFT_OUT = N_("%(places)s places: %(why)s.")
LEFT_OUT_THERE = N_("%(places)s places in %(region)s: %(why)s.")
"""`places` is a band."""

SAFETY: Mapping[str, str] = {
    "no_zone": N_("No unsafe area known."),
    "clear": N_("%(clearance)s km clear of every unsafe area, %(margin)s km more than needed."),
    "just_clear": N_("%(clearance)s km clear of every unsafe area, just enough."),
    "not_assessed": N_("Safety not assessed: the municipality of origin counts as unsafe."),
}
"""How far an offer is from danger; distances are rounded down to multiples of 5."""

MISSING: Mapping[str, str] = {
    "son_age": N_(
        "The age of the son (child %(child)s) is not known; he counts as 17 for now."
        " Ask for it: %(offers)s."
    ),
    "child_age": N_(
        "The age of child %(child)s is not known; it counts as a son of 17 for now."
        " Ask for it: %(offers)s."
    ),
    "child_gender": N_(
        "Whether child %(child)s is a boy or a girl is not known; it counts as a boy for now."
        " Ask: %(offers)s."
    ),
    "danger_assessment": N_(
        "Nobody has asked yet where it is unsafe;"
        " the municipality of origin counts as unsafe for now."
        " If it turns out safe there: %(offers)s."
        " If it turns out unsafe elsewhere too, offers will fall away instead."
    ),
    "danger_assessment.again": N_(
        "All unsafe areas have ended: assess the danger again."
        " The municipality of origin counts as unsafe for now."
        " If it turns out safe there: %(offers)s."
        " If it turns out unsafe elsewhere too, offers will fall away instead."
    ),
}
"""By fact: what it counts as for now, and what asking may bring. None calls anything safe."""

MORE_OFFERS = N_("%(offers)s more offers may open")

NO_PLACES = N_("%(name)s has no places in the register.")
NOT_POSSIBLE = N_("None of the %(places)s places of %(name)s is possible now.")
RANKED = Plural(
    "%(name)s is in the ranking, at number %(ranks)s.",
    "%(name)s is in the ranking, at numbers %(ranks)s.",
    by="offers",
)
RANKED_AND_ON = N_("%(name)s is in the ranking, at numbers %(ranks)s and on.")
FIRST_FEW = 5
"""How many ranks are named; the ranking has them all."""


def point_text(points: PointsLike, *, language: str) -> str:
    """Return why a factor gave its points, in one sentence."""
    params = points.params
    if points.factor == "fit":
        clauses = (POINTS[f"fit.{params['case']}"], MORE if _is_more(params) else NO_MORE)
        return "; ".join(render(one, params, language=language) for one in clauses) + "."
    case = f"{points.factor}.{params['case']}"
    text = POINTS[case]
    if isinstance(text, Plural) and not params[text.by]:
        text = POINTS.get(f"{case}.0", text)
    if case == "nearness.within":
        params = {"band": _km_band(int(params["km"]))}
    return render(text, params, language=language)


def _is_more(params: Mapping[str, int | str]) -> bool:
    return any(params[name] for name in ("spare", "scarce", "unused"))


def _km_band(km: int) -> str:
    """Return the band of a distance."""
    least = 0
    for most in NEAR_KM:
        if km <= most:
            return f"{least}-{most}"
        least = most
    return f"{least}+"


def rule_text(code: str, *, language: str) -> str:
    """Return why a rule leaves places out."""
    return render(RULES[code], {}, language=language)


def exclusion_text(rule: str, places: str, *, language: str, region_name: str | None = None) -> str:
    """Return how many places were left out and why, and where if a region is named.

    `places` is a band.
    """
    values = {
        "places": places,
        "region": region_name,
        "why": rule_text(rule, language=language),
    }
    return render(LEFT_OUT if region_name is None else LEFT_OUT_THERE, values, language=language)


def safety_text(offer: OfferLike, *, safety_assessed: bool, language: str) -> str:
    """Return how far an offer is from danger, and whether the danger was assessed at all."""
    if offer.clearance_km is None or offer.margin_km is None:
        return render(SAFETY["no_zone"], {}, language=language)
    values = {"clearance": offer.clearance_km, "margin": offer.margin_km}
    clear = render(SAFETY["clear" if offer.margin_km else "just_clear"], values, language=language)
    if safety_assessed:
        return clear
    return f"{render(SAFETY['not_assessed'], {}, language=language)} {clear}"


def missing_text(missing: MissingLike, *, offers: str, language: str) -> str:
    """Return what is not known, what it counts as for now, and what asking may bring.

    Children are counted from 1; `offers` is a band.
    """
    fact = f"{missing.fact}.again" if missing.again else missing.fact
    more = render(MORE_OFFERS, {"offers": offers}, language=language)
    values = {"child": (missing.child or 0) + 1, "offers": more}
    return render(MISSING[fact], values, language=language)


def there_text(name: str, *, places: str, ranks: Sequence[int], language: str) -> str:
    """Return whether a region or provider has an offer in the ranking, and where.

    `places` is a band.
    """
    values = {
        "name": name,
        "places": places,
        "offers": len(ranks),
        "ranks": ", ".join(map(str, ranks[:FIRST_FEW])),
    }
    if not ranks:
        nothing = NO_PLACES if places == "0" else NOT_POSSIBLE
        return render(nothing, values, language=language)
    text = RANKED if len(ranks) <= FIRST_FEW else RANKED_AND_ON
    return render(text, values, language=language)
