"""Corrections of arrivals and departures: one leaf each, and nothing else changes."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.casework import Desk, day_from_now, desk, fresh, wish
from tests.country import FIRST_LEAF, HERE, THERE, Country
from tests.ledger_stays import day_of
from tests.ledger_words import said

LEFT = {"destination": "new_home"}


def ago(days: int) -> str:
    """A moment some days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


async def staying(country: Country) -> tuple[Desk, str]:
    """Let a household arrive that was confirmed nine days ago.

    Return its desk and placement.
    """
    where = await desk(country)
    arrived = await where.arrived()
    await country.rows("UPDATE placements SET created_at = created_at - interval '9 days'")
    return where, f"/placements/{arrived['id']}"


async def test_another_day_of_arrival_is_one_leaf_that_says_what_the_arrival_should_have_said(
    country: Country,
) -> None:
    where, path = await staying(country)
    await country.rows("UPDATE placements SET arrived_at = arrived_at - interval '5 days'")
    await where.receiver.patch(path, {"readyToLeaveSince": day_from_now(-2)})
    body = {"code": "arrived_other_day", "at": ago(3)}

    answer = await where.receiver.post(f"{path}/corrections", body, key="same")
    assert await where.receiver.post(f"{path}/corrections", body, key="same") == answer

    first, _ready, corrected = await said(country)
    assert (answer["ledgerLeaf"], answer["status"]) == (FIRST_LEAF + 2, "arrived")
    assert datetime.fromisoformat(answer["arrivedAt"]) == datetime.fromisoformat(body["at"])
    changed = {
        "type": "correction",
        "date": day_of(body["at"]),
        "arrival": FIRST_LEAF,
        "ready_since": day_from_now(-2),
    }
    whose = {
        "corrects": FIRST_LEAF,
        "by": {"role": "coordinator", "region": THERE},
        "code": "arrived_other_day",
    }
    assert corrected == first | changed | whose | {"salt": corrected["salt"]}
    assert corrected["salt"] != first["salt"]


async def test_another_day_of_departure_corrects_the_departure(country: Country) -> None:
    where, path = await staying(country)
    await where.receiver.post(f"{path}/corrections", {"code": "arrived_other_day", "at": ago(5)})
    await where.receiver.post(f"{path}/departure", LEFT, expect=200)

    answer = await where.receiver.post(
        f"{path}/corrections", {"code": "departed_other_day", "at": ago(2)}
    )

    departure, corrected = (await said(country))[2:]
    assert (departure["date"], corrected["date"]) == (day_of(ago(0)), day_of(ago(2)))
    assert (corrected["corrects"], corrected["arrival"]) == (FIRST_LEAF + 2, FIRST_LEAF)
    assert (answer["status"], day_of(answer["departedAt"])) == ("ended", day_of(ago(2)))


async def test_an_arrival_that_never_was_becomes_a_no_show(country: Country) -> None:
    where, path = await staying(country)

    answer = await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"})

    assert (answer["status"], answer["arrivedAt"], answer["ledgerLeaf"]) == (
        "no_show",
        None,
        FIRST_LEAF + 1,
    )
    assert (await said(country))[1]["code"] == "not_arrived"
    place = f"/places/{where.there.place_ids[0]}"
    assert (await where.receiver.get(place))["status"] == "occupied"
    await where.intake.post(f"{path}/no-show", {"safetyChecked": True}, expect=200)
    assert (await where.receiver.get(place))["status"] == "free"


async def test_a_stay_in_the_own_region_is_corrected_without_a_leaf(country: Country) -> None:
    where = await desk(country)
    near = await country.value(
        "SELECT code FROM municipalities WHERE region = :r AND code <> :r LIMIT 1", r=THERE
    )
    hold = await where.receiver.post(
        "/holds", await wish(where.receiver, originMunicipality=near), key=fresh()
    )
    own = await where.receiver.post("/placements", {"holdId": hold["id"]}, key=fresh())
    await where.receiver.post(f"/placements/{own['id']}/arrival", expect=200)
    answer = await where.receiver.post(
        f"/placements/{own['id']}/corrections", {"code": "not_arrived"}
    )
    assert (answer["status"], answer["ledgerLeaf"]) == ("no_show", None)


