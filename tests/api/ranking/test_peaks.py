"""Plans for a peak: for own referrals, to be held one by one.

And in counts, for administrators.
"""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app import worker
from app.allocation.peaks.peaks import MOST
from app.database.transaction import WORKER
from app.ranking import peaks
from tests.api.calls import faults
from tests.casework import desk, fresh, problem
from tests.country import (
    FAR,
    HERE,
    THERE,
    Client,
    Country,
    place_body,
    referral_body,
    shelter,
    standing_site,
)
from tests.erasures import erase
from tests.statements import noting

ALONE: dict[str, Any] = {"adults": [{"gender": "female", "age": 31}], "children": []}
NO_ZONES: dict[str, Any] = {"dangerAssessment": "none_known", "dangerZones": []}
CANNOT_WALK: dict[str, Any] = {"needs": ["wheelchair"]}


async def places_at(
    country: Country, coordinator: Client, *, municipality: str, count: int = 1, **place: Any
) -> str:
    """Make a confirmed site with free places that are alike."""
    site = await standing_site(country, "linde", municipality=municipality)
    await coordinator.post(f"/sites/{site['id']}/confirmations")
    for _ in range(count):
        await coordinator.post("/places", place_body(site["id"], **place))
    return site["id"]


async def registered(intake: Client, **changes: Any) -> str:
    return (await intake.post("/referrals", referral_body(household=ALONE, **changes)))["id"]


def of(plan: Any, referral_id: str) -> Any:
    (part,) = (part for part in plan["referrals"] if part["referralId"] == referral_id)
    return part


async def hold(intake: Client, part: Any, *, expect: int = 201) -> Any:
    body = {
        "referralId": part["referralId"],
        "rankingId": part["rankingId"],
        "offerId": part["offer"]["offerId"],
    }
    body["overrideReason"] = part["overrideReason"]
    return await intake.post("/holds", body, key=fresh(), expect=expect)


async def test_a_plan_places_more_than_choosing_in_turn_takes_nothing_and_is_held_one_by_one(
    country: Country,
) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    await places_at(country, coordinator, municipality=THERE, features=["wheelchair"], bedSpaces=1)
    await places_at(country, coordinator, municipality=FAR, bedSpaces=3)
    intake = await country.client("intake_worker", provider="haven")
    anywhere = await registered(intake, threatLevel=2, nearMunicipality=THERE)
    on_wheels = await registered(intake, threatLevel=1, **CANNOT_WALK)
    too_many = [{"gender": "female", "age": 30}] * 9
    nowhere = (
        await intake.post(
            "/referrals", referral_body(household={"adults": too_many}, threatLevel=1)
        )
    )["id"]

    plan = await intake.post("/peak-plans", key="peak")

    assert [part["referralId"] for part in plan["referrals"]] == [anywhere, on_wheels, nowhere]
    assert (plan["placed"]["acute"], plan["placedInTurn"]["acute"], plan["leftOut"]) == (2, 1, 0)
    moved, placed, unplaced = plan["referrals"]
    assert (moved["offer"]["region"]["code"], moved["inTurn"]["region"]["code"]) == (FAR, THERE)
    assert (moved["offer"]["rank"], moved["overrideReason"], placed["overrideReason"]) == (
        2,
        "peak_plan",
        None,
    )
    assert (moved["change"]["code"], moved["change"]["because"], moved["change"]["count"]) == (
        "fewer_points",
        "more_placed",
        1,
    )
    assert moved["change"]["text"]["en"] == (
        "A less well suited place than in turn: so 1 more household gets a place."
    )
    assert (placed["change"]["code"], placed["inTurn"]) == ("placed", None)
    assert (unplaced["offer"], unplaced["change"]["because"]) == (None, "nothing_lawful")
    assert [(one["rule"], one["places"]) for one in unplaced["excluded"]] == [("size", "1-4")]

    assert await country.value("SELECT count(*) FROM holds") == 0
    ranking = await intake.get(f"/rankings/{moved['rankingId']}")
    assert [offer["rank"] for offer in ranking["offers"]] == [1, 2]
    assert (await intake.post(f"/rankings/{moved['rankingId']}/replays", expect=200))["identical"]
    refused = {**moved, "overrideReason": None}
    assert (await hold(intake, refused, expect=400))["code"] == "override_reason_required"
    assert (await hold(intake, moved))["overrideReason"] == "peak_plan"
    assert (await hold(intake, placed))["status"] == "pending"
    again = await intake.ask("POST", "/peak-plans", key="peak")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (plan, "true")


