"""What one account and one desk may do alone, and how a night worker goes on all the same."""

import secrets
from typing import Any

from tests.access_calls import Person, person
from tests.country import Client, Country, referral_body, shelter

HOLDS, DESK = 8, 16
"""The policy's budgets of live holds on places of other providers."""


async def scene(country: Country, *, places: int) -> None:
    """Give a shelter free places, and have spent budgets refuse."""
    await shelter(country, "linde", places=places)
    await country.limit_budgets()


async def hold(who: Client, *, provider: str = "linde") -> Any:
    """Register a household, rank, and hold the first offer; return the answer."""
    del provider
    registered = await who.ask("POST", "/referrals", json=referral_body())
    if registered.status_code != 201:
        return registered
    id_ = registered.json()["id"]
    ranking = await who.post(f"/referrals/{id_}/rankings")
    body = {
        "referralId": id_,
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    return await who.ask("POST", "/holds", json=body, key=secrets.token_hex(8))


async def held(who: Client, most: int) -> tuple[int, Any]:
    """Hold one place after another; return how many before the first refusal, and that."""
    for taken in range(most):
        answer = await hold(who)
        if answer.status_code != 201:
            return taken, answer
    return most, None


async def at_haven(country: Country) -> Person:
    """Return an intake worker of haven."""
    return await person(country, "intake_worker", provider="haven")


async def test_nobody_shuts_others_out_alone(country: Country) -> None:
    await scene(country, places=45)
    one = await at_haven(country)

    taken, refused = await held(one.client, 45)

    assert (taken, refused.status_code) == (HOLDS, 409)
    assert refused.json()["code"] == "too_many_holds"
    assert "raise your budget" in refused.json()["detail"]
    # Raised by herself she reaches the desk's, a second pair of hands at the desk no further.
    await one.client.post("/budget-raises", {"reason": "busy_shift"})
    assert (await held(one.client, 45))[0] == DESK - HOLDS
    other = await at_haven(country)
    taken, refused = await held(other.client, 45)
    assert (taken, refused.json()["code"]) == (0, "too_many_holds")
    assert [
        (row.provider_id, row.holds) for row in await country.rows("SELECT * FROM budget_alarms")
    ] == [(one.provider_id, DESK)]
    # What is given back can be held again.
    live = await country.value("SELECT id FROM holds WHERE resolved_at IS NULL LIMIT 1")
    await one.client.ask("DELETE", f"/holds/{live}", expect=204)
    assert (await held(other.client, 2))[0] == 1


async def test_thirty_women_from_one_raid_are_held_by_one_worker_in_a_night(
    country: Country,
) -> None:
    await scene(country, places=32)
    one, colleague = await at_haven(country), await at_haven(country)

    await one.client.post("/budget-raises", {"reason": "many_at_once"})
    made = await colleague.client.post(
        "/budget-raises", {"account": str(one.account_id), "reason": "many_at_once"}
    )

    assert (made["by"], made["raisedBy"]) == ("colleague", str(colleague.account_id))
    assert (await held(one.client, 30))[0] == 30


async def test_own_places_are_counted_by_no_budget(country: Country) -> None:
    own = await shelter(country, "linde", places=HOLDS + 2)
    await country.limit_budgets()

    assert (await held(own.coordinator, HOLDS + 2))[0] == HOLDS + 2
    used = {row["budget"]: row["used"] for row in (await own.coordinator.get("/budgets"))["items"]}
    assert (used["holds"], used["rankings"], used["referrals"]) == (0, 0, HOLDS + 2)


async def test_a_raise_takes_a_fresh_second_factor_and_is_told_to_all(country: Country) -> None:
    await scene(country, places=1)
    one, administrator = await at_haven(country), await country.client("administrator")
    coordinator = await country.client("coordinator", provider="haven")
    stranger = await person(country, "intake_worker", provider="elsewhere")
    await country.rows(
        "UPDATE tokens SET created_at = clock_timestamp() - interval '121 minutes'"
        " WHERE account_id = :id RETURNING id",
        id=one.account_id,
    )

    answer = await one.client.ask("POST", "/budget-raises", json={"reason": "other"})
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")

    await country.rows(
        "UPDATE tokens SET created_at = clock_timestamp() - interval '119 minutes'"
        " WHERE account_id = :id RETURNING id",
        id=one.account_id,
    )
    made = await one.client.post("/budget-raises", {"reason": "other"})
    again = await one.client.ask("POST", "/budget-raises", json={"reason": "other"})
    assert (again.status_code, again.json()["code"]) == (409, "budget_raised_already")
    of_one = {"account": str(one.account_id), "reason": "other"}
    assert (await stranger.client.ask("POST", "/budget-raises", json=of_one)).status_code == 404
    assert (await administrator.post("/budget-raises", of_one))["by"] == "administrator"
    for who in (coordinator, administrator):
        listed = (await who.get("/budget-raises"))["items"]
        assert [row["by"] for row in listed] == ["administrator", "oneself"]
        assert listed[1]["id"] == made["id"]
    assert (await stranger.client.get("/budget-raises"))["items"] == []
    told = await country.rows("SELECT * FROM outbox WHERE kind = 'access'")
    assert [row.audience for row in told] == [[one.provider_id]] * 2
