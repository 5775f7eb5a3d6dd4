"""Policies published at once for one moment, or under one version: there is one."""

import asyncio
from typing import Any

import pytest

from app.reference import policy_document
from tests.country import Country

pytestmark = pytest.mark.race

AT_ONCE = 6


def draft(version: str, *, valid_from: str, renewals: int = 2) -> dict[str, Any]:
    return policy_document() | {"version": version, "valid_from": valid_from, "renewals": renewals}


async def published(country: Country, drafts: list[dict[str, Any]]) -> list[str]:
    """Publish several at once, each by another administrator; return the answers."""
    clients = [await country.client("administrator") for _ in drafts]
    answers = await asyncio.gather(
        *(
            client.ask("POST", "/policies", json=document)
            for client, document in zip(clients, drafts, strict=True)
        )
    )
    return sorted(answer.json().get("code", "published") for answer in answers)


async def test_one_policy_begins_at_a_moment_and_one_has_a_version(country: Country) -> None:
    same_moment = [draft(f"a{number}", valid_from="2099-01-01") for number in range(AT_ONCE)]
    same_version = [
        draft("b", valid_from="2099-02-01", renewals=number) for number in range(AT_ONCE)
    ]
    same = [draft("c", valid_from="2099-03-01")] * AT_ONCE

    assert await published(country, same_moment) == ["policy_beginning_taken"] * (AT_ONCE - 1) + [
        "published"
    ]
    assert await published(country, same_version) == ["policy_version_taken"] * (AT_ONCE - 1) + [
        "published"
    ]
    assert await published(country, same) == ["published"] * AT_ONCE
    assert await country.value("SELECT count(*) FROM policies") == 4
    assert await country.value("SELECT count(*) FROM access_log WHERE action = 'publish'") == 3


async def test_without_the_constraint_they_would_all_begin_then(country: Country) -> None:
    await country.rows("ALTER TABLE policies DROP CONSTRAINT policies_valid_from_key")
    same_moment = [draft(f"a{number}", valid_from="2099-01-01") for number in range(AT_ONCE)]

    assert await published(country, same_moment) == ["published"] * AT_ONCE
