"""Fair shares on the wire: whole quarters that are sealed, for those who control."""

import csv
import datetime as dt
import io
from typing import Any

import pytest

from app.allocation.shares.quarters import quarters_between
from tests.casework import desk
from tests.country import FAR, HERE, THERE, Country, referral_body
from tests.ledger_stays import newest, seal, stayed

DAY = dt.timedelta(days=1)
LAST, BEFORE = newest(), newest(1)
WHOLE = {"from": str(LAST), "to": str(LAST)}


async def sealed(country: Country) -> None:
    """Twelve safety nights in Zwolle, four of them after ready.

    30 capacity nights there, and 3 in Groningen.
    """
    first = LAST.first
    await stayed(
        country, first, first + 12 * DAY, lawful_regions=(FAR, THERE), ready_since=first + 8 * DAY
    )
    await stayed(country, first, first + 30 * DAY, reason="capacity", persons="1")
    await stayed(country, first, first + 3 * DAY, receiving=FAR, reason="follow_on")
    await seal(country)


async def test_every_region_has_its_share_and_given_is_received_and_divided(
    country: Country,
) -> None:
    await sealed(country)
    auditor = await country.client("auditor", region=FAR)
    said = await auditor.get("/fair-shares", params=WHOLE)
    shares = {one["region"]: one for one in said["regions"]}
    assert len(shares) == await country.value("SELECT count(*) FROM regions")
    there, here, far = shares[THERE], shares[HERE], shares[FAR]
    assert (
        there["given"],
        there["nightsAfterReady"],
        there["capacityGiven"],
        there["capacityDebt"],
    ) == (8, 4, 30, 0)
    assert (here["received"], here["capacityDebt"], here["credit"], here["deviation"]) == (
        8,
        33,
        0,
        None,
    )
    assert far["quota"] + there["quota"] == pytest.approx(8)
    assert far["credit"] == pytest.approx(-far["quota"])
    assert far["deviation"] == -1
    assert there["credit"] == pytest.approx(8 - there["quota"])
    assert said["totalRelativeDeviation"] == pytest.approx(2 * far["quota"] / 8, abs=1e-6)
    weight = await country.value("SELECT weight FROM weights WHERE region = :region", region=THERE)
    assert (there["weight"], there["cap"]) == (weight, None)
    [quarter] = said["quarters"]
    entries = (await auditor.get("/ledger/entries"))["items"]
    assert entries[quarter["ledgerLeaf"]]["type"] == "quarter_total"


@pytest.mark.parametrize(
    "from_, to",
    [
        (str(LAST), str(LAST)),
        (LAST.first.isoformat(), LAST.last.isoformat()),
        (LAST.first.isoformat(), LAST.after.isoformat()),
        (str(LAST), LAST.last.isoformat()),
    ],
)
async def test_a_quarter_is_named_or_given_by_its_days(
    country: Country, from_: str, to: str
) -> None:
    await sealed(country)
    administrator = await country.client("administrator")
    said = await administrator.get("/fair-shares", params={"from": from_, "to": to})
    assert [one["quarter"] for one in said["quarters"]] == [str(LAST)]


async def test_several_quarters_add_up(country: Country) -> None:
    await stayed(country, BEFORE.first)
    await seal(country)
    administrator = await country.client("administrator")
    said = await administrator.get("/fair-shares", params={"from": str(BEFORE), "to": str(LAST)})
    there = next(one for one in said["regions"] if one["region"] == THERE)
    assert there["given"] == (LAST.after - BEFORE.first).days
    assert len(said["quarters"]) == len(quarters_between(BEFORE, LAST)) == 2


@pytest.mark.parametrize(
    "query, pointers",
    [
        ({"from": "2026-01-02", "to": "2026-03-31"}, ["/from"]),
        ({"from": "2026-01-01", "to": "2026-03-30"}, ["/to"]),
        ({"from": "2026-Q5", "to": "soon"}, ["/from", "/to"]),
        ({"from": "2026-Q2", "to": "2026-Q1"}, ["/to"]),
        ({"from": "2026-01-01", "to": "2026-01-01"}, ["/to"]),
        ({"from": "2000-Q1", "to": "2026-Q1"}, ["/to"]),
        ({"from": "9999-12-31", "to": "0001-01-01"}, ["/from", "/to"]),
        ({"from": "2026-Q1"}, ["/to"]),
        ({}, ["/from", "/to"]),
    ],
)
async def test_what_is_no_whole_quarter_is_a_fault(
    country: Country, query: dict[str, str], pointers: list[str]
) -> None:
    auditor = await country.client("auditor", region=HERE)
    for path in ("/fair-shares", "/fair-share-pairs", "/fair-share-figures"):
        problem = await auditor.get(path, params=query, expect=400)
        assert [fault["pointer"] for fault in problem["errors"]] == pointers


