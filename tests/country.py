"""A small installation for a test.

Its databases, the application on them, and ways to put things and people in it.
"""

import hashlib
import secrets
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import insert, text
from starlette.routing import Mount

from app.config import Settings
from app.database import counters
from app.database.reference import Reference
from app.database.transaction import WORKER, Database
from app.deps import Parts
from app.main import create_app, join
from app.models import Account, Provider, ProviderRegion, Site, SiteSecret, Token
from app.registry import availability
from app.registry.names import hash_name, read_key
from app.registry.site_seals import seal_site
from app.seal import Keyring
from app.shares import fair_shares
from tests.spares import Spare

HERE, THERE, FAR = "GM0518", "GM0193", "GM0014"
"""Den Haag, Zwolle and Groningen: a household flees from the first."""

PATIENCE_S = 120
"""How long requests of a test wait for a connection: a busy machine is no reason to answer 503."""
FIRST_LEAF = 2
"""Of a stay: before it, the ledger says by which policy and with which weights the country
began."""


@dataclass
class Country:
    """An installation: `owner` may do everything, `parts` are what the application is made of."""

    owner: Database
    parts: Parts
    app: FastAPI
    owner_url: str
    app_url: str
    key: str
    stack: AsyncExitStack
    providers: dict[str, UUID] = field(default_factory=dict[str, UUID])
    demo: bool = True
    """Whether new accounts are the demo's: beside one, budgets refuse nothing, as tests limit no
    requests."""

    async def provider(self, slug: str, *, regions: Sequence[str] = (THERE,)) -> UUID:
        """Return a provider by slug, made if it is not there."""
        if slug not in self.providers:
            id_ = self.providers[slug] = uuid4()
            async with self.owner.transaction() as tx:
                await tx.run(
                    insert(Provider).values(
                        id=id_, slug=slug, name=f"Stichting {slug.title()}", phone="000-555 01 01"
                    )
                )
                await tx.run_each(
                    insert(ProviderRegion),
                    [{"provider_id": id_, "region": region} for region in regions],
                )
                await counters.advance(tx, "register")
        return self.providers[slug]

    async def limit_budgets(self) -> None:
        """Have spent budgets refuse, as everywhere but in a demo country without limits."""
        self.demo = False
        await self.rows("UPDATE accounts SET demo = false WHERE demo RETURNING id")

    async def token(
        self, *roles: str, provider: str | None = None, region: str | None = None, days: float = 1
    ) -> str:
        """Return a new account's token."""
        token = f"plek_{secrets.token_urlsafe(32)}"
        account_id = uuid4()
        provider_id = await self.provider(provider) if provider else None
        async with self.owner.transaction() as tx:
            await tx.run(
                insert(Account).values(
                    id=account_id,
                    roles=list(roles),
                    provider_id=provider_id,
                    region=region,
                    demo=self.demo,
                )
            )
            await tx.run(
                insert(Token).values(
                    id=uuid4(),
                    account_id=account_id,
                    hash=hashlib.sha256(token.encode()).digest(),
                    expires_at=text(f"clock_timestamp() + interval '{days} days'"),
                )
            )
        return token

    async def hashed(
        self, *roles: str, provider: str | None = None, region: str | None = None
    ) -> bytes:
        """Return the hash of a new account's token.

        With it a test enters the database as that account.
        """
        return hashlib.sha256(
            (await self.token(*roles, provider=provider, region=region)).encode()
        ).digest()

    async def client(
        self,
        *roles: str,
        provider: str | None = None,
        region: str | None = None,
        token: str | None = None,
    ) -> "Client":
        """Return a client with a new account's token.

        Without roles, one that has none.
        """
        if roles and token is None:
            token = await self.token(*roles, provider=provider, region=region)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        http = httpx.AsyncClient(
            transport=transport, base_url="http://plek.test/v1", headers=headers
        )
        return Client(await self.stack.enter_async_context(http))

    async def rows(self, statement: str, **values: object) -> list[Any]:
        """Run a statement as the owner and return its rows."""
        async with self.owner.transaction() as tx:
            return await tx.rows(text(statement), values)

    async def step(self) -> None:
        """Take the next step of availability for everybody, as the worker does now and then."""
        async with self.parts.database.transaction(actor=WORKER) as tx:
            await availability.refresh_counts(tx)
            await fair_shares.show_balances(tx)

    async def value(self, statement: str, **values: object) -> Any:
        """Run a statement as the owner and return its one value."""
        return (await self.rows(statement, **values))[0][0]


