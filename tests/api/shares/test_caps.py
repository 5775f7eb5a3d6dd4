"""Caps: set by a region's auditors, for other reasons than safety, visible to all.

And what they keep away.
"""

import asyncio
import datetime as dt
import json
import secrets
from typing import Any

import pytest

from app.allocation.shares.quarters import quarter_of
from tests.api.placing.test_moving_on import route
from tests.casework import Desk, desk, fresh, wish_for
from tests.country import FAR, HERE, THERE, Client, Country, place_body, referral_body, shelter
from tests.ledger_stays import local_today, seal, stayed

DAY = dt.timedelta(days=1)
CAPACITY = {"reason": "capacity", "dangerAssessment": "none_known", "dangerZones": []}
"""A household for which there is no room at home."""


def body(at_most: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "atMost": at_most,
        "reason": "staffing",
        "until": (local_today() + 30 * DAY).isoformat(),
    } | changes


async def capped(
    country: Country, at_most: int = 1, *, region: str = THERE
) -> tuple[Client, dict[str, Any]]:
    """Return an auditor of a region, and the cap that they have set."""
    auditor = await country.client("auditor", region=region)
    return auditor, await auditor.post("/caps", body(at_most))


async def excluded(intake: Client, **referral: Any) -> set[str]:
    """Return the rules by which a new referral's ranking leaves out places in Zwolle."""
    made = await intake.post("/referrals", referral_body(**referral))
    ranking = await intake.post(f"/referrals/{made['id']}/rankings")
    return {out["rule"] for out in ranking["excluded"] if out["region"] == THERE}


# --- setting one ----------------------------------------------------------------------


async def test_a_cap_is_for_the_auditors_own_region_and_everybody_sees_it(country: Country) -> None:
    _, cap = await capped(country, 3)
    assert (cap["region"], cap["atMost"], cap["reason"], cap["inForce"]) == (
        THERE,
        3,
        "staffing",
        True,
    )
    assert (cap["from"], cap["withdrawnOn"], cap["displacedNights"]) == (
        local_today().isoformat(),
        None,
        None,
    )
    everybody = [
        await country.client("intake_worker", provider="haven"),
        await country.client("client_system", provider="haven"),
        await country.client("administrator"),
        await country.client("auditor", region=FAR),
    ]
    for client in everybody:
        assert (await client.get("/caps"))["items"] == [cap]
        assert (await client.get("/caps", params={"region": HERE}))["items"] == []


async def test_its_leaf_says_so_in_clear_and_the_withdrawal_corrects_it(country: Country) -> None:
    auditor, cap = await capped(country, 2)
    withdrawn = await auditor.post(f"/caps/{cap['id']}/withdrawal", expect=200)
    assert (withdrawn["inForce"], withdrawn["withdrawnOn"]) == (False, local_today().isoformat())
    assert await auditor.post(f"/caps/{cap['id']}/withdrawal", expect=200) == withdrawn
    rows = await country.rows(
        "SELECT content FROM leaves WHERE type IN ('cap', 'correction') ORDER BY index"
    )
    said = [json.loads(bytes(row.content)) for row in rows]
    assert [(leaf["type"], leaf["index"]) for leaf in said] == [
        ("cap", cap["ledgerLeaf"]),
        ("correction", cap["ledgerLeaf"] + 1),
    ]
    assert said[0]["content"] == {
        "region": THERE,
        "at_most": 2,
        "reason": "staffing",
        "first_day": cap["from"],
        "last_day": cap["until"],
    }
    assert said[1]["content"]["corrects"] == cap["ledgerLeaf"]
    assert said[1]["content"]["code"] == "withdrawn"
    assert said[1]["content"]["by"] == {"role": "auditor", "region": THERE}


@pytest.mark.parametrize(
    "change, pointer",
    [
        ({"until": 93 * DAY}, "/until"),
        ({"until": -DAY}, "/until"),
        ({"from": -DAY}, "/from"),
        ({"from": 93 * DAY}, "/from"),
        ({"reason": "we_would_rather_not"}, "/reason"),
        ({"atMost": -1}, "/atMost"),
        ({"atMost": 1.5}, "/atMost"),
        ({"region": FAR}, "/region"),
    ],
)
async def test_a_cap_has_a_reason_a_number_and_at_most_three_months(
    country: Country, change: dict[str, Any], pointer: str
) -> None:
    auditor = await country.client("auditor", region=THERE)
    # From today on: it may be another day than when the cases were listed.
    changed = {
        name: (local_today() + value).isoformat() if isinstance(value, dt.timedelta) else value
        for name, value in change.items()
    }
    problem = await auditor.post("/caps", body() | changed, expect=400)
    assert pointer in {fault["pointer"] for fault in problem["errors"]}
    assert await country.value("SELECT count(*) FROM caps") == 0


