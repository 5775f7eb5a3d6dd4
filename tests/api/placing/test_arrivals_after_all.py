"""Households that arrive after a no-show are let in, and the ledger has them once."""

from collections.abc import Mapping

import pytest

from app.allocation.ledger.openings import parse_opening
from app.allocation.shares.nights import StayBook
from app.database.sealing import keys
from app.ledger import household_counts
from app.ledger.store import household_count_rows
from tests.api.placing.test_moving_on import route
from tests.api.shares.test_caps import CAPACITY, capped
from tests.casework import day_from_now, desk, fresh, problem, wish
from tests.country import FAR, FIRST_LEAF, HERE, THERE, Country, shelter
from tests.ledger_stays import local_today
from tests.ledger_words import said
from tests.swaps import chain

LEFT = {"destination": "new_home"}


async def counted(country: Country) -> Mapping[str, int]:
    """Return who came, in sums."""
    async with country.owner.transaction() as tx:
        key = await keys.read(tx, keys.MONITOR)
        sums = await household_count_rows.of_quarter(
            tx, household_counts.quarter_of(local_today()).first, key=key
        )
    (only,) = sums.values()
    return only


@pytest.mark.parametrize("reporter", ["sender", "receiver"])
async def test_whoever_was_said_not_to_have_come_is_let_in_until_they_are_known_to_be_safe(
    country: Country, reporter: str
) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/placements/{placement['id']}"
    await (where.intake if reporter == "sender" else where.receiver).post(
        f"{path}/no-show", expect=200
    )
    assert await problem(where.intake, f"{path}/arrival", status=404) == "not_found"

    arrived = await where.receiver.post(f"{path}/arrival", expect=200)

    assert (arrived["status"], arrived["ledgerLeaf"], arrived["safetyChecked"]) == (
        "arrived",
        FIRST_LEAF,
        False,
    )
    assert [one["type"] for one in await said(country)] == ["arrival"]
    assert (await counted(country))["households"] == 1
    assert (
        await problem(where.intake, f"{path}/no-show", {"safetyChecked": True}, status=409)
        == "placement_status"
    )
    left = await where.receiver.post(f"{path}/departure", LEFT, expect=200)
    assert (left["status"], left["ledgerLeaf"]) == ("ended", FIRST_LEAF + 1)


