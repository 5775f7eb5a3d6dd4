"""The country on paper.

Regions as dots at their lead municipality, unsafe areas to scale. Geometry only, no words.

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
from app.reference import Bounds, load
from app.web.assets import HERE

Ring = Sequence[Sequence[float]]
"""Points of [longitude, latitude], in degrees; the last joins the first."""

KM_A_DEGREE = radians(1) * EARTH_RADIUS_KM
MARGIN_KM = 6.0
RADIUS_KM: Mapping[str, float] = {
    "many": 7.0,
    "few": 5.0,
    "full": 4.0,
    "unknown": 5.0,
    "out": 4.0,
    "none": 2.0,
}
"""How large each mark is drawn: a size of its own for each, so that colour is never all that tells
them apart."""
MARK_OF_BAND: Mapping[str, str] = {"3+": "many", "1-2": "few", "0": "full"}
RING_KM = 2.5
MOST_LABELS = 14
LETTER_KM, LINE_KM = 5.2, 8.0
"""Of the letters of names: on average, and at most in height."""
SCALE_KM = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A region, and what is known of it."""

    code: str
    name: str
    lat: float
    lon: float
    free: str | None = None
    """A band; None where nothing is known."""
    freshness: str | None = None
    """`fresh`, `stale` or `unknown`; None where it has no such place at all."""
    lawful: bool | None = None
    """Whether something there is offered to a household; None where nobody asks for one."""
    why: tuple[str, ...] = ()
    """The rules in the way, as codes, where nothing is."""


@dataclass(frozen=True, slots=True)
class Area:
    """An unsafe area: a municipality, and how far from anything in it nobody may be placed."""

    name: str
    lat: float
    lon: float
    extent_km: int
    radius_km: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A region as it is drawn: `shape` is one of RADIUS_KM."""

    region: Shown
    x: float
    y: float
    radius: float
    shape: str

    @property
    def reach(self) -> float:
        """How far it is drawn, with its ring where something is offered."""
        return self.radius + (RING_KM if self.region.lawful else 0.0)

    @property
    def stale(self) -> bool:
        """Whether it says how many are free, and that nobody has confirmed it lately."""
        return self.region.freshness == "stale" and self.shape in MARK_OF_BAND.values()


@dataclass(frozen=True, slots=True)
class Zone:
    """An unsafe area as it is drawn.

    Ellipses, for away from the middle a kilometre west is drawn a little wider.

    The inner one is the municipality as far as it can extend, the outer one its radius around that.
    The extent of the municipality in which a site is counts as well, and has no place on the
    drawing.
    """

    area: Area
    x: float
    y: float
    inner: tuple[float, float]
    outer: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """A name beside what it names."""

    text: str
    x: float
    y: float
    anchor: str
    of_area: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that the template puts on paper, largest marks first so that none hides a smaller one."""

    width: float
    height: float
    land: str
    marks: tuple[Mark, ...]
    zones: tuple[Zone, ...]
    labels: tuple[Label, ...]
    scale_km: int = SCALE_KM

    @property
    def shapes(self) -> frozenset[str]:
        """Which marks there are: no others are explained."""
        return frozenset(mark.shape for mark in self.marks)

    @property
    def stale(self) -> bool:
        """Whether anything on it is old."""
        return any(mark.stale for mark in self.marks)

    @property
    def lit(self) -> int | None:
        """How many regions have something to offer; None where nobody asked."""
        asked = [mark.region.lawful for mark in self.marks if mark.region.lawful is not None]
        return sum(asked) if asked else None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many regions bear each mark."""
        return {shape: sum(mark.shape == shape for mark in self.marks) for shape in RADIUS_KM}


@dataclass(frozen=True, slots=True)
class Projection:
    """Equirectangular, true to scale along the country's middle latitude."""

    bounds: Bounds

    @property
    def shrink(self) -> float:
        """How much shorter a degree of longitude is than one of latitude, in the middle."""
        return cos(radians((self.bounds.south + self.bounds.north) / 2))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        east, south = self.at(self.bounds.south, self.bounds.east)
        return east + MARGIN_KM, south + MARGIN_KM

    def at(self, lat: float, lon: float) -> tuple[float, float]:
        """Return where a position is drawn.

        Kilometres from the left and from the top.
        """
        x = (lon - self.bounds.west) * self.shrink * KM_A_DEGREE + MARGIN_KM
        return x, (self.bounds.north - lat) * KM_A_DEGREE + MARGIN_KM

    def radii(self, lat: float, km: float) -> tuple[float, float]:
        """Return how wide and high a circle of so many kilometres is drawn at a latitude."""
        return km * self.shrink / cos(radians(lat)), km


