"""Referrals over HTTP: whose they are, how they change, and what becomes of them."""

import pytest

from tests.casework import desk, fresh, lapse, problem
from tests.country import HERE, Country, referral_body


async def test_a_referral_is_its_own_providers_alone(country: Country) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    path = f"/referrals/{referral['id']}"
    await where.receiver.get(path, expect=404)
    await where.receiver.patch(path, {"urgency": "planned"}, headers={"If-Match": "*"}, expect=404)
    assert (
        await problem(where.receiver, f"{path}/withdrawal", {"reason": "mistake"}, status=404)
        == "not_found"
    )
    assert await problem(where.receiver, f"{path}/rankings", status=404) == "not_found"
    assert (await where.receiver.get("/referrals"))["items"] == []
    assert [item["id"] for item in (await where.intake.get("/referrals"))["items"]] == [
        referral["id"]
    ]


async def test_a_change_needs_the_version_that_was_read(country: Country) -> None:
    where = await desk(country)
    made = await where.intake.ask("POST", "/referrals", json=referral_body(), expect=201)
    path, tag = f"/referrals/{made.json()['id']}", made.headers["ETag"]
    change = {"urgency": "urgent"}
    assert (await where.intake.patch(path, change, expect=428))["code"] == "if_match_required"
    assert (await where.intake.patch(path, change, headers={"If-Match": '"other"'}, expect=412))[
        "code"
    ] == "stale"
    changed = await where.intake.ask(
        "PATCH", path, json=change, headers={"If-Match": tag}, expect=200
    )
    assert changed.json()["urgency"] == "urgent"
    await where.intake.patch(path, {"urgency": "acute"}, headers={"If-Match": tag}, expect=412)
    await where.intake.patch(
        path, {"urgency": "acute"}, headers={"If-Match": changed.headers["ETag"]}
    )


@pytest.mark.parametrize(
    "change,stored",
    [
        (
            {"dangerZones": [{"municipality": HERE, "radiusKm": 60, "cause": "work"}]},
            {"dangerZones": [{"municipality": HERE, "radiusKm": 60, "cause": "work",
            "until": None}]},
        ),
        (
            {"household": {"adults": [{"gender": "female"}]}},
            {
                "household": {
                    "adults": [{"gender": "female", "age": None}], "children": [], "pets": 0,
                    "pregnant": False
                }
            },
        ),
    ],
)  # fmt: skip
async def test_what_a_change_leaves_out_within_a_thing_has_its_default(
    country: Country, change: dict[str, object], stored: dict[str, object]
) -> None:
    """As it has when the referral is registered.

    A zone without an end is a zone without an end.
    """
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    changed = await where.intake.patch(
        f"/referrals/{referral['id']}", change, headers={"If-Match": "*"}
    )
    assert {name: changed[name] for name in stored} == stored
    await where.intake.post(f"/referrals/{referral['id']}/rankings")


async def test_assessed_danger_keeps_a_zone(country: Country) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    refused = await where.intake.patch(
        f"/referrals/{referral['id']}", {"dangerZones": []}, headers={"If-Match": "*"}, expect=400
    )
    assert [fault["pointer"] for fault in refused["errors"]] == ["/dangerZones"]


async def test_withdrawing_gives_the_place_back_and_twice_changes_nothing(country: Country) -> None:
    where = await desk(country)
    hold = await where.accepted()
    path = f"/referrals/{hold['referralId']}"
    for _ in range(2):
        withdrawn = await where.intake.post(f"{path}/withdrawal", {"reason": "mistake"}, expect=200)
        assert (withdrawn["status"], withdrawn["holdId"]) == ("withdrawn", None)
    assert (await where.intake.get(f"/holds/{hold['id']}"))["status"] == "released"
    assert (await where.receiver.get(f"/places/{where.there.place_ids[0]}"))["status"] == "free"
    assert await problem(where.intake, f"{path}/rankings", status=409) == "referral_not_open"
    refused = await where.intake.patch(
        path, {"urgency": "planned"}, headers={"If-Match": "*"}, expect=409
    )
    assert refused["code"] == "referral_not_open"


async def test_a_referral_with_a_placement_is_not_withdrawn(country: Country) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/referrals/{placement['referralId']}"
    assert (
        await problem(where.intake, f"{path}/withdrawal", {"reason": "mistake"}, status=409)
        == "referral_not_open"
    )
    assert (await where.intake.get(path))["status"] == "placed"


async def test_a_referral_whose_hold_ran_out_is_open_and_may_be_withdrawn(country: Country) -> None:
    where = await desk(country)
    hold = await where.hold()
    path = f"/referrals/{hold['referralId']}"
    await lapse(country, hold["id"])
    seen = await where.intake.get(path)
    assert (seen["status"], seen["holdId"]) == ("open", None)
    listed = await where.intake.get("/referrals", params={"status": "open"})
    assert [item["id"] for item in listed["items"]] == [hold["referralId"]]
    assert (await where.intake.post(f"{path}/withdrawal", {"reason": "mistake"}, expect=200))[
        "status"
    ] == "withdrawn"
    assert (await where.intake.get(f"/holds/{hold['id']}"))["status"] == "no_answer"


async def test_what_is_personal_is_not_readable_in_the_database(country: Country) -> None:
    where = await desk(country)
    await where.intake.post(
        "/referrals", referral_body(callBack="000-555 77 31", languages=["tlh"]), key=fresh()
    )
    for table in ("referrals", "referral_secrets", "answers", "outbox", "rankings"):
        rows = await country.rows(f"SELECT to_jsonb(t)::text AS row FROM {table} AS t")  # noqa: S608 - named above
        for row in rows:
            assert "000-555" not in row.row
            assert b"000-555".hex() not in row.row
            assert b"tlh".hex() not in row.row
