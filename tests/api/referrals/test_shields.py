"""Shielded referrals: only named colleagues see them; for others they are not there."""

import secrets
from typing import Any
from uuid import uuid4

import pytest

from app.api.kit.access import ROUTES
from tests.api.calls import World, faults, world
from tests.casework import fresh
from tests.country import Client, Country, hold_first, referral_body, shelter
from tests.shields import STAFF, account_of, shield, shielding, unshield

CASES = ("referrals", "rankings", "holds", "placements", "alternatives")
OF_A_CASE = [
    (method, template)
    for method, template in ROUTES
    if template.startswith(tuple(f"/{of}/{{" for of in CASES))
]
LOG = (
    "SELECT action, outcome, referral_ids[1]::text AS referral_id FROM access_log ORDER BY id "
    "DESC LIMIT 1"
)


async def colleague_of(country: Country) -> Client:
    return await country.client(*STAFF, provider="haven")


async def answer(
    client: Client, there: World, method: str, template: str, id_: str | None = None
) -> tuple[Any, ...]:
    """Return all of an answer that a client can tell it by."""
    sent = await client.http.request(**there.request(method, template, id_=id_))
    return (
        sent.status_code,
        sent.content,
        *sorted((k, v) for k, v in sent.headers.items() if k != "x-request-id"),
    )


@pytest.mark.parametrize("method, template", OF_A_CASE)
async def test_for_whoever_is_not_named_it_is_missing_like_any_other(
    country: Country, method: str, template: str
) -> None:
    there = await world(country)
    colleague = await colleague_of(country)
    reads = [one for one in OF_A_CASE if one[0] == "GET"]
    assert {(await answer(colleague, there, *one))[0] for one in reads} == {200}
    await shield(there.sender, there.ids["referrals"])

    answers = {
        await answer(colleague, there, method, template, id_)
        for id_ in (None, str(uuid4()), "nonsense")
    }

    assert len(answers) == 1
    assert answers.pop()[0] == 404


async def test_acts_that_name_it_in_their_body_find_nothing_either(country: Country) -> None:
    there = await world(country)
    colleague = await colleague_of(country)
    await shield(there.sender, there.ids["referrals"])
    wish = there.body("POST", "/holds")
    bodies = {
        "/holds": (wish, wish | {"referralId": str(uuid4())}),
        "/placements": (there.body("POST", "/placements"), {"holdId": str(uuid4())}),
    }

    for path, alternatives in bodies.items():
        answers = {
            (await colleague.ask("POST", path, json=body, key=fresh())).content
            for body in alternatives
        }
        assert len(answers) == 1
        assert b'"status":404' in answers.pop()


async def test_a_claim_of_it_opens_no_address_to_whoever_is_not_named(country: Country) -> None:
    there = await world(country)
    colleague = await colleague_of(country)
    path = there.path("/placements/{id}/address-reveals")
    why = {"purpose": "transport"}
    await colleague.post(f"/referrals/{there.ids['referrals']}/takeovers")
    await colleague.post(path, why, expect=200)
    await shield(there.sender, there.ids["referrals"])

    missing = await colleague.post(f"/placements/{uuid4()}/address-reveals", why, expect=404)
    assert await colleague.post(path, why, expect=404) == missing
    await there.sender.post(path, why, expect=200)


async def test_lists_have_it_for_those_who_are_named_only(country: Country) -> None:
    there = await world(country)
    colleague, named = await colleague_of(country), await colleague_of(country)
    await shield(there.sender, there.ids["referrals"], named)

    for path in ("/referrals", "/holds", "/placements"):
        assert (await colleague.get(path))["items"] == []
        for client in (named, there.sender):
            assert len((await client.get(path))["items"]) == 1
        assert (await there.sender.get(path))["items"] == (await named.get(path))["items"]