class Client:
    """A client of the API that says what it expects."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def ask(
        self,
        method: str,
        path: str,
        *,
        expect: int | None = None,
        key: str | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Send a request; fail with the answer where its status is not the expected one."""
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers["Idempotency-Key"] = key
        response = await self.http.request(method, path, headers=headers, **more)
        assert expect is None or response.status_code == expect, (
            f"{response.status_code}: {response.text}"
        )
        return response

    async def get(self, path: str, *, expect: int = 200, **more: Any) -> Any:
        """Get something."""
        return (await self.ask("GET", path, expect=expect, **more)).json()

    async def post(self, path: str, body: object = None, *, expect: int = 201, **more: Any) -> Any:
        """Post something."""
        if body is not None:
            more["json"] = body
        return (await self.ask("POST", path, expect=expect, **more)).json()

    async def patch(self, path: str, body: object, *, expect: int = 200, **more: Any) -> Any:
        """Change something."""
        return (await self.ask("PATCH", path, expect=expect, json=body, **more)).json()


def site_body(**changes: Any) -> dict[str, Any]:
    """Return the body of a site."""
    return {
        "name": "Linde",
        "municipality": THERE,
        "address": {"street": "Voorbeeldstraat 1", "postcode": "0000 AA", "city": "Nergenshuizen"},
        "addressSecrecy": "confidential",
        "supervision": "24h",
        "features": [],
        "specialisms": [],
        "exclusiveTo": [],
        "admission": "open",
        "automaticAcceptance": False,
    } | changes


