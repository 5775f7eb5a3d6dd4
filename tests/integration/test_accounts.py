"""Tokens: made by whoever runs the installation, shown once, ended at any time."""

import hashlib

import pytest

from app.errors import OperatorError
from app.services import accounts
from app.services.caller import Role
from app.store.database import Identity
from tests.country import THERE, Country


async def issue(
    country: Country, *roles: Role, provider: str | None = None, region: str | None = None
) -> accounts.Issued:
    async with country.owner.entered() as tx:
        return await accounts.issue(tx, roles=roles, provider=provider, region=region, days=90)


async def who(country: Country, token: str) -> Identity | None:
    async with country.parts.database.entered(hashlib.sha256(token.encode()).digest()) as tx:
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

    days = await country.value("SELECT expires_at - created_at FROM tokens WHERE id = :id", id=issued.token_id)

    assert round(days.total_seconds() / 86_400, 2) == 90


async def test_a_revoked_token_lets_nobody_in_at_once(country: Country) -> None:
    issued = await issue(country, Role.ADMINISTRATOR)

    for _ in range(2):
        async with country.owner.entered() as tx:
            await accounts.revoke(tx, str(issued.token_id))

    assert await who(country, issued.token) is None


@pytest.mark.parametrize("token_id", ["0b0f0c5e-7d3c-4c39-9f0a-2f1d6a3c9e11", "not an id"])
async def test_revoking_what_is_no_token_says_so(country: Country, token_id: str) -> None:
    async with country.owner.entered() as tx:
        with pytest.raises(OperatorError, match="no token"):
            await accounts.revoke(tx, token_id)


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
    async with country.parts.database.entered() as tx:
        with pytest.raises(Exception, match="permission denied"):
            await accounts.issue(tx, roles=[Role.ADMINISTRATOR], provider=None, region=None, days=1)
        await tx.connection.rollback()