async def test_a_region_has_one_cap_at_a_time_and_another_after_it(country: Country) -> None:
    auditor, cap = await capped(country)
    assert (await auditor.post("/caps", body(), expect=409))["code"] == "cap_overlaps"
    later: dict[str, Any] = {
        "from": (local_today() + 31 * DAY).isoformat(),
        "until": (local_today() + 60 * DAY).isoformat(),
    }
    await auditor.post("/caps", body(**later))
    await auditor.post(f"/caps/{cap['id']}/withdrawal", expect=200)
    await auditor.post("/caps", body())
    assert [one["inForce"] for one in (await auditor.get("/caps"))["items"]].count(True) == 1
    page = await auditor.get("/caps", params={"limit": 2})
    rest = await auditor.get("/caps", params={"limit": 2, "cursor": page["nextCursor"]})
    assert len({one["id"] for one in (*page["items"], *rest["items"])}) == 3


async def test_another_regions_cap_and_none_cannot_be_told_apart_when_withdrawn(
    country: Country,
) -> None:
    _, cap = await capped(country)
    stranger = await country.client("auditor", region=FAR)
    answers = {
        (await stranger.ask("POST", f"/caps/{id_}/withdrawal", expect=404)).content
        for id_ in (cap["id"], "00000000-0000-4000-8000-000000000001", "nonsense")
    }
    assert len(answers) == 1


# --- what it does ---------------------------------------------------------------------


async def test_a_cap_that_is_reached_keeps_away_who_does_not_flee_and_nobody_else(
    country: Country,
) -> None:
    where = await desk(country, places=4)
    assert "cap" not in await excluded(where.intake, **CAPACITY)
    await capped(country, 1)
    assert "cap" not in await excluded(where.intake, **CAPACITY)
    await where.arrived(**CAPACITY)
    assert "cap" in await excluded(where.intake, **CAPACITY)
    await where.arrived()  # for safety: neither counted nor kept away
    assert "cap" not in await excluded(where.intake)


async def test_a_cap_of_nobody_takes_nobody_and_its_own_region_does_not_feel_it(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    await capped(country, 0)
    assert "cap" in await excluded(where.intake, **CAPACITY)
    near = await country.value(
        "SELECT code FROM municipalities WHERE region = :r AND code <> :r LIMIT 1", r=THERE
    )
    assert "cap" not in await excluded(where.receiver, originMunicipality=near, **CAPACITY)


async def test_a_hold_counts_and_its_own_household_goes_on(country: Country) -> None:
    where = await desk(country, places=3)
    await capped(country, 1)
    held = await where.accepted(**CAPACITY)
    assert "cap" in await excluded(where.intake, **CAPACITY)
    placement = await where.intake.post("/placements", {"holdId": held["id"]}, key=fresh())
    await where.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
    await where.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "new_home"}, expect=200
    )
    assert "cap" not in await excluded(where.intake, **CAPACITY)


async def test_a_cap_that_was_set_since_stops_a_confirmation(country: Country) -> None:
    where = await desk(country, places=3)
    held = await where.accepted(**CAPACITY)
    await capped(country, 0)
    refused = await where.intake.post(
        "/placements", {"holdId": held["id"]}, key=fresh(), expect=409
    )
    assert refused["code"] == "no_longer_lawful"
    assert "cap" in refused["detail"]


async def test_a_withdrawn_cap_keeps_nobody_away(country: Country) -> None:
    where = await desk(country, places=2)
    auditor, cap = await capped(country, 0)
    await auditor.post(f"/caps/{cap['id']}/withdrawal", expect=200)
    assert "cap" not in await excluded(where.intake, **CAPACITY)


