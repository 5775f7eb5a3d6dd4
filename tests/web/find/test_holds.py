"""Holds without a script: from the offers to the arrival, and each other outcome."""

import re

from tests.casework import desk, lapse
from tests.country import Country, hold_first, referral_body
from tests.web.find.intake import (
    FEW,
    hold_of,
    id_of,
    register_household,
    renewal_path,
    second_shelter,
    worker_of,
)


async def test_a_household_goes_from_the_form_to_the_place(country: Country) -> None:
    there = await desk(country)
    worker = await worker_of(country)
    offers = await register_household(
        worker,
        needs=["supervision_24h"],
        languages=["Arabisch", "French"],
        call_back="030 000 11 22",
    )
    assert "Choose languages" in offers.text  # the page is in English: Arabisch is no name there
    offers = await worker.press(offers, "/find/new", FEW, languages=["Arabic", "French"])

    held = await worker.press(offers, "/holds")
    await there.receiver.post(
        f"/holds/{(await hold_of(there))['id']}/acceptance", {"by": "person"}, expect=200
    )
    accepted = await worker.get(f"/find/{id_of(held)}")
    under_way = await worker.press(accepted, "/placement")
    (placement,) = (await there.receiver.get("/placements"))["items"]
    await there.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
    arrived = await worker.get(f"/find/{id_of(held)}")

    assert "Held: Stichting Linde has to answer" in held.text
    assert "Stichting Linde has a place for them" in accepted.text
    assert "speaks Arabic, French" in accepted.text
    assert "On their way to Stichting Linde" in under_way.text
    assert "They have arrived at Stichting Linde" in arrived.text


async def test_late_in_a_shift_a_place_is_held_with_two_presses_as_ever(country: Country) -> None:
    """No budget and no second factor stands between a household and its place."""
    await desk(country)
    worker = await worker_of(country)
    await country.limit_budgets()
    await country.rows("UPDATE tokens SET created_at = now() - interval '11 hours' RETURNING id")

    offers = await register_household(worker)
    held = await worker.press(offers, "/holds")

    assert "Held: Stichting Linde has to answer" in held.text


async def test_the_hand_over_card_names_no_town_and_no_address(country: Country) -> None:
    there = await desk(country)
    placement = await there.underway()
    worker = await worker_of(country)

    seen = await worker.get(f"/find/{placement['referralId']}")

    card = seen.text.partition("Hand over by telephone")[2].partition("Ask for the address")[0]
    assert "Stichting Linde" in card
    assert "Zwolle" not in card
    assert "Voorbeeldstraat" not in seen.text


async def test_an_address_is_shown_once_to_whom_works_on_it_and_is_written_down(
    country: Country,
) -> None:
    """The worker of the next shift: one press more, and a code where the shift has been long."""
    there = await desk(country)
    placement = await there.underway()
    worker = await worker_of(country)
    page = await worker.get(f"/find/{placement['referralId']}")
    form = page.form("/address")

    refused = await worker.send(form.action, [*form.fields, ("purpose", "transport")], partial=True)
    taking = refused.form("/address")
    shown = await worker.send(taking.action, [*taking.fields, *taking.buttons], partial=True)

    assert (refused.status, shown.status) == (403, 200)
    assert "Stichting Linde: 000-555 01 01" in refused.text
    assert "Voorbeeldstraat 1" in shown.text
    assert shown.response.headers["cache-control"] == "no-store"
    looks = await country.rows("SELECT outcome, purpose FROM access_log WHERE action = 'reveal'")
    assert [tuple(row) for row in looks] == [("refused", None), ("granted", "transport")]

    await country.rows("UPDATE tokens SET created_at = now() - interval '3 hours' RETURNING id")
    late = await worker.send(form.action, [*form.fields, ("purpose", "transport")], partial=True)
    assert (late.status, late.form("/address").fields[-1]) == (403, ("code", ""))


async def test_an_offer_that_has_gone_says_so_and_shows_what_is_first_now(country: Country) -> None:
    there = await desk(country)
    worker = await worker_of(country)
    offers = await register_household(worker)
    await hold_first(
        there.intake, referral_id=(await there.intake.post("/referrals", referral_body()))["id"]
    )

    gone = await worker.press(offers, "/holds", partial=True)

    assert gone.status == 409
    assert "That place has just gone" in gone.text
    assert "Nothing fits and is free now" in gone.text
    assert "nothing like it is free now" in gone.text


