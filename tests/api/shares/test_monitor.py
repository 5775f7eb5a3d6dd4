import csv
import io
from datetime import date, timedelta
from typing import Any

from app.allocation.figures.curves import CLASSES
from app.database.sealing import keys
from app.database.transaction import WORKER
from app.ledger.store import household_count_rows
from app.shares import monitor_releases
from tests.casework import desk
from tests.country import FAR, THERE, Country, shelter, site_body
from tests.quarters import PAST, Past, release_all

ASKED = {"from": str(PAST), "to": str(PAST)}


async def past_of(country: Country) -> tuple[Past, Any, Any]:
    """Return what happened before, with a shelter in Zwolle and one in Groningen."""
    linde = await shelter(country, "linde")
    await country.provider("spar", regions=(FAR,))
    spar = await shelter(country, "spar", site=site_body(municipality=FAR))
    return Past(country, await country.provider("haven")), linde, spar


async def a_quarter(country: Country) -> Past:
    """Let a quarter pass.

    40 stays in Zwolle, 12 in Groningen, one shorter than two weeks.
    """
    past, linde, spar = await past_of(country)
    for days, count in ((20, 14), (45, 12)):
        await past.stays(linde, count, arrived=date(2026, 1, 5), days=days)
    await past.stays(linde, 14, arrived=date(2026, 2, 1))
    await past.stays(spar, 11, arrived=date(2026, 1, 9), days=20, destination="own_home")
    await past.stays(spar, 1, arrived=date(2026, 1, 9), days=3)
    return past


def figures_of(answer: Any, region: str | None) -> Any:
    """Return a region's figures of the first quarter of an answer."""
    return next(one for one in answer["quarters"][0]["regions"] if one["region"] == region)


def count_of(listed: list[Any], code: str) -> int | None:
    """Return the count of a code."""
    return next(one["count"] for one in listed if one["code"] == code)


async def test_a_quarter_is_released_once_it_has_been_over_for_a_week(country: Country) -> None:
    await a_quarter(country)
    administrator = await country.client("administrator")

    assert (await administrator.get("/monitor", params=ASKED))["quarters"][0]["madeAt"] is None
    released = await release_all(country)

    assert released[:2] == [PAST, PAST.next]
    found = await administrator.get("/monitor", params=ASKED)
    country_wide, there = figures_of(found, None), figures_of(found, THERE)
    assert (country_wide["inflow"]["total"], there["inflow"]["total"]) == (52, 40)
    assert figures_of(found, FAR)["inflow"]["total"] == 12
    assert (there["outflow"]["total"], there["throughflow"]) == (26, None)
    assert (
        count_of(there["waiting"]["byTime"], "within_day") is None
    )  # by origin, and nobody came from there


async def test_what_was_released_never_changes(country: Country) -> None:
    past = await a_quarter(country)
    await release_all(country)
    administrator = await country.client("administrator")
    before = await administrator.get("/monitor", params=ASKED)

    linde = await shelter(country, "linde")
    await past.stays(linde, 30, arrived=date(2026, 3, 1), days=10)

    assert await release_all(country) == []
    assert await administrator.get("/monitor", params=ASKED) == before


async def test_one_short_stay_is_not_to_be_seen_anywhere(country: Country) -> None:
    await a_quarter(country)
    await release_all(country)
    found = await (await country.client("administrator")).get("/monitor", params=ASKED)

    far = figures_of(found, FAR)["outflow"]
    assert count_of(far["byDays"], CLASSES[0]) is None
    assert count_of(far["byDestination"], "new_home") is None
    # Eleven others would give it away.
    assert (far["total"], count_of(far["byDestination"], "own_home")) == (12, None)


async def test_stays_that_go_on_count_in_how_long_they_last(country: Country) -> None:
    past, linde = Past(country, await country.provider("haven")), await shelter(country, "linde")
    for days, count in ((10, 20), (20, 20), (40, 15), (70, 15)):
        await past.stays(linde, count, arrived=date(2026, 1, 2), days=days)
    await past.stays(linde, 50, arrived=date(2026, 1, 2))
    await release_all(country)

    stay = figures_of(
        await (await country.client("administrator")).get("/monitor", params=ASKED), THERE
    )["stay"]

    # Of a hundred and twenty; without those that go on, 71 and 43. Nobody left after 90 days, which
    # has to be hidden, and with it the smallest of the others: there the curve ends.
    assert stay == {
        "medianDays": None,
        "survival": [{"days": 14, "stayingPercent": 83}, {"days": 30, "stayingPercent": 67}],
    }


async def test_coordinators_see_their_regions_and_auditors_all(country: Country) -> None:
    await a_quarter(country)
    await release_all(country)
    linde = await country.client("coordinator", provider="linde")
    auditor = await country.client("auditor", region=FAR)

    assert [
        one["region"]
        for one in (await linde.get("/monitor", params=ASKED))["quarters"][0]["regions"]
    ] == [THERE]
    assert (await linde.get("/monitor", params=ASKED | {"region": FAR}, expect=403))[
        "code"
    ] == "forbidden"
    every = (await auditor.get("/monitor", params=ASKED))["quarters"][0]["regions"]
    assert {None, THERE, FAR} <= {one["region"] for one in every}
    one = await auditor.get("/monitor", params=ASKED | {"region": THERE})
    assert [figures["region"] for figures in one["quarters"][0]["regions"]] == [THERE]


