"""Who looked at a referral, as its client may be shown it."""

from typing import Any
from uuid import uuid4

from tests.access_calls import person
from tests.casework import Desk, desk
from tests.country import HERE, Client, Country, referral_body
from tests.shields import shielding

WHY = {"purpose": "warm_handover"}
SHOWN = {
    "at", "action", "outcome", "objectType", "providerId", "provider", "accountId", "roles",
    "purpose",
}  # fmt: skip


async def accesses(client: Client, referral_id: str, **query: Any) -> list[dict[str, Any]]:
    return (await client.get(f"/referrals/{referral_id}/accesses", params=query))["items"]


async def a_case_seen_by_many(country: Country) -> tuple[Desk, str]:
    """Let haven, linde (which receives) and an auditor look at a case; return it."""
    there = await desk(country, places=2)
    placement = await there.arrived()
    case: str = placement["referralId"]
    ranking = await country.value("SELECT id FROM rankings WHERE referral_id = :id", id=case)
    auditor = await country.client("auditor", region=HERE)
    await auditor.post(f"/rankings/{ranking}/replays", expect=200)
    return there, case


async def test_a_client_can_be_shown_who_looked_newest_first(country: Country) -> None:
    there, case = await a_case_seen_by_many(country)

    items = await accesses(there.intake, case)

    haven, linde = "Stichting Haven", "Stichting Linde"
    assert [(item["action"], item["objectType"], item["provider"]) for item in items] == [
        ("replay", "ranking", None),
        ("arrive", "placement", linde),
        ("confirm", "placement", haven),
        ("accept", "hold", linde),
        ("hold", "hold", haven),
        ("rank", "referral", haven),
        ("register", "referral", haven),
    ]
    assert {item["outcome"] for item in items} == {"granted"}
    assert [item["at"] for item in items] == sorted((item["at"] for item in items), reverse=True)
    assert all(set(item) == SHOWN for item in items)
    assert items[0]["roles"] == ["auditor"]
    assert items[1]["providerId"] == str(await country.provider("linde"))


async def test_to_read_the_list_is_in_the_list(country: Country) -> None:
    there, case = await a_case_seen_by_many(country)
    before = await accesses(there.intake, case)

    after = await accesses(there.intake, case)

    assert after[1:] == before
    assert (after[0]["action"], after[0]["objectType"]) == ("read", "access_log")


async def test_a_look_at_several_households_shows_none_of_the_others(country: Country) -> None:
    there, case = await a_case_seen_by_many(country)
    eik = await country.client("intake_worker", provider="eik")
    foreign = await eik.post("/referrals", referral_body())
    ranking = await eik.post(f"/referrals/{foreign['id']}/rankings")
    wanted = {
        "referralId": foreign["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    await eik.post("/holds", wanted, key="once")
    own = await there.intake.post("/referrals", referral_body())
    await there.intake.get("/referrals")
    await there.receiver.get("/holds")

    answer = await there.intake.ask("GET", f"/referrals/{case}/accesses")

    assert answer.json()["items"][0]["action"] == "search"
    for other in (foreign["id"], own["id"], ranking["id"]):
        assert other not in answer.text


async def test_what_was_refused_is_shown_where_it_named_the_household(country: Country) -> None:
    there, case = await a_case_seen_by_many(country)
    stranger = await person(country, "intake_worker", provider="eik")
    path = f"/sites/{there.there.site_id}/address-reveals"
    await stranger.client.post(path, WHY | {"referralId": case}, expect=404)

    item = (await accesses(there.intake, case))[0]

    assert (item["action"], item["outcome"], item["provider"]) == (
        "reveal",
        "refused",
        "Stichting Eik",
    )
    assert (item["accountId"], item["purpose"]) == (str(stranger.account_id), "warm_handover")


async def test_the_list_comes_in_pages(country: Country) -> None:
    there, case = await a_case_seen_by_many(country)
    whole = await accesses(there.intake, case)
    paged: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await there.intake.get(f"/referrals/{case}/accesses", params={"limit": 3} | cursor)
        paged += page["items"]
        if page["nextCursor"] is None:
            break
        assert len(page["items"]) == 3
        cursor = {"cursor": page["nextCursor"]}

    assert paged[1:] == whole  # the first page begins with the look at the whole


async def test_others_and_colleagues_who_are_not_named_see_no_list(country: Country) -> None:
    scene = await shielding(country)
    path = f"/referrals/{scene.id}/accesses"
    missing = await scene.named.ask("GET", f"/referrals/{uuid4()}/accesses", expect=404)
    receiver = scene.desk.receiver
    for client in (scene.other, receiver, await country.client("intake_worker", provider="eik")):
        assert (await client.ask("GET", path, expect=404)).content == missing.content
    assert (await accesses(scene.named, scene.id))[0]["action"] == "shield"


async def test_who_looked_is_still_told_once_the_household_is_erased(country: Country) -> None:
    there, case = await a_case_seen_by_many(country)
    before = await accesses(there.intake, case)
    await country.rows("DELETE FROM referral_secrets WHERE referral_id = :id", id=case)

    assert (await accesses(there.intake, case))[1:] == before
