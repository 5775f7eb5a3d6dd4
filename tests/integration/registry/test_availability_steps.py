"""Steps of availability: taken by the worker, and told only where a band changed."""

import asyncio

from app.database.transaction import WORKER
from app.registry.store import availability_rows
from tests.country import FAR, THERE, Country, move_site, place_body, shelter, standing_site
from tests.integration.registry.test_places_races import offer


async def step(country: Country) -> list[str]:
    """Take a step, and return the regions that all staff were told of."""
    before = await country.value("SELECT coalesce(max(id), 0) FROM outbox")
    await country.step()
    told = (
        "SELECT subject FROM outbox"
        " WHERE id > :before AND audience IS NULL AND kind = 'availability' ORDER BY id"
    )
    return [row.subject for row in await country.rows(told, before=before)]


async def counted(country: Country) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the total and the free places by region and kind, as others see them."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        return {
            (one.region, one.kind): (one.total, one.free)
            for one in await availability_rows.read_step(tx)
        }


async def test_all_staff_hear_of_a_region_only_when_its_band_changed(country: Country) -> None:
    there = await shelter(country, places=4)
    assert await step(country) == [THERE]
    assert await step(country) == []

    await there.coordinator.patch(f"/places/{there.place_ids[0]}", {"status": "occupied"})
    # From four to three is still "3+".
    assert await step(country) == []
    await there.coordinator.patch(f"/places/{there.place_ids[1]}", {"status": "occupied"})
    assert await step(country) == [THERE]


async def test_a_step_forgets_what_is_not_there_any_more(country: Country) -> None:
    there = await shelter(country)
    await step(country)
    assert await counted(country) == {(THERE, "crisis"): (1, 1)}

    await move_site(country, there.coordinator, there.site_id, municipality=FAR)
    await there.coordinator.patch(f"/places/{there.place_ids[0]}", {"kind": "regular"})

    assert await step(country) == sorted([THERE, FAR])
    assert await counted(country) == {(FAR, "regular"): (1, 1)}


async def test_a_hold_that_ran_out_counts_as_free_without_anybodys_doing(country: Country) -> None:
    there = await shelter(country, places=2)
    other = await standing_site(country, "linde", name="Eik")
    await there.coordinator.post("/places", place_body(other["id"]))
    for _ in range(2):
        intake, body = await offer(country)
        await intake.post("/holds", body, key=body["referralId"])
    await step(country)
    assert await counted(country) == {(THERE, "crisis"): (3, 1)}

    await country.rows("UPDATE claims SET claimed_until = clock_timestamp() WHERE kind = 'hold'")
    await step(country)
    assert await counted(country) == {(THERE, "crisis"): (3, 3)}


async def test_a_reader_takes_no_step(country: Country) -> None:
    await shelter(country)
    await country.rows("UPDATE timers SET due_at = '-infinity' WHERE name = 'step'")
    reader = await country.client("administrator")
    assert (await reader.get("/availability"))["items"] == []
    assert await counted(country) == {}


async def test_steps_taken_at_once_do_not_lock_crosswise(country: Country) -> None:
    for slug in ("linde", "eik", "es", "haven"):
        await shelter(country, slug)
    await asyncio.gather(*(step(country) for _ in range(6)))
    assert len(await counted(country)) == 1