async def test_a_ranking_that_a_cap_shaped_is_replayed_alike_when_the_cap_is_gone(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    auditor, cap = await capped(country, 0)
    made = await where.intake.post("/referrals", referral_body(**CAPACITY))
    ranking = await where.intake.post(f"/referrals/{made['id']}/rankings")
    await auditor.post(f"/caps/{cap['id']}/withdrawal", expect=200)
    replayed = await where.intake.post(f"/rankings/{ranking['id']}/replays", expect=200)
    assert replayed["identical"]


async def moving_on(
    where: Desk, first: dict[str, Any], *, expect: int = 201, **referral: Any
) -> Any:
    """Find a household the next place within its stay, and let it set out."""
    moving = {"urgency": "urgent", "reason": "follow_on", **referral}
    made = await where.receiver.post("/referrals", referral_body(**moving))
    wanted = await wish_for(where.receiver, made["id"])
    hold = await where.receiver.post("/holds", wanted, key=fresh())
    body = {"holdId": hold["id"], "previousPlacementId": first["id"]}
    return await where.receiver.post("/placements", body, key=fresh(), expect=expect)


async def test_who_lives_in_a_capped_region_moves_on_inside_it_and_is_counted_once(
    country: Country,
) -> None:
    where = await desk(country, places=6)
    for _ in range(2):
        regular = place_body(where.there.site_id, kind="regular")
        await where.receiver.post("/places", regular)
    fled = await where.arrived()
    came = await where.arrived(**CAPACITY)
    await capped(country, 2)

    second = await moving_on(where, came, dangerAssessment="none_known", dangerZones=[])

    # On their way from one place there to the next they are one household under a cap for two.
    assert "cap" not in await excluded(where.intake, **CAPACITY)
    await where.receiver.post(f"/placements/{second['id']}/arrival", expect=200)
    await where.arrived(**CAPACITY)
    assert "cap" in await excluded(where.intake, **CAPACITY)
    onward = await moving_on(where, fled)
    assert (
        await country.value("SELECT reason FROM placements WHERE id = :id", id=onward["id"])
        == "safety"
    )


async def test_who_moves_on_from_elsewhere_is_kept_out_by_a_cap_unless_they_fled(
    country: Country,
) -> None:
    way = await route(country)
    await way.linde.post("/places", place_body(way.where.there.site_id))
    came = await way.where.arrived(**CAPACITY)
    await capped(country, 0, region=FAR)
    hold = await way.held(way.linde, "eik", dangerAssessment="none_known", dangerZones=[])
    body = {"holdId": hold, "previousPlacementId": came["id"]}

    refused = await way.linde.post("/placements", body, key=fresh(), expect=409)

    assert refused["code"] == "no_longer_lawful"
    assert "cap" in refused["detail"]
    assert (await way.leaving(way.first, way.linde, "eik"))["receiving"] == FAR


AT_ONCE = 4


async def held_at_once(where: Desk) -> list[int]:
    """Let several desks hold places under a cap for one at once, each having ranked before."""
    wishes = []
    for _ in range(AT_ONCE):
        made = await where.intake.post("/referrals", referral_body(**CAPACITY))
        wishes.append(await wish_for(where.intake, made["id"]))
    answers = await asyncio.gather(
        *(
            where.intake.ask("POST", "/holds", json=wish, key=secrets.token_hex(8))
            for wish in wishes
        )
    )
    return sorted(answer.status_code for answer in answers)


async def test_of_those_who_hold_the_last_place_under_a_cap_at_once_one_does(
    country: Country,
) -> None:
    where = await desk(country, places=AT_ONCE)
    await capped(country, 1)
    assert await held_at_once(where) == [201] + [409] * (AT_ONCE - 1)


async def test_without_the_lock_and_the_count_they_all_would(country: Country) -> None:
    await country.rows(
        "CREATE OR REPLACE FUNCTION cap_has_room(of_region text, besides uuid) RETURNS boolean "
        "LANGUAGE sql"
        " AS $$ SELECT true $$"
    )
    where = await desk(country, places=AT_ONCE)
    await capped(country, 1)
    assert await held_at_once(where) == [201] * AT_ONCE


# --- what it displaced ----------------------------------------------------------------


@pytest.mark.parametrize("others", [0, 9])
async def test_nights_elsewhere_for_the_caps_sake_are_counted_with_it_from_ten_households_on(
    country: Country, others: int
) -> None:
    where = await desk(country, places=1)
    await shelter(country, "eik", places=1, site={"municipality": FAR})
    eik = await country.client("coordinator", "intake_worker", provider="eik")
    auditor, cap = await capped(country, 0)
    hold = await where.hold(**CAPACITY)
    await eik.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    placement = await where.intake.post("/placements", {"holdId": hold["id"]}, key=fresh())
    arrived = await eik.post(f"/placements/{placement['id']}/arrival", expect=200)
    noted = await country.rows("SELECT index, cap_id::text FROM displacements")
    assert [tuple(row) for row in noted] == [(arrived["ledgerLeaf"], cap["id"])]
    for _ in range(others):
        index = await stayed(country, local_today(), receiving=FAR, reason="capacity")
        await country.rows(
            "INSERT INTO displacements (index, cap_id) VALUES (:index, CAST(:cap AS uuid))",
            index=index,
            cap=cap["id"],
        )
    quarter = quarter_of(local_today())
    await seal(country, on=quarter.after + 20 * DAY)
    shown = next(one for one in (await auditor.get("/caps"))["items"] if one["id"] == cap["id"])
    nights = (quarter.after - local_today()).days
    assert shown["displacedNights"] == (10 * nights if others else None)
    query = {"from": str(quarter), "to": str(quarter)}
    regions = (await auditor.get("/fair-shares", params=query))["regions"]
    mine = next(one for one in regions if one["region"] == THERE)
    assert (mine["cap"]["atMost"], mine["cap"]["displacedNights"]) == (0, shown["displacedNights"])
