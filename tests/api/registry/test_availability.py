"""Availability on the wire: bands in steps for all, exact and live for the owner."""

from typing import Any

from tests.country import FAR, HERE, THERE, Client, Country, place_body, shelter, standing_site


async def cell(client: Client, region: str = THERE, kind: str = "crisis") -> dict[str, Any]:
    """Return the one item of a region and kind."""
    items = (await client.get("/availability", params={"region": region, "kind": kind}))["items"]
    assert len(items) == 1
    return items[0]


async def test_others_see_a_band_and_the_owner_sees_numbers(country: Country) -> None:
    linde = await shelter(country, "linde", places=4)
    await linde.coordinator.patch(f"/places/{linde.place_ids[0]}", {"status": "occupied"})
    out = {"status": "out_of_service", "reason": "repair"}
    await linde.coordinator.patch(f"/places/{linde.place_ids[1]}", out)
    haven = await country.client("intake_worker", provider="haven")
    await country.step()

    seen = await cell(haven)
    assert seen == {
        "region": THERE, "kind": "crisis", "free": "1-2", "total": 4, "freshness": "fresh", "own": None,
    }  # fmt: skip
    own = (await cell(linde.coordinator))["own"]
    confirmed_at = (await linde.coordinator.get(f"/sites/{linde.site_id}"))["confirmedAt"]
    assert own == {
        "total": 4, "free": 2, "held": 0, "occupied": 1, "outOfService": 1, "confirmedAt": confirmed_at,
    }  # fmt: skip


async def test_nobody_can_watch_a_place_being_taken_between_two_steps(country: Country) -> None:
    linde = await shelter(country, "linde", places=1)
    administrator = await country.client("administrator")
    await country.step()
    before = await cell(administrator)
    assert before["free"] == "1-2"

    await linde.coordinator.patch(f"/places/{linde.place_ids[0]}", {"status": "occupied"})
    assert await cell(administrator) == before
    assert (await cell(linde.coordinator))["own"]["free"] == 0

    await country.step()
    assert (await cell(administrator))["free"] == "0"


async def test_bands_count_all_providers_of_a_region(country: Country) -> None:
    for slug in ("linde", "eik", "es"):
        await shelter(country, slug, places=1)
    await country.step()
    haven = await country.client("intake_worker", provider="haven")
    assert (await cell(haven))["free"] == "3+"
    assert (await cell(haven))["total"] == 3


async def test_freshness_is_that_of_the_least_fresh_site_and_unknown_is_not_stale(
    country: Country,
) -> None:
    await shelter(country, "linde")
    old = await shelter(country, "eik")
    haven = await country.client("intake_worker", provider="haven")
    await country.step()
    assert (await cell(haven))["freshness"] == "fresh"

    await country.rows(
        (
            "UPDATE sites SET confirmed_at = clock_timestamp() - interval '25 hours' WHERE id = "
            "CAST(:id AS uuid)"
        ),
        id=old.site_id,
    )
    await country.step()
    assert (await cell(haven))["freshness"] == "stale"

    fresh = await standing_site(country, "eik", name="Nieuw")
    await old.coordinator.post("/places", place_body(fresh["id"]))
    await country.step()
    assert (await cell(haven))["freshness"] == "unknown"
    assert (await cell(old.coordinator))["own"]["confirmedAt"] is None


async def test_own_places_that_no_step_has_counted_yet_are_there(country: Country) -> None:
    linde = await shelter(country, "linde", places=1)
    await country.step()
    assert (await cell(linde.coordinator))["total"] == 1
    site = await standing_site(country, "linde", municipality=FAR)
    await linde.coordinator.post("/places", place_body(site["id"]))

    seen = await cell(linde.coordinator, FAR)

    assert (seen["free"], seen["total"], seen["freshness"], seen["own"]["free"]) == (
        "1-2",
        1,
        "unknown",
        1,
    )
    haven = await country.client("intake_worker", provider="haven")
    assert (await haven.get("/availability", params={"region": FAR}))["items"] == []


async def test_regions_without_places_are_left_out_and_unknown_ones_are_faults(
    country: Country,
) -> None:
    await shelter(country, "linde", kind="regular")
    auditor = await country.client("auditor", region=HERE)
    await country.step()

    assert [
        (one["region"], one["kind"]) for one in (await auditor.get("/availability"))["items"]
    ] == [(THERE, "regular")]
    assert (await auditor.get("/availability", params={"region": HERE}))["items"] == []
    problem = await auditor.get(
        "/availability", params={"region": "GM9999", "kind": "time_out"}, expect=400
    )
    assert {fault["pointer"] for fault in problem["errors"]} == {"/region", "/kind"}


async def test_availability_comes_in_pages(country: Country) -> None:
    linde = await shelter(country, "linde")
    for kind in ("regular", "emergency"):
        await linde.coordinator.post("/places", place_body(linde.site_id, kind=kind))
    haven = await country.client("intake_worker", provider="haven")
    await country.step()

    page = await haven.get("/availability", params={"limit": 2})
    rest = await haven.get("/availability", params={"cursor": page["nextCursor"]})

    assert [one["kind"] for one in page["items"] + rest["items"]] == [
        "crisis",
        "emergency",
        "regular",
    ]
    assert rest["nextCursor"] is None


async def test_client_systems_do_not_read_availability(country: Country) -> None:
    system = await country.client("client_system", provider="linde")
    await system.get("/availability", expect=403)
