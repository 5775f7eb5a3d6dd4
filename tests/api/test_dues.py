"""What is due, over the API: whose it is, who has seen it, and what nobody saw."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.casework import desk, fresh, problem
from tests.country import Client, Country, hold_first, referral_body
from tests.dues import come, live, ring, told
from tests.shields import break_glass, shielding

YESTERDAY = """
UPDATE dues SET due_at = due_at - interval '1 day', ended_at = ended_at - interval '1 day'
RETURNING id
"""


async def due_of(client: Client, kind: str) -> dict[str, Any]:
    """Return the one due of a kind that a client sees."""
    (found,) = [due for due in (await client.get("/dues"))["items"] if due["kind"] == kind]
    return found


async def kinds(client: Client) -> list[str]:
    """Return the kinds of the dues that a client sees, in their order."""
    return [due["kind"] for due in (await client.get("/dues"))["items"]]


async def test_each_role_sees_the_work_of_its_own_organisation_the_longest_due_first(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    hold, placement = await where.hold(), await where.underway()
    at_haven = await country.client("coordinator", provider="haven")
    at_linde = await country.client("coordinator", provider="linde")
    stranger = await country.client("intake_worker", "coordinator", provider="eik")
    chief = await country.client("administrator")

    assert await kinds(where.intake) == ["expected_arrival", "safety_plan"]
    assert await kinds(at_haven) == ["expected_arrival"]
    assert await kinds(at_linde) == ["hold_to_answer", "expected_arrival", "site_to_confirm"]
    assert await kinds(stranger) == await kinds(chief) == []

    asked = await due_of(at_linde, "hold_to_answer")
    assert (asked["subject"], asked["overdue"], asked["seenBy"], asked["takenBy"]) == (
        hold["id"], False, [], None,
    )  # fmt: skip
    assert asked["dueAt"] == hold["expiresAt"]
    await come(country, "expected_arrival")
    for client in (where.intake, at_linde):
        missed = await due_of(client, "expected_arrival")
        assert (missed["subject"], missed["overdue"]) == (placement["id"], True)
        assert missed["referralId"] == placement["referralId"]
    assert (await kinds(at_linde))[0] == "expected_arrival"

    page = await at_linde.get("/dues", params={"limit": 2})
    rest = await at_linde.get("/dues", params={"limit": 2, "cursor": page["nextCursor"]})
    assert [due["kind"] for due in (*page["items"], *rest["items"])] == await kinds(at_linde)
    assert rest["nextCursor"] is None


async def test_who_has_seen_or_taken_one_is_recorded_and_told_to_the_own_organisation(
    country: Country,
) -> None:
    where = await desk(country)
    await where.hold()
    one, other = where.receiver, await country.client("coordinator", provider="linde")
    due = await due_of(one, "hold_to_answer")
    path = f"/dues/{due['id']}"
    await country.rows("DELETE FROM outbox")

    await one.post(f"{path}/sights", expect=200)
    seen = await one.post(f"{path}/sights", expect=200)
    assert [sight["takenUntil"] for sight in seen["seenBy"]] == [None]
    assert await told(country) == [("hold_to_answer", due["subject"], "linde")]
    taken = await other.post(f"{path}/takings", expect=200)
    assert len(taken["seenBy"]) == 2
    until = datetime.fromisoformat(taken["takenBy"]["takenUntil"])
    assert timedelta(minutes=9) < until - datetime.now(UTC) < timedelta(minutes=11)
    assert taken["takenBy"]["account"] != seen["seenBy"][0]["account"]
    assert (await due_of(one, "hold_to_answer"))["takenBy"] == taken["takenBy"]
    assert await told(country) == [("hold_to_answer", due["subject"], "linde")]

    # Over after some minutes, and never for one that has been done.
    await country.rows(
        "UPDATE due_sights SET taken_until = taken_until - interval '11 minutes' RETURNING due_id"
    )
    assert (await due_of(one, "hold_to_answer"))["takenBy"] is None
    await one.post(f"/holds/{due['subject']}/acceptance", {"by": "person"}, expect=200)
    assert await problem(other, f"{path}/takings", status=409) == "due_over"
    assert (await other.post(f"{path}/sights", expect=200))["id"] == due["id"]


async def test_anothers_due_and_none_are_the_same_and_nothing_is_noted(country: Country) -> None:
    where = await desk(country)
    await where.hold()
    due = await due_of(where.receiver, "hold_to_answer")
    none = "/dues/00000000-0000-4000-8000-000000000000"
    for client in (
        where.intake,
        await country.client("coordinator", provider="eik"),
        await country.client("administrator"),
    ):
        for act in ("sights", "takings"):
            foreign = await client.ask("POST", f"/dues/{due['id']}/{act}", expect=404)
            missing = await client.ask("POST", f"{none}/{act}", expect=404)
            assert foreign.content == missing.content
    sights = "SELECT count(*) FROM due_sights WHERE due_id = :id"
    assert await country.value(sights, id=due["id"]) == 0


async def test_of_a_shielded_household_only_those_hear_who_may_see_it(country: Country) -> None:
    it = await shielding(country)
    assert (await due_of(it.named, "safety_plan"))["referralId"] == it.id
    due = await due_of(it.named, "safety_plan")
    assert await kinds(it.other) == []
    await it.other.ask("POST", f"/dues/{due['id']}/takings", expect=404)
    await break_glass(it.other, it.reference)
    assert (await due_of(it.other, "safety_plan"))["id"] == due["id"]

    # Who is asked for a place is no colleague: the desk's shield is none of their business.
    hold = await it.desk.intake.post(
        f"/referrals/{it.id}/alternatives",
        {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])},
    )
    answering = await due_of(it.desk.receiver, "alternative_check")
    assert (answering["subject"], answering["referralId"], answering["reference"]) == (
        hold["id"], None, None,
    )  # fmt: skip


async def test_what_is_done_for_a_household_that_is_hidden_ends_its_dues_for_all(
    country: Country,
) -> None:
    it = await shielding(country)
    await it.named.post(
        f"/referrals/{it.id}/alternatives",
        {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])},
    )
    assert len(await live(country, "alternative_check", "safety_plan")) == 3
    for kind in ("alternative_check", "safety_plan"):
        await come(country, kind)
    held = await hold_first(it.named, referral_id=it.id)
    path = f"/holds/{held['id']}/acceptance"
    await it.desk.receiver.post(path, {"by": "person"}, expect=200)
    placement = await it.named.post("/placements", {"holdId": held["id"]}, key=fresh())
    # The colleague does not see the shielded household, the receiver not its hotel.
    assert await kinds(it.other) == []
    await it.desk.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
    of_it = await live(country) - await live(country, "site_to_confirm")
    assert of_it == set()
    await country.rows(YESTERDAY)
    chief = await country.client("administrator")
    unseen = [row["unseen"] for row in (await chief.get("/unseen-dues"))["items"]]
    assert sorted(unseen) == [0, 1]  # what the receiver did, the desk has not seen


async def test_what_came_to_its_moment_unseen_is_counted_by_organisation_and_by_nothing_finer(
    country: Country,
) -> None:
    where = await desk(country, places=3)
    chief = await country.client("administrator")
    seen, unseen = await where.underway(), await where.underway()
    for kind in ("expected_arrival", "safety_plan"):
        await come(country, kind)
    await where.intake.post(
        f"/dues/{(await where.intake.get('/dues'))['items'][0]['id']}/sights", expect=200
    )
    # What is live today would tell of one household.
    assert (await chief.get("/unseen-dues"))["items"] == []
    await country.rows(YESTERDAY)

    found = await chief.get("/unseen-dues")
    by_slug = {
        slug: (row["came"], row["unseen"])
        for row in found["items"]
        for slug, id_ in country.providers.items()
        if str(id_) == row["providerId"]
    }
    assert by_slug == {"haven": (2, 1), "linde": (2 + SITE, 2)}
    assert set(found["items"][0]) == {"providerId", "came", "unseen"}
    assert {seen["id"], unseen["id"]}.isdisjoint(str(found))


SITE = 1
"""A site was confirmed as soon as it stood: due at once, and seen by who did it."""


async def test_what_is_done_by_the_own_organisation_was_seen_and_what_others_end_was_not(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.underway()
    await come(country, "expected_arrival")
    assert len(await ring(country)) == 2
    await where.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
    assert await live(country, "expected_arrival") == set()
    rows = await country.rows(
        "SELECT p.slug, (SELECT count(*) FROM due_sights AS s WHERE s.due_id = d.id) AS sights "
        "FROM dues AS d JOIN providers AS p ON p.id = d.provider_id "
        "WHERE d.kind = 'expected_arrival'"
    )
    assert {row.slug: row.sights for row in rows} == {"linde": 1, "haven": 0}
    assert sorted(await told(country)) == [
        ("expected_arrival", placement["id"], "haven"),
        ("expected_arrival", placement["id"], "linde"),
    ]


async def test_eight_colleagues_at_once_are_noted_once_each(country: Country) -> None:
    where = await desk(country)
    await where.hold()
    due = await due_of(where.receiver, "hold_to_answer")
    people = [await country.client("coordinator", provider="linde") for _ in range(4)]
    await asyncio.gather(
        *(
            one.ask("POST", f"/dues/{due['id']}/{act}", expect=200)
            for one in people
            for act in ("sights", "takings")
        )
    )
    assert len((await due_of(where.receiver, "hold_to_answer"))["seenBy"]) == 4


async def test_a_referral_that_is_closed_asks_nothing_and_one_reopened_by_a_no_show_does_again(
    country: Country,
) -> None:
    where = await desk(country)
    placement = await where.underway()
    id_ = placement["referralId"]
    assert await live(country, "safety_plan") == set()
    path = f"/placements/{placement['id']}/no-show"
    await where.intake.post(path, {"safetyChecked": True}, expect=200)
    assert await live(country, "safety_plan") == {("safety_plan", id_, "haven")}
    other = (await where.intake.post("/referrals", referral_body()))["id"]
    await where.intake.post(f"/referrals/{other}/withdrawal", {"reason": "mistake"}, expect=200)
    assert await live(country, "safety_plan") == {("safety_plan", id_, "haven")}
