"""The names of accounts at work: given with a token, and shown to colleagues."""

import asyncio
import os
import subprocess

import pytest

from app.accounts import accounts
from app.database.caller import Role
from app.errors import OperatorError
from tests import forks
from tests.country import Country


def settings(country: Country) -> dict[str, str]:
    return {
        "DATABASE_URL": country.app_url,
        "PLEK_OWNER_URL": country.owner_url,
        "REDIS_URL": country.parts.link.url,
        "PLEK_KEY": country.key,
    }


async def plek(country: Country, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on an installation."""
    env = dict(os.environ) | settings(country)
    return await asyncio.to_thread(forks.run, ("-m", "app", *words), env=env, timeout=120)


async def test_a_token_made_with_a_name_is_listed_by_it_to_colleagues(country: Country) -> None:
    await country.provider("linde")
    role = ("--role", "intake_worker", "--provider", "linde")

    done = await plek(country, "token", *role, "--name", " Nachtdienst 2 ")
    nameless = await plek(country, "token", *role)

    assert (done.returncode, nameless.returncode) == (0, 0), done.stderr
    colleague = await country.client(token=done.stdout.splitlines()[-1])
    listed = (await colleague.get("/colleagues"))["items"]
    assert [(one["name"], one["you"]) for one in listed] == [(None, False), ("Nachtdienst 2", True)]


async def test_a_name_that_cannot_be_read_makes_no_token(country: Country) -> None:
    await country.provider("linde")
    refused = await plek(
        country, "token", "--role", "coordinator", "--provider", "linde", "--name", "x" * 81
    )
    assert refused.returncode == 2
    assert "--name" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert await country.value("SELECT count(*) FROM accounts") == 0


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "two\nlines", "a\u0000"])
async def test_a_name_has_one_to_eighty_characters_on_one_line(country: Country, name: str) -> None:
    async with country.owner.transaction() as tx:
        issued = await accounts.issue_token(
            tx, roles=[Role.ADMINISTRATOR], provider=None, region=None, days=1
        )
        with pytest.raises(OperatorError, match="80"):
            await accounts.give_name(tx, issued.account_id, name=name)
        await accounts.give_name(tx, issued.account_id, name="é" * 80)
    assert await country.value("SELECT name FROM accounts") == "é" * 80