async def test_a_quarter_that_is_not_over_or_not_sealed_is_refused(country: Country) -> None:
    await sealed(country)
    auditor = await country.client("auditor", region=HERE)
    for quarter in (LAST.next.next, BEFORE):
        query = {"from": str(quarter), "to": str(quarter)}
        for path in ("/fair-shares", "/fair-share-pairs", "/fair-share-figures", "/settlements"):
            assert (await auditor.get(path, params=query, expect=409))[
                "code"
            ] == "quarter_not_sealed"


async def settlement(client: Any, **query: str) -> list[tuple[str, ...]]:
    """Return the lines of a settlement."""
    answer = await client.ask("GET", "/settlements", params=WHOLE | query, expect=200)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "settlement-" in answer.headers["Content-Disposition"]
    _, *lines = csv.reader(io.StringIO(answer.text))
    return [tuple(line[2:]) for line in lines]


async def test_the_two_regions_settle_exactly_and_a_third_has_none_of_it(country: Country) -> None:
    await sealed(country)
    there, far = [await country.client("auditor", region=region) for region in (THERE, FAR)]
    between = [(HERE, THERE, "capacity", "30", "0", "1"), (HERE, THERE, "safety", "8", "4", "1")]
    other = [(HERE, FAR, "follow_on", "3", "0", "1")]
    assert await settlement(there) == between
    assert await settlement(far) == other
    assert await settlement(far, **{"with": THERE}) == []
    here = await country.client("auditor", region=HERE)
    assert await settlement(here) == [*other, *between]
    assert await settlement(here, **{"with": THERE}) == between
    await here.get("/settlements", params=WHOLE | {"with": "GM9999"}, expect=400)


async def test_figures_have_hotels_waiting_places_and_staff_and_none_of_a_few_households(
    country: Country,
) -> None:
    where = await desk(country, places=3)
    await stayed(country, LAST.first)
    used = {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])}
    for origin, households in ((HERE, 10), (FAR, 1)):
        for _ in range(households):
            made = await where.intake.post("/referrals", referral_body(originMunicipality=origin))
            await where.intake.post(f"/referrals/{made['id']}/alternatives", used)
    await country.rows(
        "UPDATE referrals SET created_at = CAST(:first AS date) + interval '12 hours'",
        first=LAST.first,
    )
    await country.rows(
        "UPDATE alternatives SET started_at = CAST(:first AS date) + interval '12 hours',"
        " ended_at = CAST(:first AS date) + make_interval(days => :days, hours => 12), "
        "end_reason = 'left'",
        first=LAST.first,
        days=20,
    )
    await where.receiver.patch(
        f"/places/{where.there.place_ids[0]}", {"status": "out_of_service", "reason": "staffing"}
    )
    await seal(country)
    auditor = await country.client("auditor", region=THERE)
    figures = (await auditor.get("/fair-share-figures", params=WHOLE))["figures"]
    here, there, far = (
        next(one for one in figures if one["region"] == region) for region in (HERE, THERE, FAR)
    )
    days = (LAST.after - LAST.first).days
    assert (here["hotelNights"], here["waitingDays"]) == (10 * 20, 10 * days)
    assert (far["hotelNights"], far["waitingDays"]) == (None, None)
    assert (there["places"], there["staffedShare"], there["lawfulOffers"]) == (3, 0.666, None)
    population = await country.value(
        "SELECT population FROM regions WHERE code = :code", code=THERE
    )
    assert there["placesWanted"] == -(-population // 10_000)
    assert there["placesPer10000Inhabitants"] == pytest.approx(30_000 / population, abs=0.01)


async def test_answers_are_told_as_rates_where_enough_were_asked(country: Country) -> None:
    where = await desk(country, places=2)
    await stayed(country, LAST.first)
    for _ in range(6):
        held = await where.hold()
        await where.receiver.post(
            f"/holds/{held['id']}/decline", {"reason": "staffing"}, expect=200
        )
    for _ in range(4):
        held = await where.hold()
        await where.receiver.post(f"/holds/{held['id']}/acceptance", {"by": "person"}, expect=200)
        await where.intake.post(f"/holds/{held['id']}/release", {"reason": "mistake"}, expect=200)
    await country.rows(
        "UPDATE holds SET created_at = CAST(:day AS date) + interval '12 hours'", day=LAST.last
    )
    await seal(country)
    auditor = await country.client("auditor", region=FAR)
    figures = (await auditor.get("/fair-share-figures", params=WHOLE))["figures"]
    there = next(one for one in figures if one["region"] == THERE)
    assert (
        there["lawfulOffers"],
        there["refusalsPer100Offers"],
        there["noAnswerPer100Offers"],
    ) == (10, 60, 0)
