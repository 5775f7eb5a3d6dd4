"""My places, page by page: what coordinators alone see and do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.web.access import PAGES
from tests.casework import end_zones
from tests.country import FAR, Country, site_body
from tests.web.places.board_scene import busy, small
from tests.web.visitor import PageVisitor, hidden, visitor

OURS = sorted((method, path) for method, path in PAGES if path.startswith("/places"))


async def coordinator(country: Country, provider: str = "linde") -> PageVisitor:
    return await visitor(country, "coordinator", provider=provider)


async def status(
    scene: Any, site: str = "Linde", turn: int = 0
) -> tuple[str, str | None, str | None]:
    place = await scene.linde.get(f"/places/{scene.places[site][turn]}")
    return place["status"], place["reason"], place["until"]


async def test_the_board_shows_own_sites_and_places_and_who_wants_to_come(country: Country) -> None:
    scene = await busy(country)
    page = await (await coordinator(country)).read("/places")

    assert all(f"{name} <small>" in page for name in scene.sites)
    assert all(f'id="p-{place}"' in page for places in scene.places.values() for place in places)
    assert "000-555 02 02" not in page  # whom to call back, they learn once they have accepted
    assert "000-555 01 01" in page
    assert "female (31); 2 children" in " ".join(page.split())
    assert "Arabic, Dutch" in page
    for words in (
        "Lived in",
        "On their way",
        "Held",
        "Occupied",
        "Out of service",
        "Admits nobody for now",
    ):
        assert words in page


async def test_another_provider_sees_and_does_nothing_of_it(country: Country) -> None:
    scene = await small(country)
    hold = await scene.hold()
    stranger = await coordinator(country, "eik")
    page = await stranger.read("/places")

    assert "There are no sites yet" in page
    assert scene.sites["Linde"] not in page
    for path, form in (
        (f"/places/holds/{hold['id']}/acceptance", {}),
        (f"/places/place/{scene.places['Linde'][0]}/occupied", {}),
        (f"/places/site/{scene.sites['Linde']}/confirmation", {}),
        (f"/places/site/{scene.sites['Linde']}/address", {"purpose": "transport"}),
        (f"/places/site/{scene.sites['Linde']}/admission", {"admission": "paused"}),
    ):
        foreign = await stranger.post(path, form, expect=404)
        missing = await stranger.post(
            path.replace(path.split("/")[3], str(uuid4())), form, expect=404
        )
        assert foreign.text == missing.text
    assert (await scene.haven.get(f"/holds/{hold['id']}"))["status"] == "pending"
    assert (await scene.linde.get(f"/sites/{scene.sites['Linde']}"))["admission"] == "open"


@pytest.mark.parametrize("call", OURS, ids=" ".join)
async def test_only_coordinators_get_in(country: Country, call: tuple[str, str]) -> None:
    method, path = call[0], call[1].replace("{id}", str(uuid4()))
    for roles, more in (
        (("intake_worker",), {"provider": "linde"}),
        (("auditor",), {"region": FAR}),
        (("administrator",), {}),
    ):
        somebody = await visitor(country, *roles, **more)
        assert (await somebody.http.request(method, path)).status_code == 403
    nobody = await visitor(country)
    answer = await nobody.http.request(method, path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


async def test_a_request_is_accepted_with_one_press_and_the_sender_sees_it(
    country: Country,
) -> None:
    scene = await small(country)
    hold = await scene.hold()
    at_linde = await coordinator(country)

    answer = await at_linde.post(f"/places/holds/{hold['id']}/acceptance")

    assert "plek:again" in answer.headers["HX-Trigger"]
    assert (await scene.haven.get(f"/holds/{hold['id']}"))["status"] == "accepted"
    again = await at_linde.post(f"/places/holds/{hold['id']}/acceptance", expect=409)
    assert "This hold is accepted." in again.text


async def test_a_request_that_became_unsafe_says_why_when_it_is_accepted_and_can_be_declined(
    country: Country,
) -> None:
    scene = await small(country)
    hold = await scene.hold()
    await country.rows("UPDATE sites SET municipality = 'GM0518'")
    at_linde = await coordinator(country)

    refused = await at_linde.post(f"/places/holds/{hold['id']}/acceptance", expect=409)

    assert "they are not safe here: decline" in " ".join(refused.text.split())
    assert (await scene.haven.get(f"/holds/{hold['id']}"))["status"] == "pending"
    await at_linde.post(f"/places/holds/{hold['id']}/decline", {"reason": "too_near_perpetrator"})
    assert (await scene.haven.get(f"/holds/{hold['id']}"))["status"] == "declined"


async def test_unsafe_areas_that_have_ended_are_none_on_the_board(country: Country) -> None:
    scene = await small(country)
    hold = await scene.accept()
    at_linde = await coordinator(country)
    assert "50 km around" in await at_linde.read("/places")
    await end_zones(country, hold["referralId"])
    page = await at_linde.read("/places")
    assert "not assessed: what was unsafe has ended" in page
    assert "50 km around" not in page


async def test_without_scripts_an_act_leads_back_to_the_board(country: Country) -> None:
    scene = await small(country)
    hold = await scene.hold()

    answer = await (await coordinator(country)).post(
        f"/places/holds/{hold['id']}/decline", {"reason": "staffing"}, part=False, expect=303
    )

    assert answer.headers["Location"] == "/places"
    declined = await scene.haven.get(f"/holds/{hold['id']}")
    assert (declined["status"], declined["reason"]) == ("declined", "staffing")


async def test_a_request_is_not_declined_without_a_reason_that_is_known(country: Country) -> None:
    scene = await small(country)
    hold = await scene.hold()
    at_linde = await coordinator(country)

    for form in ({}, {"reason": "because"}):
        await at_linde.post(f"/places/holds/{hold['id']}/decline", form, expect=400)

    assert (await scene.haven.get(f"/holds/{hold['id']}"))["status"] == "pending"


async def test_a_status_is_taken_back_to_exactly_what_it_was(country: Country) -> None:
    scene = await small(country)
    at_linde = await coordinator(country)
    place = f"/places/place/{scene.places['Linde'][0]}"
    await at_linde.post(
        f"{place}/out-of-service", {"reason": "repair", "until": "2026-12-24T10:00"}
    )
    before = await status(scene)

    answer = await at_linde.post(f"{place}/free")
    assert await status(scene) == ("free", None, None)
    await at_linde.post(f"{place}/undo", {"token": hidden(answer.text, "token")})

    assert before == ("out_of_service", "repair", "2026-12-24T09:00:00Z")
    assert await status(scene) == before


async def test_nothing_is_taken_back_where_somebody_took_or_changed_the_place_meanwhile(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    at_linde = await coordinator(country)
    place = f"/places/place/{scene.places['Linde'][0]}"
    await at_linde.post(f"{place}/occupied")
    answer = await at_linde.post(f"{place}/free")
    token = hidden(answer.text, "token")

    await scene.linde.patch(
        f"/places/{scene.places['Linde'][0]}", {"status": "out_of_service", "reason": "safety"}
    )
    changed = await at_linde.post(f"{place}/undo", {"token": token})
    assert "Somebody has changed this place meanwhile" in changed.text
    await scene.declare("Linde", 0, "free")
    hold = await scene.hold()
    taken = await at_linde.post(f"{place}/undo", {"token": token})

    assert "Somebody has reserved this place meanwhile" in taken.text
    assert (await scene.haven.get(f"/holds/{hold['id']}"))["status"] == "pending"


async def test_only_what_was_just_done_to_this_place_can_be_taken_back(country: Country) -> None:
    scene = await small(country)
    at_linde = await coordinator(country)
    first, second = (f"/places/place/{place}" for place in scene.places["Linde"][:2])
    token = hidden((await at_linde.post(f"{first}/occupied")).text, "token")
    parts = (
        scene.places["Linde"][0],
        "2026-01-01T00:00:00+00:00",
        "free",
        "",
        "",
        "occupied",
        "",
        "",
    )
    old = country.parts.keyring.token("\x1f".join(parts).encode(), scope="undo")

    await at_linde.post(f"{second}/undo", {"token": token}, expect=400)
    await at_linde.post(f"{first}/undo", {"token": token[:-4]}, expect=400)
    late = await at_linde.post(f"{first}/undo", {"token": old})

    assert "too long ago" in late.text
    assert (await status(scene))[0] == "occupied"


async def test_a_place_that_somebody_was_promised_is_not_declared_anything(
    country: Country,
) -> None:
    scene = await small(country, places=1)
    await scene.hold()
    place = f"/places/place/{scene.places['Linde'][0]}"

    answer = await (await coordinator(country)).post(f"{place}/free", expect=409)

    assert "This place has a hold or a placement." in answer.text
    assert (await status(scene))[0] == "held"


async def test_counts_warn_before_they_grow_stale_and_one_press_confirms_them(
    country: Country,
) -> None:
    scene = await busy(country)
    at_linde = await coordinator(country)
    warned = await at_linde.read("/places/sites", part=True)
    assert "grows out of date" in warned
    assert "Others see: out of date." in warned

    for name in ("Beuk", "Wilg"):
        await at_linde.post(f"/places/site/{scene.sites[name]}/confirmation")

    assert "out of date" not in await at_linde.read("/places/sites", part=True)


async def test_a_site_that_nobody_confirmed_is_unknown_and_says_so(country: Country) -> None:
    scene = await small(country)
    await country.rows("UPDATE sites SET confirmed_at = NULL")

    page = await (await coordinator(country)).read("/places/sites", part=True)

    assert "nobody has said yet that this is true" in page
    assert "never confirmed" in page
    assert scene.sites["Linde"] in page


async def test_admission_is_paused_and_opened_with_one_press(country: Country) -> None:
    scene = await small(country)
    at_linde = await coordinator(country)
    site = f"/places/site/{scene.sites['Linde']}"

    for admission in ("paused", "open"):
        await at_linde.post(f"{site}/admission", {"admission": admission})
        assert (await scene.linde.get(f"/sites/{scene.sites['Linde']}"))["admission"] == admission
    await at_linde.post(f"{site}/admission", {"admission": "perhaps"}, expect=400)


async def test_an_unsafe_site_is_loud_until_it_is_safe_again(country: Country) -> None:
    scene = await small(country)
    hold = await scene.hold()
    at_linde = await coordinator(country)
    site = f"/places/site/{scene.sites['Linde']}"

    await at_linde.post(f"{site}/alarm", {"compromised": "threat"})
    page = await at_linde.read("/places")
    assert "Nobody is sent here." in page
    assert (await scene.haven.get(f"/holds/{hold['id']}"))["reason"] == "site_unsafe"
    await at_linde.post(f"{site}/alarm")

    assert "Nobody is sent here." not in await at_linde.read("/places")


async def test_looks_at_who_is_coming_stand_in_the_access_log(country: Country) -> None:
    scene = await small(country)
    hold = await scene.hold()
    at_linde = await coordinator(country)
    await at_linde.read("/places")
    await at_linde.read("/places/incoming", part=True)
    await at_linde.post(f"/places/holds/{hold['id']}/acceptance")

    rows = await country.rows(
        "SELECT action, object_type, cardinality(referral_ids) AS seen FROM access_log"
        " WHERE account_id = (SELECT account_id FROM tokens ORDER BY expires_at DESC LIMIT 1) "
        "ORDER BY id"
    )

    assert [tuple(row) for row in rows] == [
        ("search", "hold", 1),
        ("search", "hold", 1),
        ("accept", "hold", 1),
    ]


async def test_an_address_stands_on_the_sheet_that_was_asked_for_it_and_nowhere_else(
    country: Country,
) -> None:
    scene = await small(country)
    await scene.linde.post(
        "/sites",
        site_body(name="Es", address={"street": "Kanariepad 7", "postcode": "0", "city": "X"}),
    )
    at_linde = await coordinator(country)
    site_id = next(
        site["id"] for site in (await scene.linde.get("/sites"))["items"] if site["name"] == "Es"
    )
    for path in (
        "/places",
        "/places/sites",
        f"/places/site/{site_id}",
        f"/places/site/{site_id}/place",
    ):
        assert "Kanariepad" not in await at_linde.read(path)

    await at_linde.post(f"/places/site/{site_id}/address", {}, expect=400)
    shown = await at_linde.post(f"/places/site/{site_id}/address", {"purpose": "maintenance"})

    assert "Kanariepad 7" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "maintenance" in await at_linde.read("/places/others", part=True)
    asked = await country.rows("SELECT outcome, purpose FROM access_log WHERE action = 'reveal'")
    assert [tuple(row) for row in asked] == [("granted", "maintenance")]


async def test_a_decline_by_a_slip_is_taken_back_and_the_sender_sees_it(country: Country) -> None:
    scene = await small(country)
    hold = await scene.hold()
    at_linde = await coordinator(country)

    said = await at_linde.post(f"/places/holds/{hold['id']}/decline", {"reason": "other"})
    undo = f"/places/holds/{hold['id']}/decline-withdrawal"
    assert undo in said.text
    assert "data-undo" in said.text
    back = await at_linde.post(undo)

    assert "Taken back" in back.text
    worker = await visitor(country, "intake_worker", provider="haven")
    assert "declined by mistake" in await worker.read(f"/find/{hold['referralId']}")
    ranking = await scene.haven.post(f"/referrals/{hold['referralId']}/rankings")
    assert ranking["offers"]


async def test_a_departure_by_a_slip_is_taken_back_and_days_are_put_right(country: Country) -> None:
    scene = await small(country, places=1)
    placement = await scene.arrive()
    at_linde = await coordinator(country)
    stay = f"/places/stay/{placement['id']}"
    left = {"destination": "own_home"}

    said = await at_linde.post(f"{stay}/departure", left)
    assert f"{stay}/not-departed" in said.text
    assert "data-undo" in said.text
    await at_linde.post(f"{stay}/not-departed")
    assert (await scene.linde.get(f"/placements/{placement['id']}"))["status"] == "arrived"

    # Later it is found among those who left lately, and the days are put right there.
    await at_linde.post(f"{stay}/departure", left)
    assert f'href="{stay}"' in await at_linde.read("/places/moves", part=True)
    sheet = await at_linde.read(stay)
    assert 'value="not_departed"' in sheet
    assert 'value="departed_other_day"' in sheet
    await country.rows(
        "UPDATE placements SET arrived_at = arrived_at - interval '4 days' RETURNING 1"
    )
    day = datetime.now(UTC) - timedelta(days=2)
    other = {"code": "departed_other_day", "at": day.strftime("%Y-%m-%dT%H:%M")}
    await at_linde.post(f"{stay}/correction", other)
    ended = await scene.linde.get(f"/placements/{placement['id']}")
    assert datetime.fromisoformat(ended["departedAt"]) < datetime.now(UTC) - timedelta(days=1)
    await scene.linde.patch(f"/places/{scene.places['Linde'][0]}", {"status": "occupied"})
    taken = await at_linde.post(f"{stay}/not-departed", expect=409)
    assert "Somebody else has this place by now" in taken.text


async def test_an_arrival_of_last_night_is_recorded_as_such(country: Country) -> None:
    scene = await small(country, places=1)
    placement = await scene.set_out()
    at_linde = await coordinator(country)
    night = (datetime.now(UTC) - timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M")

    assert 'name="arrivedAt"' in await at_linde.read("/places/moves", part=True)
    await at_linde.post(f"/places/stay/{placement['id']}/arrival", {"arrivedAt": night})

    arrived = await scene.linde.get(f"/placements/{placement['id']}")
    assert datetime.fromisoformat(arrived["arrivedAt"]) < datetime.now(UTC) - timedelta(hours=7)
