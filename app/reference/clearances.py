"""The clearance table: between every two municipalities, the surest distance."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.reference.values import Municipality

Between = Callable[[float, float, int, float, float, int], int]
"""Clearance in whole km of (lat, lon, extent_km) and (lat, lon, extent_km): `allocation` decides how."""


@dataclass(frozen=True, slots=True)
class MunicipalityClearance:
    """Whole km that surely lie between anything in one municipality and anything in another; may be negative."""

    zone: str
    site: str
    km: int


def clearance_table(
    municipalities: Sequence[Municipality], *, between: Between
) -> Iterator[MunicipalityClearance]:
    """Yield a row for every ordered pair, the diagonal included: n municipalities make n * n rows."""
    for zone in municipalities:
        for site in municipalities:
            km = between(zone.lat, zone.lon, zone.extent_km, site.lat, site.lon, site.extent_km)
            yield MunicipalityClearance(zone=zone.code, site=site.code, km=km)
