"""Cases brought about over the API: holds, placements and stays.

And time that passes because rows are moved.
"""

import asyncio
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.reference import load
from tests.country import Client, Country, Shelter, referral_body, shelter


@dataclass
class Desk:
    """An intake desk (of `haven`), and a shelter (of `linde`) that it sends households to."""

    intake: Client
    there: Shelter

    @property
    def receiver(self) -> Client:
        """The shelter's coordinator, who is an intake worker as well."""
        return self.there.coordinator

    async def wish(self, **referral: Any) -> dict[str, Any]:
        """Register and rank a referral; return the body that holds its first offer."""
        return await wish(self.intake, **referral)

    async def hold(self, **referral: Any) -> dict[str, Any]:
        """Register a referral and hold the first offer."""
        return await self.intake.post("/holds", await self.wish(**referral), key=fresh())

    async def accepted(self, **referral: Any) -> dict[str, Any]:
        """As `hold`, accepted by a person."""
        held = await self.hold(**referral)
        return await self.receiver.post(
            f"/holds/{held['id']}/acceptance", {"by": "person"}, expect=200
        )

    async def underway(self, **referral: Any) -> dict[str, Any]:
        """As `accepted`, confirmed: a placement under way."""
        held = await self.accepted(**referral)
        return await self.intake.post("/placements", {"holdId": held["id"]}, key=fresh())

    async def arrived(self, **referral: Any) -> dict[str, Any]:
        """As `underway`, and the household has arrived."""
        placement = await self.underway(**referral)
        return await self.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)


async def desk(country: Country, *, places: int = 1, **place: Any) -> Desk:
    """Make a shelter with free places that are alike, and an intake desk elsewhere."""
    there = await shelter(country, places=places, **place)
    return Desk(await country.client("intake_worker", provider="haven"), there)


def fresh() -> str:
    """Return an idempotency key that nobody used."""
    return secrets.token_hex(8)


async def wish(intake: Client, **referral: Any) -> dict[str, Any]:
    """Register and rank a referral; return the body that holds its first offer."""
    made = await intake.post("/referrals", referral_body(**referral))
    return await wish_for(intake, made["id"])


async def wish_for(intake: Client, referral_id: str) -> dict[str, Any]:
    """Rank a referral; return the body that holds its first offer."""
    ranking = await intake.post(f"/referrals/{referral_id}/rankings")
    offer = ranking["offers"][0]
    wanted = {"referralId": referral_id, "rankingId": ranking["id"], "offerId": offer["offerId"]}
    return wanted | ({"answers": {"threatLevel": 1}} if offer["needsAnswer"] else {})


LAPSE = """
WITH moment AS (SELECT clock_timestamp() + make_interval(secs => :seconds) AS at),
     claim AS (UPDATE claims SET claimed_until = at FROM moment WHERE hold_id = :id),
     referral AS (UPDATE referrals SET held_until = at FROM moment WHERE hold_id = :id)
UPDATE holds SET expires_at = at FROM moment WHERE id = :id
"""


async def lapse(country: Country, hold_id: str, *, seconds: float = -1) -> None:
    """Let a hold run out, a second ago or at another moment."""
    await country.rows(LAPSE, id=hold_id, seconds=float(seconds))


async def problem(
    client: Client, path: str, body: object = None, *, status: int, **more: Any
) -> str:
    """Post something that is refused; return the code word of the problem."""
    return (await client.post(path, body, expect=status, **more))["code"]


async def waiting(country: Country, *, statement: str = "", within_s: float = 120) -> None:
    """Return as soon as a statement with these words waits for a lock in this database."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "wait_event_type = 'Lock'"
        " AND strpos(query, :words) > 0"
    )
    async with asyncio.timeout(within_s):
        while not await country.value(query, words=statement):
            await asyncio.sleep(0)


async def end_zones(country: Country, referral_id: str) -> None:
    """Let every danger zone of a referral have ended yesterday, as if days had passed."""
    row = (
        await country.rows(
            "SELECT key, sealed FROM referral_secrets WHERE referral_id = :id", id=referral_id
        )
    )[0]
    key = country.parts.keyring.unwrap(row.key, row=referral_id)
    content = key.unseal_json(row.sealed, row=referral_id)
    for zone in content["danger_zones"]:
        zone["until"] = day_from_now(-1)
    sealed = key.seal_json(content, row=referral_id)
    await country.rows(
        "UPDATE referral_secrets SET sealed = :sealed WHERE referral_id = :id",
        sealed=sealed,
        id=referral_id,
    )


async def pass_days(country: Country, days: int) -> None:
    """Let days pass for everybody who was placed: what they did lies so much further back."""
    past = ", ".join(
        f"{moment} = {moment} - make_interval(days => :days)"
        for moment in ("created_at", "arrived_at", "departed_at")
    )
    await country.rows(f"UPDATE placements SET {past}", days=days)  # noqa: S608 - names


def day_from_now(days: int) -> str:
    """Return today's day where the country's clocks are, or one so many days later."""
    return (load().country.day_of(datetime.now(UTC)) + timedelta(days=days)).isoformat()


@contextmanager
def clocks_of(zone: str) -> Generator[None]:
    """Let the country have the clocks of another place for a while.

    Its day may not be that of UTC.
    """
    country = load().country
    before = country.time_zone
    object.__setattr__(country, "time_zone", zone)
    try:
        yield
    finally:
        object.__setattr__(country, "time_zone", before)