@pytest.mark.parametrize(
    "code, days, why",
    [
        ("arrived_other_day", None, "is missing"),
        ("arrived_other_day", 20, "must lie between what came before it and what came after"),
        ("arrived_other_day", -1, "must lie between what came before it and what came after"),
        ("arrived_other_day", 0, "is the day that was recorded"),
        ("not_arrived", 1, "must be left out: there was no arrival"),
    ],
)
async def test_a_moment_that_cannot_be_is_a_fault(
    country: Country, code: str, days: int | None, why: str
) -> None:
    where, path = await staying(country)
    recorded = datetime.fromisoformat((await where.receiver.get(path))["arrivedAt"])
    at = {} if days is None else {"at": (recorded - timedelta(days=days)).isoformat()}
    problem = await where.receiver.post(f"{path}/corrections", {"code": code} | at, expect=400)
    assert problem["errors"] == [{"pointer": "/at", "message": why}]
    assert len(await said(country)) == 1


async def test_only_what_was_recorded_is_corrected_and_by_the_receiver_alone(
    country: Country,
) -> None:
    where = await desk(country)
    underway = await where.underway()
    path = f"/placements/{underway['id']}"
    for code in ("arrived_other_day", "departed_other_day", "not_arrived"):
        problem = await where.receiver.post(
            f"{path}/corrections", {"code": code, "at": None}, expect=409
        )
        assert problem["code"] == "placement_status"
    await where.receiver.post(f"{path}/arrival", expect=200)
    await where.intake.post(f"{path}/corrections", {"code": "not_arrived"}, expect=404)
    await where.receiver.post(f"{path}/corrections", {"code": "ready_to_leave"}, expect=400)
    assert len(await said(country)) == 1
    assert (await said(country))[0]["origin"] == HERE


async def test_who_moved_on_is_corrected_where_they_are_now(country: Country) -> None:
    where, path = await staying(country)
    place = {"siteId": where.there.site_id, "label": "2", "kind": "regular", "bedSpaces": 4}
    rest = {"sharing": "own_unit", "genders": ["female"], "sonsUpToAge": 17, "features": []}
    await where.receiver.post("/places", place | rest)
    first = path.rpartition("/")[2]
    hold = await where.receiver.post(
        "/holds", await wish(where.receiver, reason="follow_on"), key=fresh()
    )
    moved = {"holdId": hold["id"], "previousPlacementId": first}
    second = f"/placements/{(await where.receiver.post('/placements', moved, key=fresh()))['id']}"
    await where.receiver.post(f"{second}/arrival", expect=200)
    for refused, body in (
        (second, {"code": "not_arrived"}),
        (path, {"code": "departed_other_day", "at": ago(1)}),
    ):
        problem = await where.receiver.post(f"{refused}/corrections", body, expect=409)
        assert problem["code"] == "moved_on"
    await country.rows("UPDATE placements SET created_at = created_at - interval '9 days'")
    earlier = {"code": "arrived_other_day", "at": ago(2)}
    # Not before they left where they lived.
    await where.receiver.post(f"{second}/corrections", earlier, expect=400)
    await country.rows(
        "UPDATE placements SET arrived_at = arrived_at - interval '5 days',"
        " departed_at = departed_at - interval '3 days' WHERE id = :id RETURNING 1",
        id=first,
    )
    inside = await where.receiver.post(f"{second}/corrections", earlier)
    assert inside["ledgerLeaf"] is None
    assert (await where.receiver.get(path))["departedAt"] == inside["arrivedAt"]
    await where.receiver.post(f"{second}/departure", LEFT, expect=200)
    answer = await where.receiver.post(
        f"{second}/corrections", {"code": "departed_other_day", "at": ago(1)}
    )
    assert answer["ledgerLeaf"] == FIRST_LEAF + 2
    assert (await said(country))[2]["corrects"] == FIRST_LEAF + 1
