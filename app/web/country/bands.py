"""Free places by region and kind, in bands, as the country page shows them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.database.reference import KnownRegion
from app.registry.availability import Availability, AvailabilityCount
from app.web.country.map import MapRegion, shape_of

BEST_FIRST = ("many", "few", "full", "unknown", "none")
STATES = BEST_FIRST[:-1]
"""The states of a region that has such places."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of place in one region; `state` is its mark on the map."""

    kind: str
    state: str = "none"
    free: str | None = None
    freshness: str | None = None
    total: int = 0
    own: AvailabilityCount | None = None


@dataclass(frozen=True, slots=True)
class BandRow:
    """One region, with a cell for each kind of place on the page."""

    region: KnownRegion
    cells: tuple[Cell, ...]

    @property
    def best(self) -> Cell:
        """The kind that the region has most of free, as far as is known."""
        return min(self.cells, key=lambda cell: BEST_FIRST.index(cell.state), default=Cell(""))


@dataclass(frozen=True, slots=True)
class KindStates:
    """The number of regions in each state, for one kind of place."""

    kind: str
    regions: Mapping[str, int]

    @property
    def region_count(self) -> int:
        """The number of regions that have such places at all."""
        return sum(self.regions.values())


def rows_of(
    available: Iterable[Availability], regions: Iterable[KnownRegion], kinds: Sequence[str]
) -> tuple[BandRow, ...]:
    """Return a row for every region, by name, also for those without places."""
    cells = {(one.region, one.kind): _cell(one) for one in available}
    return tuple(
        BandRow(region, tuple(cells.get((region.code, kind), Cell(kind)) for kind in kinds))
        for region in sorted(regions, key=lambda region: sort_key(region.name))
    )


def states_by_kind(
    available: Iterable[Availability], kinds: Sequence[str]
) -> tuple[KindStates, ...]:
    """Return how many regions are full, nearly full and unknown, for each kind of place."""
    cells = [_cell(one) for one in available]
    return tuple(
        KindStates(
            kind,
            {
                state: sum(cell.kind == kind and cell.state == state for cell in cells)
                for state in STATES
            },
        )
        for kind in kinds
    )


def map_regions(rows: Iterable[BandRow]) -> list[MapRegion]:
    """Return the regions for the map, the most populous first, because those get a label."""
    by_size = sorted(rows, key=lambda row: -row.region.population)
    return [
        MapRegion(
            code=row.region.code,
            name=row.region.name,
            lat=row.region.lat,
            lon=row.region.lon,
            free=row.best.free,
            freshness=row.best.freshness,
        )
        for row in by_size
    ]


def sort_key(name: str) -> str:
    """Return the letters of a name, by which it is sorted."""
    return "".join(letter for letter in name.casefold() if letter.isalpha())


def _cell(one: Availability) -> Cell:
    return Cell(
        one.kind, shape_of(one.free, one.freshness), one.free, one.freshness, one.total, one.own
    )