async def test_the_receiving_provider_sees_what_it_sees_as_ever(country: Country) -> None:
    scene = await shielding(country)
    await unshield(scene.named, scene.id)
    hold = await hold_first(scene.named, referral_id=scene.id)
    before = await scene.desk.receiver.get(f"/holds/{hold['id']}")
    assert before["coming"]["household"]

    await shield(scene.named, scene.id)

    assert await scene.desk.receiver.get(f"/holds/{hold['id']}") == before
    await scene.desk.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    placement = await scene.named.post("/placements", {"holdId": hold["id"]}, key=fresh())
    await scene.desk.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
    await scene.desk.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "new_home"}, expect=200
    )
    assert (await scene.named.get(f"/referrals/{scene.id}"))["status"] == "ended"


async def test_a_place_of_the_own_provider_is_no_way_round_it(country: Country) -> None:
    home = await shelter(country, "haven")
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    hold = await hold_first(intake, referral_id=referral["id"])
    path = f"/holds/{hold['id']}"
    assert (await home.coordinator.get(path))["coming"]["household"]

    await shield(intake, referral["id"])

    await home.coordinator.get(path, expect=404)
    await home.coordinator.post(f"{path}/decline", {"reason": "other"}, expect=404)
    assert (await home.coordinator.get("/holds"))["items"] == []
    placement = await intake.post("/placements", {"holdId": hold["id"]}, key=fresh())
    await home.coordinator.post(f"/placements/{placement['id']}/arrival", expect=404)
    assert (await home.coordinator.get("/placements"))["items"] == []
    assert (await home.coordinator.get(f"/places/{home.place_ids[0]}"))["status"] == "occupied"
    await intake.post(f"/placements/{placement['id']}/arrival", expect=200)


async def test_it_says_who_is_named_and_is_another_version_then(country: Country) -> None:
    scene = await shielding(country)
    before = await scene.named.ask("GET", f"/referrals/{scene.id}", expect=200)
    me, you = await account_of(scene.named), await account_of(scene.other)
    assert before.json()["shield"] == {"colleagues": [me]}

    named = await shield(scene.named, scene.id, scene.other)

    assert named == {"colleagues": sorted([me, you])}
    after = await scene.other.ask("GET", f"/referrals/{scene.id}", expect=200)
    assert after.json()["shield"] == named
    assert after.headers["ETag"] != before.headers["ETag"]
    stale = {"If-Match": before.headers["ETag"]}
    await scene.named.patch(
        f"/referrals/{scene.id}", {"urgency": "urgent"}, headers=stale, expect=412
    )


async def test_naming_replaces_who_was_named_before(country: Country) -> None:
    scene = await shielding(country)
    third = await scene.colleague()
    await shield(scene.named, scene.id, scene.other, third)

    await shield(scene.other, scene.id, scene.other)

    assert [await scene.seen(client) for client in (scene.named, scene.other, third)] == [
        False,
        True,
        False,
    ]


async def test_taken_away_it_is_there_for_all_colleagues_again(country: Country) -> None:
    scene = await shielding(country)
    assert not await scene.seen()

    for _ in range(2):
        await unshield(scene.named, scene.id)

    assert await scene.seen()
    assert (await scene.other.get(f"/referrals/{scene.id}"))["shield"] is None
    await shield(scene.other, scene.id)
    assert not await scene.seen(scene.named)


async def test_registered_with_a_shield_it_is_never_seen_by_others(country: Country) -> None:
    intake, colleague, other = [await colleague_of(country) for _ in range(3)]
    body = referral_body(shield={"colleagues": [await account_of(colleague)]})

    made = await intake.post("/referrals", body)

    assert made["shield"] == {
        "colleagues": sorted([await account_of(intake), await account_of(colleague)])
    }
    assert (await colleague.get("/referrals"))["items"] == [made]
    assert (await other.get("/referrals"))["items"] == []
    wrong = await intake.ask(
        "POST", "/referrals", json=referral_body(shield={"colleagues": [str(uuid4())]})
    )
    assert set(faults(wrong)) == {"/shield/colleagues/0"}
    assert await country.value("SELECT count(*) FROM referrals") == 1


