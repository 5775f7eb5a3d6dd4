"""Breaking the glass: a look at a shielded referral by a colleague who is not named."""

from typing import Any

import pytest

from tests.api.calls import faults
from tests.api.live_service import following, served
from tests.casework import fresh
from tests.country import Country, hold_first, referral_body
from tests.shields import WHY, account_of, break_glass, shield, shielding, unshield

LOG = """SELECT outcome, purpose, object_type, object_id::text, referral_ids[1]::text AS referral_id, account_id::text,
id::text FROM access_log WHERE action = 'break_glass' ORDER BY access_log.id"""
GLASSES = (
    "SELECT account_id::text, broken_because, until FROM shields WHERE until IS NOT NULL ORDER "
    "BY account_id"
)
AGO = "UPDATE shields SET until = clock_timestamp() - interval '1 second' WHERE until IS NOT NULL"


async def events(country: Country) -> list[tuple[str, Any]]:
    return [
        tuple(row)
        for row in await country.rows("SELECT subject, audience FROM outbox WHERE kind = 'access'")
    ]


async def test_a_glass_is_broken_and_the_coordinators_hear_of_it_at_once(country: Country) -> None:
    scene = await shielding(country)
    coordinator = await country.token("coordinator", provider="haven")
    async with served(country.app) as base, following(base, coordinator) as stream:
        broken = await break_glass(scene.other, scene.reference)
        told = await stream.next()
        # A step of what all may see; and that a place is there for the one who waits.
        while told is not None and told.kind in {"availability", "waiting"}:
            told = await stream.next()

    assert broken["referralId"] == scene.id
    assert told is not None
    assert (told.kind, told.data) == ("access", {"id": broken["id"]})
    (notice,) = (await (await country.client(token=coordinator)).get("/access-notices"))["items"]
    assert (notice["eventId"], notice["purpose"], notice["referralId"]) == (
        broken["id"],
        WHY,
        scene.id,
    )


async def test_what_was_opened_is_seen_by_the_usual_calls_and_each_look_is_logged(
    country: Country,
) -> None:
    scene = await shielding(country)
    hold = await hold_first(scene.named, referral_id=scene.id)
    await scene.desk.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    placement = await scene.named.post("/placements", {"holdId": hold["id"]}, key=fresh())
    third = await scene.colleague()

    await break_glass(scene.other, scene.reference)

    assert await scene.other.get(f"/referrals/{scene.id}") == await scene.named.get(
        f"/referrals/{scene.id}"
    )
    for path in (f"/holds/{hold['id']}", f"/placements/{placement['id']}"):
        await scene.other.get(path)
        await third.get(path, expect=404)
    assert len((await scene.other.get("/referrals"))["items"]) == 1
    rows = await country.rows(
        (
            "SELECT action, object_type FROM access_log WHERE account_id = :id AND outcome = "
            "'granted' ORDER BY id"
        ),
        id=await account_of(scene.other),
    )
    assert [tuple(row) for row in rows] == [
        ("break_glass", "referral"),
        ("read", "referral"),
        ("read", "hold"),
        ("read", "placement"),
        ("search", "referral"),
    ]


async def test_the_entry_says_who_why_and_of_whom(country: Country) -> None:
    scene = await shielding(country)

    broken = await break_glass(scene.other, scene.reference.upper(), reason="immediate_danger")

    (row,) = await country.rows(LOG)
    who = await account_of(scene.other)
    assert tuple(row) == (
        "granted",
        "immediate_danger",
        "referral",
        scene.id,
        scene.id,
        who,
        broken["id"],
    )
    (glass,) = await country.rows(GLASSES)
    assert tuple(glass)[:2] == (who, "immediate_danger")
    minutes = await country.value(
        "SELECT extract(epoch FROM until - clock_timestamp()) / 60 FROM shields WHERE until > now()"
    )
    assert 59 < minutes <= 60
    assert await events(country) == [(broken["id"], [country.providers["haven"]])]


async def test_the_look_is_over_by_the_clock_of_the_database(country: Country) -> None:
    scene = await shielding(country)
    await break_glass(scene.other, scene.reference)
    assert await scene.seen()

    await country.rows(AGO)

    assert not await scene.seen()
    assert (await scene.other.get("/referrals"))["items"] == []


async def test_a_second_look_goes_on_longer_and_is_told_again(country: Country) -> None:
    scene = await shielding(country)
    first = await break_glass(scene.other, scene.reference)

    second = await break_glass(scene.other, scene.reference, reason="handover")

    assert second["until"] > first["until"]
    (glass,) = await country.rows(GLASSES)
    assert glass.broken_because == "handover"
    assert [subject for subject, _ in await events(country)] == [first["id"], second["id"]]
    await country.rows(AGO)
    await break_glass(scene.other, scene.reference)
    assert await scene.seen()