async def test_each_that_takes_no_part_hears_why_and_the_others_are_planned(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country, places=3)
    open_, spent, erased = [await registered(where.intake) for _ in range(3)]
    held = (await where.hold())["referralId"]
    await where.intake.post(f"/referrals/{spent}/rankings")
    await country.rows(
        "INSERT INTO rankings SELECT gen_random_uuid(), r.referral_id, r.provider_id, "
        "r.referral_version,"
        " r.register_version, r.as_of, r.policy_hash, r.register_hash, r.rules_version, "
        "r.digest, r.sealed"
        " FROM rankings AS r, generate_series(1, 29) WHERE referral_id = :id",
        id=spent,
    )
    plan_of_all = await where.intake.post(
        "/peak-plans", {"referralIds": [open_, erased]}, key="with erased"
    )
    assert [part["refusal"] for part in plan_of_all["referrals"]] == [None, None]
    await erase(country, erased, folder=tmp_path)

    plan = await where.intake.post("/peak-plans", {"referralIds": [spent, held, erased, open_]})

    assert plan["referrals"][0]["referralId"] == open_
    assert of(plan, open_)["offer"]["rank"] == 1
    refusals = {id_: of(plan, id_)["refusal"] for id_ in (spent, held, erased)}
    assert [one["code"] for one in refusals.values()] == [
        "too_often",
        "referral_not_open",
        "erased",
    ]
    assert 3500 < refusals[spent]["retryAfter"] <= 3600
    assert [one["retryAfter"] for one in refusals.values()][1:] == [None, None]
    again = {"referralIds": [open_, erased]}
    assert (
        await problem(where.intake, "/peak-plans", again, status=410, key="with erased") == "erased"
    )
    waiting = await where.intake.post("/peak-plans")
    assert {part["referralId"] for part in waiting["referrals"]} == {open_, spent}


async def test_who_moves_for_capacity_leaves_the_region_only_after_those_who_take_what_is_there(
    country: Country,
) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    await places_at(country, coordinator, municipality=HERE, bedSpaces=1, features=["wheelchair"])
    await places_at(country, coordinator, municipality=THERE, bedSpaces=1)
    intake = await country.client("intake_worker", provider="haven")
    free_to_go = await registered(intake, reason="capacity", threatLevel=3, **NO_ZONES)
    bound = await registered(intake, reason="capacity", **NO_ZONES, **CANNOT_WALK)

    plan = await intake.post("/peak-plans")

    leaving, staying = of(plan, free_to_go), of(plan, bound)
    assert (staying["offer"]["region"]["code"], staying["after"]) == (HERE, [])
    assert (leaving["offer"]["region"]["code"], leaving["after"]) == (THERE, [bound])
    assert (leaving["offer"]["offerId"], leaving["offer"]["rank"], leaving["overrideReason"]) == (
        None,
        None,
        None,
    )
    assert (leaving["change"]["code"], leaving["change"]["because"]) == (
        "out_of_region",
        "more_placed",
    )
    await hold(intake, staying)
    now = of(await intake.post("/peak-plans"), free_to_go)
    assert (now["offer"]["region"]["code"], now["offer"]["rank"], now["change"]["code"]) == (
        THERE,
        1,
        "same",
    )
    await hold(intake, now)