async def test_only_whole_quarters_that_have_begun_are_answered(country: Country) -> None:
    administrator = await country.client("administrator")

    async def refused(**asked: str) -> list[str]:
        answer = await administrator.get("/monitor", params=ASKED | asked, expect=400)
        return [fault["pointer"] for fault in answer["errors"]]

    assert await refused(**{"from": "2026-01-02"}) == ["/from"]
    assert await refused(**{"from": "2026-03-31", "to": "2026-01-01"}) == ["/from"]
    assert await refused(to="2026-02-28") == ["/to"]
    assert await refused(to="2025-Q4") == ["/to"]
    assert await refused(to="2099-Q4") == ["/to"]
    assert await refused(**{"from": "2020-Q1"}) == ["/from"]
    assert await refused(to="2026-Q5") == ["/to"]
    assert await refused(region="GM9999") == ["/region"]
    days = {"from": "2025-10-01", "to": "2026-03-31"}
    found = await administrator.get("/monitor", params=days)
    assert [one["quarter"] for one in found["quarters"]] == ["2025-Q4", "2026-Q1"]


async def test_it_comes_as_csv_with_one_line_a_count(country: Country) -> None:
    await a_quarter(country)
    await release_all(country)
    administrator = await country.client("administrator")

    answer = await administrator.ask(
        "GET", "/monitor", params=ASKED, headers={"Accept": "text/csv"}, expect=200
    )

    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    inflow = {
        line["region"]: line["count"]
        for line in lines
        if (line["measure"], line["breakdown"]) == ("inflow", "")
    }
    assert (inflow[""], inflow[THERE], inflow[FAR], inflow["GM0363"]) == ("52", "40", "12", "")


async def test_the_same_quarter_of_earlier_years_stands_beside_it(country: Country) -> None:
    past, linde = Past(country, await country.provider("haven")), await shelter(country, "linde")
    for year, count in ((2024, 30), (2025, 20), (2026, 25)):
        await past.stays(linde, count, arrived=date(year, 1, 5), days=9)
    released = await release_all(country)
    found = figures_of(
        await (await country.client("administrator")).get("/monitor", params=ASKED), THERE
    )

    assert len(released) >= 10
    assert [(one["quarter"], one["inflow"]) for one in found["trend"]] == [
        ("2025-Q1", 20),
        ("2024-Q1", 30),
    ]


async def test_places_are_counted_once_a_day_and_forgotten_with_the_release(
    country: Country,
) -> None:
    past, linde, _ = await past_of(country)
    day = PAST.last - timedelta(days=1)
    for _ in range(2):
        async with country.parts.database.transaction(actor=WORKER) as tx:
            await monitor_releases.count_day(tx)
    assert await country.value("SELECT count(*) FROM monitor_days") == 2
    await country.rows("UPDATE monitor_days SET day = :day, places = 40, in_use = 34", day=day)
    await past.stays(linde, 12, arrived=PAST.first, days=3)
    await release_all(country)

    found = await (await country.client("auditor", region=THERE)).get("/monitor", params=ASKED)

    assert figures_of(found, THERE)["occupancy"] == {
        "daysCounted": 1,
        "placesInService": 40,
        "inUse": 34,
        "occupiedPermille": 850,
        "normPermille": 850,
    }
    stale = found["quarters"][0]["staleness"]
    assert [(one["region"], one["stalePermille"], one["unknownPermille"]) for one in stale] == [
        (THERE, 0, 0)
    ]
    assert await country.value("SELECT count(*) FROM monitor_days") == 0


async def test_who_comes_is_counted_by_the_arrival_and_no_erasure_changes_that(
    country: Country,
) -> None:
    there = await desk(country, places=3)
    placement = await there.arrived(targetGroups=["young_mother"])

    async def sums() -> Any:
        async with country.parts.database.transaction(actor=WORKER) as tx:
            quarter = await country.value("SELECT max(quarter) FROM household_counts")
            key = await keys.read(tx, keys.MONITOR)
            return list((await household_count_rows.of_quarter(tx, quarter, key=key)).values())

    once = {
        "households": 1,
        "children": 1,
        "men": 0,
        "with_children": 1,
        "with_men": 0,
        "group.young_mother": 1,
    }
    assert await sums() == [once]
    await country.rows(
        "DELETE FROM referral_secrets WHERE referral_id = CAST(:id AS uuid)",
        id=placement["referralId"],
    )
    assert await sums() == [once]
    sealed = await country.value("SELECT sealed FROM household_counts")
    assert b"young_mother" not in sealed
    assert b"children" not in sealed
