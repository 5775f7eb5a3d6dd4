"""Notices to a shelter's coordinators: of address reveals, and of broken glass."""

from typing import Any
from uuid import uuid4

import pytest

from tests.access_calls import person
from tests.api.calls import WORKING, faults
from tests.api.live_service import Follower, beginning, following, served
from tests.casework import desk
from tests.country import Client, Country
from tests.shields import WHY, break_glass, shielding

TRANSPORT = {"purpose": "transport"}
SHOWN = {
    "eventId", "at", "action", "outcome", "siteId", "referralId", "providerId", "provider",
    "accountId", "purpose", "holdId",
}  # fmt: skip


async def notices(client: Client, **query: Any) -> list[dict[str, Any]]:
    return (await client.get("/access-notices", params=query))["items"]


async def revealed(country: Country, *, times: int = 1) -> tuple[Client, str]:
    """Let haven see the address of linde's site; return linde's coordinator."""
    there = await desk(country)
    placement = await there.underway()
    for _ in range(times):
        await there.intake.post(
            f"/placements/{placement['id']}/address-reveals", TRANSPORT, expect=200
        )
    return there.receiver, there.there.site_id


async def test_the_owner_reads_who_had_an_address_when_and_why(country: Country) -> None:
    coordinator, site = await revealed(country)

    (notice,) = await notices(coordinator)

    row = (await country.rows("SELECT id, at, account_id FROM access_log WHERE action = 'reveal'"))[
        0
    ]
    assert set(notice) == SHOWN
    assert (notice["eventId"], notice["accountId"]) == (str(row.id), str(row.account_id))
    assert (notice["action"], notice["outcome"], notice["purpose"]) == (
        "reveal",
        "granted",
        "transport",
    )
    assert (notice["siteId"], notice["referralId"]) == (site, None)
    assert (notice["providerId"], notice["provider"]) == (
        str(await country.provider("haven")),
        "Stichting Haven",
    )


async def test_what_was_refused_and_what_colleagues_had_is_told_too(country: Country) -> None:
    coordinator, site = await revealed(country)
    eik, colleague, auditor, nobody = (
        await person(country, "intake_worker", provider="eik"),
        await person(country, "intake_worker", provider="linde"),
        await person(country, "auditor", region="GM0518"),
        await person(country, known=False),
    )
    for who in (eik, colleague, auditor, nobody):
        await who.ask("POST", f"/sites/{site}/address-reveals", json=TRANSPORT)

    found = [
        (one["outcome"], one["provider"], one["accountId"]) for one in await notices(coordinator)
    ]

    assert found[:4] == [
        ("refused", None, None),
        ("refused", None, str(auditor.account_id)),
        ("granted", "Stichting Linde", str(colleague.account_id)),
        ("refused", "Stichting Eik", str(eik.account_id)),
    ]


async def test_nobody_is_told_of_what_is_anothers(country: Country) -> None:
    await revealed(country)
    for slug in ("haven", "eik"):
        assert await notices(await country.client("coordinator", provider=slug)) == []
    await (await country.client("intake_worker", provider="linde")).get(
        "/access-notices", expect=403
    )


async def test_other_looks_at_a_site_are_no_notice(country: Country) -> None:
    coordinator, site = await revealed(country)
    for _ in range(3):
        await coordinator.get(f"/sites/{site}")
        await coordinator.get(f"/sites/{uuid4()}", expect=404)

    assert len(await notices(coordinator)) == 1


async def test_a_broken_glass_is_told_to_coordinators_who_are_not_named_themselves(
    country: Country,
) -> None:
    scene = await shielding(country)
    coordinator = await country.client("coordinator", provider="haven")
    broken = await break_glass(scene.other, scene.reference)
    await break_glass(scene.other, "none-such", expect=404)

    refused, granted = await notices(coordinator)

    assert set(granted) == SHOWN
    assert (granted["eventId"], granted["action"], granted["outcome"]) == (
        broken["id"],
        "break_glass",
        "granted",
    )
    assert (granted["siteId"], granted["referralId"], granted["purpose"]) == (None, scene.id, WHY)
    assert granted["provider"] == "Stichting Haven"
    assert (refused["outcome"], refused["referralId"]) == ("refused", None)
    assert await notices(await country.client("coordinator", provider="linde")) == []


async def test_whoever_knows_an_event_is_told_only_what_came_since(country: Country) -> None:
    coordinator, _ = await revealed(country, times=3)
    newest, second, oldest = [one["eventId"] for one in await notices(coordinator)]

    assert [one["eventId"] for one in await notices(coordinator, after=oldest)] == [newest, second]
    assert await notices(coordinator, after=newest) == []
    assert [one["eventId"] for one in await notices(coordinator, after="0", limit=1)] == [newest]


async def test_notices_come_in_pages(country: Country) -> None:
    coordinator, site = await revealed(country, times=3)
    whole = [one["eventId"] for one in await notices(coordinator)]
    page = await coordinator.get("/access-notices", params={"limit": 2})
    await coordinator.post(f"/sites/{site}/address-reveals", TRANSPORT, expect=200)
    rest = await coordinator.get(
        "/access-notices", params={"limit": 2, "cursor": page["nextCursor"]}
    )

    assert [one["eventId"] for one in page["items"] + rest["items"]] == whole
    assert rest["nextCursor"] is None


@pytest.mark.parametrize("after", ["", "-1", "newest", "1.0", "9" * 19, "１"])  # noqa: RUF001 - a digit, and none of ours
async def test_what_is_no_event_is_a_fault(country: Country, after: str) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    assert set(
        faults(await coordinator.ask("GET", "/access-notices", params={"after": after}))
    ) == {"/after"}


async def heard(stream: Follower, *, last: str) -> list[tuple[str, Any]]:
    """Return the events of a stream up to the first of a kind."""
    events: list[tuple[str, Any]] = []
    while not events or events[-1][0] != last:
        told = await stream.next()
        assert told is not None
        events.append((told.kind, told.data))
    return events


async def test_the_owners_coordinators_hear_of_it_at_once_and_nobody_else(country: Country) -> None:
    there = await desk(country)
    placement = await there.underway()
    tokens = {
        "coordinator": await country.token("coordinator", provider="linde"),
        "intake_worker": await country.token("intake_worker", provider="linde"),
        "asker": await country.token("coordinator", provider="haven"),
        "stranger": await country.token(*WORKING, provider="eik"),
    }
    async with served(country.app) as base:
        async with following(base, tokens["coordinator"]) as first:
            await there.intake.post(
                f"/placements/{placement['id']}/address-reveals", TRANSPORT, expect=200
            )
            event = await country.value("SELECT id FROM access_log WHERE action = 'reveal'")
            assert (await heard(first, last="access"))[-1] == ("access", {"id": str(event)})
        await country.rows(
            "INSERT INTO outbox (kind, subject, audience) VALUES ('swap', 'the end', NULL)"
        )
        for who in ("intake_worker", "asker", "stranger"):
            after = await beginning(country, tokens[who])
            async with following(base, tokens[who], after=after) as stream:
                kinds = {kind for kind, _ in await heard(stream, last="swap")}
                assert ("access" in kinds, "hold" in kinds) == (False, who != "stranger"), who
