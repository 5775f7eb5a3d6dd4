"""A household that waits, without a script: obstacles, alternatives, contacts, the list."""

import pytest

from tests.casework import desk
from tests.country import Country, referral_body
from tests.web.find.intake import id_of, register_household, renewal_path, worker_of
from tests.web.visitor import visitor


async def test_whoever_did_not_arrive_keeps_the_place_until_somebody_says_that_they_are_safe(
    country: Country,
) -> None:
    there = await desk(country)
    placement = await there.underway()
    worker = await worker_of(country)
    page = await worker.get(f"/find/{placement['referralId']}")

    missing = await worker.press(page, "/no-show")
    safe = await worker.press(missing, "/no-show")

    assert "Make sure now that they are safe." in missing.text
    assert "Look for places now" in safe.text
    assert "make sure that they are safe" not in (await worker.get("/find")).text


async def test_why_not_there_names_every_rule_in_the_way(country: Country) -> None:
    await desk(country)
    worker = await worker_of(country)
    offers = await register_household(worker, adult_0_gender="male")

    why = await worker.press(offers, "/why", partial=True, region="GM0193")

    assert "not for these adults" in why.text
    assert "<html" not in why.text


async def test_if_nothing_fits_an_alternative_is_arranged_looked_after_and_ended(
    country: Country,
) -> None:
    await country.provider("linde")
    worker = await worker_of(country)
    nothing = await register_household(worker)
    linde = str(country.providers["linde"])

    begun = await worker.press(nothing, "/alternatives", kind="hotel", provider=linde)
    form = begun.form("/checks")
    unwell = await worker.send(form.action, [*form.fields, ("outcome", "not_well")])
    listed = await worker.get("/find")
    form = unwell.form("/endings")
    ended = await worker.send(form.action, [*form.fields, ("reason", "left")])

    assert "Nothing fits and is free now" in nothing.text
    assert "Meanwhile: hotel" in begun.text
    assert "Find out now how they are:" in unwell.text
    assert "make sure that they are well" in listed.text
    assert "Meanwhile: hotel" not in ended.text


async def test_a_contact_is_kept_and_says_when_the_next_is_due(country: Country) -> None:
    worker = await worker_of(country)
    page = await register_household(worker)

    noted = await worker.press(
        page, "/contacts", note="All quiet.", kind="client", due_at="2090-01-01T10:00"
    )
    refused = await worker.press(
        noted, "/contacts", note="Late.", kind="client", due_at="2020-01-01T10:00"
    )

    assert "All quiet." in noted.text
    assert "next contact 1 Jan 2090" in noted.text
    assert "That moment has passed already." in refused.text


async def test_a_search_for_a_swap_says_why_there_is_none(country: Country) -> None:
    worker = await worker_of(country)
    nothing = await register_household(worker)

    searched = await worker.press(nothing, "/swap-searches")

    assert "No household has agreed by now that it would move." in searched.text


async def test_the_list_has_who_waits_what_is_held_and_who_is_on_the_way(country: Country) -> None:
    there = await desk(country, places=2)
    held, placement = await there.hold(), await there.underway()
    waits = await there.intake.post("/referrals", referral_body())
    worker = await worker_of(country)

    seen = await worker.get("/find")

    for referral_id in (held["referralId"], placement["referralId"], waits["id"]):
        assert f"/find/{referral_id}" in seen.text
    assert "waiting for an answer" in seen.text
    assert "On their way" in seen.text


async def test_a_page_that_is_seen_already_is_not_sent_again(country: Country) -> None:
    there = await desk(country)
    hold = await there.hold()
    worker = await worker_of(country)
    page = await worker.get(f"/find/{hold['referralId']}")
    now = renewal_path(page)

    same = await worker.get(now, partial=True)
    await there.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    other = await worker.get(now, partial=True)

    assert same.status == 204
    assert "Stichting Linde has a place for them" in other.text
    follows = await country.rows("SELECT object_id FROM access_log WHERE action = 'follow'")
    assert [str(row.object_id) for row in follows] == [hold["referralId"]]


@pytest.mark.parametrize("provider", ["linde", None])
async def test_a_referral_of_another_desk_is_not_there(
    country: Country, provider: str | None
) -> None:
    there = await desk(country)
    made = await there.intake.post("/referrals", referral_body())
    role = "intake_worker" if provider else "administrator"
    other = await visitor(country, role, provider=provider)

    for path in (f"/find/{made['id']}", f"/find/{made['id']}/now"):
        seen = await other.get(path)
        assert seen.status == (404 if provider else 403)
        assert made["reference"] not in seen.text


async def test_a_plan_for_all_who_wait_is_held_one_press_at_a_time(country: Country) -> None:
    there = await desk(country, places=2)
    made = [await there.intake.post("/referrals", referral_body()) for _ in range(2)]
    worker = await worker_of(country)

    plan = await worker.press(await worker.get("/find"), "/find/plan")
    held = await worker.press(plan, "/holds")

    for referral in made:
        assert referral["reference"] in plan.text
    assert "Held: Stichting Linde has to answer" in held.text
    assert await country.value("SELECT count(*) FROM holds") == 1


async def test_a_referral_is_closed_for_a_reason_found_again_and_opened_with_one_press(
    country: Country,
) -> None:
    await country.provider("linde")
    worker = await worker_of(country)
    case = await register_household(worker)
    referral = "/find/" + id_of(case)

    without = await worker.press(case, "/withdrawal")
    closed = await worker.press(case, "/withdrawal", reason="stayed_home")
    shown = await worker.get(referral)
    undone = await worker.press(closed, "/reopening")

    assert "is closed" not in without.text
    assert "is closed: stayed at home" in closed.text
    assert "Undo" in closed.text
    assert "Reason: stayed at home." in shown.text
    assert "Look for places now" in undone.text
    assert "closed lately" not in (await worker.get("/find")).text

    # The moment passes, and the list of what was closed lately goes on offering it.
    await worker.press(undone, "/withdrawal", reason="mistake")
    await country.rows("UPDATE referrals SET closed_at = closed_at - interval '11 s' RETURNING 1")
    later = await worker.get(f"/find?closed={id_of(case)}")
    assert "Undo" not in later.text
    assert "1 referral closed lately" in later.text
    assert "Look for places now" in (await worker.press(later, "/reopening")).text
    await worker.press(await worker.get(referral), "/withdrawal", reason="mistake")
    assert (
        "Look for places now" in (await worker.press(await worker.get(referral), "/reopening")).text
    )
    await worker.press(await worker.get(referral), "/withdrawal", reason="mistake")
    await country.rows(
        "UPDATE referrals SET closed_at = closed_at - interval '31 days' RETURNING 1"
    )
    assert "closed lately" not in (await worker.get("/find")).text
