"""The demo country's past as the monitor counts it.

How many places were in use, day by day.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

from app.allocation.values import Register
from app.registry.first_load import Values
from app.simulation.country.past import Past, ProviderRegion


def days_of(past: Past, register: Register, *, first: date) -> Iterator[Values]:
    """Yield a count for each day and each provider's places in a region.

    Every site is confirmed in time.
    """
    places: Counter[ProviderRegion] = Counter()
    sites: defaultdict[ProviderRegion, set[str]] = defaultdict(set)
    for group in register.groups:
        places[group.provider_id, group.region] += group.places
        sites[group.provider_id, group.region].add(group.site_id)
    for where, days in past.in_use.items():
        for day, used in enumerate(days):
            yield {
                "day": first + timedelta(days=day),
                "provider_id": UUID(where[0]),
                "region": where[1],
                "places": places[where],
                "in_use": used,
                "out_of_service": 0,
                "sites": len(sites[where]),
                "stale": 0,
                "unknown": 0,
            }