async def test_only_colleagues_at_work_can_be_named(country: Country) -> None:
    scene = await shielding(country)
    gone = await account_of(await scene.colleague())
    await country.rows(
        "UPDATE accounts SET disabled_at = clock_timestamp() WHERE id = :id", id=gone
    )
    foreign = await account_of(scene.desk.receiver)
    mine = await account_of(scene.other)
    before = await scene.named.get(f"/referrals/{scene.id}")
    path = f"/referrals/{scene.id}/shield"

    wanted = [mine, gone, foreign, str(uuid4()), "nonsense", mine.upper()]
    refused = await scene.named.ask("PUT", path, json={"colleagues": wanted})

    named = faults(refused)
    assert set(named) == {f"/colleagues/{place}" for place in range(1, 6)}
    assert len(set(named.values())) == 1
    for body in (
        {"colleagues": [mine] * 21},
        {"colleagues": None},
        {},
        {"colleagues": [1]},
        {"colleagues": ["\u0000"]},
    ):
        assert faults(await scene.named.ask("PUT", path, json=body))
    assert await scene.named.get(f"/referrals/{scene.id}") == before
    await scene.named.ask("PUT", path, json={"colleagues": [mine, mine]}, expect=200)


async def test_those_at_work_are_listed_by_name_for_their_own_provider(country: Country) -> None:
    scene = await shielding(country)
    called = {}
    for name, client in {"Nachtdienst 2": scene.other, "Avonddienst": scene.named}.items():
        called[name] = await account_of(client)
        await country.rows(
            "UPDATE accounts SET name = :name WHERE id = :id", name=name, id=called[name]
        )
    nameless = await account_of(await scene.colleague("coordinator"))
    gone = await account_of(await scene.colleague())
    await country.rows(
        "UPDATE accounts SET disabled_at = clock_timestamp() WHERE id = :id", id=gone
    )

    listed = (await scene.named.get("/colleagues"))["items"]

    assert listed == [
        {"accountId": nameless, "name": None, "roles": ["coordinator"], "you": False},
        {
            "accountId": called["Avonddienst"],
            "name": "Avonddienst",
            "roles": ["intake_worker"],
            "you": True,
        },
        {
            "accountId": called["Nachtdienst 2"],
            "name": "Nachtdienst 2",
            "roles": list(STAFF),
            "you": False,
        },
    ]
    pages, cursor = [], None
    while True:
        page = await scene.named.get(
            "/colleagues", params={"limit": 1} | ({"cursor": cursor} if cursor else {})
        )
        pages += page["items"]
        if (cursor := page["nextCursor"]) is None:
            break
    assert pages == listed


async def test_naming_and_taking_away_are_in_the_access_log(country: Country) -> None:
    scene = await shielding(country)
    assert tuple((await country.rows(LOG))[0]) == ("shield", "granted", scene.id)
    await unshield(scene.named, scene.id)
    assert tuple((await country.rows(LOG))[0]) == ("unshield", "granted", scene.id)
    await shield(scene.named, scene.id)
    await unshield(scene.other, scene.id, expect=404)
    assert tuple((await country.rows(LOG))[0]) == ("unshield", "refused", None)


async def test_an_answer_kept_for_repeats_goes_with_the_right_to_see_it(country: Country) -> None:
    intake, colleague = [await colleague_of(country) for _ in range(2)]
    key, body = secrets.token_hex(8), referral_body(callBack="000-555 01 02")
    made = await intake.ask("POST", "/referrals", json=body, key=key, expect=201)
    assert (
        await intake.ask("POST", "/referrals", json=body, key=key, expect=201)
    ).content == made.content

    await shield(colleague, made.json()["id"])

    again = await intake.ask("POST", "/referrals", json=body, key=key, expect=409)
    assert "000-555" not in again.text
    assert await country.value("SELECT count(*) FROM referrals") == 1