async def test_a_plan_is_for_own_referrals_that_may_be_seen_and_is_logged_as_a_look_at_each(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    own, shielded = await registered(where.intake), await registered(where.intake)
    await where.intake.ask(
        "PUT", f"/referrals/{shielded}/shield", json={"colleagues": []}, expect=200
    )
    colleague = await country.client("intake_worker", provider="haven")
    stranger = await country.client("intake_worker", provider="eik")

    assert [
        part["referralId"]
        for part in (await colleague.post("/peak-plans", key="seen"))["referrals"]
    ] == [own]
    answers = {
        (await client.ask("POST", "/peak-plans", json={"referralIds": ids}, expect=404)).content
        for client, ids in (
            (colleague, [own, shielded]),
            (stranger, [own]),
            (stranger, [str(uuid4())]),
            (stranger, ["nonsense"]),
        )
    }
    assert len(answers) == 1
    logged = await country.rows(
        "SELECT referral_ids FROM access_log WHERE object_type = 'peak_plan' AND action = 'rank'"
    )
    assert [[str(id_) for id_ in row.referral_ids] for row in logged if row.referral_ids] == [[own]]
    await where.intake.ask("PUT", f"/referrals/{own}/shield", json={"colleagues": []}, expect=200)
    again = await colleague.post("/peak-plans", key="seen", expect=409)
    assert again["code"] == "busy"


def test_small_counts_are_hidden_with_as_many_others_as_keep_their_sum_from_being_small() -> None:
    counts = {"a": 40, "b": 12, "c": 3, "d": 0}
    shown = dict(peaks.suppress_small(counts, keys="abcd"))
    assert shown == {"a": 40, "b": None, "c": None, "d": None}
    assert peaks.suppress_small({"a": 10, "b": 11}, keys="ab") == [["a", 10], ["b", 11]]
    assert peaks.suppress_small({"a": 12}, keys="ab") == [["a", None], ["b", None]]
    assert peaks.suppress_small({"a": 6, "b": 4, "c": 11}, keys="abc") == [
        ["a", None],
        ["b", None],
        ["c", 11],
    ]


@pytest.mark.parametrize("ids", [[], ["a", "a"], ["a"] * (MOST + 1), ["a" * 41], "a"])
async def test_what_cannot_be_a_list_of_referrals_is_named(country: Country, ids: Any) -> None:
    intake = await country.client("intake_worker", provider="haven")
    answer = await intake.ask("POST", "/peak-plans", json={"referralIds": ids}, expect=400)
    assert all(pointer.startswith("/referralIds") for pointer in faults(answer))


async def test_two_hundred_are_planned_at_once_in_few_statements(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peaks, "MOST", 3)
    where = await desk(country, places=5)
    for _ in range(2):
        await registered(where.intake)
    await where.intake.post("/peak-plans")  # what is read once and kept has been read
    with noting(country) as few:
        await where.intake.post("/peak-plans")
    for _ in range(3):
        await registered(where.intake)
    with noting(country) as many:
        plan = await where.intake.post("/peak-plans")

    assert (len(plan["referrals"]), plan["leftOut"]) == (3, 2)
    assert (
        len({part["offer"]["provider"]["id"] for part in plan["referrals"]}) == 1
    )  # more than a ranking counts
    # One more says which of those looked at were shown offers, where that is not all.
    assert len(many) == len(few) + 1 <= 11


async def test_administrators_get_counts_made_by_the_worker_with_small_ones_suppressed(
    country: Country,
) -> None:
    there = await shelter(country, places=12)
    intake = await country.client("intake_worker", provider="haven")
    ids = [await registered(intake) for _ in range(22)]
    await intake.ask("PUT", f"/referrals/{ids[0]}/shield", json={"colleagues": []}, expect=200)
    await registered(intake, urgency="planned")
    administrator = await country.client("administrator")

    asked = await administrator.post("/peak-plans")
    assert (asked["madeAt"], asked["byUrgency"]) == (None, [])
    work = worker.recurring_work(country.parts.settings.data_dir)["peaks"]
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await work(tx)
    made = await administrator.get(f"/peak-plans/{asked['id']}")

    acute, urgent, planned = made["byUrgency"]
    assert acute == {"urgency": "acute", "placed": 12, "notPlaced": None, "placedInTurn": None}
    nothing = {"placed": None, "notPlaced": None, "placedInTurn": None}
    assert (urgent, planned) == (
        {"urgency": "urgent", **nothing},
        {"urgency": "planned", **nothing},
    )
    assert made["byRegion"] == [{"region": HERE, "placed": 12, "notPlaced": 11}]
    assert made["byBand"] == [
        {"band": "ample", "placed": None},
        {"band": "sufficient", "placed": None},
    ]
    assert not any(id_ in str(made) for id_ in (*ids, there.site_id))
    logged = await country.rows(
        "SELECT roles, referral_ids FROM access_log WHERE roles = '{worker}'"
    )
    assert [len(row.referral_ids) for row in logged] == [23]

    other = await country.client("administrator")
    assert (await other.post("/peak-plans"))["id"] == asked["id"]
    await country.rows("UPDATE peak_plans SET asked_at = asked_at - interval '6 minutes'")
    assert (await other.post("/peak-plans"))["id"] != asked["id"]
    await problem(other, "/peak-plans", {"referralIds": ids[:1]}, status=400)
    await other.get(f"/peak-plans/{uuid4()}", expect=404)
    await country.rows("UPDATE peak_plans SET asked_at = asked_at - interval '1 day'")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await worker.prune(tx)
    assert await country.value("SELECT count(*) FROM peak_plans") == 0


async def test_what_was_ranked_because_something_came_free_does_not_count_as_asked_for(
    country: Country,
) -> None:
    where = await desk(country)
    waiting = await registered(where.intake)
    await where.intake.post(f"/referrals/{waiting}/rankings")
    await country.rows(
        "INSERT INTO rankings SELECT gen_random_uuid(), r.referral_id, r.provider_id, "
        "r.referral_version,"
        " r.register_version, r.as_of, r.policy_hash, r.register_hash, r.rules_version, "
        "r.digest, r.sealed, 1"
        " FROM rankings AS r, generate_series(1, 40) WHERE referral_id = :id",
        id=waiting,
    )

    plan = await where.intake.post("/peak-plans", {"referralIds": [waiting]})

    assert of(plan, waiting)["refusal"] is None
