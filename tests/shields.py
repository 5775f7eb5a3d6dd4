"""Shields brought about over the API, and who an account is."""

from dataclasses import dataclass
from typing import Any

from tests.casework import Desk, desk
from tests.country import Client, Country, referral_body

STAFF = ("intake_worker", "coordinator", "client_system")
"""All that an account at a provider can be."""
WHY = "client_on_the_line"


async def account_of(client: Client) -> str:
    """Return the id of a client's account."""
    items = (await client.get("/colleagues", params={"limit": 200}))["items"]
    return next(colleague["accountId"] for colleague in items if colleague["you"])


async def shield(client: Client, referral_id: str, *colleagues: Client, expect: int = 200) -> Any:
    """Let only a client, who names them, and some colleagues see a referral."""
    named = [await account_of(colleague) for colleague in colleagues]
    answer = await client.ask(
        "PUT", f"/referrals/{referral_id}/shield", json={"colleagues": named}, expect=expect
    )
    return answer.json()


async def unshield(client: Client, referral_id: str, *, expect: int = 204) -> None:
    """Let every colleague see a referral again."""
    await client.ask("DELETE", f"/referrals/{referral_id}/shield", expect=expect)


async def break_glass(
    client: Client, reference: str, *, expect: int = 201, reason: str = WHY, **more: Any
) -> Any:
    """Look at a shielded referral without being named."""
    return await client.post(
        "/break-glass-looks", {"reference": reference, "reason": reason}, expect=expect, **more
    )


@dataclass
class Shielding:
    """Two colleagues at haven.

    `named` has shielded a referral, and `other` is not named.
    """

    country: Country
    desk: Desk
    other: Client
    referral: dict[str, Any]

    @property
    def named(self) -> Client:
        """The worker who registered the referral and shielded it."""
        return self.desk.intake

    @property
    def id(self) -> str:
        """The referral's id."""
        return self.referral["id"]

    @property
    def reference(self) -> str:
        """Its speakable code."""
        return self.referral["reference"]

    async def seen(self, client: Client | None = None) -> bool:
        """Whether a client, or the one who is not named, sees the referral."""
        answer = await (client or self.other).ask("GET", f"/referrals/{self.id}")
        assert answer.status_code in {200, 404}, answer.text
        return answer.status_code == 200

    async def colleague(self, *roles: str) -> Client:
        """Return one more colleague at haven."""
        return await self.country.client(*(roles or STAFF), provider="haven")


async def shielding(country: Country) -> Shielding:
    """Register and shield a referral."""
    there = await desk(country)
    other = await country.client(*STAFF, provider="haven")
    referral = await there.intake.post("/referrals", referral_body())
    await shield(there.intake, referral["id"])
    return Shielding(country, there, other, referral)
