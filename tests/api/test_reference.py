"""Reference data on the wire."""

from typing import Any

import pytest

from tests.country import FAR, HERE, THERE, Client, Country


async def all_of(client: Client, path: str, *, limit: int) -> list[Any]:
    """Return every item of a list, page by page."""
    items: list[Any] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = await client.get(path, params=query)
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        query["cursor"] = page["nextCursor"]


async def test_every_region_and_municipality_is_listed_once_by_code(country: Country) -> None:
    auditor = await country.client("auditor", region=THERE)

    regions = await all_of(auditor, "/regions", limit=20)
    municipalities = await all_of(auditor, "/municipalities", limit=200)

    assert [region["code"] for region in regions] == sorted({region["code"] for region in regions})
    assert len(regions) == 35
    assert len({town["code"] for town in municipalities}) == len(municipalities) == 342
    assert {town["region"] for town in municipalities} == {region["code"] for region in regions}
    assert set(regions[0]) == {"code", "name", "lat", "lon", "population"}
    assert set(municipalities[0]) == set(regions[0]) | {"region", "extentKm"}


async def test_lists_are_short_unless_more_is_asked_for(country: Country) -> None:
    administrator = await country.client("administrator")
    assert len((await administrator.get("/municipalities"))["items"]) == 50
    await administrator.get("/municipalities", params={"limit": 0}, expect=400)


async def test_a_cursor_of_another_list_is_a_fault(country: Country) -> None:
    administrator = await country.client("administrator")
    cursor = (await administrator.get("/regions", params={"limit": 1}))["nextCursor"]

    problem = await administrator.get("/municipalities", params={"cursor": cursor}, expect=400)

    assert [fault["pointer"] for fault in problem["errors"]] == ["/cursor"]


async def test_providers_are_listed_by_slug_with_their_regions(country: Country) -> None:
    ids = [
        await country.provider("linde", regions=(THERE, FAR)),
        await country.provider("haven", regions=(HERE,)),
    ]
    system = await country.client("client_system", provider="haven")

    providers = await all_of(system, "/providers", limit=1)

    assert [(one["slug"], one["id"], one["regions"]) for one in providers] == [
        ("haven", str(ids[1]), [HERE]),
        ("linde", str(ids[0]), sorted([THERE, FAR])),
    ]
    assert set(providers[0]) == {"id", "slug", "name", "phone", "regions"}


@pytest.mark.parametrize("path", ["/regions", "/municipalities", "/providers"])
async def test_reference_data_needs_a_token(country: Country, path: str) -> None:
    nobody = await country.client()
    assert (await nobody.get(path, expect=401))["code"] == "unauthenticated"