async def test_unknown_foreign_and_unshielded_references_are_refused_alike_and_logged(
    country: Country,
) -> None:
    scene = await shielding(country)
    unshielded = await scene.named.post("/referrals", referral_body())
    receiver = scene.desk.receiver
    foreign = await receiver.post("/referrals", referral_body())
    await shield(receiver, foreign["id"])
    references = (unshielded["reference"], foreign["reference"], "baku-limo", foreign["id"], "%")

    answers = set[tuple[Any, ...]]()
    for reference in references:
        body = {"reference": reference, "reason": WHY}
        answer = await scene.other.ask("POST", "/break-glass-looks", json=body, expect=404)
        headers = sorted(
            (name, value) for name, value in answer.headers.items() if name != "x-request-id"
        )
        answers.add((answer.content, *headers))

    assert len(answers) == 1
    rows = await country.rows(LOG)
    assert [tuple(row)[:5] for row in rows] == [("refused", WHY, "referral", None, None)] * len(
        references
    )
    assert await country.rows(GLASSES) == []
    assert await events(country) == []


@pytest.mark.parametrize("table", ["access_log", "outbox", "shields"])
async def test_what_cannot_be_written_down_is_not_opened(country: Country, table: str) -> None:
    scene = await shielding(country)
    await country.rows(f"REVOKE INSERT ON {table} FROM plek_app")

    refused = await scene.other.ask(
        "POST", "/break-glass-looks", json={"reference": scene.reference, "reason": WHY}, expect=503
    )

    assert refused.headers["Retry-After"]
    await country.rows(f"GRANT INSERT ON {table} TO plek_app")
    assert not await scene.seen()
    assert await country.rows(LOG) == []
    assert await country.rows(GLASSES) == []
    assert await events(country) == []


async def test_a_repeat_is_a_look_of_its_own(country: Country) -> None:
    scene = await shielding(country)
    body = {"reference": scene.reference, "reason": WHY}

    answers = [
        await scene.other.ask("POST", "/break-glass-looks", json=body, key="same", expect=201)
        for _ in range(2)
    ]

    assert all("Idempotency-Replayed" not in answer.headers for answer in answers)
    assert len(await country.rows(LOG)) == len(await events(country)) == 2
    assert await country.value("SELECT count(*) FROM answers WHERE route LIKE '%glass%'") == 0


async def test_whoever_is_named_breaks_nothing(country: Country) -> None:
    scene = await shielding(country)
    refused = await break_glass(scene.named, scene.reference, expect=409)
    assert refused["code"] == "already_named"
    assert await country.rows(GLASSES) == []
    assert await events(country) == []
    assert await scene.seen(scene.named)


async def test_whoever_broke_the_glass_names_nobody_while_one_of_the_named_is_at_work(
    country: Country,
) -> None:
    scene = await shielding(country)
    await break_glass(scene.other, scene.reference)

    assert (await shield(scene.other, scene.id, expect=403))["code"] == "not_named"
    await unshield(scene.other, scene.id, expect=403)
    assert await country.value("SELECT count(*) FROM shields WHERE until IS NULL") == 1
    await country.rows(
        "UPDATE accounts SET disabled_at = clock_timestamp() WHERE id = :id",
        id=await account_of(scene.named),
    )

    third = await scene.colleague()
    await shield(scene.other, scene.id, third)

    await country.rows(AGO)
    assert await scene.seen()
    assert await scene.seen(third)
    assert await country.rows(GLASSES) == []


async def test_a_coordinator_who_does_no_intake_sees_its_hold(country: Country) -> None:
    scene = await shielding(country)
    hold = await hold_first(scene.named, referral_id=scene.id)
    coordinator = await scene.colleague("coordinator")
    await coordinator.get(f"/holds/{hold['id']}", expect=404)
    await break_glass(coordinator, scene.reference)
    await coordinator.get(f"/holds/{hold['id']}")


async def test_a_glass_stays_broken_when_others_are_named_and_goes_with_the_shield(
    country: Country,
) -> None:
    scene = await shielding(country)
    await break_glass(scene.other, scene.reference)
    third = await scene.colleague()

    await shield(scene.named, scene.id, third)
    assert await scene.seen()
    await shield(scene.named, scene.id, scene.other)
    await country.rows(AGO)
    assert await scene.seen()

    await break_glass(third, scene.reference)
    await unshield(scene.named, scene.id)
    assert await country.value("SELECT count(*) FROM shields") == 0
    assert await scene.seen(third)


@pytest.mark.parametrize(
    "body, pointers",
    [
        ({}, {"/reference", "/reason"}),
        ({"reference": "", "reason": "curiosity"}, {"/reference", "/reason"}),
        (
            {"reference": "x" * 201, "reason": None, "note": "please"},
            {"/reference", "/reason", "/note"},
        ),
    ],
)
async def test_a_look_has_a_reason_from_the_list(
    country: Country, body: dict[str, Any], pointers: set[str]
) -> None:
    client = await country.client("intake_worker", provider="haven")
    assert set(faults(await client.ask("POST", "/break-glass-looks", json=body))) == pointers
    assert await country.rows(LOG) == []
