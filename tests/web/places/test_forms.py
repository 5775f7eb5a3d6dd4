"""The sheets in front of the board: sites, places, stays, swaps and alternatives."""

from typing import Any

from tests.casework import day_from_now, fresh
from tests.country import Country, referral_body
from tests.swaps import chain
from tests.web.places.board_scene import BoardScene, small
from tests.web.visitor import PageVisitor, chosen_values, hidden, visitor

SITE = {
    "name": "Es",
    "municipality": "GM0193",
    "street": "Voorbeeldstraat 9",
    "postcode": "0000 AA",
    "city": "Nergenshuizen",
    "addressSecrecy": "confidential",
    "supervision": "24h",
    "features": ["cots", "pets"],
}
PLACE = {
    "label": "4A, 4B",
    "kind": "regular",
    "bedSpaces": "3",
    "sharing": "own_unit",
    "genders": ["female"],
    "sonsUpToAge": "12",
    "features": [],
}


async def coordinator(country: Country, provider: str = "linde") -> PageVisitor:
    return await visitor(country, "coordinator", provider=provider)


async def test_a_site_is_added_once_and_its_address_never_comes_back(country: Country) -> None:
    scene = await small(country)
    at_linde = await coordinator(country)

    wrong = await at_linde.post("/places/site", SITE | {"supervision": ""}, expect=400)
    await at_linde.post("/places/site", SITE)
    again = await at_linde.post("/places/site", SITE, expect=400)

    assert "Voorbeeldstraat" not in wrong.text + again.text
    assert 'value="Es"' in wrong.text
    assert "There is one of this name already." in again.text
    made = [site for site in (await scene.linde.get("/sites"))["items"] if site["name"] == "Es"]
    assert [(site["municipality"], site["features"], site["confirmedAt"]) for site in made] == [
        ("GM0193", ["cots", "pets"], None)
    ]


async def test_every_fault_of_a_form_stands_beside_its_field(country: Country) -> None:
    await small(country)

    page = (
        await (await coordinator(country)).post(
            "/places/site", {"automaticAcceptance": "yes"}, expect=400
        )
    ).text

    for field in (
        "name",
        "municipality",
        "street",
        "postcode",
        "city",
        "addressSecrecy",
        "supervision",
    ):
        assert f'id="fault-{field}"' in page, field


async def test_a_site_is_changed_but_not_over_what_a_colleague_has_changed(
    country: Country,
) -> None:
    scene = await small(country)
    at_linde = await coordinator(country)
    path = f"/places/site/{scene.sites['Linde']}"
    form = {
        "name": "Linde",
        "addressSecrecy": "known",
        "supervision": "daytime",
        "version": hidden(await at_linde.read(path), "version"),
    }

    await at_linde.post(path, form)
    stale = await at_linde.post(path, form | {"supervision": "none"}, expect=412)

    assert "Open it again" in stale.text
    site = await scene.linde.get(f"/sites/{scene.sites['Linde']}")
    assert (site["supervision"], site["addressSecrecy"]) == ("daytime", "confidential")
    assert site["proposed"]["addressSecrecy"] == "known"


async def test_a_sheet_begins_with_what_there_is(country: Country) -> None:
    scene = await small(country)
    at_linde = await coordinator(country)
    site = await at_linde.read(f"/places/site/{scene.sites['Linde']}")
    place = await at_linde.read(f"/places/place/{scene.places['Linde'][0]}")

    assert [
        chosen_values(site, name)
        for name in ("addressSecrecy", "supervision", "features", "automaticAcceptance")
    ] == [
        ["confidential"],
        ["24h"],
        [],
        [],
    ]
    assert [chosen_values(place, name) for name in ("kind", "sharing", "genders", "features")] == [
        ["crisis"],
        ["own_unit"],
        ["female"],
        ["cots"],
    ]


async def test_a_confidential_site_does_not_accept_by_itself(country: Country) -> None:
    scene = await small(country)
    form = {
        "name": "Linde",
        "addressSecrecy": "confidential",
        "supervision": "24h",
        "automaticAcceptance": "yes",
    }

    answer = await (await coordinator(country)).post(
        f"/places/site/{scene.sites['Linde']}", form, expect=400
    )

    assert 'id="fault-automaticAcceptance"' in answer.text


