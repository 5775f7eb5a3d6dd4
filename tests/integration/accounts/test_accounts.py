"""Tokens: made by the operator, shown once, and ended at any time."""

import hashlib
from dataclasses import replace

import pytest

from app.accounts import accounts
from app.database.caller import Caller, Role
from app.demo import demo
from app.errors import OperatorError
from app.main import create_app, join
from tests.country import THERE, Country


async def issue(
    country: Country, *roles: Role, provider: str | None = None, region: str | None = None
) -> accounts.NewToken:
    async with country.owner.transaction() as tx:
        return await accounts.issue_token(
            tx, roles=roles, provider=provider, region=region, days=90
        )


async def who(country: Country, token: str) -> Caller | None:
    async with country.parts.database.transaction(hashlib.sha256(token.encode()).digest()) as tx:
        return tx.identity


async def test_a_token_lets_its_bearer_in_with_its_roles(country: Country) -> None:
    provider_id = await country.provider("linde")

    issued = await issue(country, Role.INTAKE_WORKER, Role.COORDINATOR, provider="linde")

    identity = await who(country, issued.token)
    assert identity is not None
    assert identity.roles == {"intake_worker", "coordinator"}
    assert identity.provider_id == provider_id
    assert identity.token_id == issued.token_id


async def test_a_token_has_256_random_bits_and_only_its_hash_is_kept(country: Country) -> None:
    issued = await issue(country, Role.ADMINISTRATOR)

    assert issued.token.startswith("plek_")
    assert len(issued.token) == len("plek_") + 43
    assert issued.token not in repr(issued)
    stored = await country.value("SELECT hash FROM tokens WHERE id = :id", id=issued.token_id)
    assert bytes(stored) == hashlib.sha256(issued.token.encode()).digest()


async def test_a_token_is_valid_for_as_long_as_was_said(country: Country) -> None:
    issued = await issue(country, Role.AUDITOR, region=THERE)

    days = await country.value(
        "SELECT expires_at - created_at FROM tokens WHERE id = :id", id=issued.token_id
    )

    assert round(days.total_seconds() / 86_400, 2) == 90


async def test_a_revoked_token_lets_nobody_in_at_once(country: Country) -> None:
    issued = await issue(country, Role.ADMINISTRATOR)

    for _ in range(2):
        async with country.owner.transaction() as tx:
            await accounts.revoke_token(tx, str(issued.token_id))

    assert await who(country, issued.token) is None


@pytest.mark.parametrize("token_id", ["0b0f0c5e-7d3c-4c39-9f0a-2f1d6a3c9e11", "not an id"])
async def test_revoking_what_is_no_token_says_so(country: Country, token_id: str) -> None:
    async with country.owner.transaction() as tx:
        with pytest.raises(OperatorError, match="no token"):
            await accounts.revoke_token(tx, token_id)


@pytest.mark.parametrize(
    "roles,provider,region,says",
    [
        ([Role.COORDINATOR], None, None, "--provider"),
        ([Role.AUDITOR], None, None, "--region"),
        ([Role.AUDITOR], "linde", THERE, "--provider is for"),
        ([Role.ADMINISTRATOR], None, THERE, "--region is for"),
        ([Role.COORDINATOR], "lindee", None, "example, linde"),
        ([Role.AUDITOR], None, "GM9999", "no region GM9999"),
        ([], None, None, "at least one --role"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words_that_help(
    country: Country, roles: list[Role], provider: str | None, region: str | None, says: str
) -> None:
    await country.provider("linde")

    with pytest.raises(OperatorError, match=says):
        await issue(country, *roles, provider=provider, region=region)

    assert await country.value("SELECT count(*) FROM accounts") == 0


async def test_the_service_itself_can_neither_read_nor_make_tokens(country: Country) -> None:
    for hashed, refusal in (
        (b"", "row-level security"),
        (await country.hashed("administrator"), "permission denied"),
    ):
        async with country.parts.database.transaction(hashed) as tx:
            with pytest.raises(Exception, match=refusal):
                await accounts.issue_token(
                    tx, roles=[Role.ADMINISTRATOR], provider=None, region=None, days=1
                )
            await tx.connection.execute("ROLLBACK")


async def show_demo(country: Country) -> str:
    """Fill the database with the demo country.

    Return the slug of one of its providers.
    """
    async with country.owner.transaction() as tx:
        await demo.fill(tx)
    return accounts.slug_of(country.parts.files.demo.providers[0])


async def demo_flags(country: Country) -> dict[str, bool]:
    """Return whether each account was made for the demo, by its first role."""
    return {
        row.role: row.demo
        for row in await country.rows("SELECT roles[1] AS role, demo FROM accounts")
    }


async def test_what_is_made_while_the_demo_country_is_shown_is_made_for_that_alone(
    country: Country,
) -> None:
    await issue(country, Role.ADMINISTRATOR)
    provider = await show_demo(country)
    await issue(country, Role.COORDINATOR, provider=provider)
    await country.provider("linde")
    await issue(country, Role.CLIENT_SYSTEM, provider="linde")

    assert await demo_flags(country) == {
        "administrator": False,
        "coordinator": True,
        "client_system": False,
    }


async def test_none_is_made_for_the_demo_country_in_a_database_of_somebody_else(
    country: Country,
) -> None:
    await show_demo(country)

    async with country.owner.transaction() as tx:
        with pytest.raises(OperatorError, match="DATABASE_URL"):
            await accounts.issue_token(
                tx, roles=[Role.ADMINISTRATOR], provider=None, region=None, days=1, embedded=False
            )

    assert await demo_flags(country) == {}


async def test_a_token_made_for_the_demo_opens_nothing_where_the_database_is_somebody_elses(
    country: Country,
) -> None:
    provider = await show_demo(country)
    made = await issue(country, Role.INTAKE_WORKER, Role.COORDINATOR, provider=provider)
    country.demo = False
    other = await country.token("intake_worker", "coordinator", provider="linde")
    settings = replace(country.parts.settings, database_url=country.app_url)
    parts = join(
        settings, database_url=country.app_url, redis_url=country.parts.link.url, key=country.key
    )
    country.stack.push_async_callback(parts.database.close)
    country.stack.push_async_callback(parts.link.close)
    elsewhere = replace(country, parts=parts, app=create_app(parts))
    calls = [("GET", path) for path in ("/regions", "/referrals", "/events", "/openapi.json")]
    calls += [
        ("POST", "/referrals"),
        ("POST", "/holds"),
        ("POST", "/sites/nothing/address-reveals"),
    ]

    async def statuses(where: Country, token: str) -> list[int]:
        client = await where.client(token=token)
        headers = {"Idempotency-Key": "once", "Last-Event-ID": "nowhere"}
        return [
            (await client.ask(method, path, headers=headers, json={})).status_code
            for method, path in calls
        ]

    assert await statuses(elsewhere, made.token) == [401, 401, 401, 200, 401, 401, 401]
    assert await statuses(elsewhere, other) == [200, 200, 400, 200, 400, 400, 400]
    assert await statuses(country, made.token) == [200, 200, 400, 200, 400, 400, 400]
