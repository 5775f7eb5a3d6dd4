"""How often an account may see an address within the hour."""

import asyncio
from typing import Any

import pytest

from app.database import access_log
from tests.access_calls import Person, person
from tests.country import Country, shelter

WHY = {"purpose": "transport"}
SEEN = """INSERT INTO access_log (at, action, outcome, account_id, roles, object_type)
SELECT clock_timestamp() - make_interval(secs => :seconds), :action, :outcome, :account_id, '{}',
'site'
FROM generate_series(1, :times)"""


async def most(country: Country) -> int:
    """Return how many the policy allows."""
    async with country.owner.transaction() as tx:
        return (await tx.snapshots.reference(tx)).policy.reveals_per_hour


async def seen(who: Person, times: int, *, seconds: float = 60, **more: str) -> None:
    """Log so many reveals so long ago, as the table's owner, who alone can set the time."""
    values = {"action": "reveal", "outcome": "granted"} | more
    await who.country.rows(
        SEEN, account_id=who.account_id, times=times, seconds=float(seconds), **values
    )


async def scene(country: Country) -> tuple[Person, str]:
    """Return a person at linde, and the path to the address of a site of theirs."""
    there = await shelter(country, "linde")
    return await person(
        country, "coordinator", provider="linde"
    ), f"/sites/{there.site_id}/address-reveals"


async def test_the_policy_says_how_many_and_the_next_has_to_wait(country: Country) -> None:
    who, path = await scene(country)
    await seen(who, await most(country) - 1, seconds=3540)
    answer, row = await who.logged("POST", path, json=WHY)
    assert (answer.status_code, row.purpose) == (200, "transport")

    answer, row = await who.logged("POST", path, json=WHY, outcome="refused")

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert (row.action, row.object_type, str(row.object_id)) == (
        "reveal",
        "site",
        path.split("/")[2],
    )
    assert "address" not in answer.json()


async def test_what_is_an_hour_ago_was_refused_was_something_else_or_somebody_elses_does_not_count(
    country: Country,
) -> None:
    who, path = await scene(country)
    other = await person(country, "coordinator", provider="linde")
    limit = await most(country)
    await seen(who, limit, seconds=3601)
    await seen(who, limit, outcome="refused")
    await seen(who, limit, action="read")
    await seen(other, limit)

    assert (await who.ask("POST", path, json=WHY)).status_code == 200
    assert (await other.ask("POST", path, json=WHY)).status_code == 429


async def test_the_last_one_of_the_hour_is_shown_once_however_many_ask(country: Country) -> None:
    who, path = await scene(country)
    await seen(who, await most(country) - 1)

    answers = await asyncio.gather(*(who.ask("POST", path, json=WHY) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, 429, 429, 429, 429, 429]


async def test_without_its_lock_two_slip_by_at_once(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, path = await scene(country)
    await seen(who, await most(country) - 1)
    both, counted = asyncio.Barrier(2), access_log.wait

    async def unlocked(*_given: Any) -> None:
        """Let everybody pass."""

    async def together(*given: Any, **more: Any) -> int:
        found = await counted(*given, **more)
        await both.wait()
        return found

    monkeypatch.setattr(access_log, "one_at_a_time", unlocked)
    monkeypatch.setattr(access_log, "wait", together)
    answers = await asyncio.gather(*(who.ask("POST", path, json=WHY) for _ in range(2)))

    assert [answer.status_code for answer in answers] == [200, 200]
