"""ETags: reading what has not changed, and changing only what one has read."""

import asyncio
from typing import Any

import pytest

from app.referrals.store import referral_rows
from tests.api.calls import World, world
from tests.country import Client, Country, place_body, referral_body, site_body

SINGLE = ("sites", "places", "referrals", "rankings", "holds", "placements", "alternatives")
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sites": ({"name": "Eik"}, {"name": "Es"}),
    "places": ({"label": "9Z"}, {"label": "8Y"}),
    "placements": ({"expectedDeparture": "2027-03-01"}, {"expectedDeparture": "2027-04-01"}),
    "referrals": ({"threatLevel": 2}, {"threatLevel": 3}),
}

THIRD: dict[str, dict[str, Any]] = {
    "sites": {"name": "Beuk"},
    "places": {"label": "7X"},
    "placements": {"expectedDeparture": "2027-05-01"},
    "referrals": {"threatLevel": 1},
}


def client_for(there: World, collection: str) -> Client:
    """Return the client that may read and change a thing."""
    return there.sender if collection in {"referrals", "rankings", "holds"} else there.receiver


async def at_once(
    client: Client, path: str, bodies: tuple[dict[str, Any], ...], *, tag: str
) -> list[int]:
    """Make several changes at once from the same reading.

    Return the statuses in order.
    """
    asked = [client.ask("PATCH", path, json=body, headers={"If-Match": tag}) for body in bodies]
    return sorted(answer.status_code for answer in await asyncio.gather(*asked))


async def test_what_has_not_changed_is_not_sent_again(country: Country) -> None:
    there = await world(country)
    for collection in SINGLE:
        client, path = client_for(there, collection), f"/{collection}/{there.ids[collection]}"
        read = await client.ask("GET", path, expect=200)
        tag = read.headers["ETag"]
        for header in (tag, f"W/{tag}", f'"other", {tag}', f"{tag},W/{tag}", "*"):
            same = await client.ask("GET", path, headers={"If-None-Match": header}, expect=304)
            assert (same.content, same.headers["ETag"]) == (b"", tag)
        for header in ('"other"', tag.strip('"'), tag.upper(), ""):
            again = await client.ask("GET", path, headers={"If-None-Match": header}, expect=200)
            assert again.content == read.content


async def test_another_version_has_another_tag_and_a_change_answers_with_it(
    country: Country,
) -> None:
    there = await world(country)
    for collection, (first, _) in CHANGED.items():
        client, path = client_for(there, collection), f"/{collection}/{there.ids[collection]}"
        before = (await client.ask("GET", path)).headers["ETag"]
        changed = await client.ask(
            "PATCH", path, json=first, headers={"If-Match": before}, expect=200
        )
        after = await client.ask("GET", path)
        assert changed.headers["ETag"] == after.headers["ETag"] != before
        assert changed.content == after.content


@pytest.mark.parametrize("collection", sorted(CHANGED))
async def test_a_stale_tag_changes_nothing(country: Country, collection: str) -> None:
    there = await world(country)
    first, second = CHANGED[collection]
    client, path = client_for(there, collection), f"/{collection}/{there.ids[collection]}"
    stale = {"If-Match": (await client.ask("GET", path)).headers["ETag"]}
    kept = await client.patch(path, first, headers=stale)

    for header in (stale["If-Match"], '"other"', "nonsense", ""):
        problem = await client.patch(path, second, headers={"If-Match": header}, expect=412)
        assert problem["code"] == "stale"

    assert await client.get(path) == kept


@pytest.mark.parametrize("collection", ["sites", "places", "placements"])
async def test_without_a_tag_the_last_write_wins(country: Country, collection: str) -> None:
    there = await world(country)
    client, path = client_for(there, collection), f"/{collection}/{there.ids[collection]}"
    for body in CHANGED[collection]:
        changed = await client.patch(path, body)
        assert body.items() <= changed.items()


async def test_a_referral_is_changed_only_by_who_says_what_they_read(country: Country) -> None:
    there = await world(country)
    path = f"/referrals/{there.ids['referrals']}"
    problem = await there.sender.patch(path, {"threatLevel": 3}, expect=428)
    assert problem["code"] == "if_match_required"
    assert (await there.sender.get(path))["threatLevel"] is None
    await there.sender.patch(path, {"threatLevel": 3}, headers={"If-Match": "*"})


async def test_what_was_made_has_the_tag_that_it_is_read_with(country: Country) -> None:
    there = await world(country)
    for collection, client, body in (
        ("sites", there.receiver, site_body(name="Eik")),
        ("places", there.receiver, place_body(there.ids["sites"])),
        ("referrals", there.sender, referral_body()),
    ):
        made = await client.ask("POST", f"/{collection}", json=body, expect=201)
        read = await client.ask("GET", f"/{collection}/{made.json()['id']}")
        assert read.headers["ETag"] == made.headers["ETag"]
        assert read.content == made.content


RACING = [
    "sites",
    "places",
    "referrals",
    "placements",
]


@pytest.mark.race
@pytest.mark.parametrize("collection", RACING)
async def test_of_two_changes_from_the_same_reading_one_is_refused(
    country: Country, collection: str
) -> None:
    there = await world(country)
    client, path = client_for(there, collection), f"/{collection}/{there.ids[collection]}"
    for _ in range(5):
        tag = (await client.ask("GET", path)).headers["ETag"]
        assert await at_once(client, path, CHANGED[collection], tag=tag) == [200, 412]
        await client.patch(path, THIRD[collection], headers={"If-Match": "*"})


@pytest.mark.race
async def test_without_the_lock_both_changes_would_be_made(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await world(country)
    path = f"/referrals/{there.ids['referrals']}"
    with_lock = referral_rows.read

    async def without_lock(*args: Any, lock: bool = False, **more: Any) -> Any:
        del lock
        return await with_lock(*args, **more)

    monkeypatch.setattr(referral_rows, "read", without_lock)
    seen: list[list[int]] = []
    while [200, 200] not in seen:
        assert len(seen) < 30, seen
        tag = (await there.sender.ask("GET", path)).headers["ETag"]
        seen.append(await at_once(there.sender, path, CHANGED["referrals"], tag=tag))
        await there.sender.patch(path, THIRD["referrals"], headers={"If-Match": "*"})