@cache
def outline_of(jurisdiction: str) -> Sequence[Ring]:
    """Return the rings of a country: its mainland, its islands, and holes in them."""
    file = HERE / "built" / f"outline-{jurisdiction}.json"
    if not file.exists():
        message = "The country's outline is missing: run `make setup`, which builds it."
        raise OperatorError(message)
    rings: Sequence[Ring] = json.loads(file.read_text(encoding="utf-8"))
    return rings


def draw_country(regions: Sequence[Shown], areas: Iterable[Area] = ()) -> Drawing:
    """Draw this installation's country, as `draw` does, in the outline that set-up built."""
    country = load().country
    return draw(outline_of(country.jurisdiction), country.bounds, regions, areas)


def draw(
    outline: Sequence[Ring], bounds: Bounds, regions: Sequence[Shown], areas: Iterable[Area] = ()
) -> Drawing:
    """Draw the country.

    Names go to unsafe areas, and then to regions in the order in which they are given.
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


def _mark(region: Shown, projection: Projection) -> Mark:
    x, y = projection.at(region.lat, region.lon)
    shape = _shape(region)
    return Mark(region, _short(x), _short(y), RADIUS_KM[shape], shape)


def _shape(region: Shown) -> str:
    return "out" if region.lawful is False else shape_of(region.free, region.freshness)


def shape_of(free: str | None, freshness: str | None) -> str:
    """Return the mark for a band and how fresh it is.

    Neither: there are no such places.
    """
    if freshness is None and free is None:
        return "none"
    # What was never confirmed is not drawn as if somebody knew it, and least of all as nothing.
    return "unknown" if freshness == "unknown" else MARK_OF_BAND.get(free or "", "unknown")


def _zone(area: Area, projection: Projection) -> Zone:
    x, y = projection.at(area.lat, area.lon)
    inner = projection.radii(area.lat, area.extent_km)
    outer = projection.radii(area.lat, area.extent_km + area.radius_km)
    return Zone(
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
    """Return a point in whole hundreds of metres.

    Steps from one to the next then add up without loss.
    """
    return round(point[0] * 10), round(point[1] * 10)


# --- names: a few, and none over another; all of them stand in the list beside the map


@dataclass(slots=True)
class _Paper:
    """What is taken already: boxes of left, top, right and bottom."""

    width: float
    height: float
    taken: list[tuple[float, float, float, float]] = field(
        default_factory=list[tuple[float, float, float, float]]
    )

    def take(self, box: tuple[float, float, float, float]) -> bool:
        """Take a box if it is free and lies on the paper."""
        left, top, right, bottom = box
        free = left >= 0 and right <= self.width and top >= 0 and bottom <= self.height
        if free and not any(
            left < one[2] and right > one[0] and top < one[3] and bottom > one[1]
            for one in self.taken
        ):
            self.taken.append(box)
            return True
        return False


def _labels(marks: Sequence[Mark], zones: Sequence[Zone], paper: _Paper) -> Iterable[Label]:
    for mark in marks:
        # Of a round mark, the square in it: its corners are free.
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
    """Yield a name at the first free side of its mark, or none where all are taken."""
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
