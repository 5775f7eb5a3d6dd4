"""Invented shelter organisations, sites and places, spread over a country by weight."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.allocation.ranking.safety import distance_km
from app.reference import Municipality, ReferenceFiles, Region
from app.simulation.country.luck import Luck, shares
from app.simulation.country.values import DemoPlace, DemoProvider, DemoSite

PLACES = 1024
PLACES_A_SITE = 11
PLACES_FOR_MEN = 6
REGIONS_WITH_TWO_PROVIDERS = 3
REGIONS_WITH_MEN = 5
REGIONS_A_PROVIDER = 3

BED_SPACES = {1: 20, 2: 27, 3: 23, 4: 15, 5: 8, 6: 4, 7: 2, 8: 1}
SHARING = {
    "crisis": {"shared_facilities": 55, "own_unit": 30, "shared_room": 15},
    "regular": {"shared_facilities": 45, "own_unit": 55},
    "emergency": {"shared_facilities": 50, "shared_room": 50},
    "move_on": {"own_unit": 100},
    "alternative": {"own_unit": 100},
}
MOST_IN_A_SHARED_ROOM = 2
SONS_UP_TO_AGE = {11: 10, 12: 15, 14: 5, 15: 10, 17: 60}
SITE_FEATURES = {
    "children_programme": 0.6,
    "school_near": 0.5,
    "interpreter": 0.4,
    "treatment_on_site": 0.2,
    "pets": 0.12,
}
SPECIALISMS = {0: 60, 1: 28, 2: 12}
EXCLUSIVE = (
    ("forced_marriage", "honour_based_abuse"),
    ("human_trafficking", "sexual_exploitation"),
    ("young_mother",),
    ("lgbtiq",),
)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A usual sort of site; kinds and supervision with how often."""

    kinds: Mapping[str, float]
    supervision: Mapping[str, float]
    known: float
    """The chance that its address is openly known."""
    genders: Mapping[tuple[str, ...], float]


EVERYONE = ("female", "male", "other")
WOMEN = {("female",): 70.0, ("female", "other"): 30.0}
HOUSE = Blueprint({"crisis": 43, "regular": 52, "emergency": 5}, {"24h": 100}, 0.1, WOMEN)
CRISIS = Blueprint({"crisis": 86, "emergency": 14}, {"24h": 100}, 0, WOMEN)
FOLLOW_ON = Blueprint(
    {"regular": 40, "move_on": 54, "alternative": 6}, {"daytime": 60, "none": 40}, 0.55, WOMEN
)
MEN = Blueprint(
    {"crisis": 60, "regular": 40},
    {"24h": 40, "daytime": 60},
    0.3,
    {("male",): 80, ("male", "other"): 20},
)
# In which mix they come after the first site of a region, which is a house.
FURTHER = (*[HOUSE] * 10, *[CRISIS] * 3, *[FOLLOW_ON] * 8)


@dataclass(frozen=True, slots=True)
class Plot:
    """The plan of a site: `places` of one provider in one region, after a blueprint."""

    provider: DemoProvider
    region: str
    places: int
    blueprint: Blueprint
    first: bool
    """The provider's first site in the region: it stands in the lead municipality."""


