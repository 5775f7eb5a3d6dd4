"""Who sees and answers what the weekly review found, and which weeks it reviews."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.accounts import reviews
from app.accounts.reviews import WEEK, monday_of
from app.database.transaction import WORKER
from app.reference import load
from tests.access_calls import STAFF, Person, person
from tests.casework import problem
from tests.country import Client, Country
from tests.web.visitor import visitor

LOOKED = """INSERT INTO access_log (at, action, outcome, account_id, roles, provider_id, object_type)
SELECT CAST(:at AS timestamptz), 'raise', 'granted', :id, :roles, :provider, 'budget'
FROM generate_series(1, :times)"""


async def raised(who: Person, times: int, *, at: datetime | None = None) -> None:
    """Write that an account raised budgets so often; the table's owner alone can set the time."""
    at = at or await who.country.value("SELECT clock_timestamp()")
    values = {"id": who.account_id, "roles": who.roles, "provider": who.provider_id}
    await who.country.rows(LOOKED, at=at, times=times, **values)


async def review_now(country: Country) -> None:
    """Review the week that is, as the worker will when it is over."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await reviews.review_week(tx, monday_of(load().country.day_of(tx.at)))


async def listed(who: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await who.get("/review-findings"))["items"]
    return found


async def test_a_finding_says_who_and_what_and_is_seen_by_whom_it_concerns(
    country: Country,
) -> None:
    named = await person(country, *STAFF, provider="linde")
    invited = await person(country, *STAFF, provider="linde")
    coordinator = await person(country, "coordinator", provider="linde")
    elsewhere = await person(country, *STAFF, provider="haven")
    chief = await person(country, "administrator")
    await country.rows(
        "INSERT INTO account_acts (account_id, act, by_account) VALUES (:of, 'invited', :by)",
        of=invited.account_id,
        by=named.account_id,
    )
    await country.rows("UPDATE accounts SET name = 'Noor' WHERE id = :id", id=named.account_id)
    await raised(named, 6)
    await raised(elsewhere, 8)
    for calm in (invited, coordinator):
        await calm.client.get("/sites")
    await review_now(country)

    answer = await coordinator.client.get("/review-findings")
    (finding,) = answer["items"]
    id_ = finding.pop("id")
    texts = finding["facts"][0].pop("text")
    assert "6 budgets raised" in texts["en"]
    assert "6 keren een ruimte verhoogd" in texts["nl"]
    assert finding == {
        "week": answer["reviewed"],
        "accountId": str(named.account_id),
        "name": "Noor",
        "providerId": str(named.provider_id),
        "points": 300,
        "facts": [{"signal": "budget_raises", "count": 6, "usual": 0}],
        "answer": None,
        "answeredBy": None,
        "answeredAt": None,
    }
    assert answer["consentedOn"] == "2026-01-01"
    assert [one["points"] for one in await listed(chief.client)] == [400, 300]
    # Neither those named nor whom they brought in learn of it, or can put it aside.
    assert await listed(named.client) == []
    assert await listed(invited.client) == []
    path, work = f"/review-findings/{id_}/answer", {"answer": "work"}
    for who in (named, invited, elsewhere):
        assert await problem(who.client, path, work, status=404) == "not_found"

    answered = await coordinator.client.post(path, work, expect=200)

    assert (answered["answer"], answered["answeredBy"]) == ("work", str(coordinator.account_id))
    assert await problem(chief.client, path, work, status=409) == "finding_answered"
    assert await problem(chief.client, path, {"answer": "?"}, status=400)
    kept = {one["points"]: one["answer"] for one in await listed(chief.client)}
    assert kept == {400: None, 300: "work"}
    first = await chief.client.get("/review-findings", params={"limit": 1})
    rest = await chief.client.get(
        "/review-findings", params={"limit": 1, "cursor": first["nextCursor"]}
    )
    assert [one["points"] for one in (*first["items"], *rest["items"])] == [400, 300]
    assert rest["nextCursor"] is None


async def test_the_page_shows_and_answers_the_same_and_says_that_it_watches(
    country: Country,
) -> None:
    named = await person(country, *STAFF, provider="linde")
    await raised(named, 6)
    await review_now(country)
    reader = await visitor(country, "coordinator", provider="linde")
    late = await visitor(country, "administrator")
    seen, stale = await reader.get("/access-reviews"), await late.get("/access-reviews")

    for words in ("This watches staff", "WOR, article 27", "6 budgets raised", "Stichting Linde"):
        assert words in seen.response.text
    action = next(form.action for form in stale_forms(stale) if "access-reviews" in form.action)
    after = await reader.send(action, [("csrf", reader.csrf), ("answer", "work")])
    assert "it was work" in after.response.text
    assert "What came of asking?" not in after.response.text
    again = await late.send(action, [("csrf", late.csrf), ("answer", "looked_into")])
    assert again.response.status_code == 409
    assert "Somebody has answered this already" in again.response.text
    await reader.post(action, {"answer": "?"}, expect=400, part=False)
    other = await visitor(country, "coordinator", provider="haven")
    assert "Nobody has to be asked anything" in await other.read("/access-reviews")
    await other.post(action, {"answer": "work"}, expect=404, part=False)


def stale_forms(seen: Any) -> list[Any]:
    """Return the forms of a page as it was opened."""
    return [seen.form("")]


async def test_a_week_is_reviewed_once_and_seven_days_after_its_end(country: Country) -> None:
    who = await person(country, *STAFF, provider="linde")
    midnight = load().country.midnight
    today = load().country.day_of(datetime.now(UTC))
    due = monday_of(today) - 2 * WEEK
    for at, times in (
        (midnight(due) - timedelta(seconds=1), 90),
        (midnight(due), 3),
        (midnight(due + WEEK) - timedelta(seconds=1), 3),
        (midnight(due + WEEK), 80),
    ):
        await raised(who, times, at=at)

    assert await reviewed(country) == [True, False]

    chief = await country.client("administrator")
    assert [(one["week"], one["facts"][0]["count"]) for one in await listed(chief)] == [
        (due.isoformat(), 6)
    ]
    # What a worker that stood still has left undone is made up for, week by week.
    await country.rows("UPDATE review_findings SET week = week RETURNING id")
    await country.rows("DELETE FROM review_findings RETURNING id")
    await country.rows("DELETE FROM review_weeks RETURNING first_day")
    await country.rows(
        "INSERT INTO review_weeks (first_day, accounts) VALUES (:day, 0)", day=due - 2 * WEEK
    )
    assert await reviewed(country) == [True, True, False]
    assert [one["facts"][0]["count"] for one in await listed(chief)] == [6, 90]
    logged = "SELECT count(*) FROM access_log WHERE roles = '{worker}' AND action = 'search'"
    assert await country.value(logged) == 3


async def reviewed(country: Country) -> list[bool]:
    """Let the worker review until nothing is due."""
    made = [True]
    while made[-1]:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            made.append(await reviews.review_next_week(tx))
    return made[1:]


async def test_nothing_is_reviewed_before_the_works_councils_agree(country: Country) -> None:
    due = monday_of(load().country.day_of(datetime.now(UTC))) - 2 * WEEK
    administrator = await visitor(country, "administrator")

    async def agree(on: date | None) -> None:
        stated = "null" if on is None else f'"{on}"'
        await country.rows(
            """INSERT INTO policies (hash, version, document, valid_from)
               SELECT :name, :name, jsonb_set(document::jsonb, '{review,consented_on}', CAST(:stated AS jsonb)),
                      clock_timestamp() FROM policies ORDER BY valid_from DESC LIMIT 1""",
            name=f"sha256:{stated}",
            stated=stated,
        )
        await country.rows("UPDATE heads SET value = value + 1 WHERE name = 'reference'")

    await agree(None)
    assert await reviewed(country) == [False]
    assert "It is off" in await administrator.read("/access-reviews")
    await agree(due + timedelta(days=1))
    assert await reviewed(country) == [False]
    await agree(due)
    assert await reviewed(country) == [True, False]
    assert "It has been on since" in await administrator.read("/access-reviews")
