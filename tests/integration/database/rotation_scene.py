"""An installation with all that can be sealed, and processes of it with other keys."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from app.database.sealing import rotation
from app.database.sealing.rotation import Begin, Tally
from app.database.transaction import Transaction
from app.main import create_app, join
from app.seal import Keyring
from tests.casework import Desk
from tests.conftest import Server
from tests.country import Client, Country, referral_body


@dataclass
class Scene:
    """An installation with a household that came and went, and the keys of before and after."""

    country: Country
    server: Server
    where: Desk
    auditor: Client
    new: str

    @property
    def both(self) -> Keyring:
        """The keys of a rotation."""
        return Keyring.parse(f"{self.new},{self.country.key}")

    @property
    def begin(self) -> Begin:
        """The owner's transactions."""
        return self.country.owner.transaction

    def begin_and(self, act: Callable[[int], Awaitable[object]]) -> Begin:
        """Open the owner's transactions, and do something after each."""
        numbers = count()

        @asynccontextmanager
        async def begin() -> AsyncGenerator[Transaction]:
            async with self.country.owner.transaction() as tx:
                yield tx
            await act(next(numbers))

        return begin

    async def survey(self, key: str = "") -> Tally:
        """Look at every data key, with both keys or another ring."""
        return await rotation.survey(self.begin, keyring=Keyring.parse(key) if key else self.both)

    @asynccontextmanager
    async def process(self, key: str, *, data_dir: Path | None = None) -> AsyncGenerator["Scene"]:
        """Be another process of the installation, with other keys."""
        parts = self.country.parts
        settings = replace(parts.settings, data_dir=data_dir) if data_dir else parts.settings
        parts = join(
            settings, database_url=self.country.app_url, redis_url=self.server.redis_url, key=key
        )
        country = replace(self.country, app=create_app(parts), parts=parts)
        there = replace(self.where.there, coordinator=await through(country, self.where.receiver))
        intake, auditor = (
            await through(country, self.where.intake),
            await through(country, self.auditor),
        )
        try:
            yield replace(self, country=country, where=Desk(intake, there), auditor=auditor)
        finally:
            await parts.link.close()
            await parts.database.close()

    async def everything(self) -> dict[str, Any]:
        """Read all that is sealed, each kind of thing, through the service."""
        path = f"/sites/{self.where.there.site_id}/address-reveals"
        address = await self.where.receiver.post(path, {"purpose": "other"}, expect=200)
        return await self.without_address() | {"address": address}

    async def without_address(self) -> dict[str, Any]:
        """Read all that is sealed but an address, which can be asked for a few times an hour only."""
        receiver, intake = self.where.receiver, self.where.intake
        rankings = await self.country.rows("SELECT id FROM rankings ORDER BY id")
        repeated = await intake.ask(
            "POST", "/referrals", key="once", json=referral_body(), expect=201
        )
        assert repeated.headers["Idempotency-Replayed"] == "true"
        return {
            "sites": await receiver.get("/sites"),
            "places": await receiver.get("/places"),
            "referrals": await intake.get("/referrals"),
            "replays": [
                await intake.post(f"/rankings/{row.id}/replays", expect=200) for row in rankings
            ],
            "ledger": await self.auditor.get("/ledger/entries"),
            "repeated": repeated.json(),
        }


async def through(country: Country, client: Client) -> Client:
    """Return the same person's client of another process."""
    return await country.client(token=client.http.headers["Authorization"].removeprefix("Bearer "))
