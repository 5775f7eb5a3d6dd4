"""The values of a provider's board: its sites and places, and the placements in them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from app.database.transaction import Transaction
from app.placing import placements
from app.placing.placements import PlacementRow
from app.registry import places, sites
from app.registry.places import OwnPlace
from app.registry.sites import OwnSite

AT_ONCE = 200
SOON = 4
"""A site is about to grow stale in the last of so many parts of the policy's hours."""

Item = TypeVar("Item")
Position = tuple[datetime, UUID]


async def read_all(
    ask: Callable[[int, Position | None], Awaitable[list[Item]]],
    position: Callable[[Item], Position],
) -> list[Item]:
    """Read a whole list, page by page."""
    found: list[Item] = []
    after: Position | None = None
    while True:
        part = await ask(AT_ONCE, after)
        found += part
        if len(part) < AT_ONCE:
            return found
        after = position(part[-1])


@dataclass(frozen=True, slots=True)
class SiteFreshness:
    """The freshness of a site's counts and its end: `fresh`, `soon`, `stale` or `unknown`."""

    state: str
    until: datetime | None

    @classmethod
    def of(cls, site: OwnSite, *, at: datetime, hours: int) -> "SiteFreshness":
        """Return the freshness by the last confirmation and the policy's hours."""
        if site.confirmed_at is None:
            return cls("unknown", None)
        until = site.confirmed_at + timedelta(hours=hours)
        if until <= at:
            return cls("stale", until)
        return cls("soon" if until - at <= timedelta(hours=hours) / SOON else "fresh", until)

    @property
    def warns(self) -> bool:
        """Whether the site should be confirmed."""
        return self.state != "fresh"


@dataclass(frozen=True, slots=True)
class PlaceCard:
    """One place, and the placement that keeps it, if there is one."""

    place: OwnPlace
    placement: PlacementRow | None

    @property
    def state(self) -> str:
        """The state: free, held, underway, arrived, no_show, occupied or out_of_service."""
        status = self.place.row.state.status
        return status if self.placement is None or status != "occupied" else self.placement.status

    @property
    def claimed(self) -> bool:
        """Whether the place is claimed: then its status cannot be declared here."""
        return self.place.row.claimed

    @property
    def in_danger(self) -> bool:
        """Whether the place is no longer safe for the household that has it."""
        return (
            self.placement is not None
            and self.placement.live
            and self.placement.unsafe_since is not None
        )


@dataclass(frozen=True, slots=True)
class SiteSection:
    """One site with its places."""

    site: OwnSite
    town: str
    freshness: SiteFreshness
    cards: tuple[PlaceCard, ...]

    @property
    def counts(self) -> Counter[str]:
        """The number of places of each status."""
        return Counter(card.place.row.state.status for card in self.cards)


@dataclass(frozen=True, slots=True)
class Stays:
    """Open placements with the provider, and those of its households that went missing."""

    arrived: tuple[PlacementRow, ...]
    underway: tuple[PlacementRow, ...]
    lost: tuple[PlacementRow, ...]
    """Placements whose household did not arrive and is not known to be safe."""

    @property
    def by_place(self) -> dict[UUID, PlacementRow]:
        """The placement that keeps each place: one that arrived before one under way."""
        return {row.place_id: row for row in (*self.lost, *self.underway, *self.arrived)}


@dataclass(frozen=True, slots=True)
class Board:
    """All sites of a provider, by name."""

    sections: tuple[SiteSection, ...]
    at: datetime
    hours: int
    """The hours after which a count is stale."""

    @property
    def warnings(self) -> tuple[SiteSection, ...]:
        """The sites that should be confirmed, the most urgent first."""
        order = {"unknown": 0, "stale": 1, "soon": 2}
        found = (section for section in self.sections if section.freshness.warns and section.cards)
        return tuple(
            sorted(
                found,
                key=lambda section: (
                    order[section.freshness.state],
                    section.freshness.until or self.at,
                ),
            )
        )


@dataclass(frozen=True, slots=True)
class OwnRegister:
    """The provider's own sites and places, by name and by label."""

    sites: Sequence[OwnSite]
    places: Sequence[OwnPlace]

    def is_new(self, site_id: UUID | str | None) -> bool:
        """Whether an own site was approved, or has moved, only lately."""
        return any(site.new for site in self.sites if str(site.id) == str(site_id))

    def name(self, place_id: UUID | str | None, site_id: UUID | str | None) -> str:
        """Return the label of an own place with the name of its site; empty if not own."""
        labels = [place.label for place in self.places if str(place.row.id) == str(place_id)]
        return ", ".join(
            [*labels, *(site.name for site in self.sites if str(site.id) == str(site_id))]
        )


async def list_own_sites(
    tx: Transaction,
) -> list[OwnSite]:
    """Return the provider's own sites, by name."""
    found = await read_all(
        lambda limit, after: sites.list_own(tx, limit=limit, after=after),
        lambda site: (site.created_at, site.id),
    )
    return sorted(found, key=lambda site: (site.name.casefold(), site.id))


async def list_own_places(tx: Transaction, *, site_id: UUID | None = None) -> list[OwnPlace]:
    """Return the provider's own places, by label."""
    found = await read_all(
        lambda limit, after: places.list_own(tx, site_id=site_id, limit=limit, after=after),
        lambda place: (place.row.created_at, place.row.id),
    )
    return sorted(found, key=lambda place: (place.label.casefold(), place.row.id))


async def read_stays(
    tx: Transaction,
) -> Stays:
    """Read the placements that have not ended."""
    arrived, underway, lost = [
        await _with_status(tx, status) for status in ("arrived", "underway", "no_show")
    ]
    return Stays(
        tuple(row for row in arrived if row.receiver_id == tx.caller.provider),
        tuple(row for row in underway if row.receiver_id == tx.caller.provider),
        tuple(row for row in lost if row.safety_checked_at is None),
    )


async def _with_status(tx: Transaction, status: str) -> Sequence[PlacementRow]:
    return await read_all(
        lambda limit, after: placements.list_for(tx, status=status, limit=limit, after=after),
        lambda row: (row.created_at, row.id),
    )


async def read_own(
    tx: Transaction,
) -> OwnRegister:
    """Read the provider's own sites and places."""
    return OwnRegister(await list_own_sites(tx), await list_own_places(tx))


async def read_board(
    tx: Transaction, mine: OwnRegister, living: Mapping[UUID, PlacementRow]
) -> Board:
    """Read the board of a provider."""
    reference = await tx.snapshots.reference(tx)
    hours = reference.policy.fresh_hours
    by_site: dict[UUID, list[PlaceCard]] = {}
    for place in mine.places:
        by_site.setdefault(place.row.site_id, []).append(PlaceCard(place, living.get(place.row.id)))
    sections = (
        SiteSection(
            site,
            reference.municipalities[site.traits.municipality].name,
            SiteFreshness.of(site, at=tx.at, hours=hours),
            tuple(by_site.get(site.id, ())),
        )
        for site in mine.sites
    )
    return Board(tuple(sections), tx.at, hours)