class CountryBuilder:
    """Builds the demo country's register, each method from its own stream of chance."""

    def __init__(self, reference: ReferenceFiles, *, seed: int) -> None:
        self._reference = reference
        self._seed = seed
        # Where several dates are given, the newest weight counts.
        dated = sorted(reference.weights, key=lambda weight: weight.date)
        self._weights = {weight.region: float(weight.weight) for weight in dated}
        self._by_weight = sorted(
            reference.regions, key=lambda region: (-self._weights[region.code], region.code)
        )
        self._towns: dict[str, list[Municipality]] = {
            region.code: [] for region in reference.regions
        }
        for town in reference.municipalities:
            self._towns[town.region].append(town)

    def providers(self) -> tuple[DemoProvider, ...]:
        """Return one provider for each invented name.

        Together they serve every region.
        """
        luck = Luck(self._seed, subject="providers")
        words = self._reference.demo
        areas = self._areas(len(words.providers))
        return tuple(
            DemoProvider(
                id=luck.id(),
                slug="-".join(name.lower().split()),
                name=name,
                phone=words.phone.format(n=number),
                regions=tuple(region.code for region in area),
            )
            for number, (name, area) in enumerate(zip(words.providers, areas, strict=True), 1)
        )

    def _areas(self, count: int) -> list[list[Region]]:
        """Give the heaviest regions their own providers, and the others the nearest one."""
        homes = self._by_weight[: count - REGIONS_WITH_TWO_PROVIDERS]
        areas = [[homes[number % len(homes)]] for number in range(count)]
        for region in self._by_weight[len(homes) :]:
            roomy = [area for area in areas if len(area) < REGIONS_A_PROVIDER] or areas
            nearest = min(
                roomy,
                key=lambda area: distance_km(region.lat, region.lon, area[0].lat, area[0].lon),
            )
            nearest.append(region)
        return areas

    def plots(self, providers: Sequence[DemoProvider]) -> Iterator[Plot]:
        """Plan the sites: places by the region's weight, and a house first in each region."""
        luck = Luck(self._seed, subject="plots")
        further = luck.deck(FURTHER)
        with_men = {region.code for region in self._by_weight[:REGIONS_WITH_MEN]}
        for code, places in shares(PLACES, weights=self._weights).items():
            here = [provider for provider in providers if code in provider.regions]
            parts = shares(
                places, weights={provider: 1 / rank for rank, provider in enumerate(here, 2)}
            )
            for number, (provider, part) in enumerate(parts.items()):
                men = PLACES_FOR_MEN if number == 0 and code in with_men else 0
                sites = max(1, round((part - men) / PLACES_A_SITE))
                sizes = shares(
                    part - men, weights={site: luck.between(6, 10) for site in range(sites)}
                )
                for site, size in sizes.items():
                    blueprint = next(further) if site else HOUSE
                    yield Plot(provider, code, size, blueprint, first=site == 0)
                if men:
                    yield Plot(provider, code, men, MEN, first=False)

    def sites(self, plots: Sequence[Plot]) -> tuple[DemoSite, ...]:
        """Build a site for each plot, confirmed and admitting for now."""
        luck = Luck(self._seed, subject="sites")
        exclusive = self._exclusive(luck, plots)
        names = {
            plot.provider.id: iter(
                luck.some(self._reference.demo.sites, count=len(self._reference.demo.sites))
            )
            for plot in plots
        }
        return tuple(
            self._site(
                luck,
                plot,
                name=next(names[plot.provider.id]),
                number=number,
                only=exclusive.get(number, ()),
            )
            for number, plot in enumerate(plots)
        )

    @staticmethod
    def _exclusive(luck: Luck, plots: Sequence[Plot]) -> dict[int, tuple[str, ...]]:
        # Never the first site: every region keeps one that is for anyone.
        eligible = [
            number
            for number, plot in enumerate(plots)
            if not plot.first and plot.blueprint is not MEN
        ]
        return dict(zip(luck.some(eligible, count=len(EXCLUSIVE)), EXCLUSIVE, strict=False))

    def _site(
        self, luck: Luck, plot: Plot, *, name: str, number: int, only: tuple[str, ...]
    ) -> DemoSite:
        towns = {town: float(town.population) for town in self._towns[plot.region]}
        in_lead = plot.first or luck.happens(0.4)
        town = (
            next(town for town in towns if town.code == plot.region)
            if in_lead
            else luck.pick(towns)
        )
        known = luck.happens(plot.blueprint.known)
        words = self._reference.demo
        groups = tuple(self._reference.codes["target_groups"].codes)
        return DemoSite(
            id=luck.id(),
            provider_id=plot.provider.id,
            name=name,
            municipality=town.code,
            street=f"{luck.one(words.streets)} {number + 1}",
            postcode=luck.one(words.postcodes),
            city=town.name,
            address_secrecy="known" if known else "confidential",
            supervision=luck.pick(plot.blueprint.supervision),
            features=tuple(
                sorted(feature for feature, chance in SITE_FEATURES.items() if luck.happens(chance))
            ),
            specialisms=only or tuple(sorted(luck.some(groups, count=luck.pick(SPECIALISMS)))),
            exclusive_to=only,
            admission="open",
            automatic_acceptance=known and luck.happens(0.5),
            confirmed_hours_ago=luck.between(0, 19),
        )

    def places(self, plots: Sequence[Plot], sites: Sequence[DemoSite]) -> Iterator[DemoPlace]:
        """Yield the places of all sites, free, in small groups that are alike."""
        luck = Luck(self._seed, subject="places")
        for plot, site in zip(plots, sites, strict=True):
            genders = (
                EVERYONE if "lgbtiq" in site.exclusive_to else luck.pick(plot.blueprint.genders)
            )
            sons = luck.pick(SONS_UP_TO_AGE)
            for floor, (kind, count) in enumerate(self._groups(luck, plot), 1):
                model = self._place(luck, site, kind=kind, genders=genders, sons=sons)
                for letter in range(count):
                    yield replace(model, id=luck.id(), label=f"{floor}{chr(ord('A') + letter)}")

    @staticmethod
    def _groups(luck: Luck, plot: Plot) -> Iterator[tuple[str, int]]:
        for kind, count in shares(plot.places, weights=plot.blueprint.kinds).items():
            left = count
            while left:
                alike = min(left, luck.between(2, 5))
                left -= alike
                yield kind, alike

    @staticmethod
    def _place(
        luck: Luck, site: DemoSite, *, kind: str, genders: tuple[str, ...], sons: int
    ) -> DemoPlace:
        sharing = luck.pick(SHARING[kind])
        bed_spaces = luck.pick(BED_SPACES)
        if sharing == "shared_room":
            bed_spaces = min(bed_spaces, MOST_IN_A_SHARED_ROOM)
        own = sharing == "own_unit"
        chances = {
            "wheelchair": 0.12,
            "cots": 0.4 if bed_spaces > 1 else 0,
            "self_contained": 0.8 if own else 0,
        }
        return DemoPlace(
            id=site.id,
            site_id=site.id,
            label="",
            kind=kind,
            bed_spaces=bed_spaces,
            sharing=sharing,
            genders=genders,
            # Behind a front door of its own, a grown son disturbs nobody.
            sons_up_to_age=17 if own else sons,
            features=tuple(
                sorted(feature for feature, chance in chances.items() if luck.happens(chance))
            ),
            status="free",
            reason=None,
            status_hours=0,
        )
