"""A busy board: twenty places at three sites of linde, to which haven sends households."""

from dataclasses import dataclass
from typing import Any

from tests.casework import day_from_now, fresh
from tests.country import Client, Country, place_body, referral_body, standing_site

LIKE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Linde", {"kind": "crisis", "bedSpaces": 4, "features": ["cots"]}),
    (
        "Beuk",
        {"kind": "regular", "bedSpaces": 3, "sharing": "shared_facilities", "sonsUpToAge": 12},
    ),
    ("Wilg", {"kind": "move_on", "bedSpaces": 2, "genders": ["female", "other"]}),
)
COUNTS = {"Linde": 9, "Beuk": 7, "Wilg": 4}
FAMILY = {
    "adults": [{"gender": "female", "age": 31}],
    "children": [{"age": 4, "gender": "male"}, {"age": 9, "gender": "female"}],
}


@dataclass
class BoardScene:
    """The coordinator of linde and the desk of haven over the API, with sites and places."""

    country: Country
    linde: Client
    haven: Client
    sites: dict[str, str]
    places: dict[str, list[str]]

    async def hold(self, **referral: Any) -> dict[str, Any]:
        """Let haven hold a crisis place at Linde."""
        return await hold_first(self.haven, **{"household": FAMILY, "needs": ["cots"]} | referral)

    async def accept(self, **referral: Any) -> dict[str, Any]:
        """Let haven hold such a place, and linde accept."""
        hold = await self.hold(**referral)
        return await self.linde.post(
            f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200
        )

    async def set_out(self, **referral: Any) -> dict[str, Any]:
        """Let such a hold be accepted and confirmed."""
        hold = await self.accept(**referral)
        return await self.haven.post("/placements", {"holdId": hold["id"]}, key=fresh())

    async def arrive(self, **referral: Any) -> dict[str, Any]:
        """Let such a household arrive."""
        placement = await self.set_out(**referral)
        return await self.linde.post(f"/placements/{placement['id']}/arrival", expect=200)

    async def declare(self, site: str, turn: int, status: str, **more: Any) -> None:
        """Declare the status of a place."""
        await self.linde.patch(f"/places/{self.places[site][turn]}", {"status": status, **more})

    async def grow_old(self, site: str, hours: int) -> None:
        """Let so many hours pass since a site was confirmed."""
        await self.country.rows(
            f"UPDATE sites SET confirmed_at = clock_timestamp() - interval '{hours} hours' WHERE id = :id",  # noqa: S608 - a number
            id=self.sites[site],
        )


async def hold_first(desk: Client, **referral: Any) -> dict[str, Any]:
    """Register, rank and hold the first offer."""
    made = await desk.post("/referrals", referral_body(**referral))
    ranking = await desk.post(f"/referrals/{made['id']}/rankings")
    body = {
        "referralId": made["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    return await desk.post("/holds", body, key=fresh())


async def small(country: Country, *, places: int = 3) -> BoardScene:
    """Make a board with one site of crisis places, all free."""
    return await _made(country, {"Linde": places})


async def busy(country: Country) -> BoardScene:
    """Make the busy board."""
    made = await _made(country, COUNTS)
    for _ in range(2):
        await made.arrive()
    leaving = await made.arrive()
    noted = {
        "expectedDeparture": day_from_now(1),
        "readyToLeaveSince": day_from_now(0),
        "blockers": ["housing", "debt"],
    }
    await made.linde.patch(f"/placements/{leaving['id']}", noted)
    await made.set_out()
    await made.accept(languages=["ti"])
    await made.hold(
        callBack="000-555 02 02",
        languages=["ar", "nl"],
        threatLevel=2,
        perpetratorWhereabouts="unknown",
        safetyPlan=True,
    )
    await made.declare(
        "Linde", 8, "out_of_service", reason="cleaning", until="2026-12-02T09:00:00Z"
    )
    for turn in (0, 1, 3):
        await made.declare("Beuk", turn, "occupied")
    await made.declare("Wilg", 0, "occupied")
    await made.grow_old("Beuk", 20)
    await made.grow_old("Wilg", 30)
    await made.linde.patch(f"/sites/{made.sites['Wilg']}", {"admission": "paused"})
    return made


async def _made(country: Country, counts: dict[str, int]) -> BoardScene:
    linde = await country.client("coordinator", "intake_worker", provider="linde")
    haven = await country.client("intake_worker", "coordinator", provider="haven")
    sites: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for name, like in LIKE:
        if name not in counts:
            continue
        site = await standing_site(country, "linde", name=name)
        await linde.post(f"/sites/{site['id']}/confirmations")
        sites[name] = site["id"]
        bodies = [
            place_body(site["id"], label=f"{turn // 3 + 1}{'ABC'[turn % 3]}", **like)
            for turn in range(counts[name])
        ]
        places[name] = [(await linde.post("/places", body))["id"] for body in bodies]
    return BoardScene(country, linde, haven, sites, places)
