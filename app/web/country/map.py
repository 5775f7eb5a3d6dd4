"""The map of the country: a mark for each region, and unsafe areas to scale.

It holds geometry and no words. A mark stands at the region's lead municipality.
One unit of the drawing is one kilometre. Nothing on it is finer than a municipality.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from math import cos, radians

from app.allocation.ranking.safety import EARTH_RADIUS_KM
from app.errors import OperatorError
from app.reference import GeoBounds, load
from app.web.assets import HERE

Ring = Sequence[Sequence[float]]
"""Points of [longitude, latitude], in degrees; the last joins the first."""

KM_A_DEGREE = radians(1) * EARTH_RADIUS_KM
MARGIN_KM = 6.0
RADIUS_KM: Mapping[str, float] = {
    "offered": 5.0,
    "many": 7.0,
    "few": 5.0,
    "full": 4.0,
    "unknown": 5.0,
    "out": 4.0,
    "none": 2.0,
}
"""The radius of each mark; sizes differ, so that marks are not told apart by colour alone."""
OFFERED = "offered"
"""The mark of a region where a ranking offers something: how much is free there it does not say."""
MARK_OF_BAND: Mapping[str, str] = {"3+": "many", "1-2": "few", "0": "full"}
RING_KM = 2.5
MOST_LABELS = 14
LETTER_KM, LINE_KM = 5.2, 8.0
"""The average width of a letter of a label, and the height of its line."""
SCALE_KM = 50


@dataclass(frozen=True, slots=True)
class MapRegion:
    """A region, and what the map shows of it."""

    code: str
    name: str
    lat: float
    lon: float
    free: str | None = None
    """A band; None if nothing is known."""
    freshness: str | None = None
    """`fresh`, `stale` or `unknown`; None if the region has no such place at all."""
    lawful: bool | None = None
    """Whether a ranking offers places there; None if the map is of no ranking."""
    why: tuple[str, ...] = ()
    """The codes of the rules that left all places there out."""


@dataclass(frozen=True, slots=True)
class UnsafeArea:
    """An unsafe municipality, and the radius around it in which nobody may be placed."""

    name: str
    lat: float
    lon: float
    extent_km: int
    radius_km: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of a region; `shape` is one of RADIUS_KM."""

    region: MapRegion
    x: float
    y: float
    radius: float
    shape: str

    @property
    def reach(self) -> float:
        """The radius of the mark, with the ring that it has if places are offered there."""
        return self.radius + (RING_KM if self.region.lawful else 0.0)

    @property
    def stale(self) -> bool:
        """Whether the mark shows a count that was not confirmed lately."""
        counted = self.shape == OFFERED or self.shape in MARK_OF_BAND.values()
        return counted and self.region.freshness == "stale"


@dataclass(frozen=True, slots=True)
class ZoneMark:
    """The two ellipses of an unsafe area.

    They are no circles, because away from the middle latitude a kilometre west is drawn wider.
    The inner one is the municipality as far as it can extend, the outer one its radius around that.
    The extent of the municipality of a site counts as well, but is not drawn.
    """

    area: UnsafeArea
    x: float
    y: float
    inner: tuple[float, float]
    outer: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """A name on the map, beside its mark."""

    text: str
    x: float
    y: float
    anchor: str
    of_area: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that the template draws, largest marks first so that they hide no other."""

    width: float
    height: float
    land: str
    marks: tuple[Mark, ...]
    zones: tuple[ZoneMark, ...]
    labels: tuple[Label, ...]
    scale_km: int = SCALE_KM

    @property
    def shapes(self) -> frozenset[str]:
        """The shapes on this map, which its legend explains."""
        return frozenset(mark.shape for mark in self.marks)

    @property
    def stale(self) -> bool:
        """Whether any count on the map is stale."""
        return any(mark.stale for mark in self.marks)

    @property
    def regions_with_offers(self) -> int | None:
        """The number of regions with offers; None if the map is of no ranking."""
        asked = [mark.region.lawful for mark in self.marks if mark.region.lawful is not None]
        return sum(asked) if asked else None

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of regions with each mark."""
        return {shape: sum(mark.shape == shape for mark in self.marks) for shape in RADIUS_KM}


@dataclass(frozen=True, slots=True)
class Projection:
    """An equirectangular projection, true to scale along the country's middle latitude."""

    bounds: GeoBounds

    @property
    def shrink(self) -> float:
        """The length of a degree of longitude by one of latitude, in the middle."""
        return cos(radians((self.bounds.south + self.bounds.north) / 2))

    @property
    def size(self) -> tuple[float, float]:
        """The width and height of the drawing."""
        east, south = self.at(self.bounds.south, self.bounds.east)
        return east + MARGIN_KM, south + MARGIN_KM

    def at(self, lat: float, lon: float) -> tuple[float, float]:
        """Return where a position is drawn, in kilometres from the left and from the top."""
        x = (lon - self.bounds.west) * self.shrink * KM_A_DEGREE + MARGIN_KM
        return x, (self.bounds.north - lat) * KM_A_DEGREE + MARGIN_KM

    def radii(self, lat: float, km: float) -> tuple[float, float]:
        """Return the half width and half height of a circle of this radius at a latitude."""
        return km * self.shrink / cos(radians(lat)), km


@cache
def outline_of(jurisdiction: str) -> Sequence[Ring]:
    """Return the rings of a country: its mainland, its islands, and holes in them.

    Set-up builds them from public map data.
    """
    file = HERE / "built" / f"outline-{jurisdiction}.json"
    if not file.exists():
        message = "The country's outline is missing: run `make setup`, which builds it."
        raise OperatorError(message)
    rings: Sequence[Ring] = json.loads(file.read_text(encoding="utf-8"))
    return rings


