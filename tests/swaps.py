"""Households that live where another could be safe.

Chains and cycles to search for, brought about over the API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.casework import fresh
from tests.country import FAR, HERE, THERE, Client, Country, referral_body, shelter

NEAR, SOUTH = "GM0503", "GM0935"
"""Delft, which is too near to Den Haag for who flees from there; and Maastricht."""


def fleeing(*zones: str, radius_km: int = 50, **changes: Any) -> dict[str, Any]:
    """Return a referral's body: from the first of these towns, to keep clear of all."""
    return referral_body(
        originMunicipality=zones[0],
        dangerZones=[
            {"municipality": zone, "radiusKm": radius_km, "cause": "home"} for zone in zones
        ],
        **changes,
    )


@dataclass
class Resident:
    """A household in stay.

    Its referral and placement, and the coordinator of where it lives.
    """

    referral_id: str
    placement_id: str
    place_id: str
    provider: str
    host: Client

    async def agrees(self) -> None:
        """Agree beforehand to move."""
        await self.host.ask("PUT", f"/placements/{self.placement_id}/move-agreement", expect=200)


@dataclass
class Scene:
    """The desk at haven, from which all come, and the shelters by name."""

    country: Country
    desk: Client
    hosts: dict[str, Client] = field(default_factory=dict[str, Client])

    async def open(self, slug: str, municipality: str, **place: Any) -> str:
        """Open a shelter with one free place; return the place."""
        made = await shelter(self.country, slug, site={"municipality": municipality}, **place)
        self.hosts[slug] = made.coordinator
        return made.place_ids[0]

    async def resident(self, slug: str, municipality: str, *zones: str, **changes: Any) -> Resident:
        """Open a shelter with one place, in which a household lives that flees from elsewhere."""
        place_id = await self.open(slug, municipality)
        referral = await self.desk.post("/referrals", fleeing(*zones, **changes))
        placement = await self.placed(referral["id"], slug)
        return Resident(referral["id"], placement, place_id, slug, self.hosts[slug])

    async def placed(self, referral_id: str, slug: str) -> str:
        """Bring a household to a shelter; return its placement."""
        ranking = await self.desk.post(f"/referrals/{referral_id}/rankings")
        provider = str(self.country.providers[slug])
        offer = next(offer for offer in ranking["offers"] if offer["provider"]["id"] == provider)
        body = {"referralId": referral_id, "rankingId": ranking["id"], "offerId": offer["offerId"]}
        hold = await self.desk.post("/holds", body | {"overrideReason": "other"}, key=fresh())
        await self.hosts[slug].post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
        placement = await self.desk.post("/placements", {"holdId": hold["id"]}, key=fresh())
        await self.hosts[slug].post(f"/placements/{placement['id']}/arrival", expect=200)
        return placement["id"]

    async def search(self, referral_id: str, **more: Any) -> dict[str, Any]:
        """Search for swaps."""
        return await self.desk.post("/swap-searches", {"referralId": referral_id, **more})

    async def propose(self, referral_id: str, *, rank: int = 1) -> dict[str, Any]:
        """Search for swaps, and propose one; return it as haven sees it."""
        found = await self.search(referral_id)
        return await self.desk.post("/swaps", {"searchId": found["id"], "rank": rank})

    async def asked(self, swap_id: str) -> list[tuple[Client, Mapping[str, str]]]:
        """Return every yes that is still to be said, with who says it."""
        todo: list[tuple[Client, Mapping[str, str]]] = []
        for client in (self.desk, *self.hosts.values()):
            answer = await client.ask("GET", f"/swaps/{swap_id}")
            if answer.status_code == 200:
                todo += [
                    (client, {"legId": leg["id"], "as": side})
                    for leg in answer.json()["legs"]
                    for side in leg["yours"]
                ]
        return todo

    async def consent(
        self, swap_id: str, *, but: int = 0
    ) -> list[tuple[Client, Mapping[str, str]]]:
        """Let everybody say yes but for the last few, which are returned."""
        todo = await self.asked(swap_id)
        for client, body in todo[: len(todo) - but]:
            await client.post(f"/swaps/{swap_id}/consents", body, expect=200)
        return todo[len(todo) - but :]

    async def status(self, swap_id: str) -> str:
        """Return a swap's status."""
        return (await self.desk.get(f"/swaps/{swap_id}"))["status"]

    async def going(self, swap_id: str) -> list[str]:
        """Return the placements that the legs became, in their order."""
        return [
            leg["nextPlacementId"] for leg in (await self.desk.get(f"/swaps/{swap_id}"))["legs"]
        ]

    async def claims(self) -> dict[str, Any]:
        """Return what claims each place that is not free, by place."""
        rows = await self.country.rows(
            "SELECT * FROM claims WHERE claimed_until > clock_timestamp()"
        )
        return {str(row.place_id): row for row in rows}


async def scene(country: Country) -> Scene:
    """Open the desk."""
    return Scene(country, await country.client("intake_worker", "coordinator", provider="haven"))


@dataclass
class Chain:
    """A household at haven that only linde's place would suit.

    Who lives there could go to eik's, which is free.
    """

    at: Scene
    waiting: str
    resident: Resident
    free: str


async def chain(country: Country) -> Chain:
    """Make a chain of two."""
    at = await scene(country)
    resident = await at.resident("linde", THERE, FAR)
    await resident.agrees()
    free = await at.open("eik", NEAR)
    waiting = (await at.desk.post("/referrals", fleeing(HERE)))["id"]
    return Chain(at, waiting, resident, free)


@dataclass
class Cycle:
    """Households in stay, each safe only where the next one lives."""

    at: Scene
    residents: Sequence[Resident]


async def cycle(country: Country) -> Cycle:
    """Make a cycle of two.

    For the one in Delft a danger becomes known that only the other's place keeps clear of.
    """
    at = await scene(country)
    first = await at.resident("eik", NEAR, SOUTH)
    second = await at.resident("linde", THERE, FAR)
    await second.agrees()
    zones = fleeing(SOUTH, HERE)["dangerZones"]
    known = await at.desk.ask("GET", f"/referrals/{first.referral_id}", expect=200)
    await at.desk.patch(
        f"/referrals/{first.referral_id}",
        {"dangerZones": zones},
        headers={"If-Match": known.headers["ETag"]},
    )
    return Cycle(at, (first, second))
