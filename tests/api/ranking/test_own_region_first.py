"""A household not fleeing may leave its region only if no lawful place is free there."""

from typing import Any

from tests.casework import Desk, desk, fresh, lapse, problem, wish_for
from tests.country import FAR, HERE, THERE, Country, Shelter, place_body, shelter
from tests.statements import noting
from tests.unguarded import weaken

WAITS = {"reason": "capacity", "dangerAssessment": "none_known", "dangerZones": []}
"""A household of Den Haag that needs a place and is not sought by anybody."""


async def full_at_home(country: Country) -> tuple[Desk, Shelter]:
    """Make a free place far away and one at home that is occupied."""
    where = await desk(country, places=2)
    home = await shelter(country, "eik", site={"municipality": HERE})
    await occupy(home)
    return where, home


async def occupy(home: Shelter) -> None:
    await home.coordinator.patch(f"/places/{home.place_ids[0]}", {"status": "occupied"})


async def come_free(home: Shelter) -> None:
    await home.coordinator.patch(f"/places/{home.place_ids[0]}", {"status": "free"})


async def refused(where: Desk, wanted: dict[str, Any]) -> bool:
    return (
        await problem(where.intake, "/holds", wanted, status=409, key=fresh()) == "ranking_outdated"
    )


async def test_a_place_that_comes_free_at_home_keeps_a_household_there_until_it_is_taken(
    country: Country,
) -> None:
    where, home = await full_at_home(country)
    wanted, flees = await where.wish(**WAITS), await where.wish()

    await come_free(home)
    assert await refused(where, wanted)
    await where.intake.post("/holds", flees, key=fresh())
    again = await where.intake.post(f"/referrals/{wanted['referralId']}/rankings")
    assert [offer["crossRegional"] for offer in again["offers"]] == [False]
    assert again["ownRegion"]["offers"] == 1
    assert ("own_region_first", THERE) in {
        (left["rule"], left["region"]) for left in again["excluded"]
    }

    await occupy(home)
    await where.intake.post("/holds", wanted, key=fresh())


async def test_a_hold_that_ran_out_and_a_place_added_at_home_count_and_what_would_not_do_does_not(
    country: Country,
) -> None:
    where, home = await full_at_home(country)
    await come_free(home)
    held = await where.hold(reason="capacity", dangerAssessment="none_known", dangerZones=[])
    assert held["providerId"] == str(await country.provider("eik"))
    wanted = await where.wish(**WAITS)
    await lapse(country, held["id"])
    assert await refused(where, wanted)
    await occupy(home)

    small = await home.coordinator.post("/places", place_body(home.site_id, bedSpaces=1))
    wanted = await wish_for(where.intake, wanted["referralId"])
    taken = await where.intake.post("/holds", wanted, key=fresh())
    await where.intake.post(f"/holds/{taken['id']}/release", {"reason": "mistake"}, expect=200)
    await home.coordinator.patch(f"/places/{small['id']}", {"bedSpaces": 2})
    assert await refused(where, wanted)


async def test_a_site_at_home_that_declined_keeps_nobody(country: Country) -> None:
    where, home = await full_at_home(country)
    wanted = await where.wish(**WAITS)
    await come_free(home)
    nearer = await where.intake.post(
        "/holds", await wish_for(where.intake, wanted["referralId"]), key=fresh()
    )
    await home.coordinator.post(
        f"/holds/{nearer['id']}/decline", {"reason": "staffing"}, expect=200
    )

    await where.intake.post("/holds", wanted, key=fresh())


async def test_without_the_guard_a_household_leaves_although_a_place_came_free(
    country: Country,
) -> None:
    where, home = await full_at_home(country)
    wanted = await where.wish(**WAITS)
    await come_free(home)
    await weaken(
        country,
        "take_hold",
        (
            "AND NOT EXISTS (\n        SELECT FROM public.claims",
            "AND (true OR EXISTS (\n        SELECT FROM public.claims",
        ),
        ("h.decline_withdrawn_at)));\n  END IF;", "h.decline_withdrawn_at))));\n  END IF;"),
    )

    await where.intake.post("/holds", wanted, key=fresh())


async def test_whoever_flees_is_asked_nothing_more_for_it(country: Country) -> None:
    where = await desk(country, places=2)
    asked: list[list[str]] = []
    for wanted in (await where.wish(), await where.wish()):
        with noting(country) as noted:
            await where.intake.post("/holds", wanted, key=fresh())
        asked.append([one.statement for one in noted])
    assert [sum("take_hold" in statement for statement in one) for one in asked] == [1, 1]
    assert len(asked[1]) == 2  # who asks, and the hold


async def test_the_record_shows_the_own_region_to_the_desk_and_to_an_auditor_without_the_household(
    country: Country,
) -> None:
    where, home = await full_at_home(country)
    await home.coordinator.post("/places", place_body(home.site_id, bedSpaces=1))
    await shelter(country, "beuk", site={"municipality": HERE, "admission": "paused"})
    wanted = await where.wish(**WAITS)
    path = f"/rankings/{wanted['rankingId']}"

    own = (await where.intake.get(path))["ownRegion"]
    assert own["region"] == HERE
    assert own["offers"] == 0
    assert {(left["rule"], left["region"], left["places"]) for left in own["excluded"]} == {
        ("free", None, "1-4"),
        ("size", HERE, "1-4"),
        ("admission", HERE, "1-4"),
    }

    await come_free(home)
    controller = await country.client("auditor", region=HERE)
    # Who works at another desk as well knows no more of this household for that.
    both = await country.client("auditor", "intake_worker", provider="third", region=HERE)
    for auditor in (controller, both):
        replay = await auditor.post(f"{path}/replays", expect=200)
        assert replay["identical"] is True
        assert replay["offers"][0]["region"]["code"] == THERE
        told = {left["rule"]: left["places"] for left in replay["ownRegion"]["excluded"]}
        assert (replay["ownRegion"]["offers"], told) == (
            0,
            {"free": "1-4", "unsuitable": "1-4", "admission": "1-4"},
        )
    await (await country.client("auditor", region=FAR)).post(f"{path}/replays", expect=404)

    flees = await where.wish()
    assert (await where.intake.get(f"/rankings/{flees['rankingId']}"))["ownRegion"] is None
