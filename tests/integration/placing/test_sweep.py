"""Expiry needs no job.

The sweep only notes what ran out, once, and tells those concerned.
"""

from app.database.transaction import WORKER
from app.placing import holds
from tests.casework import desk, fresh, lapse
from tests.country import Country

ON_BOTH = True

NOTED = "SELECT status, resolved_at IS NOT NULL AS noted FROM holds WHERE id = :id"


async def swept(country: Country) -> int:
    async with country.parts.database.transaction(actor=WORKER) as tx:
        return await holds.sweep_holds(tx)


async def test_without_the_sweeper_what_ran_out_is_read_as_such(country: Country) -> None:
    where = await desk(country, places=2)
    silent, late = await where.hold(), await where.accepted()
    for hold in (silent, late):
        await lapse(country, hold["id"])

    statuses = [
        (await where.intake.get(f"/holds/{hold['id']}"))["status"] for hold in (silent, late)
    ]
    assert statuses == ["no_answer", "expired"]
    listed = (await where.receiver.get("/holds", params={"status": "no_answer"}))["items"]
    assert [item["id"] for item in listed] == [silent["id"]]
    assert [tuple((await country.rows(NOTED, id=hold["id"]))[0]) for hold in (silent, late)] == [
        ("pending", False),
        ("accepted", False),
    ]
    places = [
        (await where.receiver.get(f"/places/{id_}"))["status"] for id_ in where.there.place_ids
    ]
    assert places == ["free", "free"]


async def test_without_the_sweeper_places_that_ran_out_can_be_held(country: Country) -> None:
    where = await desk(country)
    mine, other = await where.wish(), await where.wish()
    first = await where.intake.post("/holds", mine, key=fresh())
    await lapse(country, first["id"])
    second = await where.intake.post("/holds", other, key=fresh())
    await lapse(country, second["id"])
    third = await where.intake.post(
        "/holds", mine, key=fresh()
    )  # the referral's own hold ran out too

    rows = await country.rows("SELECT id::text, status FROM holds ORDER BY created_at")
    assert [(row.id, row.status) for row in rows] == [
        (first["id"], "no_answer"),
        (second["id"], "no_answer"),
        (third["id"], "pending"),
    ]
    assert await country.value("SELECT hold_id::text FROM claims") == third["id"]
    referral = await where.intake.get(f"/referrals/{other['referralId']}")
    assert (referral["status"], referral["holdId"]) == ("open", None)


async def test_a_referral_whose_hold_ran_out_holds_another_place(country: Country) -> None:
    where = await desk(country, places=2)
    wanted = await where.wish()
    first = await where.intake.post("/holds", wanted, key=fresh())
    await country.rows(
        "UPDATE claims SET claimed_until = 'infinity', kind = 'occupied' WHERE hold_id IS NULL"
    )
    await lapse(country, first["id"])
    await country.rows(
        "UPDATE claims SET kind = CASE WHEN hold_id IS NULL THEN NULL ELSE 'occupied' END,"
        " hold_id = NULL, claimed_until ="
        " CASE WHEN hold_id IS NULL THEN '-infinity' ELSE 'infinity' END::timestamptz"
    )
    second = await where.intake.post("/holds", wanted, key=fresh())
    places = await country.rows("SELECT place_id FROM holds")
    assert len({row.place_id for row in places}) == 2
    assert (
        await country.value("SELECT status FROM holds WHERE id = :id", id=first["id"])
        == "no_answer"
    )
    assert (await where.intake.get(f"/referrals/{wanted['referralId']}"))["holdId"] == second["id"]


async def test_the_sweep_notes_what_ran_out_once_and_tells_both_sides(country: Country) -> None:
    where = await desk(country, places=3)
    silent, late, live = await where.hold(), await where.accepted(), await where.hold()
    for hold in (silent, late):
        await lapse(country, hold["id"])
    await country.rows("DELETE FROM outbox")

    assert await swept(country) == 2
    assert await swept(country) == 0

    told = await country.rows("SELECT kind, subject, audience FROM outbox ORDER BY id")
    haven, linde = await country.provider("haven"), await country.provider("linde")
    assert {row.subject for row in told if row.kind == "hold"} == {silent["id"], late["id"]}
    assert all(set(row.audience) == {haven, linde} for row in told if row.kind == "hold")
    assert [(row.subject, row.audience) for row in told if row.kind == "availability"] == [
        ("GM0193", [linde])
    ] * 2
    statuses = [
        tuple((await country.rows(NOTED, id=hold["id"]))[0]) for hold in (silent, late, live)
    ]
    assert statuses == [("no_answer", True), ("expired", True), ("pending", False)]
    assert await country.value("SELECT count(*) FROM claims WHERE kind = 'hold'") == 1
    assert await country.value("SELECT count(*) FROM referrals WHERE status = 'held'") == 1


async def test_a_hold_taken_over_before_the_sweep_is_told_about_once(country: Country) -> None:
    where = await desk(country)
    other = await where.wish()
    first = await where.hold()
    await lapse(country, first["id"])
    await country.rows("DELETE FROM outbox")
    await where.intake.post("/holds", other, key=fresh())
    await swept(country)
    assert (
        await country.value("SELECT count(*) FROM outbox WHERE subject = :id", id=first["id"]) == 1
    )
    assert (
        await country.value("SELECT status FROM referrals WHERE id = :id", id=first["referralId"])
        == "open"
    )
