"""Lists in pages."""

import secrets
from typing import Any

import pytest

from app.seal import Keyring, new_key
from tests.api.calls import WORKING
from tests.country import Client, Country, hold_first, referral_body, shelter

LISTS = ("/referrals", "/holds", "/placements")


async def all_of(client: Client, path: str, **query: Any) -> list[str]:
    """Return the ids of a list, page by page; no page is longer than asked for."""
    ids: list[str] = []
    while True:
        page = await client.get(path, params=query)
        assert page.pop("unreadable", []) == []
        assert set(page) == {"items", "nextCursor"}
        assert len(page["items"]) <= query["limit"]
        ids += [item["id"] for item in page["items"]]
        if page["nextCursor"] is None:
            return ids
        query["cursor"] = page["nextCursor"]


async def busy(country: Country, *, cases: int = 5) -> dict[str, list[str]]:
    """Make some placements, from haven to linde.

    Return the ids of what that took, newest first.
    """
    there = await shelter(country, "linde", places=cases)
    sender = await country.client(*WORKING, provider="haven")
    made: dict[str, list[str]] = {path: [] for path in LISTS}
    for _ in range(cases):
        referral = await sender.post("/referrals", referral_body())
        hold = await hold_first(sender, referral_id=referral["id"])
        await there.coordinator.post(
            f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200
        )
        placement = await sender.post(
            "/placements", {"holdId": hold["id"]}, key=secrets.token_hex(8)
        )
        for path, thing in zip(LISTS, (referral, hold, placement), strict=True):
            made[path].insert(0, thing["id"])
    return made


async def test_pages_have_everything_once_newest_first(country: Country) -> None:
    made = await busy(country)
    sender = await country.client(*WORKING, provider="haven")
    receiver = await country.client(*WORKING, provider="linde")
    for path in LISTS:
        for limit in (1, 2, 5, 200):
            assert await all_of(sender, path, limit=limit) == made[path]
    for path in ("/holds", "/placements"):
        assert await all_of(receiver, path, limit=2) == made[path]
    assert await all_of(receiver, "/referrals", limit=2) == []


async def test_pages_have_everything_once_where_all_was_made_at_the_same_moment(
    country: Country,
) -> None:
    made = await busy(country)
    sender = await country.client(*WORKING, provider="haven")
    for table in ("referrals", "holds", "placements"):
        await country.rows(f"UPDATE {table} SET created_at = '2026-01-01T00:00:00.123456Z'")  # noqa: S608 - names above
    for path in LISTS:
        paged = await all_of(sender, path, limit=2)
        assert sorted(paged) == sorted(made[path])


async def test_a_page_is_of_one_status_and_what_comes_meanwhile_disturbs_no_page(
    country: Country,
) -> None:
    made = await busy(country, cases=3)
    sender = await country.client(*WORKING, provider="haven")
    first = await sender.get("/referrals", params={"limit": 2, "status": "placed"})
    late = await sender.post("/referrals", referral_body())

    rest = await sender.get(
        "/referrals", params={"limit": 2, "status": "placed", "cursor": first["nextCursor"]}
    )

    assert [item["id"] for item in first["items"] + rest["items"]] == made["/referrals"]
    assert await all_of(sender, "/referrals", limit=5, status="open") == [late["id"]]
    assert await all_of(sender, "/holds", limit=5, status="placed") == made["/holds"]
    assert await all_of(sender, "/placements", limit=5, status="arrived") == []


async def test_a_cursor_that_is_none_of_this_list_is_a_fault(country: Country) -> None:
    await busy(country, cases=2)
    sender = await country.client(*WORKING, provider="haven")
    own = (await sender.get("/holds", params={"limit": 1}))["nextCursor"]
    other = (await sender.get("/placements", params={"limit": 1}))["nextCursor"]
    foreign = Keyring.parse(new_key()).token(b"2026-01-01T00:00:00+00:00", scope="/holds")

    for cursor in (
        "",
        "nonsense",
        "é",
        "\u0000",
        "=" * 8,
        "A" * 1001,
        own[:-2],
        own + "A",
        own.swapcase(),
        other,
        foreign,
    ):
        problem = await sender.get("/holds", params={"cursor": cursor}, expect=400)
        assert [fault["pointer"] for fault in problem["errors"]] == ["/cursor"], cursor
    await sender.get("/holds", params={"cursor": own})


async def test_a_cursor_says_nothing_and_shows_nobody_more(country: Country) -> None:
    made = await busy(country, cases=2)
    sender = await country.client(*WORKING, provider="haven")
    stranger = await country.client(*WORKING, provider="eik")
    for path in LISTS:
        cursor = (await sender.get(path, params={"limit": 1}))["nextCursor"]
        assert made[path][0] not in cursor
        assert (await stranger.get(path, params={"cursor": cursor}))["items"] == []


@pytest.mark.parametrize("path", LISTS)
async def test_fifty_are_shown_unless_fewer_or_more_are_asked_for(
    country: Country, path: str
) -> None:
    sender = await country.client(*WORKING, provider="haven")
    for limit in (1, 50, 200):
        await sender.get(path, params={"limit": limit})
    for limit in (0, -1, 201, 10**30, "1.5", "many", ""):
        problem = await sender.get(path, params={"limit": limit}, expect=400)
        assert [fault["pointer"] for fault in problem["errors"]] == ["/limit"]
    if path == "/referrals":
        for _ in range(51):
            await sender.post(path, referral_body())
        page = await sender.get(path)
        assert (len(page["items"]), page["nextCursor"] is None) == (50, False)