def place_body(site_id: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a place."""
    return {
        "siteId": site_id,
        "label": f"{secrets.token_hex(3)}",
        "kind": "crisis",
        "bedSpaces": 4,
        "sharing": "own_unit",
        "genders": ["female"],
        "sonsUpToAge": 17,
        "features": [],
    } | changes


def referral_body(**changes: Any) -> dict[str, Any]:
    """Return the body of a referral.

    A woman with a small child, who flees from Den Haag.
    """
    return {
        "urgency": "acute",
        "originMunicipality": HERE,
        "household": {
            "adults": [{"gender": "female", "age": 31}],
            "children": [{"age": 4, "gender": "male"}],
        },
        "dangerAssessment": "assessed",
        "dangerZones": [{"municipality": HERE, "radiusKm": 50, "cause": "home"}],
    } | changes


@dataclass
class Shelter:
    """A provider with one site of free places, and its coordinator."""

    coordinator: Client
    site_id: str
    place_ids: list[str]


async def approve(country: Country, *site_ids: str, slug: str = "linde") -> None:
    """Approve what is proposed of sites, as a second coordinator and an administrator."""
    second = await country.client("coordinator", provider=slug)
    for site_id in site_ids:
        path, yes = f"/sites/{site_id}/approval", {"approve": True}
        decided = await second.post(path, yes, expect=200)
        if decided["awaits"] == ["administrator"]:
            administrator = await country.client("administrator")
            decided = await administrator.post(path, yes, expect=200)
        assert decided["status"] == "approved", decided


async def let_work(country: Country, *regions: str, slug: str = "linde") -> None:
    """Say that a provider works in more regions, as an administrator does."""
    card = f"/providers/{await country.provider(slug)}/regions"
    chief = await country.client("administrator")
    await chief.ask("PUT", card, json={"regions": [*regions]}, expect=200)


async def move_site(
    country: Country, coordinator: Client, site_id: str, *, slug: str = "linde", **changes: Any
) -> None:
    """Change where a site is or who knows that, and have it approved."""
    await coordinator.patch(f"/sites/{site_id}", changes)
    await approve(country, site_id, slug=slug)


async def shelter(
    country: Country,
    slug: str = "linde",
    *,
    places: int = 1,
    site: Mapping[str, Any] | None = None,
    **place: Any,
) -> Shelter:
    """Make a provider with an approved, confirmed site of free places that are alike."""
    coordinator = await country.client("coordinator", "intake_worker", provider=slug)
    made = await standing_site(country, slug, **(site or {}))
    await coordinator.post(f"/sites/{made['id']}/confirmations")
    ids = [
        (await coordinator.post("/places", place_body(made["id"], **place)))["id"]
        for _ in range(places)
    ]
    return Shelter(coordinator, made["id"], ids)


async def standing_site(country: Country, slug: str = "linde", /, **site: Any) -> dict[str, Any]:
    """Make a site that stands, as an operator's import does, where its provider works.

    One without a name gets one that its provider has not given yet.
    """
    body = site_body(**site)
    id_, provider_id = uuid4(), await country.provider(slug)
    made = await country.value("SELECT count(*) FROM sites WHERE provider_id = :id", id=provider_id)
    if made and "name" not in site:
        body["name"] += f" {made + 1}"
    traits = {
        column: body[field]
        for column, field in (
            ("municipality", "municipality"),
            ("address_secrecy", "addressSecrecy"),
            ("supervision", "supervision"),
            ("features", "features"),
            ("specialisms", "specialisms"),
            ("exclusive_to", "exclusiveTo"),
            ("admission", "admission"),
            ("automatic_acceptance", "automaticAcceptance"),
        )
    }
    async with country.owner.transaction() as tx:
        key, wrapped = tx.keyring.new_data_key(row=str(id_))
        sealed = seal_site(key, id_, name=body["name"], address=body["address"])
        ids = {"provider_id": provider_id}
        await tx.run(insert(Site).values(id=id_, status="approved", **ids, **traits))
        name_hash = hash_name(await read_key(tx), body["name"], within=provider_id)
        secret = {"key": wrapped, "sealed": sealed, "name_hash": name_hash}
        await tx.run(insert(SiteSecret).values(site_id=id_, **secret, **ids))
        await tx.run(text(WORKS_THERE), {"id": id_})
        await counters.advance(tx, "register")
    return body | {"id": str(id_)}


WORKS_THERE = """
INSERT INTO provider_regions (provider_id, region)
SELECT s.provider_id, m.region FROM sites AS s JOIN municipalities AS m ON m.code = s.municipality
WHERE s.id = :id
ON CONFLICT DO NOTHING
"""


async def hold_first(
    intake: Client, *, referral_id: str, expect: int = 201, key: str | None = None
) -> Any:
    """Rank the places for a referral and hold the first offer."""
    ranking = await intake.post(f"/referrals/{referral_id}/rankings")
    body = {
        "referralId": referral_id,
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    return await intake.post("/holds", body, expect=expect, key=key or secrets.token_hex(8))


REFERENCE: dict[int, Reference] = {}
"""The template's country, read once a process: every clone begins with it, and a change has another
version."""


async def share_reference(database: Database) -> None:
    """Let an installation begin with the country that others of this process have read."""
    known = REFERENCE.get(0)
    if known is not None:
        database.snapshots.knows(known)
        return
    async with database.transaction() as tx:
        REFERENCE[0] = await database.snapshots.reference(tx)


SPARE: list[FastAPI] = []
"""Applications that a test before has left: to build one takes longer than most tests."""


@contextmanager
def application(parts: Parts) -> Generator[FastAPI]:
    """Return an application on these parts."""
    app = SPARE.pop() if SPARE else create_app(parts)
    within: list[Any] = [route.app for route in app.routes if isinstance(route, Mount)]
    for one in (app, *within):
        one.state.parts = parts
    yield app
    SPARE.append(app)


@asynccontextmanager
async def open_country(
    *, owner_url: str, app_url: str, redis_url: str, key: str, assume_role: str | None = None
) -> AsyncGenerator[Country]:
    """Open an installation on databases that are there."""
    owner, parts = joined(owner_url, app_url, redis_url, key=key, assume_role=assume_role)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(owner.close)
        stack.push_async_callback(parts.database.close)
        yield await _opened(owner, parts, (owner_url, app_url, key), stack)


@asynccontextmanager
async def open_country_in(
    spare: Spare, *, owner_url: str, app_url: str, redis_url: str, key: str
) -> AsyncGenerator[Country]:
    """Open an installation in a spare database, whose connections stay open after it."""
    owner, parts = joined(owner_url, app_url, redis_url, key=key)
    spare.lend(owner, parts.database)
    async with AsyncExitStack() as stack:
        yield await _opened(owner, parts, (owner_url, app_url, key), stack)


def joined(
    owner_url: str, app_url: str, redis_url: str, *, key: str, assume_role: str | None = None
) -> tuple[Database, Parts]:
    """Return the owner's way to a database and the parts of an application on it.

    Nothing is connected to yet.
    """
    settings = Settings(
        rate_limit=0, assume_role=assume_role, answer_s=PATIENCE_S, statement_s=PATIENCE_S
    )
    owner = Database(
        Settings(pool_size=2, answer_s=PATIENCE_S),
        url=owner_url,
        as_owner=True,
        keyring=Keyring.parse(key),
    )
    return owner, join(settings, database_url=app_url, redis_url=redis_url, key=key)


async def _opened(
    owner: Database, parts: Parts, where: tuple[str, str, str], stack: AsyncExitStack
) -> Country:
    await share_reference(parts.database)
    stack.push_async_callback(parts.link.close)
    return Country(owner, parts, stack.enter_context(application(parts)), *where, stack)