async def test_what_became_unsafe_meanwhile_is_recorded_and_marked_and_never_refused(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.underway()
    path, referral = f"/placements/{placement['id']}", f"/referrals/{placement['referralId']}"
    await where.receiver.post(f"{path}/no-show", expect=200)
    tag = (await where.intake.ask("GET", referral)).headers["ETag"]
    zones = [{"municipality": code, "radiusKm": 10, "cause": "work"} for code in (HERE, THERE)]
    await where.intake.patch(referral, {"dangerZones": zones}, headers={"If-Match": tag})
    assert (await where.receiver.get(path))["unsafeSince"] is not None

    await where.receiver.post(f"{path}/arrival", expect=200)

    found = await where.receiver.get(path)
    assert (found["status"], found["unsafeSince"] is not None) == ("arrived", True)
    assert await country.value(
        "SELECT count(*) FROM outbox WHERE kind = 'alarm' AND subject = :id", id=found["id"]
    )


async def test_once_they_are_known_to_be_safe_the_place_is_not_theirs_any_more(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.underway()
    path = f"/placements/{placement['id']}"
    await where.intake.post(f"{path}/no-show", {"safetyChecked": True}, expect=200)
    next_one = await where.underway()
    assert await problem(where.receiver, f"{path}/arrival", status=409) == "placement_status"
    assert await country.value("SELECT placement_id::text FROM claims") == next_one["id"]


async def test_after_a_mistaken_not_arrived_the_ledger_has_one_arrival_and_what_became_of_it(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.arrived()
    path = f"/placements/{placement['id']}"
    await where.receiver.patch(path, {"readyToLeaveSince": day_from_now(0)})
    for turn in range(2):
        await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"})
        again = await where.receiver.post(f"{path}/arrival", expect=200)
        assert (again["status"], again["ledgerLeaf"]) == ("arrived", FIRST_LEAF + 3 + 2 * turn)
        assert again["readyToLeaveSince"] is None
    await where.receiver.post(f"{path}/departure", LEFT, expect=200)

    leaves = await said(country)

    after_all = ["correction", "correction"]
    assert [one["type"] for one in leaves] == [
        "arrival",
        "correction",
        *after_all,
        *after_all,
        "departure",
    ]
    assert [one.get("code") for one in leaves[2:4]] == ["not_arrived", "arrived_after_all"]
    whose = {
        "corrects": FIRST_LEAF,
        "by": {"role": "coordinator", "region": THERE},
        "arrival": FIRST_LEAF,
    }
    same = (
        "origin",
        "receiving",
        "kind",
        "reason",
        "persons",
        "lawful_regions",
        "policy_hash",
        "swap_id",
    )
    assert {name: leaves[3][name] for name in whose} == whose
    assert {name: leaves[3][name] for name in same} == {name: leaves[0][name] for name in same}
    assert leaves[3]["ready_since"] is None
    book = StayBook()
    for index, one in enumerate(leaves, start=FIRST_LEAF):
        book.take(index, parse_opening(one))
    (stay,) = book.stays()
    assert (stay.arrival, stay.arrived_on, stay.departed_on) == (
        FIRST_LEAF,
        local_today(),
        local_today(),
    )
    assert (await counted(country))["households"] == 1


async def test_between_the_two_the_ledger_knows_no_stay_and_no_sum_the_household(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.arrived()
    await where.receiver.post(f"/placements/{placement['id']}/corrections", {"code": "not_arrived"})
    assert set((await counted(country)).values()) == {0}
    book = StayBook()
    for index, one in enumerate(await said(country), start=FIRST_LEAF):
        book.take(index, parse_opening(one))
    assert list(book.stays()) == []


async def test_what_caps_had_sent_elsewhere_is_noted_once(country: Country) -> None:
    where = await desk(country)
    eik = (await shelter(country, "eik", site={"municipality": FAR})).coordinator
    await capped(country, 0)
    hold = await where.hold(**CAPACITY)
    await eik.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    placement = await where.intake.post("/placements", {"holdId": hold["id"]}, key=fresh())
    path = f"/placements/{placement['id']}"
    arrived = await eik.post(f"/placements/{placement['id']}/arrival", expect=200)

    await eik.post(f"{path}/corrections", {"code": "not_arrived"})
    await eik.post(f"{path}/arrival", expect=200)

    noted = await country.rows("SELECT index FROM displacements")
    assert [row.index for row in noted] == [arrived["ledgerLeaf"]]


async def test_in_the_own_region_they_are_let_in_and_counted_once_without_a_leaf(
    country: Country,
) -> None:
    where = await desk(country)
    near = await country.value(
        "SELECT code FROM municipalities WHERE region = :r AND code <> :r LIMIT 1", r=THERE
    )
    hold = await where.receiver.post(
        "/holds", await wish(where.receiver, originMunicipality=near), key=fresh()
    )
    own = await where.receiver.post("/placements", {"holdId": hold["id"]}, key=fresh())
    path = f"/placements/{own['id']}"
    await where.receiver.post(f"{path}/arrival", expect=200)
    await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"})
    again = await where.receiver.post(f"{path}/arrival", expect=200)
    assert (again["status"], again["ledgerLeaf"]) == ("arrived", None)
    assert await said(country) == []
    assert (await counted(country))["households"] == 1


async def test_who_moves_on_and_comes_late_leaves_the_place_before(country: Country) -> None:
    way = await route(country)
    late = await way.leaving(way.first, way.linde, "eik")
    await way.linde.post(f"/placements/{late['id']}/no-show", expect=200)
    other = await way.leaving(way.first, way.linde, "eik")
    path = f"/placements/{late['id']}/arrival"
    assert await problem(way.eik.coordinator, path, status=409) == "already_moving_on"
    await way.linde.post(f"/placements/{other['id']}/no-show", {"safetyChecked": True}, expect=200)

    await way.arrive(late, "eik")

    assert (await way.linde.get(f"/placements/{way.first['id']}"))["status"] == "ended"
    assert [kind for kind, _ in await way.leaves()] == ["arrival", "departure", "arrival"]
    assert await country.value("SELECT count(*) FROM claims WHERE kind = 'placement'") == 1


async def test_a_leg_of_a_swap_that_comes_late_completes_it(country: Country) -> None:
    made = await chain(country)
    swap = await made.at.propose(made.waiting)
    await made.at.consent(swap["id"])
    to_linde, to_eik = await made.at.going(swap["id"])
    await made.at.hosts["eik"].post(f"/placements/{to_eik}/no-show", expect=200)
    assert (
        await problem(made.at.hosts["linde"], f"/placements/{to_linde}/arrival", status=409)
        == "place_occupied"
    )
    for host, placement in (("eik", to_eik), ("linde", to_linde)):
        await made.at.hosts[host].post(f"/placements/{placement}/arrival", expect=200)
    assert await made.at.status(swap["id"]) == "completed"
    assert {row.placement_id for row in (await made.at.claims()).values()} == {
        row.id for row in await country.rows("SELECT id FROM placements WHERE status = 'arrived'")
    }
