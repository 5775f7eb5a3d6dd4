"""The form of a referral without a script: faults, repeats, colleagues, missing facts."""

import re

from tests.casework import day_from_now, desk, end_zones
from tests.country import Country, referral_body
from tests.web.find.intake import FEW, id_of, register_household, worker_of

WITH_A_SON = {"adults": [{"gender": "female"}], "children": [{"gender": "male"}]}


async def test_urgency_an_adult_and_where_they_come_from_are_enough_to_be_offered_a_place(
    country: Country,
) -> None:
    await desk(country)
    worker = await worker_of(country)

    seen = await register_household(worker)

    assert seen.status == 200
    assert "Hold this place" in seen.text
    assert "Safety not assessed." in seen.text


async def test_a_form_with_faults_comes_back_as_it_was_filled_in_with_what_to_do_about_each(
    country: Country,
) -> None:
    worker = await worker_of(country)

    seen = await register_household(
        worker, origin="Bergen", adult_0_age="eleven", call_back="ring me"
    )

    assert seen.status == 400
    assert "3 things have to be put right" in seen.text
    assert 'value="Bergen"' in seen.text
    assert 'value="eleven"' in seen.text
    assert "An adult's age is a number from 12 to 120" in seen.text
    assert (await worker.get("/find")).text.count("plek-reference") == 0


async def test_an_unsafe_area_that_has_ended_is_not_taken_in_and_one_that_ended_since_may_stay(
    country: Country,
) -> None:
    where = await desk(country)
    worker = await worker_of(country)
    areas: dict[str, str | list[str]] = {
        "danger": "assessed",
        "zone_0_municipality": "Den Haag",
        "zone_0_radius": "50",
        "zone_0_cause": "home",
    }
    rows = (
        await worker.send(
            "/find/rows",
            [*(await worker.get("/find/new")).form("/find/new").fields, ("more", "zone")],
        )
    ).form("/find/new")

    seen = await worker.send(
        "/find/new", rows.fields_with(**FEW, **areas, zone_0_until=day_from_now(-1))
    )

    assert seen.status == 400
    assert "today or later" in seen.text
    assert (await worker.get("/find")).text.count("plek-reference") == 0
    made = await where.intake.post("/referrals", referral_body())
    await end_zones(country, made["id"])
    page = await worker.get(f"/find/{made['id']}")
    changed = await worker.press(page, f"/find/{made['id']}", {"call_back": "000-555 01 01"})
    assert changed.status == 200
    assert "All unsafe areas have ended." in changed.text
    assert "Nobody asked yet where it is unsafe." not in changed.text
    wider = await worker.press(changed, f"/find/{made['id']}", {"zone_0_radius": "60"})
    assert (wider.status, "today or later" in wider.text) == (400, True)


async def test_rows_are_added_and_taken_away_without_a_script_and_nothing_is_kept_of_them(
    country: Country,
) -> None:
    worker = await worker_of(country)
    form = (await worker.get("/find/new")).form("/find/new")
    fields = [*form.fields_with(origin="Zwolle", adult_0_gender="female"), ("more", "child")]

    more = await worker.send("/find/rows", fields)
    filled = more.form("/find/new").fields_with(child_0_age="7")
    fewer = await worker.send("/find/rows", [*filled, ("less", "child-0")])

    assert 'name="child-0-age"' in more.text
    assert 'value="Zwolle"' in more.text
    assert 'name="child-0-age"' not in fewer.text
    assert await country.value("SELECT count(*) FROM referrals") == 0


async def test_the_same_form_sent_twice_registers_one_household(country: Country) -> None:
    worker = await worker_of(country)
    form = (await worker.get("/find/new")).form("/find/new")
    fields = form.fields_with(**FEW)

    first = await worker.send(form.action, fields)
    again = await worker.send(form.action, fields)

    assert id_of(first) == id_of(again)
    assert await country.value("SELECT count(*) FROM referrals") == 1
    assert await country.value("SELECT count(*) FROM rankings") == 1


async def test_a_form_that_was_sent_and_then_changed_asks_before_it_is_sent_again(
    country: Country,
) -> None:
    worker = await worker_of(country)
    form = (await worker.get("/find/new")).form("/find/new")
    await worker.send(form.action, form.fields_with(**FEW))

    other = await worker.send(form.action, form.fields_with(**FEW | {"urgency": "urgent"}))
    second = await worker.press(other, "/find/new", FEW | {"urgency": "urgent"})

    assert other.status == 409
    assert "This form was sent before" in other.text
    assert second.status == 200
    assert await country.value("SELECT count(*) FROM referrals") == 2


async def test_what_is_missing_is_asked_for_and_the_answer_ranks_again(country: Country) -> None:
    there = await desk(country, sonsUpToAge=12)
    worker = await worker_of(country)
    made = await there.intake.post("/referrals", referral_body(household=WITH_A_SON))
    page = await worker.press(await worker.get(f"/find/{made['id']}"), "/rankings")

    answered = await worker.press(page, "/answers", age="9")

    assert "Ask for it: 1-4 more offers may open." in page.text
    assert "Offers, best first" in answered.text


async def test_a_colleague_who_was_quicker_is_not_overwritten_in_silence(country: Country) -> None:
    there = await desk(country)
    made = await there.intake.post("/referrals", referral_body())
    worker = await worker_of(country)
    page = await worker.get(f"/find/{made['id']}")
    etag = (await there.intake.ask("GET", f"/referrals/{made['id']}")).headers["etag"]
    await there.intake.patch(
        f"/referrals/{made['id']}", {"urgency": "urgent"}, headers={"If-Match": etag}
    )

    stale = await worker.press(page, f"/find/{made['id']}", urgency="planned")
    saved = await worker.press(stale, f"/find/{made['id']}", urgency="planned")

    assert stale.status == 409
    assert "A colleague changed this referral meanwhile" in stale.text
    assert "planned" in saved.text
    assert (await there.intake.get(f"/referrals/{made['id']}"))["urgency"] == "planned"


async def test_every_ranking_that_a_page_makes_is_in_the_access_log_as_one(
    country: Country,
) -> None:
    await desk(country)
    worker = await worker_of(country)

    page = await register_household(worker)
    await worker.press(page, f"/find/{id_of(page)}", urgency="urgent")

    assert await country.value("SELECT count(*) FROM access_log WHERE action = 'rank'") == 2


async def test_a_form_of_somebody_else_is_not_sent_by_whoever_signed_in_after_them(
    country: Country,
) -> None:
    await desk(country)
    first, second = await worker_of(country), await worker_of(country)
    form = (await first.get("/find/new")).form("/find/new")
    person = re.search(r'"X-Person": "([0-9a-f]+)"', (await first.get("/find/new")).response.text)
    assert person

    theirs = await second.send(
        form.action, form.fields_with(**FEW), partial=True, headers={"X-Person": person[1]}
    )
    own = await first.send(
        form.action,
        form.fields_with(**FEW, csrf="old"),
        partial=True,
        headers={"X-Person": person[1]},
    )

    assert theirs.status == own.status == 403
    assert "Somebody else is signed in here by now." in theirs.text
    assert "x-csrf" not in theirs.response.headers
    assert "You signed in again meanwhile." in own.text
    assert own.response.headers["x-csrf"]
    assert await country.value("SELECT count(*) FROM referrals") == 0
