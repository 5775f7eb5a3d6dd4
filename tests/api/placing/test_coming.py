"""Who is coming, for the receiving provider: as known now, from hold to departure."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from app.placing import erasure
from tests.casework import Desk, desk, fresh, wish
from tests.country import HERE, Client, Country, referral_body
from tests.swaps import chain

LEFT = {"destination": "new_home"}
FAMILY = {
    "adults": [{"gender": "female", "age": 31}],
    "children": [{"age": 4, "gender": "male"}, {"age": 9, "gender": "female"}],
    "pets": 1,
    "pregnant": False,
}


async def seen(client: Client, placement: dict[str, Any]) -> list[Any]:
    """Return who is coming, as a placement and its hold say it, alone and listed."""
    found: list[Any] = []
    for collection, id_ in (("placements", placement["id"]), ("holds", placement["holdId"])):
        listed = (await client.get(f"/{collection}"))["items"]
        found.append((await client.get(f"/{collection}/{id_}"))["coming"])
        found.append(next(item["coming"] for item in listed if item["id"] == id_))
    return found


Step = Callable[[Desk, str], Awaitable[Any]]
STEPS: dict[str, tuple[Step, ...]] = {
    "underway": (),
    "arrived": (lambda where, path: where.receiver.post(f"{path}/arrival", expect=200),),
    "no_show": (lambda where, path: where.receiver.post(f"{path}/no-show", expect=200),),
    "not_arrived": (
        lambda where, path: where.receiver.post(f"{path}/arrival", expect=200),
        lambda where, path: where.receiver.post(f"{path}/corrections", {"code": "not_arrived"}),
    ),
    "departed": (
        lambda where, path: where.receiver.post(f"{path}/arrival", expect=200),
        lambda where, path: where.receiver.post(f"{path}/departure", LEFT, expect=200),
    ),
    "safe": (
        lambda where, path: where.intake.post(
            f"{path}/no-show", {"safetyChecked": True}, expect=200
        ),
    ),
}
OVER = {"departed", "safe"}


async def brought(country: Country, state: str) -> tuple[Desk, dict[str, Any]]:
    """Bring a household to where it stands."""
    where = await desk(country, features=["pets"])
    placement = await where.underway(household=FAMILY, languages=["ti"], callBack="000-555 02 02")
    for step in STEPS[state]:
        await step(where, f"/placements/{placement['id']}")
    return where, placement


@pytest.mark.parametrize("state", sorted(STEPS))
async def test_the_receiver_and_nobody_else_sees_who_is_coming_until_that_is_over(
    country: Country, state: str
) -> None:
    where, placement = await brought(country, state)
    third = await country.client("intake_worker", "coordinator", provider="third")

    shown = await seen(where.receiver, placement)

    if state in OVER:
        assert shown == [None] * 4
    else:
        assert shown == [shown[0]] * 4
        assert (shown[0]["household"], shown[0]["languages"]) == (FAMILY, ["ti"])
        assert (shown[0]["callBack"], shown[0]["urgency"]) == ("000-555 02 02", "acute")
        assert [zone["municipality"] for zone in shown[0]["dangerZones"]] == [HERE]
    assert await seen(where.intake, placement) == [None] * 4
    assert (await third.get("/placements"))["items"] == (await third.get("/holds"))["items"] == []


@pytest.mark.parametrize("state", sorted(STEPS))
async def test_the_wall_lets_the_receiver_see_the_referral_exactly_as_long(
    country: Country, state: str
) -> None:
    where, placement = await brought(country, state)
    for provider, expected in (("linde", state not in OVER), ("third", False)):
        hashed = await country.hashed("coordinator", provider=provider)
        async with country.parts.database.transaction(hashed) as tx:
            for table in ("referrals", "referral_secrets"):
                rows = await tx.connection.fetch(f"SELECT * FROM {table}")  # noqa: S608 - one of two
                assert bool(rows) == expected
    assert (await where.intake.get(f"/referrals/{placement['referralId']}"))["household"] == FAMILY


async def test_what_is_known_now_is_shown_with_another_tag_and_told(country: Country) -> None:
    where, placement = await brought(country, "underway")
    path, referral = f"/placements/{placement['id']}", f"/referrals/{placement['referralId']}"
    before = await where.receiver.ask("GET", path)
    await country.rows("DELETE FROM outbox")

    alone = {**FAMILY, "children": [], "pets": 0}
    tag = (await where.intake.ask("GET", referral)).headers["ETag"]
    await where.intake.patch(
        referral, {"household": alone, "urgency": "urgent"}, headers={"If-Match": tag}
    )

    after = await where.receiver.ask(
        "GET", path, headers={"If-None-Match": before.headers["ETag"]}, expect=200
    )
    assert after.headers["ETag"] != before.headers["ETag"]
    assert (after.json()["coming"]["household"], after.json()["coming"]["urgency"]) == (
        alone,
        "urgent",
    )
    told = await country.rows("SELECT kind, subject, audience FROM outbox WHERE kind = 'placement'")
    linde, haven = await country.provider("linde"), await country.provider("haven")
    assert [(row.subject, set(row.audience)) for row in told] == [(placement["id"], {linde, haven})]
    stale = {"If-Match": before.headers["ETag"]}
    await where.receiver.patch(path, {"expectedDeparture": "2027-03-01"}, headers=stale, expect=412)
    fresh_tag = {"If-Match": after.headers["ETag"]}
    await where.receiver.patch(path, {"expectedDeparture": "2027-03-01"}, headers=fresh_tag)


async def test_what_may_be_answered_again_never_says_who_is_coming(country: Country) -> None:
    where = await desk(country, places=2)
    own = await where.receiver.post("/holds", await wish(where.receiver), key=fresh())
    body = {"holdId": own["id"]}
    made = [await where.receiver.post("/placements", body, key="same") for _ in range(2)]
    path = f"/placements/{made[0]['id']}"
    made += [await where.receiver.post(f"{path}/no-show", expect=200, key="same") for _ in range(2)]
    made += [await where.receiver.post(f"{path}/arrival", expect=200, key="same") for _ in range(2)]
    made.append(await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"}))
    made.append(await where.receiver.post(f"{path}/arrival", expect=200))
    made.append(await where.receiver.post(f"{path}/departure", LEFT, expect=200))
    assert [answer["coming"] for answer in made] == [None] * len(made)


async def test_in_a_swap_each_place_sees_its_own_household_and_for_as_long_as_it_has_it(
    country: Country,
) -> None:
    made = await chain(country)
    swap = await made.at.propose(made.waiting)
    await made.at.consent(swap["id"])
    linde, eik = made.at.hosts["linde"], made.at.hosts["eik"]
    legs = (await made.at.desk.get(f"/swaps/{swap['id']}"))["legs"]
    going = {leg["referralId"]: leg["nextPlacementId"] for leg in legs}
    moved, came = going[made.resident.referral_id], going[made.waiting]

    async def coming(client: Client, placement_id: str) -> Any:
        return (await client.get(f"/placements/{placement_id}"))["coming"]

    for client, placement_id in ((eik, moved), (linde, came), (linde, made.resident.placement_id)):
        assert (await coming(client, placement_id))["household"]["adults"] == referral_body()[
            "household"
        ]["adults"]
    await eik.post(f"/placements/{moved}/arrival", expect=200)
    assert await coming(eik, moved) is not None
    assert await coming(linde, made.resident.placement_id) is None
    assert await coming(linde, came) is not None


async def test_of_two_stays_of_one_referral_only_the_one_that_goes_on_shows_it(
    country: Country,
) -> None:
    where, placement = await brought(country, "safe")
    again = await where.intake.post(f"/referrals/{placement['referralId']}/rankings")
    body = {
        "referralId": placement["referralId"],
        "rankingId": again["id"],
        "offerId": again["offers"][0]["offerId"],
    }
    hold = await where.intake.post("/holds", body, key=fresh())
    assert (await where.receiver.get(f"/holds/{hold['id']}"))["coming"]["household"] == FAMILY
    assert await seen(where.receiver, placement) == [None] * 4


async def test_of_a_referral_that_was_erased_nothing_is_shown_and_nothing_fails(
    country: Country,
) -> None:
    where, placement = await brought(country, "arrived")
    again = await erasure.erase_again(country.owner.transaction, [UUID(placement["referralId"])])
    assert again.count == 1
    assert await seen(where.receiver, placement) == [None] * 4


async def test_a_system_of_the_receiver_sees_that_and_not_who(country: Country) -> None:
    _, placement = await brought(country, "underway")
    machine = await country.client("client_system", provider="linde")
    assert (await machine.get(f"/placements/{placement['id']}"))["coming"] is None


async def test_reading_who_is_coming_is_logged_as_a_look_at_the_referral(country: Country) -> None:
    where, placement = await brought(country, "arrived")
    for path in (f"/placements/{placement['id']}", "/placements", f"/holds/{placement['holdId']}"):
        before = await country.value("SELECT count(*) FROM access_log")
        await where.receiver.get(path)
        (logged,) = await country.rows(
            "SELECT referral_ids, provider_id FROM access_log ORDER BY id DESC LIMIT 1"
        )
        assert await country.value("SELECT count(*) FROM access_log") == before + 1
        assert [str(id_) for id_ in logged.referral_ids] == [placement["referralId"]]
        assert logged.provider_id == await country.provider("linde")
    await where.intake.get(f"/placements/{placement['id']}")
    assert (
        await country.value(
            "SELECT cardinality(referral_ids) FROM access_log ORDER BY id DESC LIMIT 1"
        )
        == 0
    )
