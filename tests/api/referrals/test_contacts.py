"""The contact log: sealed, for the own provider alone, and what it promises is due."""

from datetime import UTC, datetime, timedelta

from tests.api.calls import faults
from tests.casework import desk, problem
from tests.country import Country, referral_body
from tests.dues import come, live, ring

AHEAD = (datetime.now(tz=UTC) + timedelta(days=2)).isoformat()
NOTE = "Gesproken.\nBelt morgen terug."


async def test_contacts_are_for_the_own_provider_newest_first_and_sealed(country: Country) -> None:
    where = await desk(country)
    held = await where.accepted()
    path = f"/referrals/{held['referralId']}/contacts"
    first = await where.intake.post(
        path, {"note": NOTE, "kind": "client", "dueAt": AHEAD}, key="once"
    )
    assert (
        await where.intake.post(path, {"note": NOTE, "kind": "client", "dueAt": AHEAD}, key="once")
        == first
    )
    second = await where.intake.post(path, {"note": "Niemand thuis."})

    assert (await where.intake.get(path))["items"] == [second, first]
    assert (first["note"], first["kind"], second["kind"], second["dueAt"]) == (
        NOTE,
        "client",
        None,
        None,
    )
    page = await where.intake.get(path, params={"limit": 1})
    assert (await where.intake.get(path, params={"cursor": page["nextCursor"]}))["items"] == [first]
    await where.receiver.get(
        path, expect=404
    )  # who is coming, they see; what was said, they do not
    sealed = await country.value("SELECT string_agg(encode(sealed, 'escape'), '') FROM contacts")
    assert "Belt" not in sealed
    assert "thuis" not in sealed


async def test_every_fault_of_a_contact_is_named(country: Country) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    path = f"/referrals/{referral['id']}/contacts"
    wrong = {"note": "a\u0007b", "kind": "seance", "dueAt": "tomorrow", "by": "me"}
    assert set(faults(await where.intake.ask("POST", path, json=wrong))) == {
        "/note",
        "/kind",
        "/dueAt",
        "/by",
    }
    past = {"note": "x", "dueAt": "2020-01-01T00:00:00Z"}
    assert set(faults(await where.intake.ask("POST", path, json=past))) == {"/dueAt"}
    assert set(faults(await where.intake.ask("POST", path, json={"note": "x" * 2001}))) == {"/note"}
    await where.intake.post(
        f"/referrals/{referral['id']}/withdrawal", {"reason": "mistake"}, expect=200
    )
    assert await problem(where.intake, path, {"note": "x"}, status=409) == "referral_not_open"


async def test_a_contact_that_is_due_rings_once_and_the_newest_contact_counts(
    country: Country,
) -> None:
    where = await desk(country)
    one, other = [
        (await where.intake.post("/referrals", referral_body(safetyPlan=True)))["id"]
        for _ in range(2)
    ]
    for id_ in (one, other):
        await where.intake.post(f"/referrals/{id_}/contacts", {"note": NOTE, "dueAt": AHEAD})
    assert await live(country, "contact") == {("contact", id_, "haven") for id_ in (one, other)}
    await country.rows("UPDATE contacts SET at = at - interval '1 hour'")
    await where.intake.post(
        f"/referrals/{other}/contacts", {"note": "Gebeld, niets meer afgesproken."}
    )
    await come(country, "contact")

    assert await ring(country) == [("contact", one, "haven")]
    assert await ring(country) == []
    items = {
        item["referralId"]: item for item in (await where.intake.get("/waiting-list"))["items"]
    }
    assert items[other]["nextContactAt"] is None
    assert not items[one]["overdue"]


async def test_a_safety_plan_is_asked_for_after_a_day_where_there_is_none(country: Country) -> None:
    where = await desk(country)
    await where.intake.post("/referrals", referral_body(safetyPlan=True))
    without = (await where.intake.post("/referrals", referral_body()))["id"]
    assert await live(country, "safety_plan") == {("safety_plan", without, "haven")}
    due_at, made_at = (
        await country.rows(
            "SELECT d.due_at, r.created_at FROM dues AS d JOIN referrals AS r ON r.id = subject_id"
        )
    )[0]
    assert due_at == made_at + timedelta(hours=24)
    assert await ring(country) == []
    await come(country, "safety_plan")
    assert await ring(country) == [("safety_plan", without, "haven")]
    assert await ring(country) == []

    await where.intake.patch(
        f"/referrals/{without}", {"safetyPlan": True}, headers={"If-Match": "*"}
    )
    assert await live(country, "safety_plan") == set()
    await where.intake.patch(
        f"/referrals/{without}", {"safetyPlan": False}, headers={"If-Match": "*"}
    )
    assert await live(country, "safety_plan") == {("safety_plan", without, "haven")}
