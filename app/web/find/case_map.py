"""The map beside a referral's form or offers, with offers and unsafe areas."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from app.allocation.ranking.desk_view import DeskView
from app.allocation.ranking.fold import FRESHEST, first_providers
from app.allocation.ranking.safety import zones_in_force
from app.allocation.values import KINDS_FOR_URGENCY, DangerZone
from app.api.ranking.rankings import MOST_PROVIDERS
from app.database.reference import Reference
from app.database.transaction import Transaction
from app.ranking.rankings import RecordedRanking
from app.reference import load
from app.registry import availability
from app.web.country.bands import map_regions, rows_of
from app.web.country.map import Drawing, MapRegion, UnsafeArea, draw_country
from app.web.find.draft import DIGITS, Draft
from app.web.find.names import Names


async def draw_draft(tx: Transaction, draft: Draft, *, names: Names) -> Drawing:
    """Draw the free places for a draft, in bands, and its unsafe areas so far."""
    reference, today = await tx.snapshots.reference(tx), load().country.day_of(tx.at)
    kinds = sorted(KINDS_FOR_URGENCY.get(draft.urgency, KINDS_FOR_URGENCY["acute"]))
    rows = rows_of(await availability.read(tx), reference.regions.values(), kinds)
    return draw_country(
        map_regions(rows),
        _areas(zones_in_force(_zones_of(draft, names, reference), today=today), reference),
    )


def draw_ranking(ranked: RecordedRanking, view: DeskView, reference: Reference) -> Drawing:
    """Draw the regions with offers, those without and why, and the unsafe areas."""
    fresh: dict[str, str] = {}
    for offer in first_providers(view.offers, most=MOST_PROVIDERS):
        region = offer.first.group.region
        fresh[region] = min(fresh.get(region, offer.freshness), offer.freshness, key=FRESHEST.index)
    why: dict[str | None, Counter[str]] = {}
    for out in view.left_out:
        why.setdefault(out.region, Counter())[out.rule] += out.places
    shown = [
        MapRegion(
            code=region.code,
            name=region.name,
            lat=region.lat,
            lon=region.lon,
            freshness=fresh.get(region.code),
            lawful=region.code in fresh if region.code in fresh or region.code in why else None,
            why=()
            if region.code in fresh
            else tuple(rule for rule, _ in why.get(region.code, Counter()).most_common()),
        )
        for region in sorted(
            reference.regions.values(),
            key=lambda region: (region.code not in fresh, -region.population),
        )
    ]
    return draw_country(shown, _areas(ranked.inputs.dangers.zones, reference))


def _zones_of(draft: Draft, names: Names, reference: Reference) -> Iterator[DangerZone]:
    for zone in draft.zones:
        code = names.municipality(zone.municipality)
        radius = (
            int(zone.radius)
            if DIGITS.fullmatch(zone.radius)
            else reference.policy.unassessed_radius_km
        )
        if code in reference.municipalities and radius in reference.policy.radii_km:
            yield DangerZone(code, radius, _day(zone.until))


def _day(typed: str) -> date | None:
    """Return the last day as it was typed; None if that is no day."""
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        return None


def _areas(zones: Iterable[DangerZone], reference: Reference) -> Iterator[UnsafeArea]:
    for zone in zones:
        at = reference.municipalities[zone.municipality]
        yield UnsafeArea(at.name, at.lat, at.lon, at.extent_km, zone.radius_km)
