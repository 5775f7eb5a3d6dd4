"""What is free, as it stands on the country page.

Regions by kind of place, in bands, and where they are full.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.database.reference import KnownRegion
from app.registry.availability import Availability, AvailabilityCount
from app.web.country.map import Shown, shape_of

BEST_FIRST = ("many", "few", "full", "unknown", "none")
STATES = BEST_FIRST[:-1]
"""What a region that has such places can be."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of place in one region; `state` is the mark that the map has for it."""

    kind: str
    state: str = "none"
    free: str | None = None
    freshness: str | None = None
    total: int = 0
    own: AvailabilityCount | None = None


@dataclass(frozen=True, slots=True)
class BandRow:
    """One region, with a cell for each kind of place that is shown."""

    region: KnownRegion
    cells: tuple[Cell, ...]

    @property
    def best(self) -> Cell:
        """What it has most of, as far as that is known."""
        return min(self.cells, key=lambda cell: BEST_FIRST.index(cell.state), default=Cell(""))


@dataclass(frozen=True, slots=True)
class Peak:
    """One kind of place in the whole country: how many regions are in each state."""

    kind: str
    regions: Mapping[str, int]

    @property
    def having(self) -> int:
        """How many regions have such places at all."""
        return sum(self.regions.values())


def rows_of(
    available: Iterable[Availability], regions: Iterable[KnownRegion], kinds: Sequence[str]
) -> tuple[BandRow, ...]:
    """Return every region by name, those that have nothing too."""
    cells = {(one.region, one.kind): _cell(one) for one in available}
    return tuple(
        BandRow(region, tuple(cells.get((region.code, kind), Cell(kind)) for kind in kinds))
        for region in sorted(regions, key=lambda region: letters_of(region.name))
    )


def peaks_of(available: Iterable[Availability], kinds: Sequence[str]) -> tuple[Peak, ...]:
    """Return, for each kind of place, how many regions are full, nearly full, and not known."""
    cells = [_cell(one) for one in available]
    return tuple(
        Peak(
            kind,
            {
                state: sum(cell.kind == kind and cell.state == state for cell in cells)
                for state in STATES
            },
        )
        for kind in kinds
    )


def on_the_map(rows: Iterable[BandRow]) -> list[Shown]:
    """Return the regions for the map.

    Those where most people live first, so that these are named on it.
    """
    by_size = sorted(rows, key=lambda row: -row.region.population)
    return [
        Shown(
            code=row.region.code,
            name=row.region.name,
            lat=row.region.lat,
            lon=row.region.lon,
            free=row.best.free,
            freshness=row.best.freshness,
        )
        for row in by_size
    ]


def letters_of(name: str) -> str:
    """Return by what a name is sorted: its letters alone."""
    return "".join(letter for letter in name.casefold() if letter.isalpha())


def _cell(one: Availability) -> Cell:
    return Cell(
        one.kind, shape_of(one.free, one.freshness), one.free, one.freshness, one.total, one.own
    )
