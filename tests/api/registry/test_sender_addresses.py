"""The sender's way to an address: only of those on their way, and only who works on it."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.access_calls import Person, person
from tests.country import Country, Shelter, hold_first, referral_body, shelter, site_body

ADDRESS = site_body()["address"]
WHY = {"purpose": "transport"}
SITES = 10
"""The policy's budget of distinct confidential sites a week."""
AGED = """UPDATE tokens SET created_at = clock_timestamp() - make_interval(mins => :minutes)
WHERE account_id = :id RETURNING id"""


@dataclass(frozen=True)
class Journey:
    """A household on its way from haven to a shelter."""

    worker: Person
    there: Shelter
    referral_id: str
    placement_id: str

    async def ask(self, who: Person) -> Any:
        """Ask for the address; return the answer."""
        path = f"/placements/{self.placement_id}/address-reveals"
        return await who.client.ask("POST", path, json=WHY)


async def accepted(country: Country) -> tuple[Person, Shelter, dict[str, Any]]:
    """Have linde accept a household of haven's; return the worker, the shelter and the hold."""
    there = await shelter(country, "linde")
    worker = await person(country, "intake_worker", provider="haven")
    referral = await worker.client.post("/referrals", referral_body())
    hold = await hold_first(worker.client, referral_id=referral["id"])
    path = f"/holds/{hold['id']}/acceptance"
    await there.coordinator.post(path, {"by": "person"}, expect=200)
    return worker, there, hold


async def journey(country: Country) -> Journey:
    """Send a household from haven to linde."""
    worker, there, hold = await accepted(country)
    placement = await worker.client.post(
        "/placements", {"holdId": hold["id"]}, key=secrets.token_hex(8)
    )
    return Journey(worker, there, hold["referralId"], placement["id"])


async def test_who_sent_them_sees_where_they_go_and_the_owner_hears_of_it(
    country: Country,
) -> None:
    on_the_way = await journey(country)

    answer = await on_the_way.ask(on_the_way.worker)

    assert (answer.status_code, answer.json()) == (200, {"address": ADDRESS})
    assert answer.headers["Cache-Control"] == "no-store"
    notice = (await on_the_way.there.coordinator.get("/access-notices"))["items"][0]
    assert (notice["action"], notice["siteId"]) == ("reveal", on_the_way.there.site_id)
    # The owner's own way is closed to a sender, as to anybody else.
    of_site = f"/sites/{on_the_way.there.site_id}/address-reveals"
    foreign = await on_the_way.worker.client.post(of_site, WHY, expect=404)
    missing = f"/sites/{uuid4()}/address-reveals"
    assert await on_the_way.worker.client.post(missing, WHY, expect=404) == foreign


async def test_invented_referrals_open_no_address(country: Country) -> None:
    """A hold that a person accepted was enough, and was given back a second later."""
    worker, there, hold = await accepted(country)

    seen = await worker.client.get(f"/holds/{hold['id']}")
    assert (seen["status"], seen["siteId"], seen["placeId"]) == ("accepted", None, None)
    for path in (f"/sites/{there.site_id}", f"/placements/{hold['id']}"):
        await worker.client.post(f"{path}/address-reveals", WHY, expect=404)


async def test_a_place_given_back_after_a_look_is_told_to_its_owner(country: Country) -> None:
    seen = await journey(country)
    await seen.ask(seen.worker)

    await seen.worker.client.post(
        f"/placements/{seen.placement_id}/no-show", {"safetyChecked": True}, expect=200
    )

    refused = await seen.ask(seen.worker)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_on_their_way")
    assert "Stichting Linde: 000-555 01 01" in refused.json()["detail"]
    notices = (await seen.there.coordinator.get("/access-notices"))["items"]
    assert [notice["action"] for notice in notices] == ["give_back", "reveal"]


async def test_a_day_after_arrival_the_address_is_closed(country: Country) -> None:
    stay = await journey(country)
    await stay.there.coordinator.post(f"/placements/{stay.placement_id}/arrival", expect=200)
    assert (await stay.ask(stay.worker)).status_code == 200
    await country.rows(
        "UPDATE placements SET arrived_at = clock_timestamp() - interval '24 hours' RETURNING id"
    )

    refused = await stay.ask(stay.worker)

    assert (refused.status_code, refused.json()["code"]) == (409, "not_on_their_way")


async def test_the_change_of_shift_costs_one_press(country: Country) -> None:
    """At 23:00 a colleague takes over; the taxi comes at 23:30."""
    on_the_way = await journey(country)
    colleague = await person(country, "intake_worker", provider="haven")
    coordinator = await country.client("coordinator", provider="haven")

    refused = await on_the_way.ask(colleague)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_worked_on")
    assert "Stichting Linde: 000-555 01 01" in refused.json()["detail"]

    path = f"/referrals/{on_the_way.referral_id}/takeovers"
    taken = await colleague.client.post(path)

    assert (await on_the_way.ask(colleague)).json() == {"address": ADDRESS}
    notice = (await coordinator.get("/access-notices"))["items"][0]
    assert (notice["action"], notice["eventId"], notice["referralId"], notice["accountId"]) == (
        "take_over",
        taken["id"],
        on_the_way.referral_id,
        str(colleague.account_id),
    )
    stranger = await person(country, "intake_worker", provider="eik")
    assert (await stranger.client.ask("POST", path)).status_code == 404
    assert (await on_the_way.ask(stranger)).status_code == 404


async def test_a_stolen_old_token_opens_no_address(country: Country) -> None:
    on_the_way = await journey(country)
    await country.rows(AGED, minutes=121, id=on_the_way.worker.account_id)

    refused = await on_the_way.ask(on_the_way.worker)

    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert "000-555 01 01" in refused.json()["detail"]
    await country.rows(AGED, minutes=119, id=on_the_way.worker.account_id)
    assert (await on_the_way.ask(on_the_way.worker)).status_code == 200


async def test_a_week_has_ten_confidential_sites_and_a_raise_opens_more(
    country: Country,
) -> None:
    on_the_way = await journey(country)
    worker = on_the_way.worker
    await country.limit_budgets()
    await country.rows(
        "INSERT INTO budget_uses (account_id, kind, subject, at)"
        " SELECT :id, 'confidential_sites', gen_random_uuid(),"
        " clock_timestamp() - interval '3 days' FROM generate_series(1, :sites) RETURNING id",
        id=worker.account_id,
        sites=SITES,
    )

    refused = await on_the_way.ask(worker)

    assert (refused.status_code, refused.json()["code"]) == (429, "address_budget_spent")
    assert "000-555 01 01" in refused.json()["detail"]
    four_days = timedelta(days=4).total_seconds()
    assert four_days - 60 < int(refused.headers["Retry-After"]) <= four_days
    await worker.client.post("/budget-raises", {"reason": "busy_shift"})
    for _ in range(2):
        assert (await on_the_way.ask(worker)).status_code == 200
    assert await country.value("SELECT count(*) FROM budget_uses WHERE subject IS NOT NULL") == 11
