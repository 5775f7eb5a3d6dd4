"""The access log as administrators read it."""

from typing import Any

import pytest

from tests.access_calls import STAFF, Person, noon, person
from tests.api.calls import faults, world
from tests.country import Client, Country, referral_body, shelter

SHOWN = {
    "eventId", "at", "action", "outcome", "accountId", "roles", "providerId", "purpose",
    "objectType", "objectId",
    "source", "requestId",
}  # fmt: skip
SEEN = """INSERT INTO access_log (at, action, outcome, account_id, roles, provider_id, object_type)
SELECT CAST(:at AS timestamptz), :action, 'granted', :account_id, :roles, :provider_id, 'site'
FROM generate_series(1, :times)"""


async def log(client: Client, **query: Any) -> list[dict[str, Any]]:
    return (await client.get("/access-log", params=query))["items"]


async def looked(who: Person, times: int, *, action: str = "reveal", days: int = 1) -> None:
    """Write that a person did something so often, so many days ago at noon, or now."""
    at = noon(days) if days else await who.country.value("SELECT clock_timestamp()")
    values = {"account_id": who.account_id, "roles": who.roles, "provider_id": who.provider_id}
    await who.country.rows(SEEN, action=action, times=times, at=at, **values)


async def test_an_administrator_reads_every_field_newest_first(country: Country) -> None:
    haven = await person(country, *STAFF, provider="haven")
    made, row = await haven.logged("POST", "/referrals", json=referral_body())
    administrator = await country.client("administrator")
    await administrator.get("/access-log")

    newest, oldest = await log(administrator)

    assert (newest["action"], newest["objectType"], newest["providerId"]) == (
        "search",
        "access_log",
        None,
    )
    assert oldest == {
        "eventId": str(row.id),
        "at": row.at.isoformat().replace("+00:00", "Z"),
        "action": "register",
        "outcome": "granted",
        "accountId": str(haven.account_id),
        "roles": ["coordinator", "intake_worker"],
        "providerId": str(haven.provider_id),
        "purpose": None,
        "objectType": "referral",
        "objectId": made.json()["id"],
        "source": "127.0.0.1",
        "requestId": made.headers["X-Request-Id"],
    }
    assert set(newest) == SHOWN


async def test_an_administrator_can_open_nothing_that_the_log_names(country: Country) -> None:
    there = await world(country)
    await there.sender.get("/referrals")
    administrator = await country.client("administrator")
    answer = await administrator.ask("GET", "/access-log", params={"limit": 200}, expect=200)

    named = {
        (item["objectType"], item["objectId"])
        for item in answer.json()["items"]
        if item["objectId"]
    }
    assert {kind for kind, _ in named} == {"referral", "hold", "alternative"}
    for kind, id_ in named:
        for path in (f"/{kind}s/{id_}", f"/rankings/{id_}", f"/referrals/{id_}/accesses"):
            assert (await administrator.ask("GET", path)).status_code == 403
    for word in ("Voorbeeldstraat", "adults", "dangerZones", "GM0518"):
        assert word not in answer.text


async def test_a_list_does_not_say_whom_it_showed(country: Country) -> None:
    haven = await country.client("intake_worker", provider="haven")
    cases = [(await haven.post("/referrals", referral_body()))["id"] for _ in range(2)]
    await haven.get("/referrals")
    administrator = await country.client("administrator")

    answer = await administrator.ask("GET", "/access-log", params={"action": "search"}, expect=200)

    assert len(answer.json()["items"]) == 1
    assert not [case for case in cases if case in answer.text]


async def test_the_log_is_read_by_action_outcome_account_and_time(country: Country) -> None:
    await shelter(country)
    who = await person(country, *STAFF, provider="linde")
    await who.ask("GET", "/sites")
    moment = (await country.value("SELECT clock_timestamp()")).isoformat()
    await who.ask("GET", "/sites")
    await who.ask("GET", "/ledger/entries")
    administrator = await country.client("administrator")
    mine = {"account": str(who.account_id)}

    async def actions(**query: str) -> list[str]:
        return [item["action"] for item in await log(administrator, **query)]

    assert await actions(**mine) == ["export", "search", "search"]
    assert await actions(**mine, **{"from": moment}) == ["export", "search"]
    assert await actions(**mine, to=moment) == ["search"]
    assert await actions(**mine, outcome="refused") == ["export"]
    assert await actions(**mine, action="search", outcome="granted", **{"from": moment}) == [
        "search"
    ]
    assert await actions(account="nobody") == []
    at = (await log(administrator, **mine))[0]["at"]
    assert await actions(**mine, **{"from": at}) == ["export"]
    assert await actions(**mine, to=at) == ["search", "search"]


async def test_the_log_comes_in_pages_also_of_what_was_at_the_same_moment(country: Country) -> None:
    who = await person(country, "coordinator", provider="linde")
    await looked(who, 7)
    administrator = await country.client("administrator")
    mine: dict[str, Any] = {"account": str(who.account_id)}
    whole = [item["eventId"] for item in await log(administrator, **mine)]
    paged: list[str] = []
    query = mine | {"limit": 3}
    while True:
        page = await administrator.get("/access-log", params=query)
        paged += [item["eventId"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]

    assert paged == whole
    assert len(whole) == 7


@pytest.mark.parametrize(
    "query",
    [
        {"action": "peek"}, {"outcome": "perhaps"}, {"from": "yesterday"}, {"to": "2026-01-01"},
        {"from": "0"},
        {"to": "1999-01-01T00:00:00Z"}, {"account": ""}, {"limit": "0"}, {"cursor": "x"},
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_for_is_a_fault(country: Country, query: dict[str, str]) -> None:
    administrator = await country.client("administrator")
    answer = await administrator.ask("GET", "/access-log", params=query)
    assert set(faults(answer)) == {f"/{name}" for name in query}
