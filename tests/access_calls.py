"""Calls that the access log is to have exactly one entry of, and who makes them."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from tests.country import Client, Country

STAFF = ("coordinator", "intake_worker")
NEWEST = "SELECT * FROM access_log WHERE id > :before ORDER BY id"


def noon(days: int) -> datetime:
    """Return noon of so many days ago.

    An hour that is odd nowhere, at whatever hour the tests run.
    """
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(
        days=days
    )


@dataclass(frozen=True)
class Person:
    """A person with an account, or, without one, with a token that is none."""

    country: Country
    client: Client
    account_id: UUID | None
    roles: list[str]
    provider_id: UUID | None

    async def logged(
        self, method: str, path: str, *, outcome: str = "granted", **more: Any
    ) -> tuple[Any, Any]:
        """Make a call; return its answer and its one entry, with who, when and whence checked."""
        newest = "SELECT coalesce(max(id), 0) AS id, clock_timestamp() AS at FROM access_log"
        before = (await self.country.rows(newest))[0]
        answer = await self.ask(method, path, **more)
        rows = await self.country.rows(NEWEST, before=before.id)
        assert len(rows) == 1, f"{answer.status_code} {answer.text}: {rows}"
        (row,) = rows
        assert row.outcome == outcome, answer.text
        assert (row.account_id, row.roles, row.provider_id) == (
            self.account_id,
            self.roles,
            self.provider_id,
        )
        assert (row.source, row.request_id) == ("127.0.0.1", answer.headers["X-Request-Id"])
        assert before.at < row.at < await self.country.value("SELECT clock_timestamp()")
        return answer, row

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Make a call, with an idempotency key where it can have one."""
        if method == "POST":
            more.setdefault("key", secrets.token_hex(8))
        return await self.client.ask(method, path, **more)


async def person(
    country: Country,
    *roles: str,
    provider: str | None = None,
    region: str | None = None,
    known: bool = True,
) -> Person:
    """Return a person with a new account.

    One who is not known has a token that nobody was given.
    """
    token = f"plek_{secrets.token_urlsafe(32)}"
    if known:
        token = await country.token(*roles, provider=provider, region=region)
    client = await country.client(token=token)
    hashed = hashlib.sha256(token.encode()).digest()
    rows = await country.rows("SELECT account_id FROM tokens WHERE hash = :hash", hash=hashed)
    provider_id = await country.provider(provider) if provider and known else None
    return Person(
        country,
        client,
        rows[0].account_id if rows else None,
        sorted(roles) if known else [],
        provider_id,
    )
