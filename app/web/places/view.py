"""What a board shows of one provider.

Its sites and places, and who is in them or on the way.
"""

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
"""A part of the policy's hours: in the last of so many, a site is about to grow stale."""

Item = TypeVar("Item")
Position = tuple[datetime, UUID]


async def every(
    ask: Callable[[int, Position | None], Awaitable[list[Item]]],
    position: Callable[[Item], Position],
) -> list[Item]:
    """Return a whole list, asked for in parts."""
    found: list[Item] = []
    after: Position | None = None
    while True:
        part = await ask(AT_ONCE, after)
        found += part
        if len(part) < AT_ONCE:
            return found
        after = position(part[-1])


@dataclass(frozen=True, slots=True)
class Freshness:
    """How sure the counts of a site are.

    `fresh`, `soon` stale, `stale`, or `unknown`; and until when.
    """

    state: str
    until: datetime | None

    @classmethod
    def of(cls, site: OwnSite, *, at: datetime, hours: int) -> "Freshness":
        """Compare what was confirmed last with the policy's hours."""
        if site.confirmed_at is None:
            return cls("unknown", None)
        until = site.confirmed_at + timedelta(hours=hours)
        if until <= at:
            return cls("stale", until)
        return cls("soon" if until - at <= timedelta(hours=hours) / SOON else "fresh", until)

    @property
    def warns(self) -> bool:
        """Whether somebody should look."""
        return self.state != "fresh"


@dataclass(frozen=True, slots=True)
class Card:
    """One place, and the household that has it or comes to it, if Plek knows."""

    place: OwnPlace
    placement: PlacementRow | None

    @property
    def state(self) -> str:
        """What it is: free, held, underway, arrived, no_show, occupied or out_of_service."""
        status = self.place.row.state.status
        return status if self.placement is None or status != "occupied" else self.placement.status

    @property
    def claimed(self) -> bool:
        """Whether somebody was promised it: then nobody here declares what it is."""
        return self.place.row.claimed

    @property
    def in_danger(self) -> bool:
        """Whether what is known of the danger forbids it for whoever has it."""
        return (
            self.placement is not None
            and self.placement.live
            and self.placement.unsafe_since is not None
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One site with its places."""

    site: OwnSite
    town: str
    freshness: Freshness
    cards: tuple[Card, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many places there are of each state."""
        return Counter(card.place.row.state.status for card in self.cards)


@dataclass(frozen=True, slots=True)
class Stays:
    """The placements that are not over.

    To the caller's provider, and those of its own that did not arrive.
    """

    arrived: tuple[PlacementRow, ...]
    underway: tuple[PlacementRow, ...]
    lost: tuple[PlacementRow, ...]
    """They did not come, here or where they were sent, and nobody has made sure yet that they are
    safe."""

    @property
    def by_place(self) -> dict[UUID, PlacementRow]:
        """The one that keeps each place.

        Whoever lives there rather than who comes next.
        """
        return {row.place_id: row for row in (*self.lost, *self.underway, *self.arrived)}


@dataclass(frozen=True, slots=True)
class Board:
    """All sites, by name."""

    sections: tuple[Section, ...]
    at: datetime
    hours: int
    """After how many a count is stale."""

    @property
    def warnings(self) -> tuple[Section, ...]:
        """The sites that somebody should confirm, the most urgent first."""
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
class Own:
    """The provider's own sites and places, by name and by label."""

    sites: Sequence[OwnSite]
    places: Sequence[OwnPlace]

    def name(self, place_id: UUID | str | None, site_id: UUID | str | None) -> str:
        """Return what an own place is called, with its site.

        Of what is not there, nothing.
        """
        labels = [place.label for place in self.places if str(place.row.id) == str(place_id)]
        return ", ".join(
            [*labels, *(site.name for site in self.sites if str(site.id) == str(site_id))]
        )


async def own_sites(
    tx: Transaction,
) -> list[OwnSite]:
    """Return the sites by name."""
    found = await every(
        lambda limit, after: sites.list_own(tx, limit=limit, after=after),
        lambda site: (site.created_at, site.id),
    )
    return sorted(found, key=lambda site: (site.name.casefold(), site.id))


async def own_places(tx: Transaction, *, site_id: UUID | None = None) -> list[OwnPlace]:
    """Return the places by label."""
    found = await every(
        lambda limit, after: places.list_own(tx, site_id=site_id, limit=limit, after=after),
        lambda place: (place.row.created_at, place.row.id),
    )
    return sorted(found, key=lambda place: (place.label.casefold(), place.row.id))


async def stays(
    tx: Transaction,
) -> Stays:
    """Return the placements that are not over."""
    arrived, underway, lost = [
        await _with_status(tx, status) for status in ("arrived", "underway", "no_show")
    ]
    return Stays(
        tuple(row for row in arrived if row.receiver_id == tx.caller.provider),
        tuple(row for row in underway if row.receiver_id == tx.caller.provider),
        tuple(row for row in lost if row.safety_checked_at is None),
    )


async def _with_status(tx: Transaction, status: str) -> Sequence[PlacementRow]:
    return await every(
        lambda limit, after: placements.list_for(tx, status=status, limit=limit, after=after),
        lambda row: (row.created_at, row.id),
    )


async def own(
    tx: Transaction,
) -> Own:
    """Return everything that is the provider's own."""
    return Own(await own_sites(tx), await own_places(tx))


async def board(tx: Transaction, mine: Own, living: Mapping[UUID, PlacementRow]) -> Board:
    """Return everything that the board shows."""
    reference = await tx.snapshots.reference(tx)
    hours = reference.policy.fresh_hours
    by_site: dict[UUID, list[Card]] = {}
    for place in mine.places:
        by_site.setdefault(place.row.site_id, []).append(Card(place, living.get(place.row.id)))
    sections = (
        Section(
            site,
            reference.municipalities[site.traits.municipality].name,
            Freshness.of(site, at=tx.at, hours=hours),
            tuple(by_site.get(site.id, ())),
        )
        for site in mine.sites
    )
    return Board(tuple(sections), tx.at, hours)