def draw_country(regions: Sequence[MapRegion], areas: Iterable[UnsafeArea] = ()) -> Drawing:
    """Draw this installation's country, as `draw` does."""
    country = load().country
    return draw(outline_of(country.jurisdiction), country.bounds, regions, areas)


def draw(
    outline: Sequence[Ring],
    bounds: GeoBounds,
    regions: Sequence[MapRegion],
    areas: Iterable[UnsafeArea] = (),
) -> Drawing:
    """Draw a country.

    Unsafe areas get their labels first, then regions, in the order in which they are given.
    """
    projection = Projection(bounds)
    marks = [_mark(region, projection) for region in regions]
    zones = [_zone(area, projection) for area in areas]
    width, height = projection.size
    return Drawing(
        width=_short(width),
        height=_short(height),
        land=_land(outline, projection),
        marks=tuple(sorted(marks, key=lambda mark: -mark.radius)),
        zones=tuple(sorted(zones, key=lambda zone: -zone.outer[1])),
        labels=tuple(_labels(marks, zones, _Paper(width, height))),
    )


def _mark(region: MapRegion, projection: Projection) -> Mark:
    x, y = projection.at(region.lat, region.lon)
    shape = _shape(region)
    return Mark(region, _short(x), _short(y), RADIUS_KM[shape], shape)


def _shape(region: MapRegion) -> str:
    if region.lawful is None:
        return shape_of(region.free, region.freshness)
    if not region.lawful:
        return "out"
    return "unknown" if region.freshness == "unknown" else OFFERED


def shape_of(free: str | None, freshness: str | None) -> str:
    """Return the mark for a band and its freshness; with neither there are no such places."""
    if freshness is None and free is None:
        return "none"
    # A count that was never confirmed is not drawn as if it were known, least of all as full.
    return "unknown" if freshness == "unknown" else MARK_OF_BAND.get(free or "", "unknown")


def _zone(area: UnsafeArea, projection: Projection) -> ZoneMark:
    x, y = projection.at(area.lat, area.lon)
    inner = projection.radii(area.lat, area.extent_km)
    outer = projection.radii(area.lat, area.extent_km + area.radius_km)
    return ZoneMark(
        area, _short(x), _short(y), (_short(inner[0]), inner[1]), (_short(outer[0]), outer[1])
    )


def _land(outline: Sequence[Ring], projection: Projection) -> str:
    rings: list[str] = []
    for ring in outline:
        points = [_tenths(projection.at(latitude, longitude)) for longitude, latitude in ring]
        steps = [(x - before[0], y - before[1]) for before, (x, y) in pairwise(points)]
        (x, y) = points[0]
        rings.append(
            f"M{x / 10:g} {y / 10:g}l"
            + " ".join(f"{dx / 10:g} {dy / 10:g}" for dx, dy in steps)
            + "z"
        )
    return "".join(rings)


def _tenths(point: tuple[float, float]) -> tuple[int, int]:
    """Return a point in whole hundreds of metres, so that steps add up without loss."""
    return round(point[0] * 10), round(point[1] * 10)


# --- labels: a few, none over another; the list beside the map has every name


@dataclass(slots=True)
class _Paper:
    """The drawing area, and its boxes that are taken: left, top, right and bottom."""

    width: float
    height: float
    taken: list[tuple[float, float, float, float]] = field(
        default_factory=list[tuple[float, float, float, float]]
    )

    def take(self, box: tuple[float, float, float, float]) -> bool:
        """Take a box if it is free and lies within the drawing."""
        left, top, right, bottom = box
        free = left >= 0 and right <= self.width and top >= 0 and bottom <= self.height
        if free and not any(
            left < one[2] and right > one[0] and top < one[3] and bottom > one[1]
            for one in self.taken
        ):
            self.taken.append(box)
            return True
        return False


def _labels(marks: Sequence[Mark], zones: Sequence[ZoneMark], paper: _Paper) -> Iterable[Label]:
    for mark in marks:
        # A round mark takes its inner square: the corners stay free.
        half = mark.reach * 0.75
        paper.taken.append((mark.x - half, mark.y - half, mark.x + half, mark.y + half))
    for zone in zones:
        yield from _label(paper, zone.area.name, zone.x, zone.y, 2.0, of_area=True)
    named = 0
    for mark in sorted(marks, key=lambda mark: mark.shape in {"out", "none"}):
        if named == MOST_LABELS:
            return
        for label in _label(paper, mark.region.name, mark.x, mark.y, mark.reach, of_area=False):
            named += 1
            yield label


def _label(
    paper: _Paper, text: str, x: float, y: float, away: float, *, of_area: bool
) -> Iterable[Label]:
    """Yield a label at the first free side of its mark, or none if all are taken."""
    length, gap = len(text) * LETTER_KM, away + 1.5
    slanting = gap * 0.7
    middle = y + LINE_KM / 3
    for anchor, at_x, at_y in (
        ("start", x + gap, middle),
        ("end", x - gap, middle),
        ("middle", x, y + gap + LINE_KM * 0.75),
        ("middle", x, y - gap),
        ("start", x + slanting, y - slanting),
        ("end", x - slanting, y - slanting),
        ("start", x + slanting, y + slanting + LINE_KM * 0.6),
        ("end", x - slanting, y + slanting + LINE_KM * 0.6),
    ):
        left = {"start": at_x, "end": at_x - length, "middle": at_x - length / 2}[anchor]
        if paper.take((left, at_y - LINE_KM * 0.75, left + length, at_y + LINE_KM * 0.25)):
            yield Label(text, _short(at_x), _short(at_y), anchor, of_area)
            return


def _short(km: float) -> float:
    return round(km, 1)
