"""The waiting list: own referrals in the policy's order; the log has those shown."""

from typing import Any

from tests.casework import desk
from tests.country import Client, Country, referral_body

ALONE = {"adults": [{"gender": "female", "age": 31}], "children": []}
LATE = "UPDATE alternatives SET next_check_at = clock_timestamp() - interval '1 minute'"


async def waiting(intake: Client, **referral: Any) -> str:
    """Register a referral; return its id."""
    return (await intake.post("/referrals", referral_body(**referral)))["id"]


async def shown(intake: Client, **query: Any) -> list[str]:
    """Return the ids on the list as it is shown."""
    return [
        item["referralId"] for item in (await intake.get("/waiting-list", params=query))["items"]
    ]


async def test_the_list_is_in_the_policys_order_and_what_is_overdue_comes_first(
    country: Country,
) -> None:
    where = await desk(country)
    intake = where.intake
    low = await waiting(intake, threatLevel=1)
    alone = await waiting(intake, threatLevel=3, household=ALONE)
    expecting = await waiting(intake, threatLevel=3, household=ALONE | {"pregnant": True})
    unknown = await waiting(intake)
    planned = await waiting(intake, urgency="planned", threatLevel=3)
    gone = await waiting(intake, threatLevel=3)
    await intake.post(f"/referrals/{gone}/withdrawal", {"reason": "mistake"}, expect=200)
    elsewhere = await country.client("intake_worker", provider="eik")
    await waiting(elsewhere, threatLevel=3)
    order = [expecting, unknown, alone, low, planned]
    assert await shown(intake) == order

    body = {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])}
    await intake.post(f"/referrals/{planned}/alternatives", body)
    assert await shown(intake) == order
    await country.rows(LATE)
    items = (await intake.get("/waiting-list"))["items"]
    assert [item["referralId"] for item in items] == [planned, *order[:-1]]
    assert [(item["position"], item["overdue"]) for item in items][:2] == [(5, True), (1, False)]
    assert items[0]["alternative"]["kind"] == "hotel"


async def test_it_comes_in_pages_and_who_was_not_shown_was_not_looked_at(country: Country) -> None:
    intake = await country.client("intake_worker", provider="haven")
    ids = [await waiting(intake) for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    page: dict[str, Any] = {}
    for _ in range(3):
        page = await intake.get("/waiting-list", params={"limit": 2, **cursor})
        seen += [item["referralId"] for item in page["items"]]
        cursor = {"cursor": page["nextCursor"]}

    assert seen == ids
    assert page["nextCursor"] is None
    await shown(intake, limit=1)
    looked = await country.value("SELECT referral_ids FROM access_log ORDER BY id DESC LIMIT 1")
    assert {str(id_) for id_ in looked} <= set(ids[:2])