async def test_places_that_are_alike_are_added_together_and_each_label_once(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    at_linde = await coordinator(country)
    path = f"/places/site/{scene.sites['Linde']}/place"

    await at_linde.post(path, PLACE)
    again = await at_linde.post(path, PLACE | {"label": "4B"}, expect=400)
    wrong = await at_linde.post(
        path, PLACE | {"label": "5A", "bedSpaces": "many", "genders": []}, expect=400
    )

    assert "There is one of this name already." in again.text
    assert {'id="fault-bedSpaces"' in wrong.text, 'id="fault-genders"' in wrong.text} == {True}
    places = (await scene.linde.get("/places"))["items"]
    assert sorted((place["label"], place["bedSpaces"], place["status"]) for place in places) == [
        ("1A", 4, "free"),
        ("4A", 3, "free"),
        ("4B", 3, "free"),
    ]


async def test_of_a_place_that_somebody_was_promised_only_the_label_changes(
    country: Country,
) -> None:
    scene = await small(country, places=2)
    await scene.hold()
    at_linde = await coordinator(country)
    listed = (await scene.linde.get("/places"))["items"]
    held = next(place for place in listed if place["status"] == "held")
    free = next(place for place in listed if place["status"] == "free")

    for place in (held, free):
        await at_linde.post(f"/places/place/{place['id']}", PLACE | {"label": f"X{place['label']}"})
    taken = await at_linde.post(
        f"/places/place/{free['id']}", PLACE | {"label": f"X{held['label']}"}, expect=400
    )

    assert "There is one of this name already." in taken.text
    kinds = {place["label"]: place["kind"] for place in (await scene.linde.get("/places"))["items"]}
    assert kinds == {f"X{held['label']}": "crisis", f"X{free['label']}": "regular"}


async def test_arrival_and_departure_free_the_place_and_keep_what_delayed_it(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    placement = await scene.set_out()
    at_linde = await coordinator(country)
    assert "On their way from" in await at_linde.read("/places/moves", part=True)
    stay = f"/places/stay/{placement['id']}"

    await at_linde.post(f"{stay}/arrival")
    noted = {
        "expectedDeparture": day_from_now(1),
        "readyToLeaveSince": day_from_now(0),
        "current": ["housing", "debt"],
    }
    await at_linde.post(stay, noted)
    shown = await at_linde.read("/places/moves", part=True)
    wrong = await at_linde.post(f"{stay}/departure", {"departedAt": "2020-01-01T10:00"}, expect=400)
    late = {"destination": "own_home", "departedAt": "2020-01-01T10:00"}
    await at_linde.post(f"{stay}/departure", late, expect=400)
    await at_linde.post(f"{stay}/departure", {"destination": "own_home", "blockers": ["housing"]})

    assert "ready to leave since" in shown
    assert "waits for: no home to move to" in shown
    assert 'id="fault-destination"' in wrong.text
    ended = await scene.haven.get(f"/placements/{placement['id']}")
    assert (ended["status"], ended["destination"], ended["blockers"]) == (
        "ended",
        "own_home",
        ["housing"],
    )
    assert (await scene.linde.get("/places"))["items"][0]["status"] == "free"


async def test_an_arrival_that_was_pressed_by_mistake_is_corrected_with_one_leaf(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    placement = await scene.arrive()
    at_linde = await coordinator(country)
    leaves = await country.value("SELECT count(*) FROM leaves")
    correction = f"/places/stay/{placement['id']}/correction"

    unfilled = await at_linde.post(correction, {}, expect=400)
    await at_linde.post(correction, {"code": "not_arrived", "at": "2020-01-01T10:00"}, expect=400)
    await at_linde.post(correction, {"code": "not_arrived"})

    assert 'id="fault-code"' in unfilled.text
    assert (await scene.haven.get(f"/placements/{placement['id']}"))["status"] == "no_show"
    assert await country.value("SELECT count(*) FROM leaves") == leaves + 1


async def test_a_stay_of_somebody_else_is_not_there(country: Country) -> None:
    scene = await small(country)
    placement = await scene.arrive()
    at_haven = await coordinator(country, "haven")

    for path in ("", "/departure"):
        await at_haven.post(
            f"/places/stay/{placement['id']}{path}", {"destination": "own_home"}, expect=404
        )
    await at_haven.read(f"/places/stay/{placement['id']}", expect=404)

    assert (await scene.linde.get(f"/placements/{placement['id']}"))["status"] == "arrived"


async def test_who_does_not_come_keeps_the_place_until_the_sender_says_that_they_are_safe(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    placement = await scene.set_out()
    at_linde, at_haven = await coordinator(country), await coordinator(country, "haven")
    path = f"/places/stay/{placement['id']}/no-show"

    await at_linde.post(path)
    assert "Did not come" in await at_linde.read("/places/sites", part=True)
    await at_linde.post(path, {"safe": "yes"}, expect=403)
    assert "Sent by us, did not arrive" in await at_haven.read("/places/moves", part=True)
    await at_haven.post(path, {"safe": "yes"})

    assert (await scene.linde.get("/places"))["items"][0]["status"] == "free"
    assert "Sent by us" not in await at_haven.read("/places/moves", part=True)


async def test_that_a_household_would_move_is_noted_and_forgotten(country: Country) -> None:
    scene = await small(country)
    placement = await scene.arrive()
    at_linde = await coordinator(country)
    stay = f"/places/stay/{placement['id']}"

    await at_linde.post(f"{stay}/agreement", {"would": "yes"})
    assert "Yes, they said on" in await at_linde.read(stay)
    await at_linde.post(f"{stay}/agreement")

    assert "Ask them first." in await at_linde.read(stay)


async def test_each_says_yes_to_its_own_side_of_a_swap_and_sees_no_other_leg(
    country: Country,
) -> None:
    found = await chain(country)
    swap = await found.at.propose(found.waiting)
    at_linde, at_eik = await coordinator(country), await coordinator(country, "eik")
    desk = await coordinator(country, "haven")

    assert "You see only what concerns you." in await at_linde.read("/places/swaps", part=True)
    assert "Yes, they may leave us" not in await at_eik.read("/places/swaps", part=True)
    for client, side in await found.at.asked(swap["id"]):
        page = {
            found.at.desk: desk,
            found.at.hosts["linde"]: at_linde,
            found.at.hosts["eik"]: at_eik,
        }[client]
        await page.post(
            f"/places/swaps/{swap['id']}/consent", {"leg": side["legId"], "as": side["as"]}
        )

    assert await found.at.status(swap["id"]) == "reserved"
    assert "Reserved." in await at_linde.read("/places/swaps", part=True)


async def test_a_swap_is_refused_with_a_reason(country: Country) -> None:
    found = await chain(country)
    swap = await found.at.propose(found.waiting)
    at_linde = await coordinator(country)

    await at_linde.post(f"/places/swaps/{swap['id']}/refusal", {"reason": "never"}, expect=400)
    await at_linde.post(f"/places/swaps/{swap['id']}/refusal", {"reason": "staffing"})

    assert await found.at.status(swap["id"]) == "refused"
    late = await at_linde.post(
        f"/places/swaps/{swap['id']}/refusal", {"reason": "staffing"}, expect=409
    )
    assert "This swap is refused." in late.text


async def arrange_hotel(scene: BoardScene) -> dict[str, Any]:
    """Let linde answer for a household of haven in a hotel, whose check is overdue."""
    referral = await scene.haven.post("/referrals", referral_body())
    body = {"kind": "hotel", "responsibleProviderId": str(scene.country.providers["linde"])}
    made = await scene.haven.post(f"/referrals/{referral['id']}/alternatives", body, key=fresh())
    await scene.country.rows(
        "UPDATE alternatives SET next_check_at = clock_timestamp() - interval '1 hour'"
    )
    return made


async def test_whoever_answers_for_a_household_elsewhere_looks_after_it_and_ends_it(
    country: Country,
) -> None:
    scene = await small(country)
    alternative = await arrange_hotel(scene)
    at_linde = await coordinator(country)
    path = f"/places/alternatives/{alternative['id']}"

    before = await at_linde.read("/places/others", part=True)
    await at_linde.post(f"{path}/check", {"outcome": "well"})
    after = await at_linde.read("/places/others", part=True)
    await at_linde.post(f"{path}/ending", {"reason": "left"})

    assert "Look after them now" in before
    assert alternative["reference"] in before
    assert "Look after them before" in after
    ended = await scene.haven.get(f"/alternatives/{alternative['id']}")
    assert (ended["outcome"], ended["endReason"]) == ("well", "left")
    await at_linde.post(f"{path}/check", {"outcome": "well"}, expect=409)


async def test_how_many_can_be_helped_where_they_are_is_published(country: Country) -> None:
    await small(country)
    at_linde = await coordinator(country)

    for wrong in ("", "-1", "10001", "many"):
        await at_linde.post("/places/capacity", {"capacity": wrong}, expect=400)
    await at_linde.post("/places/capacity", {"capacity": "7"})

    assert 'value="7"' in await at_linde.read("/places/capacity")
    assert "0 of 7 in use" in await at_linde.read("/places/others", part=True)
