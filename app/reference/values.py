"""The facts of a country: municipalities, regions, weights, codes and words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

Words = Mapping[str, str]
"""The same words in each language, by language code."""

Between = Callable[[float, float, int, float, float, int], int]
"""The rule for the clearance in km of two municipalities (lat, lon, extent_km)."""


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality; nothing in Plek is placed more exactly than this."""

    code: str
    name: str
    province: str
    region: str
    """Code of the lead municipality whose region it belongs to."""
    mapping_confidence: str
    """How certain that mapping is: high, medium or low.

    It is a compilation, not an official table.
    """
    lat: float
    lon: float
    extent_km: int
    """How far from (lat, lon) anything in the municipality can be, rounded up."""
    population: int


@dataclass(frozen=True, slots=True)
class MunicipalityClearance:
    """The whole km certain to lie between two municipalities; may be negative."""

    zone: str
    site: str
    km: int


def clearance_table(
    municipalities: Sequence[Municipality], *, between: Between
) -> Iterator[MunicipalityClearance]:
    """Yield a clearance for every ordered pair of municipalities, each with itself included."""
    for zone in municipalities:
        for site in municipalities:
            km = between(zone.lat, zone.lon, zone.extent_km, site.lat, site.lon, site.extent_km)
            yield MunicipalityClearance(zone=zone.code, site=site.code, km=km)


@dataclass(frozen=True, slots=True)
class Region:
    """The area served by one lead municipality, whose code and position it carries."""

    code: str
    name: str
    lat: float
    lon: float
    population: int
    """Inhabitants of the whole region."""


@dataclass(frozen=True, slots=True)
class RegionWeight:
    """How much of the shared burden a region is asked to carry, relative to the others."""

    region: str
    weight: int
    source: str
    date: date


@dataclass(frozen=True, slots=True)
class CodeList:
    """The codes that one field may hold, with their words."""

    extensible: bool
    """Whether a policy may add codes; the others are built into the service's behaviour."""
    title: Words
    codes: Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class GeoBounds:
    """The box in degrees that holds every position; it catches swapped coordinates."""

    south: float
    north: float
    west: float
    east: float


@dataclass(frozen=True, slots=True)
class Country:
    """The few facts about a jurisdiction that are neither a list nor a policy."""

    jurisdiction: str
    name: Words
    languages: tuple[str, ...]
    """The first is the one to fall back on."""
    iso_numeric: str
    """Of ISO 3166-1, three digits: by it the country's outline is found."""
    neutral_site: str
    """The harmless site to which a page that must be left at once goes."""
    time_zone: str
    """Whose midnight ends a night."""
    ledger_origin: str
    """What the ledger's checkpoints call it; no address has to answer there."""
    municipality_pattern: str
    """Regular expression that a whole municipality code matches."""
    municipality_example: str
    also_called: Mapping[str, tuple[str, ...]]
    """By code of a municipality: what people call it besides its name."""
    bounds: GeoBounds
    yes: tuple[str, ...]
    """What people there write in a file for yes, in lower case."""
    no: tuple[str, ...]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the country's clocks."""
        return ZoneInfo(self.time_zone)

    def day_of(self, at: datetime) -> date:
        """Return the local day of a moment."""
        return at.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """Return the moment at which a local day begins."""
        return datetime.combine(day, time.min, tzinfo=self.zone)


@dataclass(frozen=True, slots=True)
class DemoWords:
    """Invented names for a demo country; nothing in them exists or can be dialled."""

    providers: tuple[str, ...]
    sites: tuple[str, ...]
    """More names than any one provider has sites."""
    streets: tuple[str, ...]
    postcodes: tuple[str, ...]
    phone: str
    """Format with the number `n` of the provider, from 1."""
    languages: Mapping[str, int]
    """Languages that households speak, with how often."""
    people: Mapping[str, str]
    """The roles of a demo's people, with the region in which each works."""


@dataclass(frozen=True, slots=True)
class ReferenceFiles:
    """Everything that one jurisdiction's reference files say."""

    country: Country
    municipalities: tuple[Municipality, ...]
    """In the order of their codes."""
    regions: tuple[Region, ...]
    """In the order of their codes."""
    weights: tuple[RegionWeight, ...]
    codes: Mapping[str, CodeList]
    demo: DemoWords

    def codes_of(self, listed: str) -> frozenset[str]:
        """Return the codes of one list, for example `features`."""
        return frozenset(self.codes[listed].codes)

    def label(self, listed: str, *, code: str, language: str) -> str:
        """The words for a code, in the country's first language as a fallback, else the code."""
        words = self.codes[listed].codes.get(code, {})
        return words.get(language) or words.get(self.country.languages[0]) or code