async def test_a_second_press_on_hold_gives_the_same_hold(country: Country) -> None:
    await desk(country, places=2)
    worker = await worker_of(country)
    form = (await register_household(worker)).form("/holds")

    await worker.send(form.action, form.fields)
    again = await worker.send(form.action, form.fields)

    assert "Held: Stichting Linde has to answer" in again.text
    assert await country.value("SELECT count(*) FROM holds") == 1


async def test_below_the_first_rank_one_press_gives_the_reason_and_holds(country: Country) -> None:
    await desk(country)
    await second_shelter(country)
    worker = await worker_of(country)
    offers = await register_household(worker)
    second = next(part for part in offers.text.split("<form")[1:] if "override_reason" in part)
    offer = re.search(r'name="offer" value="([^"]+)"', second)
    assert offer
    form = offers.form("/holds")

    without = await worker.send(form.action, form.fields_with(offer=offer[1]))
    held = await worker.send(
        form.action,
        [*form.fields_with(offer=offer[1], key="another"), ("override_reason", "transport")],
    )

    assert "Say why this offer and not the first." in without.text
    assert "Held:" in held.text
    assert await country.value("SELECT override_reason FROM holds") == "transport"


async def test_what_was_declined_points_to_the_next_offer_in_one_press(country: Country) -> None:
    there = await desk(country)
    await second_shelter(country)
    worker = await worker_of(country)
    held = await worker.press(await register_household(worker), "/holds")
    shelters = {
        "linde": there.receiver,
        "berk": await country.client("coordinator", provider="berk"),
    }
    (hold,) = [hold for one in shelters.values() for hold in (await one.get("/holds"))["items"]]
    receiver = next(
        one for name, one in shelters.items() if str(country.providers[name]) == hold["providerId"]
    )
    await receiver.post(f"/holds/{hold['id']}/decline", {"reason": "staffing"}, expect=200)

    declined = await worker.get(f"/find/{id_of(held)}")
    following = await worker.press(declined, "/rankings")

    assert "declined: too few staff" in declined.text
    assert "To the next offer" in declined.text
    assert "Offers, best first" in following.text


async def test_a_hold_that_ran_out_says_so(country: Country) -> None:
    there = await desk(country)
    hold = await there.hold()
    await lapse(country, hold["id"])
    worker = await worker_of(country)

    seen = await worker.get(f"/find/{hold['referralId']}")

    assert "Stichting Linde did not answer in time." in seen.text


async def test_a_hold_is_renewed_as_often_as_the_policy_allows_and_given_back_with_a_reason(
    country: Country,
) -> None:
    there = await desk(country)
    hold = await there.hold()
    worker = await worker_of(country)
    page = await worker.get(f"/find/{hold['referralId']}")

    once = await worker.press(page, "/renewal")
    twice = await worker.press(once, "/renewal")
    form = twice.form("/release")
    given_back = await worker.send(
        form.action, [*form.fields, ("reason", "client_refused_too_far")]
    )

    assert "1 time left" in once.text
    assert "It cannot be held longer any more." in twice.text
    assert "Look for places now" in given_back.text
    assert await country.value("SELECT reason FROM holds") == "client_refused_too_far"


async def test_what_was_said_stays_while_something_beside_it_changes_and_goes_with_the_next_step(
    country: Country,
) -> None:
    there = await desk(country)
    worker = await worker_of(country)
    held = await worker.press(await register_household(worker), "/holds", partial=True)
    now = renewal_path(held)
    path = f"/referrals/{id_of(held)}"
    etag = (await there.intake.ask("GET", path)).headers["etag"]
    await there.intake.patch(path, {"safetyPlan": True}, headers={"If-Match": etag})

    beside = await worker.get(now, partial=True)
    await there.receiver.post(
        f"/holds/{(await hold_of(there))['id']}/acceptance", {"by": "person"}, expect=200
    )
    after = await worker.get(now, partial=True)

    said = "The place is held: nobody else can take it now."
    assert said in held.text
    assert said in beside.text
    assert said not in after.text
